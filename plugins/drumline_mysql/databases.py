"""``mysql_db``: databases, with what they are dumped into and imported from."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Result, Steps, Traits, Written
from drumline.plugin.kit import ignored, output_text, refused, sh_word
from drumline_mysql.client import CONNECTION, POSIX, ask, change, literal, name_of, problem_of, run

_COMPRESSED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
#: Said where the first command of a pipe fails, whose status sh has not.
_BROKEN = "drumline: the first of two programs failed"
_FLAGS = {
    "quick": "--quick",
    "single_transaction": "--single-transaction=true",
    "force": "--force",
    "hex_blob": "--hex-blob",
    "skip_lock_tables": "--skip-lock-tables",
}


def perform(call: Call) -> Steps:
    names, state = [str(name) for name in call["name"]], call["state"]
    if problem := _problem(call.arguments):
        raise ActionFailed(problem)
    whole = names == ["all"]
    there = yield from _there(call, names)
    missing = [] if whole else [name for name in names if name not in there]
    values: dict[str, Any] = {"db": " ".join(names), "db_list": names}
    statements = list(_dropped(there) if state == "absent" else _made(call, missing) if state != "dump" else ())
    if state == "dump" and missing:
        raise ActionFailed(f"Cannot dump database(s) '{', '.join(missing)}' - not found")
    copied = state in ("dump", "import")
    if call.check:
        return Result(changed=bool(statements) or copied, values=values)
    yield from change(call, statements)
    if not copied:
        return Result(changed=bool(statements), values={**values, "executed_commands": statements})
    line = _dump(call, names, whole) if state == "dump" else _import(call, names, whole)
    completed = yield from run(call, line)
    if completed.code or _BROKEN in output_text(completed.stderr):
        raise ActionFailed(problem_of(completed), rc=completed.code)
    said = output_text(completed.stdout)
    return Result(changed=True, message=said, values={**values, "msg": said, "executed_commands": [*statements, line]})


def _there(call: Call, names: list[str]) -> Any:
    listed = ", ".join(map(literal, names))
    found = yield from ask(
        call, f"SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name IN ({listed});\n"
    )
    has = {row["name"] for rows in found for row in rows}
    return [name for name in names if name in has]


def _dropped(there: list[str]) -> Iterator[str]:
    yield from (f"DROP DATABASE {name_of(name)}" for name in there)


def _made(call: Call, missing: list[str]) -> Iterator[str]:
    letters = f" CHARACTER SET {literal(call['encoding'])}" if call["encoding"] else ""
    order = f" COLLATE {literal(call['collation'])}" if call["collation"] else ""
    yield from (f"CREATE DATABASE {name_of(name)}{letters}{order}" for name in missing)


def _directory(call: Call) -> str:
    return f"cd -- {sh_word(call['chdir'])} || exit\n" if call["chdir"] else ""


def _packer(call: Call) -> str:
    return _COMPRESSED.get("." + str(call["target"]).rpartition(".")[2], "")


def _dump(call: Call, names: list[str], whole: bool) -> str:
    words = [flag for name, flag in _FLAGS.items() if call[name]]
    words += [f"--default-character-set={call['encoding']}"] if call["encoding"] else []
    words += [f"--master-data={call['master_data']}"] if call["master_data"] else []
    words += [f"--ignore-table={table}" for table in call["ignore_tables"] or ()]
    words += ["--all-databases"] if whole else ["--databases", *names] if len(names) > 1 else [names[0]]
    target, packer = sh_word(call["target"]), _packer(call)
    line = f"client {call['dump_extra_args'] or ''} {shlex.join(words)}"
    line = f"{{ {line} || echo '{_BROKEN}' >&2; }} | {packer} >{target}" if packer else f"{line} >{target}"
    return f"{_directory(call)}program mysqldump mariadb-dump\n{line}"


def _import(call: Call, names: list[str], whole: bool) -> str:
    words = ["--force"] if call["force"] else []
    words += [f"--default-character-set={call['encoding']}"] if call["encoding"] else []
    words += [] if whole else [f"--database={names[0]}"]
    target, packer = sh_word(call["target"]), _packer(call)
    line = f"client {shlex.join(words)}"
    if packer:
        line = f"{{ {packer} -dc <{target} || echo '{_BROKEN}' >&2; }} | {line}"
    else:
        line = f"{line} <{target}"
    return f"{_directory(call)}program mysql mariadb\n{line}"


def _problem(given: Any) -> str:
    state, names = given.get("state", "present"), given.get("name") or []
    if state in ("dump", "import") and not given.get("target"):
        return f"with state={state} target is required"
    if state == "import" and len(names) > 1:
        return "Multiple databases are not supported with state=import"
    if state in ("absent", "present") and names == ["all"]:
        return "name is not allowed to equal 'all' unless state equals import, or dump."
    return ""


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.open and (problem := _problem(written.arguments)):
        yield "", problem


def _switch(name: str, default: bool, text: str) -> Argument:
    return Argument(name=name, type=bool, default=default, help=text)


ACTIONS = (
    Action(
        name="mysql_db",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Make, drop, dump or import databases of MySQL or MariaDB, by mysql",
        arguments=(
            Argument(name="name", type=list, required=True, aliases=("db",), help="Names; all, for dump and import"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "dump", "import", "present"),
                help="dump and import: into and from target",
            ),
            Argument(name="encoding", default="", help="How a new one keeps text: utf8mb4"),
            Argument(name="collation", default="", help="How a new one sorts text"),
            Argument(
                name="target", type=HostPath, help="File of a dump, on the host; .gz, .bz2, .xz, .zst: compressed"
            ),
            Argument(name="chdir", type=HostPath, help="Directory in which target is"),
            _switch("single_transaction", False, "Dump what one moment had"),
            _switch("quick", True, "Dump row by row"),
            _switch("force", False, "Go on after mistakes of SQL in a dump or import"),
            _switch("hex_blob", False, "Dump binary columns in hexadecimal"),
            _switch("skip_lock_tables", False, "Don't lock tables for a dump"),
            Argument(name="ignore_tables", type=list, help="Tables that aren't dumped: shop.log"),
            Argument(name="master_data", type=int, default=0, help="1 or 2: dump where the binary log is"),
            Argument(name="dump_extra_args", help="More words for mysqldump"),
            _switch("sql_log_bin", True, "Have replicas do the same"),
            *CONNECTION,
            *ignored("check_hostname", "pipefail", "unsafe_login_password", "use_shell", "restrict_config_file"),
            *refused(
                check_implicit_admin="Give login_user and login_password.",
                config_overrides_defaults="Leave login_user out where config_file has it.",
            ),
        ),
        check=check,
        platforms=POSIX,
    ),
)
