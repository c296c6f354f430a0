"""``postgresql_db``: databases, with what they are dumped into and restored from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    HostPath,
    Language,
    Result,
    Run,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import output_text, require_exit
from drumline_postgresql.psql import CONNECTION, POSIX, change, environment, literal, look, name_of

#: What can't be changed of a database that is there: the argument, and how its column is called.
_FIXED = {"encoding": "encoding", "lc_collate": "datcollate", "lc_ctype": "datctype", "icu_locale": "icu"}
_COMPRESSED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}
#: By the ends of names: the format in which ``pg_dump`` writes, and by which ``pg_restore`` reads.
_FORMATS = {".tar": "tar", ".pgc": "custom", ".dir": "directory"}
#: Said where the first command of a pipe fails, whose status sh has not.
_BROKEN = "'error: the first of two programs failed'"


def perform(call: Call) -> Steps:
    state = call["state"]
    if state == "rename" and (not call["target"] or call["target"] == call["name"]):
        raise ActionFailed("state: rename needs 'target', another name")
    if state in ("dump", "restore"):
        result = yield from _copy(call)
        return result
    name, home = call["name"], call["maintenance_db"]
    found = yield from look(call, home, _query(name))
    statements = list(_STATES[state](call, found))
    if state == "rename":
        there = yield from look(call, home, _query(call["target"]))
        if not found and not there:
            raise ActionFailed(f"The source and the target databases do not exist: {name}, {call['target']}")
        if found and there:
            raise ActionFailed(f"Both the source and the target databases exist: {name}, {call['target']}")
    yield from change(call, home, statements, together=False)
    return Result(changed=bool(statements), values={"db": name, "executed_commands": [] if call.check else statements})


def _query(name: str) -> str:
    return (
        "SELECT d.datname, pg_get_userbyid(d.datdba) AS owner, pg_encoding_to_char(d.encoding) AS encoding, "
        "d.datcollate, d.datctype, d.datconnlimit, t.spcname, "
        "coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS icu, "  # the first since 17
        "shobj_description(d.oid, 'pg_database') AS comment "
        f"FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE d.datname = {literal(name)}"
    )


def _present(call: Call, found: dict[str, Any]) -> Iterator[str]:
    quoted = name_of(call["name"])
    if not found:
        yield " ".join(_made(call, quoted))
        if call["comment"]:
            yield f"COMMENT ON DATABASE {quoted} IS {literal(call['comment'])}"
        return
    for argument, column in _FIXED.items():
        wanted, has = call[argument], found[column]
        if wanted and _plain(wanted) != _plain(has or ""):
            raise ActionFailed(f"{argument} can't be changed of a database: '{call['name']}' has {has}, not {wanted}")
    if call["owner"] and call["owner"] != found["owner"]:
        yield f"ALTER DATABASE {quoted} OWNER TO {name_of(call['owner'])}"
    if call["conn_limit"] and call["conn_limit"] != str(found["datconnlimit"]):
        yield f"ALTER DATABASE {quoted} CONNECTION LIMIT {int(call['conn_limit'])}"
    if call["tablespace"] and call["tablespace"] != found["spcname"]:
        yield f"ALTER DATABASE {quoted} SET TABLESPACE {name_of(call['tablespace'])}"
    if call["comment"] is not None and call["comment"] != (found["comment"] or ""):
        yield f"COMMENT ON DATABASE {quoted} IS {literal(call['comment'])}"


def _plain(name: str) -> str:
    """Encodings and locales have many spellings: UTF-8, utf8."""
    return name.lower().replace("-", "").replace("_", "")


def _made(call: Call, quoted: str) -> Iterator[str]:
    yield f"CREATE DATABASE {quoted}"
    for word, argument in (("OWNER", "owner"), ("TEMPLATE", "template")):
        if call[argument]:
            yield f"{word} {name_of(call[argument])}"
    for argument in ("encoding", "lc_collate", "lc_ctype", "icu_locale", "locale_provider"):
        if call[argument]:
            yield f"{argument.upper()} {literal(call[argument])}"
    if call["tablespace"]:
        yield f"TABLESPACE {name_of(call['tablespace'])}"
    if call["conn_limit"]:
        yield f"CONNECTION LIMIT {int(call['conn_limit'])}"


def _absent(call: Call, found: dict[str, Any]) -> Iterator[str]:
    if found:
        yield f"DROP DATABASE {name_of(call['name'])}{' WITH (FORCE)' if call['force'] else ''}"


def _rename(call: Call, found: dict[str, Any]) -> Iterator[str]:
    if found:
        yield f"ALTER DATABASE {name_of(call['name'])} RENAME TO {name_of(call['target'])}"


_STATES = {"present": _present, "absent": _absent, "rename": _rename}


def _copy(call: Call) -> Steps:
    """Dump or restore it. In a check nothing is run, and nothing is said to change, as by Ansible."""
    line = _dump(call) if call["state"] == "dump" else _restore(call)
    values: dict[str, Any] = {"cmd": line, "executed_commands": [line]}
    if call.check:
        return Result(values={"db": call["name"], "executed_commands": []})
    completed = yield Run(language=Language.SH, text=line, environment=environment(call, call["name"]))
    require_exit(call, completed)
    said = {"rc": completed.code, "stderr": output_text(completed.stderr)}
    if completed.code or "error:" in said["stderr"].lower():
        raise ActionFailed(said["stderr"].strip(), **values, **said)
    return Result(changed=True, message=output_text(completed.stdout), values={**values, **said})


def _target(call: Call) -> tuple[str, str, str]:
    """The file, the program that compresses it, the format."""
    target = str(call["target"] or f"{call['name']}.sql")
    end = "." + target.rpartition(".")[2]
    return target, _COMPRESSED.get(end, ""), _FORMATS.get(end, "")


def _dump(call: Call) -> str:
    target, packer, form = _target(call)
    words = ["pg_dump", "-w", *(("--role", call["session_role"]) if call["session_role"] else ())]
    line = " ".join((shlex.join(words), call["target_opts"], call["dump_extra_args"] or "")).strip()
    if form == "directory":
        return f"{line} --format=directory --file={shlex.quote(target)}"
    if packer:
        return f"{{ {line} || echo {_BROKEN} >&2; }} | {packer} >{shlex.quote(target)}"
    return f"{line}{f' --format={form}' if form else ''} >{shlex.quote(target)}"


def _restore(call: Call) -> str:
    target, packer, form = _target(call)
    options = call["target_opts"]
    if form:
        role = ("--role", call["session_role"]) if call["session_role"] else ()
        words = ["pg_restore", "-w", "--no-password", f"--dbname={call['name']}", f"--format={form}", *role]
        return f"{shlex.join(words)} {options} {shlex.quote(target)}".replace("  ", " ")
    prefix = f"PGOPTIONS={shlex.quote('-c role=' + call['session_role'])} " if call["session_role"] else ""
    line = f"{prefix}psql -X -w -q -v ON_ERROR_STOP=1 {options}".strip()
    if packer:
        return f"{{ {packer} -dc <{shlex.quote(target)} || echo {_BROKEN} >&2; }} | {line}"
    return f"{line} <{shlex.quote(target)}"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if written.arguments.get("state") == "rename" and not written.given("target"):
        yield "", "'postgresql_db' with state: rename needs 'target'."


def _text(name: str, text: str) -> Argument:
    return Argument(name=name, default="", help=text)


ACTIONS = (
    Action(
        name="postgresql_db",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Make, drop, dump or restore a database of PostgreSQL, by psql",
        arguments=(
            Argument(name="name", required=True, aliases=("db",), help="Name of the database"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "dump", "present", "rename", "restore"),
                help="dump and restore: into and from target; rename: target is the new name",
            ),
            _text("owner", "Who owns it"),
            _text("template", "Database that a new one is a copy of"),
            _text("encoding", "How it keeps text: UTF8; can't be changed"),
            _text("lc_collate", "How text is sorted; can't be changed"),
            _text("lc_ctype", "What letters are; can't be changed"),
            _text("icu_locale", "The same by ICU; can't be changed"),
            _text("locale_provider", "Who provides the locale of a new one: icu, libc"),
            _text("conn_limit", "How many may be connected at once; -1: any number"),
            _text("tablespace", "Where it is kept"),
            Argument(name="comment", help="What is said of it"),
            Argument(name="force", type=bool, default=False, help="Drop it though others are connected"),
            Argument(
                name="target",
                type=HostPath,
                default=HostPath(""),
                help="File of a dump, default: NAME.sql; .gz, .bz2, .xz are compressed, .tar, .pgc, .dir pg_dump's own",
            ),
            _text("target_opts", "More words for pg_dump, psql or pg_restore"),
            Argument(name="dump_extra_args", help="Still more words for pg_dump"),
            Argument(name="maintenance_db", default="postgres", help="Database to connect to for all but dumps"),
            *CONNECTION,
        ),
        check=check,
        platforms=POSIX,
    ),
)
