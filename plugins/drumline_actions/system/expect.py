"""``expect``: a command that asks questions, and their answers."""

from __future__ import annotations

import shlex
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, CheckImpossible, Checks, HostPath, Platform, Steps
from drumline.plugin.kit import Script, ask, readable_text, result_of

_EXPECT = Script.beside(__file__, "expect")
_MOST = 8 << 20


def perform(call: Call) -> Steps:
    if call.check:
        raise CheckImpossible("what the command does isn't known before it is run")
    try:
        words = shlex.split(call["command"])
    except ValueError as error:
        raise ActionFailed(f"'command' can't be split into words: {error}") from None
    if not words:
        raise ActionFailed("no command given")
    answer = yield from ask(
        call,
        _EXPECT,
        main=True,
        most=_MOST,
        stdin=_program(call, words).encode(),
        chdir=call["chdir"] or "",
        creates=call["creates"] or "",
        removes=call["removes"] or "",
    )
    output = readable_text(answer.pop("output", b"").decode("utf-8", "replace").replace("\r\n", "\n")).rstrip("\n")
    if "obstacle" in answer:
        return result_of({}, rc=0, cmd=call["command"], stdout=f"skipped, since {answer['obstacle']}")
    code = int(answer["code"])
    values: dict[str, Any] = {"cmd": call["command"], "rc": code, "stdout": output}
    match answer.get("end"):
        case "late":
            raise ActionFailed("command exceeded timeout", **{**values, "rc": None})
        case "unanswered":
            raise ActionFailed(f"No remaining responses for '{answer['prompt']}', output was '{output}'", **values)
    if code:
        raise ActionFailed("non-zero return code", **values)
    return result_of({"changed": "1"}, **values)


def _program(call: Call, words: list[str]) -> str:
    """What the host's ``expect`` reads; it has the answers, which no list of processes shows."""
    timeout = call["timeout"]
    lines = [
        f"set timeout {-1 if timeout is None else int(timeout)}",
        "log_user 0",
        "match_max 1000000",
        "set output {}; set end exited; set prompt {}",
        *(() if call["echo"] else ("set stty_init -echo",)),
        f"spawn -noecho {' '.join(map(_word, words))}",
        "expect {",
    ]
    for number, (pattern, answers) in enumerate(call["responses"].items()):
        given = answers if isinstance(answers, list) else [answers]
        lines.insert(0, f"set answers{number} [list {' '.join(_word(str(one)) for one in given)}]")
        if isinstance(answers, list):
            choose = f"set answer [lindex $answers{number} 0]; set answers{number} [lrange $answers{number} 1 end]"
            left = f"[llength $answers{number}] == 0"
        else:
            choose, left = f"set answer [lindex $answers{number} 0]", "0"
        lines.append(
            f"-re {_word(str(pattern))} {{ append output $expect_out(buffer); if {{{left}}} "
            f"{{ set end unanswered; set prompt {_word(str(pattern))} }} else "
            f'{{ {choose}; send -- "$answer\\r"; exp_continue }} }}'
        )
    lines += [
        "timeout { set end late }",
        "eof { append output $expect_out(buffer) }",
        "}",
        'if {$end ne "exited"} { catch { exec kill [exp_pid] }; catch { close } }',
        "set code [lindex [wait] 3]",
        'puts -nonewline stderr "$end\\n$code\\n$prompt\\n"',
        "fconfigure stdout -translation binary -encoding utf-8",
        "puts -nonewline stdout $output",
    ]
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    """One word of Tcl: every letter that could mean something is written by its number."""
    if not text:
        return "{}"
    return "".join(letter if letter.isascii() and letter.isalnum() else _by_number(letter) for letter in text)


def _by_number(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else letter


ACTIONS = (
    Action(
        name="expect",
        perform=perform,
        checks=Checks.PARTLY,
        help="Run a command, and answer what it asks",
        arguments=(
            Argument(name="command", required=True, help="The command; no shell reads it"),
            Argument(
                name="responses",
                type=dict,
                required=True,
                help="Regular expressions of Tcl, each with its answer, or a list of answers one after another",
            ),
            Argument(name="timeout", type=object, default=30, help="Seconds to wait for each question; null: no limit"),
            Argument(name="echo", type=bool, default=False, help="Have answers in the output"),
            Argument(name="chdir", type=HostPath, help="Directory to run in"),
            Argument(name="creates", type=HostPath, help="Path that means that there is nothing to do"),
            Argument(name="removes", type=HostPath, help="Path without which there is nothing to do"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
