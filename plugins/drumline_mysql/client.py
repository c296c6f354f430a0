"""Asking a server by the host's ``mysql``. SQL goes by its input and passwords by a pipe: no one sees them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator, Iterable
from typing import Any
from xml.etree import ElementTree

from drumline.plugin import ActionFailed, Argument, Call, Completed, HostPath, Language, Platform, Request, Run
from drumline.plugin.kit import output_text, require_exit, sh_word

POSIX = (Platform.POSIX,)
#: Bytes that a server may answer.
_MOST = 32 * 1024 * 1024
#: The client is called mariadb where the old names are gone. What it is told of the connection comes by descriptor 3,
#: and begins with the user's own file; no other file of theirs is read, since that would come last.
_START = """
file={file}
program() {{
    for name; do command -v "$name" >/dev/null 2>&1 && return; done
    echo "This host has no $1: MySQL's or MariaDB's client isn't installed" >&2
    exit 127
}}
options=$(
    [ ! -f "$file" ] || echo "!include $file"
    printf '%s\\n' '[client]' {lines}
)
client() {{
    HOME=/nonexistent "$name" --defaults-extra-file=/dev/fd/3 "$@" 3<<END
$options
END
}}
"""


def script(call: Call) -> str:
    """The functions ``program NAME...``, which finds one, and ``client ARGUMENT...``, which runs it."""
    given = {
        "user": call["login_user"],
        "password": call["login_password"],
        "ssl-ca": call["ca_cert"],
        "ssl-cert": call["client_cert"],
        "ssl-key": call["client_key"],
    }
    if call["login_unix_socket"]:
        given["socket"] = call["login_unix_socket"]
    elif call["login_host"] != "localhost":
        given |= {"host": call["login_host"], "port": call["login_port"], "protocol": "tcp"}
    lines = [f'{name}="{_escaped(str(value))}"' for name, value in given.items() if value is not None]
    return _START.format(file=sh_word(call["config_file"]), lines=shlex.join(lines))


#: Characters that no XML may have, and that hashes of MySQL's do.
_NO_XML = re.compile(r"[\0-\x08\x0b\x0c\x0e-\x1f]")


def _escaped(text: str) -> str:
    """As option files have it."""
    if "\n" in text or "\0" in text:
        raise ActionFailed("A password or name of the connection has a line end, which MySQL's clients can't be told")
    return text.replace("\\", "\\\\").replace('"', '\\"')


def run(call: Call, text: str, stdin: str = "") -> Generator[Request, Any, Completed]:
    """Have the host run this after the functions of ``script``."""
    completed: Completed = yield Run(
        language=Language.SH,
        text=script(call) + text,
        stdin=stdin.encode(),
        environment=call.environment,
        most=_MOST,
    )
    require_exit(call, completed)
    if completed.cut:
        raise ActionFailed(f"The server answered more than {_MOST // 1024 // 1024} MiB")
    return completed


def ask(call: Call, sql: str) -> Generator[Request, Any, list[list[dict[str, str | None]]]]:
    """Have the server run this, and give the rows of each statement that has any."""
    options = f"--xml --connect-timeout={int(call['connect_timeout'])}"
    completed = yield from run(call, f"program mysql mariadb\nclient {options}\n", _session(call) + sql)
    if completed.code:
        raise ActionFailed(problem_of(completed), rc=completed.code)
    text = _NO_XML.sub("\ufffd", output_text(completed.stdout).replace('<?xml version="1.0"?>', ""))
    return [_rows(element) for element in ElementTree.fromstring(f"<all>{text}</all>")]


def _rows(element: ElementTree.Element) -> list[dict[str, str | None]]:
    nil = "{http://www.w3.org/2001/XMLSchema-instance}nil"
    return [{str(field.get("name")): None if field.get(nil) else field.text or "" for field in row} for row in element]


def _session(call: Call) -> str:
    logged = call.arguments.get("sql_log_bin", True)
    given = {**(call.arguments.get("session_vars") or {}), **({} if logged else {"sql_log_bin": 0})}
    return "".join(f"SET SESSION {name_of(name)} = {literal(value)};\n" for name, value in given.items())


def change(call: Call, statements: Iterable[str]) -> Generator[Request, Any, None]:
    """Run these statements, unless this is a check."""
    sql = "".join(f"{statement};\n" for statement in statements)
    if sql and not call.check:
        yield from ask(call, sql)


def problem_of(completed: Completed) -> str:
    """What a client has said of a failure, without the statement ahead of it, which may hold a password."""
    said = output_text(completed.stderr).strip()
    return said[said.find("ERROR ") :] if "ERROR " in said else said


def name_of(text: object) -> str:
    """A name as SQL reads it."""
    return "`" + str(text).replace("`", "``") + "`"


def literal(value: object) -> str:
    """A value as SQL reads it."""
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int, float)):
        return str(int(value) if isinstance(value, bool) else value)
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


#: What all of them take.
CONNECTION = (
    Argument(name="login_user", help="Who logs in; default: as config_file says, else whoever runs the task"),
    Argument(name="login_password", help="Their password"),
    Argument(name="login_host", default="localhost", help="Host of the server; localhost: by its socket"),
    Argument(name="login_port", type=int, default=3306, help="Its port"),
    Argument(name="login_unix_socket", help="Its socket"),
    Argument(
        name="config_file",
        type=HostPath,
        default=HostPath("~/.my.cnf"),
        help="File of the host with settings of clients, read where it is there",
    ),
    Argument(name="connect_timeout", type=int, default=30, help="Seconds to wait for the server"),
    Argument(name="ca_cert", type=HostPath, aliases=("ssl_ca",), help="File of authorities, on the host"),
    Argument(name="client_cert", type=HostPath, aliases=("ssl_cert",), help="File of the client's certificate"),
    Argument(name="client_key", type=HostPath, aliases=("ssl_key",), help="File of the client's key"),
)
