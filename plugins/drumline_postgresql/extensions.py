"""``postgresql_ext``: extensions of a database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Result, Steps, Traits
from drumline_postgresql.psql import CONNECTION, POSIX, change, database_argument, literal, look, name_of

_QUERY = """SELECT e.extversion AS version, a.default_version, obj_description(e.oid, 'pg_extension') AS comment,
    ARRAY(SELECT v.version FROM pg_available_extension_versions v WHERE v.name = {name}) AS available,
    ARRAY(SELECT p.target FROM pg_extension x, pg_extension_update_paths(x.extname) p
        WHERE x.extname = {name} AND p.source = x.extversion AND p.path IS NOT NULL)
        AS reachable
    FROM (SELECT) one LEFT JOIN pg_extension e ON e.extname = {name}
    LEFT JOIN pg_available_extensions a ON a.name = {name}"""


def perform(call: Call) -> Steps:
    name, home = call["name"], call["login_db"]
    found = yield from look(call, home, _QUERY.format(name=literal(name)))
    statements = list(_present(call, found) if call["state"] == "present" else _absent(call, found))
    yield from change(call, home, statements)
    has = found["version"] or ""
    if call["state"] == "absent":
        version = ""
    elif statements and (call["version"] or not has):
        version = _wanted(call, found)
    else:
        version = has
    return Result(
        changed=bool(statements),
        values={"db": home, "ext": name, "prev_version": has, "version": version, "queries": statements},
    )


def _wanted(call: Call, found: dict[str, Any]) -> str:
    given = call["version"]
    version: str | None = found["default_version"] if given in (None, "", "latest") else given
    if version is None or not found["available"]:
        raise ActionFailed(f"Extension {call['name']} is not available")
    return version


def _present(call: Call, found: dict[str, Any]) -> Iterator[str]:
    quoted, has, given = name_of(call["name"]), found["version"], call["version"]
    version = _wanted(call, found)
    if not has:
        if version not in found["available"]:
            raise ActionFailed(f"Passed version '{version}' is not available")
        schema = f" WITH SCHEMA {name_of(call['schema'])}" if call["schema"] else ""
        exact = f" VERSION {literal(version)}" if given not in (None, "", "latest") else ""
        yield f"CREATE EXTENSION {quoted}{schema}{exact}{' CASCADE' if call['cascade'] else ''}"
    elif given and version != has:
        if version not in found["reachable"]:
            raise ActionFailed(f"Version '{version}' has no valid update path from the installed version '{has}'")
        yield f"ALTER EXTENSION {quoted} UPDATE{'' if given == 'latest' else f' TO {literal(version)}'}"
    if call["comment"] is not None and call["comment"] != (found["comment"] or ""):
        yield f"COMMENT ON EXTENSION {quoted} IS {literal(call['comment'])}"


def _absent(call: Call, found: dict[str, Any]) -> Iterator[str]:
    if found["version"]:
        yield f"DROP EXTENSION {name_of(call['name'])}{' CASCADE' if call['cascade'] else ''}"


ACTIONS = (
    Action(
        name="postgresql_ext",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Add an extension to a database of PostgreSQL, or drop it, by psql",
        arguments=(
            Argument(name="name", required=True, aliases=("ext",), help="Name of the extension"),
            database_argument(required=True),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="version", help="Its version, or latest; default: latest for a new one"),
            Argument(name="schema", help="Schema into which a new one goes"),
            Argument(name="cascade", type=bool, default=False, help="Add what it needs, or drop what needs it, too"),
            Argument(name="comment", help="What is said of it"),
            *CONNECTION,
        ),
        platforms=POSIX,
    ),
)
