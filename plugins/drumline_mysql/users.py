"""``mysql_user``: accounts, and what they may do."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Result, Steps, Traits
from drumline.plugin.kit import ignored, refused
from drumline_mysql.client import CONNECTION, POSIX, ask, change, literal, name_of

#: By what they are on, as SQL has it: ``*.*``, ```shop`.*``. The right to pass on is ``GRANT``.
_Rights: TypeAlias = dict[str, frozenset[str]]
_Row: TypeAlias = Mapping[str, str | None]
_GRANT = re.compile(r"GRANT (?P<what>.+?) ON (?P<on>.+) TO ['`].*?['`]@['`].*?['`](?P<rest>.*)", re.DOTALL)
#: Commas between rights, and not those between their columns.
_COMMAS = re.compile(r",\s*(?=[^)]*(?:\(|$))")
_LIMITS = {
    "MAX_CONNECTIONS_PER_HOUR": "max_connections",
    "MAX_QUERIES_PER_HOUR": "max_questions",
    "MAX_UPDATES_PER_HOUR": "max_updates",
    "MAX_USER_CONNECTIONS": "max_user_connections",
}
_TLS = {"CIPHER": "ssl_cipher", "ISSUER": "x509_issuer", "SUBJECT": "x509_subject"}


def perform(call: Call) -> Steps:
    if call["append_privs"] and call["subtract_privs"]:
        raise ActionFailed("parameters are mutually exclusive: append_privs|subtract_privs")
    found = yield from ask(call, f"SELECT * FROM mysql.user WHERE {_which(call)};\n")
    accounts = found[0] if found else []
    values = {"user": call["name"], "password_changed": False, "attributes": None}
    if call["state"] == "absent":
        yield from change(call, (f"DROP USER {_account(call, row['Host'])}" for row in accounts))
        return Result(
            changed=bool(accounts), message="User deleted" if accounts else "User doesn't exist", values=values
        )
    if not accounts:
        if call["host_all"]:
            raise ActionFailed("host_all parameter cannot be used when adding a user")
        yield from change(call, _made(call))
        values["password_changed"] = bool(_identified(call, always=True))
        return Result(changed=True, message="User added", values=values)
    statements: list[str] = []
    for row in accounts:
        new = _identified(call, row) if call["update_password"] == "always" else ""
        values["password_changed"] = values["password_changed"] or bool(new)
        statements += [f"ALTER USER {_account(call, row['Host'])} {new}"] if new else []
        statements += _options(call, row)
        statements += yield from _regranted(call, row)
    yield from change(call, statements)
    said = "User unchanged" if not statements else "Password updated" if values["password_changed"] else "User updated"
    return Result(changed=bool(statements), message=said, values=values)


def _which(call: Call) -> str:
    own = f"User = {literal(call['name'])}"
    return own if call["host_all"] else f"{own} AND Host = {literal(str(call['host']).lower())}"


def _account(call: Call, host: object = None) -> str:
    return f"{literal(call['name'])}@{literal(host if host is not None else str(call['host']).lower())}"


# The password.


def _identified(call: Call, row: _Row | None = None, *, always: bool = False) -> str:
    """What sets the password or plug-in, if the account hasn't got it."""
    password, plugin = call["password"], call["plugin"]
    has = (row.get("authentication_string") or row.get("Password") or "") if row else ""
    if plugin:
        known, clear = call["plugin_hash_string"], call["plugin_auth_string"]
        same = row is not None and row.get("plugin") == plugin and (known is None or known == has) and clear is None
        if same and not always:
            return ""
        secret = f" AS {literal(known)}" if known else f" BY {literal(clear)}" if clear else ""
        return f"IDENTIFIED WITH {name_of(plugin)}{secret}"
    if password is None:
        return ""
    hashed = str(password) if call["encrypted"] else _hash(str(password))
    if not always and row is not None and has.upper() == hashed.upper():
        return ""
    if not call["encrypted"]:
        return f"IDENTIFIED BY {literal(password)}"
    # MySQL wants the plug-in in front of a hash, MariaDB takes both forms.
    return f"IDENTIFIED WITH mysql_native_password AS {literal(password)}"


def _hash(password: str) -> str:
    """As the servers keep it, by the plug-in mysql_native_password."""
    if not password:
        return ""
    once = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()


# All else of an account.


def _made(call: Call) -> Iterator[str]:
    yield f"CREATE USER {_account(call)} {_identified(call, always=True)}".strip()
    yield from _options(call, {})
    if call["priv"] and not call["subtract_privs"]:
        for on, rights in _wanted(call).items():
            if rights != {"USAGE"}:
                yield _grant(call, on, rights, None)


def _options(call: Call, row: _Row) -> Iterator[str]:
    account = _account(call, row.get("Host"))
    requires = call["tls_requires"]
    if requires is not None and _tls_of(requires) != _tls_has(row):
        yield f"ALTER USER {account} REQUIRE {_tls(requires)}"
    limits = {str(name).upper(): int(value) for name, value in (call["resource_limits"] or {}).items()}
    if unknown := [name for name in limits if name not in _LIMITS]:
        raise ActionFailed(f"'resource_limits' has no {', '.join(unknown)}, but {', '.join(_LIMITS)}")
    if any(int(row.get(_LIMITS[name]) or 0) != value for name, value in limits.items()):
        yield f"ALTER USER {account} WITH {' '.join(f'{name} {value}' for name, value in limits.items())}"


def _tls_of(requires: Mapping[str, Any]) -> dict[str, str]:
    for name in ("X509", "SSL"):
        if requires.get(name, requires.get(name.lower(), False)) is not False:
            return {name: ""}
    found = {str(name).upper(): str(value) for name, value in requires.items() if value not in (None, False)}
    if unknown := set(found) - set(_TLS):
        raise ActionFailed(f"'tls_requires' has no {', '.join(sorted(unknown))}, but SSL, X509, {', '.join(_TLS)}")
    return found


def _tls_has(row: _Row) -> dict[str, str]:
    match row.get("ssl_type") or "":
        case "ANY":
            return {"SSL": ""}
        case "X509":
            return {"X509": ""}
        case "SPECIFIED":
            return {name: str(row.get(column)) for name, column in _TLS.items() if row.get(column)}
    return {}


def _tls(requires: Mapping[str, Any]) -> str:
    found = _tls_of(requires)
    return " AND ".join(f"{name} {literal(value)}" if value else name for name, value in found.items()) or "NONE"


# Rights.


def _wanted(call: Call) -> _Rights:
    """Those of ``shop.*:SELECT,INSERT/other.t:ALL``, or of a dictionary that says the same."""
    given = call["priv"]
    pairs = (
        given.items()
        if isinstance(given, Mapping)
        else (part.strip().rpartition(":")[::2] for part in given.split("/"))
    )
    found: _Rights = {}
    for on, what in pairs:
        rights = [_right(call, text) for text in _COMMAS.split(str(what)) if text.strip()]
        found[_place(str(on))] = frozenset(rights) or frozenset({"USAGE"})
    return found


def _right(call: Call, text: str) -> str:
    """One right, its columns in order: ``SELECT (`A`, `B`)``."""
    name, bracket, columns = text.strip().partition("(")
    right = name.strip().upper()
    right = {"ALL PRIVILEGES": "ALL", "GRANT OPTION": "GRANT"}.get(right, right)
    if not bracket:
        return right
    names = [column.strip().strip("`") for column in columns.rstrip(") ").split(",")]
    kept = names if call["column_case_sensitive"] else [column.upper() for column in names]
    return f"{right} ({', '.join(map(name_of, sorted(kept)))})"


def _place(on: str) -> str:
    """A database and table, quoted unless it is all of them."""
    kind, space, rest = on.strip().partition(" ")
    prefix = f"{kind.upper()} " if space and kind.upper() in ("FUNCTION", "PROCEDURE") else ""
    first, _, last = (rest if prefix else on.strip()).rpartition(".")
    parts = [part if part == "*" else name_of(part.strip("`")) for part in (first.strip(), last.strip())]
    return prefix + ".".join(parts)


def _regranted(call: Call, row: _Row) -> Any:
    """What makes the rights of an account those that it is to have."""
    if not call["priv"]:
        return []
    account, wanted = _account(call, row["Host"]), _wanted(call)
    shown = yield from ask(call, f"SHOW GRANTS FOR {account};\n")
    has = _read(call, [str(value) for line in shown[0] for value in line.values()])
    return list(_steps(call, has, wanted, row["Host"]))


def _read(call: Call, lines: list[str]) -> _Rights:
    found: _Rights = {}
    for line in lines:
        match = _GRANT.match(line)
        if match and match["what"] != "PROXY":  # else it is about a role, or says for whom the user may act
            rights = [_right(call, text) for text in _COMMAS.split(match["what"])]
            rights += ["GRANT"] if "WITH GRANT OPTION" in match["rest"] else []
            place = _place(match["on"])
            found[place] = found.get(place, frozenset()) | frozenset(rights)
    return found


def _steps(call: Call, has: _Rights, wanted: _Rights, host: object) -> Iterator[str]:
    nothing = {"USAGE"}
    if call["subtract_privs"]:
        for on, rights in wanted.items():
            yield from _revoked(call, on, (rights & has.get(on, frozenset())) - nothing, host)
        return
    for on in has:
        surplus = has[on] - wanted.get(on, frozenset()) - nothing
        if "ALL" in wanted.get(on, ()):
            surplus &= {"GRANT"}  # the others are in it
        if not call["append_privs"]:
            yield from _revoked(call, on, surplus, host)
    for on, rights in wanted.items():
        lacking = rights - has.get(on, frozenset()) - nothing
        if lacking and not ("ALL" in has.get(on, ()) and "GRANT" not in lacking and call["append_privs"]):
            yield _grant(call, on, lacking, host)


def _grant(call: Call, on: str, rights: frozenset[str], host: object) -> str:
    plain = sorted(rights - {"GRANT"}) or ["USAGE"]
    option = " WITH GRANT OPTION" if "GRANT" in rights else ""
    return f"GRANT {', '.join(plain)} ON {on} TO {_account(call, host)}{option}"


def _revoked(call: Call, on: str, rights: frozenset[str], host: object) -> Iterator[str]:
    """What takes rights away; that to pass them on is taken by itself, since it can't stand beside ``ALL``."""
    for named in (sorted(rights - {"GRANT"}), ["GRANT OPTION"] if "GRANT" in rights else []):
        if named:
            yield f"REVOKE {', '.join(named)} ON {on} FROM {_account(call, host)}"


ACTIONS = (
    Action(
        name="mysql_user",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Make, change or drop a user of MySQL or MariaDB, by mysql",
        arguments=(
            Argument(name="name", required=True, aliases=("user",), help="Name of the user"),
            Argument(name="host", default="localhost", help="From where it logs in; %: from anywhere"),
            Argument(name="host_all", type=bool, default=False, help="All users of that name, from wherever"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="password", help="Its password"),
            Argument(name="encrypted", type=bool, default=False, help="password is a hash of mysql_native_password"),
            Argument(
                name="update_password",
                default="always",
                choices=("always", "on_create"),
                help="on_create: leave that of a user who is there",
            ),
            Argument(name="plugin", help="By which plug-in it logs in: unix_socket"),
            Argument(name="plugin_hash_string", help="The hash that the plug-in keeps"),
            Argument(name="plugin_auth_string", help="The password for it, which is set each time"),
            Argument(name="priv", type=object, help="What it may: shop.*:SELECT,INSERT/other.t:ALL, or a dictionary"),
            Argument(name="append_privs", type=bool, default=False, help="It keeps other rights"),
            Argument(name="subtract_privs", type=bool, default=False, help="These rights are taken from it"),
            Argument(name="column_case_sensitive", type=bool, default=False, help="Names of columns in priv are exact"),
            Argument(name="tls_requires", type=dict, help="How it connects: {SSL: null}, {SUBJECT: /CN=ada}"),
            Argument(name="resource_limits", type=dict, help="{MAX_QUERIES_PER_HOUR: 10, MAX_USER_CONNECTIONS: 2}"),
            Argument(name="sql_log_bin", type=bool, default=True, help="Have replicas do the same"),
            Argument(name="session_vars", type=dict, help="Settings of the session that does it"),
            *CONNECTION,
            *ignored("check_hostname", "force_context"),
            *refused(
                attributes="Use command: mysql.",
                check_implicit_admin="Give login_user and login_password.",
                locked="Use command: mysql.",
                password_expire="Use command: mysql.",
                password_expire_interval="Use command: mysql.",
                salt="Use plugin_hash_string.",
            ),
        ),
        platforms=POSIX,
    ),
)
