"""``postgresql_privs``: who may do what in a database. The server says itself whether that changed anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Result, Steps, Traits, Written
from drumline_postgresql.psql import CONNECTION, POSIX, as_role, ask, database_argument, literal, name_of

_PRIVILEGES = frozenset({"ALL", "ALL PRIVILEGES", "ALTER SYSTEM", "CONNECT", "CREATE", "DELETE", "EXECUTE", "INSERT"})
_PRIVILEGES |= {
    "MAINTAIN",
    "REFERENCES",
    "SELECT",
    "SET",
    "TEMP",
    "TEMPORARY",
    "TRIGGER",
    "TRUNCATE",
    "UPDATE",
    "USAGE",
}
_DEFAULTS = ("TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS")
#: Roles that every database has, which aren't quoted.
_IMPLICIT = ("PUBLIC", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE")


class _Kind(Struct, frozen=True):
    """Where the catalog keeps the rights for a kind of objects."""

    table: str
    rights: str
    key: str = "oid"
    in_schema: bool = False


_KINDS = {
    "database": _Kind("pg_database", "datacl"),
    "default_privs": _Kind(
        "pg_default_acl", "defaclacl", "(defaclrole, defaclnamespace, defaclobjtype)", in_schema=True
    ),
    "foreign_data_wrapper": _Kind("pg_foreign_data_wrapper", "fdwacl"),
    "foreign_server": _Kind("pg_foreign_server", "srvacl"),
    "function": _Kind("pg_proc", "proacl", in_schema=True),
    "group": _Kind("pg_auth_members", "admin_option", "(roleid, member, grantor)"),
    "language": _Kind("pg_language", "lanacl"),
    "parameter": _Kind("pg_parameter_acl", "paracl"),
    "procedure": _Kind("pg_proc", "proacl", in_schema=True),
    "schema": _Kind("pg_namespace", "nspacl"),
    "sequence": _Kind("pg_class", "relacl", in_schema=True),
    "table": _Kind("pg_class", "relacl", in_schema=True),
    "tablespace": _Kind("pg_tablespace", "spcacl"),
    "type": _Kind("pg_type", "typacl", in_schema=True),
}
_WHOLE = ("table", "sequence", "function", "procedure")


def perform(call: Call) -> Steps:
    if problem := _problem(call.arguments):
        raise ActionFailed(problem)
    roles = yield from _roles(call)
    if not roles:
        return Result(values={"queries": [], "warnings": ["No valid roles provided, nothing to do"]})
    statements = list(_statements(call, roles))
    # What is the same afterwards is rolled back, since it would still be written.
    end = "ROLLBACK;" if call.check else "\\if :differs\nCOMMIT;\n\\else\nROLLBACK;\n\\endif"
    state = _state(_KINDS[call["type"]])
    sql = (
        f"BEGIN;\n{as_role(call)}SELECT {state} AS before \\gset\n" + "".join(f"{line};\n" for line in statements) + ""
        f"SELECT :'before' <> {state} AS differs \\gset\n{end}\n\\echo :differs\n"
    )
    said = yield from ask(call, call["login_db"], sql)
    return Result(changed=said.split()[-1] == "t", values={"queries": statements})


def _state(kind: _Kind) -> str:
    """All rights of that kind, in one text."""
    pair = f"{kind.key}::text || ' ' || coalesce({kind.rights}::text, '')"
    return f"(SELECT coalesce(md5(string_agg({pair}, ',' ORDER BY {kind.key}::text)), '-') FROM {kind.table})"


def _roles(call: Call) -> Any:
    """Those that get the rights, as SQL reads them."""
    names = [name for name in call["roles"].split(",") if name]
    if not call["fail_on_role"]:
        listed = ", ".join(literal(name) for name in names)
        said = yield from ask(call, call["login_db"], f"SELECT rolname FROM pg_roles WHERE rolname IN ({listed});\n")
        known = said.splitlines()
        names = [name for name in names if name in known or name.upper() in _IMPLICIT]
    return [name.upper() if name.upper() in _IMPLICIT else name_of(name) for name in names]


def _schema(call: Call) -> str | None:
    if call["schema"] == "not-specified" or not _KINDS[call["type"]].in_schema or call["objs"] == "schemas":
        return None
    return call["schema"] or "public"


def _statements(call: Call, roles: list[str]) -> Iterator[str]:
    whom, option = ", ".join(roles), call["grant_option"]
    if call["type"] == "default_privs":
        yield from _defaults(call, whom)
        return
    what, word = _what(call), "ADMIN" if call["type"] == "group" else "GRANT"
    if call["state"] == "absent":
        yield f"REVOKE {what} FROM {whom}"
        return
    yield f"GRANT {what} TO {whom}{f' WITH {word} OPTION' if option else ''}"
    if option is False:
        yield f"REVOKE {word} OPTION FOR {what} FROM {whom}"


def _what(call: Call) -> str:
    """Which rights on which objects."""
    kind, schema = call["type"], _schema(call)
    objs = call["objs"] or call["login_db"]
    if kind == "group":
        return ", ".join(name_of(name) for name in objs.split(","))
    privileges = ", ".join(_privileges(call))
    if objs == "ALL_IN_SCHEMA":
        return f"{privileges} ON ALL {kind.upper()}S IN SCHEMA {name_of(schema)}"
    prefix = f"{name_of(schema)}." if schema else ""
    names = [prefix + _object(kind, name.strip()) for name in objs.split(",")]
    return f"{privileges} ON {kind.upper().replace('_', ' ')} {', '.join(names)}"


def _object(kind: str, name: str) -> str:
    """A name; of a function with its arguments, between which colons stand for commas: ``add(int:int)``."""
    if kind in ("function", "procedure"):
        bare, bracket, arguments = name.partition("(")
        if not bracket:
            raise ActionFailed(f"Illegal function / procedure signature: '{name}'.")
        return f"{name_of(bare)}({arguments.replace(':', ',')}"
    # A setting's name has dots between words, of which none may be quoted with another.
    return ".".join(name_of(part) for part in name.split(".")) if kind == "parameter" else name_of(name)


def _privileges(call: Call) -> list[str]:
    found = [name.strip().upper().replace("_", " ") for name in call["privs"].split(",")]
    unknown = [name for name in found if name not in _PRIVILEGES]
    if unknown:
        raise ActionFailed(f"Invalid privileges specified: {', '.join(unknown)}")
    return found


def _defaults(call: Call, whom: str) -> Iterator[str]:
    """Rights on what is made later. Others that there are go, as by Ansible."""
    schema = _schema(call)
    owners = ", ".join(name_of(name) for name in (call["target_roles"] or "").split(",") if name)
    start = "ALTER DEFAULT PRIVILEGES"
    start += f" FOR ROLE {owners}" if owners else ""
    start += f" IN SCHEMA {name_of(schema)}" if schema else ""
    if call["state"] == "absent":
        yield from (
            f"{start} REVOKE ALL ON {kind} FROM {whom}" for kind in ("TABLES", "FUNCTIONS", "SEQUENCES", "TYPES")
        )
        return
    kinds = [kind.strip().upper() for kind in call["objs"].split(",")]
    if kinds == ["ALL_DEFAULT"]:
        kinds = [kind for kind in _DEFAULTS if kind != "SCHEMAS"]
    if unknown := [kind for kind in kinds if kind not in _DEFAULTS]:
        raise ActionFailed(f"Invalid Object set specified: {', '.join(unknown)}")
    option = " WITH GRANT OPTION" if call["grant_option"] else ""
    yield from (f"{start} REVOKE ALL ON {kind} FROM {whom}" for kind in kinds)
    yield from (f"{start} GRANT {', '.join(_privileges(call))} ON {kind} TO {whom}{option}" for kind in kinds)


def _problem(given: Any) -> str:
    kind, objs = given.get("type", "table"), given.get("objs")
    if given.get("schema") and not _KINDS[kind].in_schema:
        return f'Argument "schema" is not allowed for type "{kind}".'
    if objs == "ALL_IN_SCHEMA" and kind not in _WHOLE:
        return f'Argument "objs": ALL_IN_SCHEMA can be used only for type: {", ".join(_WHOLE)}, {kind} was passed.'
    if not objs and kind != "database":
        return f'Argument "objs" is required for type "{kind}".'
    if bool(given.get("privs")) is (kind == "group"):
        return f'Argument "privs" is {"not allowed" if kind == "group" else "required"} for type "{kind}".'
    return ""


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.open and (problem := _problem(written.arguments)):
        yield "", problem


ACTIONS = (
    Action(
        name="postgresql_privs",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Grant rights in PostgreSQL, or revoke them, by psql",
        arguments=(
            database_argument(required=True),
            Argument(name="roles", required=True, aliases=("role",), help="Who gets them, with commas between; PUBLIC"),
            Argument(name="state", default="present", choices=("absent", "present"), help="present: grant them"),
            Argument(name="privs", aliases=("priv",), help="Which, with commas between: SELECT,INSERT; ALL"),
            Argument(name="type", default="table", choices=tuple(sorted(_KINDS)), help="Kind of the objects"),
            Argument(
                name="objs",
                aliases=("obj",),
                help="Objects, with commas between; ALL_IN_SCHEMA; of functions with arguments: add(int:int)",
            ),
            Argument(name="schema", help="Their schema; default: public"),
            Argument(
                name="grant_option", type=bool, aliases=("admin_option",), help="Whether the roles may pass them on"
            ),
            Argument(name="target_roles", help="Whose future objects default_privs are about"),
            Argument(name="fail_on_role", type=bool, default=True, help="Fail if one of the roles isn't there"),
            *CONNECTION,
        ),
        check=check,
        platforms=POSIX,
    ),
)
