"""``postgresql_user``: roles that may log in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Result, Steps, Traits
from drumline.plugin.kit import output_text
from drumline_postgresql.psql import (
    CONNECTION,
    POSIX,
    as_role,
    ask,
    change,
    database_argument,
    literal,
    name_of,
    problem_of,
    run,
)

#: Attributes of roles, and their columns in the catalog.
_FLAGS = {
    "SUPERUSER": "rolsuper",
    "CREATEROLE": "rolcreaterole",
    "CREATEDB": "rolcreatedb",
    "INHERIT": "rolinherit",
    "LOGIN": "rolcanlogin",
    "REPLICATION": "rolreplication",
    "BYPASSRLS": "rolbypassrls",
}
_SCRAM = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$[A-Za-z0-9+/=]+:([A-Za-z0-9+/=]+)\Z")
_MD5 = re.compile(r"md5[0-9a-f]{32}\Z")
#: Where passwords may not be read, as in many clouds, the role is asked for without its own.
#: Nothing is said of one that isn't there.
_LOOK = """SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT') AS whole \\gset
\\if :whole
SELECT {row} FROM pg_authid r WHERE rolname = {name};
\\else
SELECT {row} FROM pg_roles r WHERE rolname = {name};
\\endif
"""
_ROW = """to_jsonb(r) || jsonb_build_object(
    'whole', :'whole', 'encryption', current_setting('password_encryption'),
    'comment', shobj_description(oid, 'pg_authid'), 'late', rolvaliduntil IS DISTINCT FROM {expires}::timestamptz,
    'settings', (SELECT setconfig FROM pg_db_role_setting WHERE setrole = r.oid AND setdatabase = 0))"""


def perform(call: Call) -> Steps:
    name, flags = call["name"], _flags(call["role_attr_flags"] or "")
    home = call["login_db"] or "postgres"
    row = _ROW.format(expires=literal(call["expires"]))
    said = yield from ask(call, home, _LOOK.format(row=row, name=literal(name)))
    found = _read(said)
    if call["state"] == "absent":
        result = yield from _removed(call, home, bool(found))
        return result
    statements = [*_made_or_changed(call, flags, found), *_settings(call, found)]
    yield from change(call, home, (statement for statement, _ in statements))
    return Result(changed=bool(statements), values={"user": name, "queries": [shown for _, shown in statements]})


def _read(said: str) -> dict[str, Any]:
    import json

    found: dict[str, Any] = json.loads(said) if said.strip() else {}
    return found


def _flags(text: str) -> dict[str, bool]:
    """Which attributes it is to have, and which not: ``CREATEDB,NOSUPERUSER``."""
    found: dict[str, bool] = {}
    for flag in filter(None, (part.strip().upper() for part in text.split(","))):
        bare = flag if flag in _FLAGS else flag.removeprefix("NO")
        if bare not in _FLAGS:
            raise ActionFailed(f"Invalid role_attr_flags specified: {flag}")
        found[bare] = bare == flag
    return found


def _removed(call: Call, home: str, there: bool) -> Steps:
    name, values = call["name"], {"user": call["name"], "queries": []}
    if not there:
        return Result(values=values)
    if not call.check:
        statement = f"DROP USER {name_of(name)}"
        values["queries"] = [statement]
        completed = yield from run(call, home, f"{as_role(call)}{statement};\n")
        if completed.code:
            if call["fail_on_user"]:
                raise ActionFailed(
                    f"Unable to remove user: {problem_of(completed)}", stderr=output_text(completed.stderr)
                )
            return Result(values={**values, "user_removed": False})
    return Result(changed=True, values={**values, "user_removed": True})


def _made_or_changed(call: Call, flags: dict[str, bool], found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each statement, and how it is shown: without the password."""
    password, expires, limit = call["password"], call["expires"], call["conn_limit"]
    words = [flag if wanted else f"NO{flag}" for flag, wanted in flags.items()]
    if found and call["no_password_changes"]:
        password = expires = limit = None
    new_password = password not in (None, "") if not found else _is_new(call, found) if password is not None else False
    other = any(found.get(_FLAGS[flag]) is not wanted for flag, wanted in flags.items())
    late = expires is not None and (not found or found["late"])
    other_limit = limit is not None and limit != found.get("rolconnlimit")
    if not found or new_password or other or late or other_limit:
        parts = [f"{'ALTER' if found else 'CREATE'} USER {name_of(call['name'])}"]
        secret = ""
        if new_password and password == "":
            parts.append("WITH PASSWORD NULL")
        elif new_password:
            secret = " WITH ENCRYPTED PASSWORD "
        elif words:
            parts.append("WITH")
        rest = list(words)
        if expires is not None:
            rest.append(f"VALID UNTIL {literal(expires)}")
        if limit is not None:
            rest.append(f"CONNECTION LIMIT {limit}")
        before, after = " ".join(parts), "".join(f" {word}" for word in rest)
        hidden = f"{secret}{literal(password)}" if secret else ""
        yield before + hidden + after, before + (f"{secret}%(password)s" if secret else "") + after
    if call["comment"] is not None and call["comment"] != (found.get("comment") or ""):
        statement = f"COMMENT ON ROLE {name_of(call['name'])} IS {literal(call['comment'])}"
        yield statement, statement


def _is_new(call: Call, found: dict[str, Any]) -> bool:
    """Whether the password isn't the one that it has. One that can't be read is taken for another."""
    password, has = str(call["password"]), found.get("rolpassword")
    if found["whole"] != "t":
        return True
    if password == "" or has is None:
        return password != (has or "")
    if _SCRAM.match(password) or _MD5.match(password) or not call["encrypted"]:
        return bool(password != has)
    if scram := _SCRAM.match(has):
        return not _is_scram_of(password, scram)
    if found["encryption"] == "md5":
        hashed = hashlib.md5((password + str(call["name"])).encode(), usedforsecurity=False)
        return bool(has != f"md5{hashed.hexdigest()}")
    return True  # it is kept by a way of old


def _is_scram_of(password: str, kept: re.Match[str]) -> bool:
    """Whether a password gives the key that the server keeps, as RFC 5802 works it out."""
    rounds, salt, key = int(kept[1]), base64.b64decode(kept[2]), base64.b64decode(kept[3])
    salted = hashlib.pbkdf2_hmac("sha256", unicodedata.normalize("NFKC", password).encode(), salt, rounds)
    return hmac.compare_digest(hmac.digest(salted, b"Server Key", "sha256"), key)


def _settings(call: Call, found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Settings that its sessions begin with."""
    wanted = {str(name): str(value) for name, value in (call["configuration"] or {}).items()}
    has = dict(item.split("=", 1) for item in found.get("settings") or ())
    role = name_of(call["name"])
    statements = []
    if call["reset_unspecified_configuration"]:
        statements += [f"ALTER ROLE {role} RESET {name_of(name)}" for name in has if name not in wanted]
    for name, value in wanted.items():
        if has.get(name) != value:
            written = literal(value) if call["quote_configuration_values"] else value
            statements.append(f"ALTER ROLE {role} SET {name_of(name)} TO {written}")
    yield from ((statement, statement) for statement in statements)


ACTIONS = (
    Action(
        name="postgresql_user",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Make, change or drop a user of PostgreSQL, by psql",
        arguments=(
            Argument(name="name", required=True, aliases=("user",), help="Name of the user"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="password", help="Its password, also as a hash that PostgreSQL keeps; empty: none"),
            Argument(name="encrypted", type=bool, default=True, help="Taken as a hash only if it looks like one"),
            Argument(
                name="no_password_changes", type=bool, default=False, help="Leave the password of one that is there"
            ),
            Argument(name="role_attr_flags", help="What it may: CREATEDB,NOSUPERUSER"),
            Argument(name="expires", help="Until when its password counts: 2030-01-31"),
            Argument(name="conn_limit", type=int, help="How many of its sessions there may be; -1: any number"),
            Argument(name="comment", help="What is said of it"),
            Argument(name="configuration", type=dict, help="Settings of its sessions: {work_mem: 16MB}"),
            Argument(
                name="reset_unspecified_configuration", type=bool, default=False, help="Remove other settings of it"
            ),
            Argument(
                name="quote_configuration_values", type=bool, default=True, help="Settings are text, not lists of SQL"
            ),
            Argument(
                name="fail_on_user",
                type=bool,
                default=True,
                aliases=("fail_on_role",),
                help="Fail if it can't be dropped, since it owns something",
            ),
            database_argument(),
            *CONNECTION,
        ),
        platforms=POSIX,
    ),
)
