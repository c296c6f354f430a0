"""``command``, ``shell`` and ``raw``: run what the task says.

``command`` starts a program without a shell: its words are quoted, so that only ``~`` and variables are expanded, as
Ansible does it. ``shell`` hands the text to ``sh`` (PowerShell on Windows, ``cmd`` with ``executable: cmd``), ``raw``
does so and nothing else.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    CheckImpossible,
    Checks,
    Completed,
    Language,
    Platform,
    Request,
    Result,
    Run,
    Steps,
    Written,
)
from drumline.plugin.kit import (
    Script,
    ask,
    expanding_word,
    ignored,
    output_text,
    refused,
    require_exit,
)
from drumline.plugin.windows import command_line

#: ``creates`` and ``removes``, for every action that runs something once.
CONDITIONS = (
    Argument(name="creates", help="Path or pattern on the host: if it exists, nothing is run"),
    Argument(name="removes", help="Path or pattern on the host: if it doesn't exist, nothing is run"),
)
CHDIR = Argument(name="chdir", help="Directory on the host to run in")
EXECUTABLE = Argument(name="executable", help="The shell to use instead of the default")

_COMMON = (
    Argument(name="cmd", help="What to run"),
    CHDIR,
    *CONDITIONS,
    Argument(name="stdin", help="Text for its standard input"),
    Argument(name="stdin_add_newline", type=bool, default=True, help="End that text with a newline"),
    Argument(name="strip_empty_ends", type=bool, default=True, help="Remove line ends at the end of its output"),
    *ignored("warn"),
)
_ARGV = Argument(name="argv", type=list, help="Program and arguments as a list, instead of cmd")
#: Said of a command in a check; the second to templates, in Ansible's words.
_UNKNOWN = "What a command does isn't known before it has run"
_WOULD_RUN = {"msg": "Command would have run if not in check mode"}
_GLOB = "*?[]"
_EXISTS = Script.beside(__file__, "exists")


def perform_command(call: Call) -> Steps:
    if call.platform is Platform.WINDOWS:
        return (yield from _program_on_windows(call))
    words = _words(call)
    expanding = call["expand_argument_vars"]
    line = _exec_line(words) if expanding else f"exec {shlex.join(words)}"
    run = Run(language=Language.SH, text=line, **_settings(call))
    return (yield from run_once(call, run, shown=list(words), program=words[0] if expanding else None))


def _program_on_windows(call: Call) -> Steps:
    if call["argv"] is not None:
        words = _words(call)
        run = Run(language=Language.EXEC, text=command_line(words), **_settings(call))
        return (yield from run_once(call, run, shown=list(words)))
    run = Run(language=Language.EXEC, text=call["cmd"].rstrip("\n"), **_settings(call))
    return (yield from run_once(call, run, shown=call["cmd"]))


def check_command(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in a command that don't depend on the host."""
    text = written.arguments.get("cmd")
    if text is not None and written.platforms == {Platform.POSIX}:
        try:
            shlex.split(text)
        except ValueError as error:
            yield "cmd", f"the text can't be split into words: {str(error).lower()}."


def check_text(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in a shell script that don't depend on the host."""
    if not written.given("cmd"):
        yield "", "there is nothing to run."


def perform_shell(call: Call) -> Steps:
    if call["cmd"] is None:
        raise ActionFailed("no command given")
    run = Run(text=_script(call), **shell_of(call), **_settings(call))
    return (yield from run_once(call, run, shown=call["cmd"]))


def perform_raw(call: Call) -> Steps:
    if call["cmd"] is None:
        raise ActionFailed("no command given")
    completed = yield Run(text=_script(call), **shell_of(call), environment=call.environment, main=True, shown="")
    return outcome(call, completed, strip=False)


def _script(call: Call) -> str:
    """The text for a shell. To cmd the end of the last line would be a line of its own."""
    text: str = call["cmd"]
    return text.rstrip("\n") if call.platform is Platform.WINDOWS else text


def _words(call: Call) -> tuple[str, ...]:
    if call["argv"] is not None:
        words = tuple(str(word) for word in call["argv"])
    else:
        try:
            words = _split(call["cmd"])
        except ValueError as error:
            raise ActionFailed(f"The command can't be split into words: {error}: {call['cmd']}") from None
    if not words:
        raise ActionFailed("no command given")
    return words


# Most tasks run one and the same command on thousands of hosts.
@lru_cache(maxsize=256)
def _split(text: str) -> tuple[str, ...]:
    return tuple(shlex.split(text))


@lru_cache(maxsize=256)
def _exec_line(words: tuple[str, ...]) -> str:
    # A shell's own "echo" or "test" differs from the program of that name; exec takes the program.
    return " ".join(["exec", *map(expanding_word, words)])


#: Says which error of the system keeps a program (@ is its word) from being started; 0: none does.
_LOOK = (
    "case @ in */*) if [ ! -e @ ]; then echo 2; elif [ -d @ ] || [ ! -x @ ]; then echo 13; else echo 0; fi;; "
    "*) if command -v @ >/dev/null 2>&1; then echo 0; else echo 2; fi;; esac"
)
#: With these a shell ends that can't start a program; others do, too.
_CAN_NOT_START = (126, 127)


def _obstacle(call: Call, program: str) -> Generator[Request, Any, int]:
    """The errno that keeps the program from starting; 0: none, or unknown."""
    text = _LOOK.replace("@", expanding_word(program))
    looked = yield Run(language=Language.SH, text=text, environment=call.environment, directory=call["chdir"])
    said = looked.stdout.strip()
    return int(said) if looked.ok and said.isdigit() else 0


def _settings(call: Call) -> dict[str, Any]:
    given = call.arguments
    stdin = given["stdin"]
    if stdin is not None and given["stdin_add_newline"]:
        stdin += "\n"
    return {"stdin": (stdin or "").encode(), "environment": call.environment, "directory": given["chdir"], "main": True}


def shell_of(call: Call) -> dict[str, Any]:
    """Language and executable of a ``Run`` for the task's shell."""
    executable = call["executable"]
    if call.platform is Platform.POSIX:
        return {"language": Language.SH, "executable": executable}
    program = (executable or "").lower().replace("/", "\\").rpartition("\\")[2].removesuffix(".exe")
    if program == "cmd":
        return {"language": Language.CMD, "executable": None}
    return {"language": Language.POWERSHELL, "executable": executable}


#: Makes the result where nothing was run: of ``creates`` or ``removes``, its path, and the command.
NotRun: TypeAlias = Callable[[Call, str, str, str | list[str] | None], Result]


def _not_run(call: Call, reason: str, path: str, shown: str | list[str] | None) -> Result:
    condition = "exists" if reason == "creates" else "does not exist"
    return Result(
        message=f"{'Would' if call.check else 'Did'} not run command since '{path}' {condition}",
        values={"rc": 0, "cmd": shown, "stdout": f"skipped, since {path} {condition}", "stderr": ""},
    )


def run_once(
    call: Call,
    run: Run,
    *,
    shown: str | list[str] | None,
    not_run: NotRun = _not_run,
    program: str | None = None,
) -> Steps:
    """Run the command, unless ``creates`` or ``removes`` prevents it: then ``not_run`` makes the result.

    ``program`` is the word that names what the command starts; whether it can be started is looked at afterwards, where
    it seems that it couldn't.
    """
    given = call.arguments
    if call.check:
        return (yield from _checked(call, not_run, shown))
    strip = given.get("strip_empty_ends", True)  # `script` has no such argument: always
    reason = ""
    if call.detached:
        run = replace(run, shown=shown or "")
    if given["creates"] is None and given["removes"] is None:
        completed = yield run
    elif call.platform is Platform.WINDOWS:
        reason = yield from _reason_on_windows(call)
        if not reason:
            completed = yield run
    elif call.detached:
        reason = yield from _reason_before(call, run)
        if not reason:
            completed = yield run
    else:
        token = os.urandom(16).hex()
        completed = yield _guarded(call, run, token)
        reason = _reason(completed, token)
    if reason:
        return not_run(call, reason, call[reason], shown)
    if program is not None and completed.code in _CAN_NOT_START:
        obstacle = yield from _obstacle(call, program)
        if obstacle:
            return _failed("Error executing command.", obstacle, shlex.join(shown or ()))
    return outcome(call, completed, cmd=shown, strip=strip)


def _checked(call: Call, not_run: NotRun, shown: str | list[str] | None) -> Steps:
    """What is known of a command that isn't run: whether ``creates`` or ``removes`` would prevent it."""
    values = {} if shown is None else {"cmd": shown, "rc": 0, "stdout": "", "stderr": ""}
    if call["creates"] is None and call["removes"] is None:
        raise CheckImpossible(f"{_UNKNOWN}, and the task has neither 'creates' nor 'removes'.", **values, **_WOULD_RUN)
    if call.platform is Platform.WINDOWS:
        reason = yield from _reason_on_windows(call)
    else:
        token = os.urandom(16).hex()
        run = Run(language=Language.SH, text="", environment=call.environment, directory=call["chdir"])
        completed = yield _guarded(call, run, token)
        require_exit(call, completed)
        reason = _reason(completed, token)
    if reason:
        return not_run(call, reason, call[reason], shown)
    said = {} if shown is None else _WOULD_RUN
    return Result(changed=True, values={**values, **said}, unclear=f"{_UNKNOWN}.")


def _guarded(call: Call, run: Run, token: str) -> Run:
    """The same command behind a check, in one script: if the check stops it, it prints only token and reason."""
    guard = []
    if call["creates"] is not None:
        guard.append(_stop_line(f"if ({_any_exists(call['creates'])})", token, "creates"))
    if call["removes"] is not None:
        guard.append(_stop_line(f"if ! ({_any_exists(call['removes'])})", token, "removes"))
    text = run.text
    if run.executable:
        text = f"exec {shlex.quote(run.executable)} -c {shlex.quote(text)}"
    return replace(run, language=Language.SH, text="\n".join([*guard, text]), executable=None)


def _stop_line(condition: str, token: str, word: str) -> str:
    return f"{condition}; then echo {token} {word}; exit 0; fi"


def _any_exists(pattern: str) -> str:
    """The body of a subshell that succeeds if a file matches the pattern."""
    return f'for f in {_pattern_word(pattern)}; do if [ -e "$f" ] || [ -L "$f" ]; then exit 0; fi; done; exit 1'


def _pattern_word(pattern: str) -> str:
    """The pattern as a word of ``sh`` in which ``~``, ``*``, ``?`` and ``[]`` work and nothing else does."""
    if not set(pattern) & set(_GLOB):
        return expanding_word(pattern)
    home, slash, rest = pattern.partition("/") if pattern.startswith("~") else ("", "", pattern)
    quoted = "".join(letter if letter in _GLOB + "-!" else shlex.quote(letter) for letter in rest)
    return expanding_word(home) + slash + quoted if home else quoted


def _reason(completed: Completed, token: str) -> str:
    said, _, word = completed.stdout.decode(errors="replace").strip().partition(" ")
    return word if said == token else ""


def _reason_before(call: Call, run: Run) -> Generator[Request, Any, str]:
    token = os.urandom(16).hex()
    settings = {"text": ":", "language": Language.SH, "executable": None, "stdin": b"", "main": False}
    completed = yield _guarded(call, replace(run, **settings), token)
    return _reason(completed, token)


def _reason_on_windows(call: Call) -> Generator[Request, Any, str]:
    there = yield from ask(call, _EXISTS, creates=call["creates"], removes=call["removes"])
    if there.get("creates"):
        return "creates"
    return "removes" if there.get("removes") is False else ""


def outcome(call: Call, completed: Completed, *, cmd: str | list[str] | None = None, strip: bool = True) -> Result:
    """The result of a command, with Ansible's names; those of ``raw`` and ``script`` don't name it."""
    require_exit(call, completed)
    not_started = _not_started(call, completed, cmd)
    if not_started is not None:
        return not_started
    stdout, stderr = output_text(completed.stdout), output_text(completed.stderr)
    if strip:
        stdout, stderr = stdout.rstrip("\r\n"), stderr.rstrip("\r\n")
    named = {} if cmd is None else {"msg": "", "cmd": cmd}
    return Result(
        changed=True,
        failed=not completed.ok,
        message="" if completed.ok else "non-zero return code",
        values={**named, "rc": completed.code, "stdout": stdout, "stderr": stderr},
    )


def _not_started(call: Call, completed: Completed, cmd: str | list[str] | None) -> Result | None:
    """The failure if there is no such program, shell or directory; None if something was started."""
    if completed.ok:
        return None
    stdout, stderr = output_text(completed.stdout), output_text(completed.stderr)
    if stdout or cmd is None or call.platform is Platform.WINDOWS:
        return None
    shell, directory = call.arguments.get("executable"), call.arguments.get("chdir")
    if shell and completed.code == 127 and re.search(_GONE, stderr, flags=re.DOTALL) and shell in stderr:
        return _failed("Error executing command.", 2, f"{shell} -c {shlex.quote(str(cmd))}")
    if directory and completed.code in (1, 2) and re.search(_NO_CD, stderr):
        return _failed("Unable to change directory before execution.", None, cmd)
    return None


def _failed(message: str, code: int | None, cmd: str | list[str]) -> Result:
    return Result(failed=True, message=message, values={"rc": code, "cmd": cmd, "stdout": "", "stderr": ""})


#: What shells say of a program that isn't there, and of a directory.
_GONE = r"\A\S*sh: .*(?:not found|[Nn]o such file or directory)\s*\Z"
_NO_CD = r"\A\S*sh: (?:line )?\d*:? ?cd: "


ACTIONS = (
    Action(
        name="command",
        perform=perform_command,
        checks=Checks.PARTLY,
        help="Run a program, without a shell",
        arguments=(
            *_COMMON,
            _ARGV,
            Argument(
                name="expand_argument_vars", type=bool, default=True, help="Expand ~ and $VARIABLES in words (POSIX)"
            ),
            *ignored("executable"),
        ),
        exclusive=(("cmd", "argv"),),
        one_of=(("cmd", "argv"),),
        free_form="cmd",
        text_languages={"": ("words", "program"), "win_command": ("program", "cmd")},
        can_start=True,
        check=check_command,
    ),
    Action(
        name="shell",
        perform=perform_shell,
        checks=Checks.PARTLY,
        help="Run a script in sh; on Windows in PowerShell, or in cmd with executable: cmd",
        arguments=(
            *_COMMON,
            EXECUTABLE,
            *ignored("no_profile"),
            *refused(output_encoding_override="Output is read as UTF-8; set [Console]::OutputEncoding in the text."),
        ),
        free_form="cmd",
        text_languages={"win_shell": ("powershell",)},
        can_start=True,
        check=check_text,
    ),
    Action(
        name="raw",
        perform=perform_raw,
        help="Run a script in the host's shell, unchanged",
        arguments=(Argument(name="cmd", aliases=("free_form",), help="What to run"), EXECUTABLE),
        free_form="cmd",
        check=check_text,
    ),
)
