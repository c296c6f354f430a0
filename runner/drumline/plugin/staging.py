"""For transports to POSIX hosts: a ``Run`` that waits on its host for the go signal.

The script of a staged command reads one line, the word, ahead of the request's stdin. On stdout it makes remarks,
lines that begin with a mark: that it is ready, and at the end that it has ended and when it began, both by the host's
own clock. So nothing is written at the moment of the start, when other hosts are still to be released.

Where the host has bash 5, whatever its ``sh`` is, waiting and taking the time fork nothing at that moment; elsewhere
``date`` and ``sleep`` do it.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from pathlib import PurePosixPath

from msgspec.structs import replace

from drumline.model.request import Language, Run
from drumline.plugin.blanks import filled
from drumline.plugin.marks import Tail
from drumline.plugin.posix import as_user, is_shell, means_its_own_process, settings_of, with_shell
from drumline.plugin.transports import Emit, Stream

#: Seconds for a command to be ready to start: sudo may have to ask a directory far away.
READY_PATIENCE = 60.0
#: Seconds for one that was given up to be gone.
CANCEL_PATIENCE = 10.0
#: The word that gives a staged command up. It ends without having done anything.
NEVER = b"never\n"
_NOW = b"now\n"
#: The exit code of a command that was given up, or whose word never came.
NOT_STARTED = 75
#: In bash: waits for the word, and then for the instant that it names. ``read -t`` from a pipe that no one writes to
#: is how bash sleeps without starting a program.
_BASH = r"""
exec 4<> <(:) || exit 76;
printf "\036@WORD@ ready %s\n" "$EPOCHREALTIME" >&5;
IFS= read -r drumline_word || exit @NOT_STARTED@;
case $drumline_word in
now) ;;
"at "*)
while drumline_now=$EPOCHREALTIME;
drumline_left=$((${drumline_word#at } - ${drumline_now%[.,]*}${drumline_now#*[.,]}));
[ $drumline_left -gt 0 ];
do drumline_part=$((1000000 + drumline_left % 1000000));
IFS= read -r -t $((drumline_left / 1000000)).${drumline_part#1} drumline_part <&4; done ;;
*) exit @NOT_STARTED@ ;;
esac;
drumline_began=$EPOCHREALTIME;
exec 4>&-
"""
#: The same for any shell, in whole seconds where ``date`` knows no parts of them.
_ANY = r"""
printf "\036@WORD@ ready %s\n" "$(date +%s.%N)";
IFS= read -r drumline_word || exit @NOT_STARTED@;
case $drumline_word in
now) ;;
"at "*)
[ $((1000000000 * 1000000)) = 1000000000000000 ]
|| { echo "drumline: this shell can not count the microseconds of an instant" >&2; exit @NOT_STARTED@; };
while drumline_now=$(date +%s%N);
case $drumline_now in *[!0-9]*) drumline_now=${drumline_now%%[!0-9]*}000000000 ;; esac;
drumline_left=$((${drumline_word#at } - ${drumline_now%???}));
[ $drumline_left -gt 0 ];
do drumline_part=$((1000000 + drumline_left % 1000000));
sleep $((drumline_left / 1000000)).${drumline_part#1} || sleep 1; done ;;
*) exit @NOT_STARTED@ ;;
esac;
drumline_began=$(date +%s.%N)
"""
#: Descriptor 7 takes the time to the script that has the command for its child. -p: bash reads no one's files first.
_GATE = r"""
drumline_bash=@BASH@;
case ${BASH_VERSION-} in
5.[1-9]* | [6-9].* | [1-9][0-9].*) eval "$drumline_bash" 5>&1 ;;
*) { drumline_began=$(exec bash -p -c "$drumline_bash; printf %s \$drumline_began" 2>/dev/null); } 5>&1;
case $? in
0) ;;
76 | 126 | 127) @ANY@ ;;
*) exit @NOT_STARTED@ ;;
esac ;;
esac;
printf %s "$drumline_began" >&7;
unset drumline_bash drumline_began drumline_word drumline_now drumline_left drumline_part;
exec 7>&-@NO_INPUT@;
"""
#: The shell's own stderr is closed to it: it would tell there that a command was killed. ksh gives 256 + n for n.
_HOLD = r"""{ drumline_began=$(
( eval @CHECK@ || exit; eval @COMMAND@ ) 7>&1 >&6 2>&8 6>&- 8>&-
); } 6>&1 8>&2 2>/dev/null
drumline_status=$?
printf '\036@WORD@ over %s\n' "$drumline_began"
[ $drumline_status -lt 256 ] || exit $((drumline_status - 128))
exit $drumline_status"""
#: Where the command becomes another user, and ``sudo`` may end without that.
_OVER = r"drumline_status=$?; printf '\036@WORD@ over\n'; exit $drumline_status"
_TIME = rb"\d+(?:[.,]\d+)?"


def staged_script(request: Run, word: str) -> str:
    """As :func:`drumline.plugin.posix.shell_script`, for a command that waits, with this nonce in its remarks.

    Its stdin is the go signal, then the request's stdin. Settings, directory, ``sudo`` and the shell are there
    before it says that it is ready; where one of them fails it says that it has ended, and may still wait for the word.
    """
    command = "\n".join([*settings_of(request), _waiting(request, word)])
    script = filled(_HOLD, WORD=word, CHECK=shlex.quote(_check(request)), COMMAND=shlex.quote(command))
    if not request.become:
        return script
    return as_user(request.become, script, after=filled(_OVER, WORD=word))


def release_word(at: float | None = None) -> bytes:
    """The word to start: now, or when the host's clock shows ``at``."""
    return _NOW if at is None else b"at %d\n" % round(at * 1_000_000)


class Remarks:
    """Takes a staged script's remarks out of what the command says."""

    def __init__(self, word: str) -> None:
        self.word = word
        self._tail = Tail(word)
        self._emit: Emit | None = None
        self._early: list[tuple[Stream, bytes]] = []
        self.ready: float | None = None  #: The host's clock when the command was ready to start.
        self.began: float | None = None  #: And right before it started.
        self.over = False  #: It has ended, by itself or because it was killed.

    def take(self, stream: Stream, data: bytes) -> None:
        """An ``Emit``. What is said before ``pass_on`` is kept until then."""
        if stream == "stdout":
            data = self._without_remarks(data)
        if not data:
            return
        if self._emit is None:
            self._early.append((stream, data))
        else:
            self._emit(stream, data)

    def pass_on(self, emit: Emit) -> None:
        """From here on hand output over."""
        self._emit = emit
        for stream, data in self._early:
            emit(stream, data)
        self._early = []

    def flush(self) -> None:
        """No more output will come."""
        held = self._tail.flush()
        if held and self._emit is not None:
            self._emit("stdout", held)

    @property
    def said(self) -> str:
        """What was said so far by a command that isn't passed on, for messages."""
        return b"".join(data for _, data in self._early).decode(errors="replace").strip()

    def _without_remarks(self, data: bytes) -> bytes:
        output = self._tail.feed(data)
        while self._tail.answer is not None:
            self._note(self._tail.answer)
            rest, self._tail = self._tail.rest, Tail(self.word)
            output += self._tail.feed(rest)
        return output

    def _note(self, remark: bytes) -> None:
        kind, _, shown = remark.partition(b" ")
        found = re.match(_TIME, shown)
        time = float(found[0].replace(b",", b".")) if found else None
        if kind == b"ready":
            self.ready = time or 0.0
        else:
            self.over = True
            self.began = time or self.began


def _check(request: Run) -> str:
    """Has the shell parse the text, so that an error of syntax keeps all hosts from starting."""
    shell = request.executable or "/bin/sh"
    if request.language is not Language.SH or not is_shell(shell):
        return "true"
    mark = f"drumline-{hashlib.sha256(request.script.encode(errors='surrogateescape')).hexdigest()[:20]}"
    # A script for bash may turn these patterns on by itself, which happens too late for the parser.
    if PurePosixPath(shell).name == "bash":
        patterns = " -O extglob"
    else:
        patterns = "" if request.executable else ' $([ "${BASH-}" != /bin/sh ] || echo -O extglob)'
    return f"{shlex.quote(shell)} -n{patterns} <<'{mark}'\n{request.script}\n{mark}"


def _waiting(request: Run, word: str) -> str:
    """The command behind its gate, which is one line so that the shell's messages count the text's lines rightly."""
    gate = _gate(word, has_input=bool(request.stdin))
    if request.language is Language.SH and request.executable is None and means_its_own_process(request.script):
        request = replace(request, executable="/bin/sh")
    if request.executable and is_shell(request.executable):
        return with_shell(replace(request, library="", text=f"{gate} {request.script}"))
    return f"{gate} {with_shell(request)}"


def _gate(word: str, *, has_input: bool) -> str:
    bash = shlex.quote(_line(_BASH))
    gate = filled(_line(_GATE), BASH=bash, ANY=_line(_ANY), NO_INPUT="" if has_input else " </dev/null")
    return filled(gate, WORD=word, NOT_STARTED=str(NOT_STARTED))


def _line(text: str) -> str:
    return " ".join(text.split("\n")).strip()
