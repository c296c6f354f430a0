"""``script``: sends a script from this machine to the host and runs it there.

On POSIX a small one is sent, run and deleted in one round trip. A PowerShell script is run from its text, which needs
no file and meets no execution policy; other files (``.cmd``, ``.exe``, …) become a temporary file on the host.
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Language,
    NeededFile,
    Platform,
    Request,
    Result,
    Run,
    Steps,
    Written,
)
from drumline.plugin.kit import (
    DECRYPT,
    Script,
    ask,
    expanding_word,
    fill,
    local_content,
    powershell_value,
    readable,
    remove,
    temporaries,
)
from drumline.plugin.windows import command_line
from drumline_actions.commands import CHDIR, CONDITIONS, run_once

_TEMPORARY = Script.beside(__file__, "temporary")

# The temporary file goes when the script ends, also when it is told to end early.
_POSIX = """t={temporary}
trap 'rm -f -- "$t"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
{fill}chmod 700 "$t" || exit
run() {{ "$@" {arguments} </dev/null; }}
{start}"""
#: Where the directory for temporary files is mounted noexec, what the script's first line names reads it, as the kernel
#: would have it: with what else stands there as one argument.
#: BusyBox' test doesn't know of noexec: whether another file there can't be started either shows that it was that.
_START = """if [ -x "$t" ]; then
run "$t"
code=$?
[ $code -eq 126 ] || exit $code
printf '#!/bin/sh\\n' >"$t.try" && chmod 700 "$t.try" || exit $code
"$t.try" 2>/dev/null && { rm -f -- "$t.try"; exit $code; }
rm -f -- "$t.try"
fi
IFS= read -r line <"$t"
case $line in
'#!'*) set -f; set -- ${line#??}; set +f ;;
*ELF*) echo "drumline: $t is a program, and its directory is mounted noexec: set TMPDIR to another one" >&2; exit 126 ;;
*) set -- /bin/sh ;;
esac
program=$1
shift
if [ $# -gt 0 ]; then run "$program" "$*" "$t"; else run "$program" "$t"; fi"""
_SENT_ALONG = 'cat >"$t" || exit\n'
_MAKE_TEMPORARY = '$(mktemp "${TMPDIR:-/tmp}/drumline.XXXXXX") || exit'


def perform(call: Call) -> Steps:
    name, arguments = _parts(call)
    path = call.find_file(name, "files")
    if call.check:
        return (yield from run_once(call, _run(call, Language.SH, ""), shown=None, not_run=_not_run))
    if call.platform is Platform.POSIX:
        return (yield from _on_posix(call, path, arguments))
    if path.suffix.lower() == ".ps1" and not call["executable"]:
        return (yield from _powershell(call, path, arguments))
    return (yield from _on_windows(call, path, arguments))


def files(written: Written) -> Iterator[NeededFile]:
    """The script, if its name is known."""
    text = written.arguments.get("cmd") or written.open.get("cmd") or ""
    try:
        name, _ = _taken_apart(text, Platform.WINDOWS if Platform.WINDOWS in written.platforms else Platform.POSIX)
    except ValueError:
        return
    if name and "{" not in name:
        yield "cmd", name, "files"


def _parts(call: Call) -> tuple[str, str]:
    """The script's name, and the rest of the line as written."""
    text = (call["cmd"] or "").strip()
    try:
        name, rest = _taken_apart(text, call.platform)
    except ValueError as error:
        raise ActionFailed(f"The script's line can't be split into words: {error}: {text}") from None
    if not name:
        raise ActionFailed("no script given")
    return name, rest


def _taken_apart(text: str, platform: Platform) -> tuple[str, str]:
    rest = io.StringIO(text.strip())
    lexer = shlex.shlex(rest, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    if platform is Platform.WINDOWS:
        lexer.escape = ""
    return lexer.get_token() or "", rest.read().strip()


def _on_posix(call: Call, path: Path, arguments: str) -> Steps:
    content = yield from local_content(call, path)
    words = shlex.split(call["executable"] or "")
    start = f'run {shlex.join(words)} "$t"' if words else _START
    parts = {"arguments": " ".join(map(expanding_word, shlex.split(arguments))), "start": start}
    if content.small is not None:
        text = _POSIX.format(temporary=_MAKE_TEMPORARY, fill=_SENT_ALONG, **parts)
        return (yield from run_once(call, _run(call, Language.SH, text, content.small), shown=None, not_run=_not_run))
    temporary = (yield from ask(call, _TEMPORARY, **temporaries()))["upload"]
    yield from fill(call, content, temporary)
    text = _POSIX.format(temporary=shlex.quote(temporary), fill="", **parts)
    try:
        result: Result = yield from run_once(call, _run(call, Language.SH, text), shown=None, not_run=_not_run)
    except ActionFailed:  # it may not have begun, and so not have removed itself
        yield from remove(call, temporary)
        raise
    return result


def _powershell(call: Call, path: Path, arguments: str) -> Steps:
    with readable(path):
        data = path.read_bytes()
    if call["decrypt"]:
        data = call.decrypted(path, data)
    encoded = powershell_value(_as_utf8(data))
    script = f"[scriptblock]::Create([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String({encoded})))"
    run = _run(call, Language.POWERSHELL, f"& ({script}) {arguments}")
    return (yield from run_once(call, run, shown=None, not_run=_not_run))


def _as_utf8(data: bytes) -> bytes:
    """A PowerShell script's text as UTF-8, without a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _on_windows(call: Call, path: Path, arguments: str) -> Steps:
    temporary = yield from _upload(call, path)
    program = command_line([temporary])
    line = " ".join(part for part in (call["executable"], program, arguments) if part)
    # cmd alone reads batch files; a line that begins with a quote it reads best within another pair.
    language = Language.CMD if path.suffix.lower() in (".bat", ".cmd") and not call["executable"] else Language.EXEC
    try:
        result: Result = yield from run_once(call, _run(call, language, line), shown=None, not_run=_not_run)
    except ActionFailed:
        yield from remove(call, temporary)
        raise
    yield from remove(call, temporary)
    return result


def _upload(call: Call, path: Path) -> Generator[Request, Any, str]:
    content = yield from local_content(call, path)
    made = yield from ask(call, _TEMPORARY, suffix=path.suffix, content=content.small, **temporaries())
    temporary: str = made["upload"]
    if content.small is None:
        yield from fill(call, content, temporary)
    return temporary


def _not_run(_call: Call, reason: str, path: str, _shown: object) -> Result:
    condition = "exists" if reason == "creates" else "does not exist"
    return Result(skipped=True, message=f"{path} {condition}, matching {reason} option")


def _run(call: Call, language: Language, text: str, stdin: bytes = b"") -> Run:
    return Run(
        language=language,
        text=text,
        stdin=stdin,
        environment=call.environment,
        directory=call["chdir"],
        main=True,
    )


ACTIONS = (
    Action(
        name="script",
        perform=perform,
        checks=Checks.PARTLY,
        help="Send a script from this machine to the host and run it there",
        arguments=(
            Argument(name="cmd", required=True, help="The script's file on this machine, and its arguments"),
            CHDIR,
            *CONDITIONS,
            Argument(name="executable", help="The program that runs the script"),
            DECRYPT,
        ),
        free_form="cmd",
        can_start=True,
        files=files,
    ),
)
