"""What is written to a warm shell, and how its answers are distinguished from what commands print.

The shell is a plain ``sh`` that reads commands from its standard input. To run the script ``echo hi`` it is sent ::

    ( eval 'echo hi' ) </dev/null 2>&9 9>&-
    printf '\\036NONCE %s\\n' $?
    printf '\\036NONCE\\n' >&9

- The script runs in a subshell: whatever it does to itself (``exit``, ``exec``, ``cd``, ``set -e``) ends with it, also
  an error in its syntax. No new program is started for it, which is what makes a command cost half a millisecond.
- The shell's own stderr is ``/dev/null``; descriptor 9 is the real one. Else the shell would report there that a
  command was killed, and quote it.
- NONCE is new for each command, and random, so that no output can be mistaken for the end. The marks are written by the
  shell itself when the command has ended: a child that stays behind and holds the streams isn't waited for.
- A script that speaks of ``$$`` means a process of its own: it gets one, which reads it from a descriptor.
- It has the shell's process group: dash and busybox have no job control without a terminal, and ``setsid`` costs three
  times as much as the command. The shell handles the signals that scripts send to their group, but no one handles
  ``kill -9 0``: it ends the shell, which is reported as a lost connection, and the next command gets another.
- Input for the command comes from ``printf``, with all but plain text in octal: the shell's own input can't be
  shared with commands, because a shell may read ahead. (A staged command reads one line of it all the same: it is sent
  with everything around it as one compound command, and nothing more is sent before it is ready to read.)
"""

from __future__ import annotations

import re
import shlex

from drumline.plugin import ConnectionLost, Exit
from drumline.plugin.posix import means_its_own_process, run_in

#: Starts the shell, whichever login shell reads this.
START = "exec /bin/sh"
#: Starts a shell for one command whose input is the rest of the channel: ``read`` takes no byte more than its line.
START_ONCE = (
    'exec /bin/sh -c \'drumline_line=; while [ -z "${drumline_line}" ]; do IFS= read -r drumline_line || exit; done;'
    ' eval "$(printf %b "${drumline_line}")"\''
)
#: Stands ahead of all: a login's own ``read`` takes it instead of the first line that counts.
_SPARE = "\n"
#: A handler, however empty, keeps ``kill 0`` in a command from ending the shell too; commands have the defaults again.
_PROLOGUE = "trap : HUP INT QUIT TERM USR1 USR2\nexec 9>&2 2>/dev/null\n"
#: What doesn't mean itself in a line for ``printf %b``, and in a single-quoted format of ``printf``.
_NOT_IN_LINE = re.compile(rb"[^ -\[\]-~]")
_NOT_PLAIN = re.compile(rb"[^ !-$&(-\[\]-~\n\t]")


def prologue(word: str) -> str:
    """Makes the shell ready; it answers with its process id. What came before that is the login's own noise."""
    return f"{_SPARE}{_PROLOGUE}printf '\\036{word} %s\\n' $$; printf '\\036{word}\\n' >&9\n"


def becoming(script: str) -> bytes:
    """A script that replaces the shell by another program, as the first thing that the shell does."""
    return f"{_SPARE}{script}".encode("utf-8", "surrogateescape")


def command(script: str, word: str, stdin: bytes = b"", started: str | None = None) -> bytes:
    """Run a script in the shell; with ``started``, as the first thing that the shell does."""
    text = f"{prologue(started) if started else ''}{_fed(_child(script), stdin)}\n{_epilogue(word)}"
    return text.encode("utf-8", "surrogateescape")


def command_once(script: str, started: str, word: str) -> bytes:
    """The one line for a shell started with ``START_ONCE``; the command's input follows it."""
    text = f"{prologue(started)}{_child(script)} 2>&9 9>&-\n{_epilogue(word)}".encode("utf-8", "surrogateescape")
    # All but plain text in octal: old shells lose bytes of other letters in ``read``.
    return _SPARE.encode() + _NOT_IN_LINE.sub(lambda found: b"\\0%03o" % found[0][0], text) + b"\n"


def staged(script: str, word: str, stdin: bytes = b"", started: str | None = None) -> bytes:
    """A script that reads its word to start from the channel, or, with input, from a pipe, ahead of that.

    It is one compound command: when it runs, nothing of it is left unread in the channel.
    """
    waiting = _waiting(script, stdin)
    text = f"{prologue(started) if started else ''}{{ {waiting}\n{_epilogue(word)}}}\n"
    return text.encode("utf-8", "surrogateescape")


def _waiting(script: str, stdin: bytes) -> str:
    child = f"( eval {shlex.quote(script)} ) 2>&9 9>&-"
    if not stdin:
        return child
    pass_on = "IFS= read -r drumline_word && printf '%s\\n' \"$drumline_word\""
    return f"{{ {pass_on} && printf '{_as_format(stdin)}'; }} 9>&- | {child}"


def _child(script: str) -> str:
    if means_its_own_process(script):
        return f"( {run_in('/bin/sh', script)})"
    return f"( eval {shlex.quote(script)} )"


def _fed(child: str, stdin: bytes) -> str:
    if not stdin:
        return f"{child} </dev/null 2>&9 9>&-"
    return f"printf '{_as_format(stdin)}' 9>&- | {child} 2>&9 9>&-"


def _as_format(data: bytes) -> str:
    text = _NOT_PLAIN.sub(lambda found: b"%%" if found[0] == b"%" else b"\\%03o" % found[0][0], data).decode("ascii")
    # A dash at its beginning would be taken for options of printf.
    return f"\\055{text[1:]}" if text.startswith("-") else text


def _epilogue(word: str) -> str:
    return f"printf '\\036{word} %s\\n' $?\nprintf '\\036{word}\\n' >&9\n"


def nonsense() -> ConnectionLost:
    """What stands at the end of a command can't be from the shell that was started."""
    return ConnectionLost(
        "The host's shell answers nonsense",
        "What it said at a command's end is no exit status. Whether the command has finished isn't known.",
    )


def exit_of(status: bytes) -> Exit:
    """What a shell tells in ``$?``; ksh gives 256 + n for signal n."""
    try:
        code = int(status)
    except ValueError:
        raise nonsense() from None
    return Exit(code=code if code < 256 else 128 + (code & 127))
