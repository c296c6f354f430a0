"""Asking a server by the host's ``psql``. SQL goes by its input and passwords by its environment: no one sees them."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from typing import Any

from drumline.plugin import ActionFailed, Argument, Call, Completed, HostPath, Language, Platform, Request, Run
from drumline.plugin.kit import output_text, require_exit

POSIX = (Platform.POSIX,)
#: Bytes that a server may answer.
_MOST = 32 * 1024 * 1024
_PSQL = "psql -X -w -v ON_ERROR_STOP=1 -v VERBOSITY=terse"
#: Variables of the client library for arguments, and for the commonest of ``connect_params``.
_VARIABLES = {
    "login_port": "PGPORT",
    "login_user": "PGUSER",
    "login_password": "PGPASSWORD",
    "ssl_mode": "PGSSLMODE",
    "ca_cert": "PGSSLROOTCERT",
    "ssl_cert": "PGSSLCERT",
    "ssl_key": "PGSSLKEY",
}
_PARAMETERS = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "client_encoding": "PGCLIENTENCODING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "hostaddr": "PGHOSTADDR",
    "options": "PGOPTIONS",
    "service": "PGSERVICE",
    "sslcrl": "PGSSLCRL",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


def environment(call: Call, database: str) -> dict[str, str]:
    """By which variables the client library finds the server."""
    found = {variable: str(call[name]) for name, variable in _VARIABLES.items() if call[name] not in (None, "")}
    place = call["login_unix_socket"] or call["login_host"]
    if place:
        found["PGHOST"] = str(place)
    for name, value in (call["connect_params"] or {}).items():
        if name not in _PARAMETERS:
            raise ActionFailed(f"'connect_params' has no '{name}' here; it may have {', '.join(sorted(_PARAMETERS))}")
        found[_PARAMETERS[name]] = str(value)
    return {**call.environment, "PGDATABASE": database, **found}


def run(
    call: Call, database: str, sql: str, options: str = "-q -A -t", **more: str
) -> Generator[Request, Any, Completed]:
    """Have ``psql`` run this, and give all that it says. ``more`` are variables of its environment."""
    completed: Completed = yield Run(
        language=Language.SH,
        text=f"exec {_PSQL} {options}",
        stdin=sql.encode(),
        environment={**environment(call, database), **more},
        most=_MOST,
        timeout=None,
    )
    require_exit(call, completed)
    if completed.cut:
        raise ActionFailed(f"The server answered more than {_MOST // 1024 // 1024} MiB")
    return completed


def ask(call: Call, database: str, sql: str, options: str = "-q -A -t", **more: str) -> Generator[Request, Any, str]:
    """The same, and end the action where ``psql`` fails."""
    completed = yield from run(call, database, as_role(call) + sql, options, **more)
    if completed.code:
        raise ActionFailed(problem_of(completed), rc=completed.code)
    return output_text(completed.stdout)


def look(call: Call, database: str, query: str) -> Generator[Request, Any, dict[str, Any]]:
    """The one row of a query, by the names of its columns; all null where there is none."""
    said = yield from ask(call, database, f"SELECT row_to_json(found) FROM ({query}) AS found;\n")
    found: dict[str, Any] = json.loads(said) if said.strip() else {}
    return found


def change(
    call: Call, database: str, statements: Iterable[str], *, together: bool = True
) -> Generator[Request, Any, None]:
    """Run these statements, in one transaction if they may be, unless this is a check."""
    sql = "".join(f"{statement.rstrip().removesuffix(';')};\n" for statement in statements)
    if sql and not call.check:
        yield from ask(call, database, f"BEGIN;\n{sql}COMMIT;\n" if together else sql)


def problem_of(completed: Completed) -> str:
    """What ``psql`` has said of a failure, without where its input was wrong, since no one wrote that."""
    if completed.code == 127:
        return "This host has no psql: PostgreSQL's client isn't installed"
    lines = output_text(completed.stderr).strip().splitlines()
    return "\n".join(line.removeprefix("psql:").partition("ERROR:  ")[2] or line for line in lines)


def as_role(call: Call) -> str:
    return f"SET ROLE {name_of(call['session_role'])};\n" if call["session_role"] else ""


def name_of(text: object) -> str:
    """A name as SQL reads it."""
    return '"' + str(text).replace('"', '""') + '"'


def literal(value: object) -> str:
    """A value as SQL reads it, whatever the server thinks of backslashes."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return literal(_array(value))
    if isinstance(value, dict):
        return literal(json.dumps(value))
    text = str(value)
    if "\0" in text:
        raise ActionFailed("PostgreSQL takes no text with a NUL")
    quoted = text.replace("'", "''")
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else f"'{quoted}'"


def _array(items: Iterable[object]) -> str:
    def of(item: object) -> str:
        if item is None:
            return "NULL"
        if isinstance(item, (list, tuple)):
            return _array(item)
        text = str(item).lower() if isinstance(item, bool) else str(item)
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    return "{" + ",".join(map(of, items)) + "}"


def database_argument(*, required: bool = False) -> Argument:
    return Argument(name="login_db", aliases=("db", "database"), required=required, help="Database to connect to")


#: What all of them take.
CONNECTION = (
    Argument(name="login_host", default="", aliases=("host",), help="Host of the server; default: this one's socket"),
    Argument(name="login_port", type=int, default=5432, aliases=("port",), help="Its port"),
    Argument(name="login_unix_socket", default="", aliases=("unix_socket",), help="Directory of its socket"),
    Argument(name="login_user", default="postgres", aliases=("login",), help="Who logs in"),
    Argument(name="login_password", default="", help="Their password"),
    Argument(
        name="ssl_mode",
        default="prefer",
        choices=("allow", "disable", "prefer", "require", "verify-ca", "verify-full"),
        help="Whether the connection is encrypted",
    ),
    Argument(name="ca_cert", type=HostPath, aliases=("ssl_rootcert",), help="File of authorities, on the host"),
    Argument(name="ssl_cert", type=HostPath, help="File of the client's certificate, on the host"),
    Argument(name="ssl_key", type=HostPath, help="File of the client's key, on the host"),
    Argument(name="connect_params", type=dict, help="More of the connection: {connect_timeout: 5}"),
    Argument(name="session_role", help="Role to switch to after the log-in"),
    Argument(name="trust_input", type=bool, default=True, help="Taken, and of no effect: names are quoted here"),
)
