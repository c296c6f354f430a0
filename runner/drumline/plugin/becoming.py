"""For transports to POSIX hosts: a shell of another user, by ``sudo``, ``su``, ``doas`` and the like.

The program that makes the change is started with nothing to read. A :class:`Dialogue` takes what it says, answers its
question for the password, in whatever language that is, and notices when the other user's shell is there. Only then is
anything else written. So a password is in no argument, no file and no environment, and is never run as a command.
"""

from __future__ import annotations

import re
import shlex
from typing import Literal, TypeAlias

from drumline.errors import CommandRefused, OptionInvalid
from drumline.model.request import Become
from drumline.plugin.become_methods import method_of
from drumline.plugin.blanks import filled
from drumline.plugin.marks import Tail, nonce

#: Where something was said: on the command's own streams, or on a terminal that was made for it.
Place: TypeAlias = Literal["stdout", "stderr", "terminal"]
#: Seconds for another user's shell to be there: a directory far away may be asked, and a wrong password costs some.
PATIENCE = 60.0
#: A line for ``sh`` that starts the other user's shell.
SHELL = "exec /bin/sh"
#: How questions end; the second colon is that of Chinese and Japanese.
_QUESTION = (b":", "\uff1a".encode())
#: Bytes of what was said that are kept for messages.
_KEPT = 16 * 1024
_INCORRECT = re.compile(rb"incorrect password|authentication (?:failure|failed|error)|try again", re.IGNORECASE)
_REQUIRED = re.compile(rb"password is required|(?:authentication|authorization)(?: is)? required", re.IGNORECASE)
_TERMINAL = re.compile(rb"tty|terminal", re.IGNORECASE)
#: The program is to speak English, by which one failure is distinguished from another. The user's shell doesn't.
_START = r"""
if command -v @PROGRAM@ >/dev/null
then
drumline_language=${LC_ALL-} LC_ALL=C; export LC_ALL
case $drumline_language in *[!A-Za-z0-9_.@-]*) drumline_language= ;; esac
drumline_shell=@SHELL@" $drumline_language"
exec @COMMAND@
else printf '\036@WORD@ missing\n'
fi; exit
"""
#: What comes before the word is thrown away: it may be an answer to no question. One line, in which every variable
#: has braces, survives the quoting of ``sudo -i``; without ``!`` it survives a login shell of the kind of csh.
_THERE = (
    r'if [ "${LC_ALL-}" = C ]; then if [ "${1-}" ]; then LC_ALL=${1}; else unset LC_ALL; fi; fi;'
    r" printf '\036@WORD@\n'; drumline_line=;"
    r' until [ "${drumline_line}" = @WORD@ ]; do IFS= read -r drumline_line || exit; done; unset drumline_line; @THEN@'
)


class NeedsTerminal(CommandRefused):
    """The program wants to be run from a terminal: try again, with one."""


class Dialogue:
    """The talk with the program until the other user's shell is there.

    A transport sends ``script`` to a shell of the login user's and gives what comes back to :meth:`take`, until that
    returns None. Then it writes ``word``, and after it what the shell is to read.
    """

    def __init__(self, become: Become, place: str, *, then: str = SHELL, terminal: bool = False) -> None:
        """``place`` names the host in messages. ``then`` is the line for sh that the other user's shell runs.

        With ``terminal`` the program has been given one; a transport gives it one where ``wants_terminal`` says so,
        or after ``NeedsTerminal``.
        """
        self._become = become
        self._place = place
        self._method = method_of(become)
        self._has_terminal = terminal
        self._word = nonce()
        self._tail = Tail(self._word)
        self._said = b""
        self._lines: dict[Place, bytes] = {}  # the last line of each, which hasn't ended
        self._answered = False
        self._prompt = f"[drumline {self._word}]:"
        there = filled(_THERE, WORD=self._word, THEN=then)
        self.script = filled(
            _START,
            PROGRAM=self._method.program_of(become),
            COMMAND=self._method.command(become, self._prompt),
            SHELL=shlex.quote(f"exec /bin/sh -c {shlex.quote(there)} drumline"),
            WORD=self._word,
        )
        self.word = f"{self._word}\n".encode()

    @property
    def wants_terminal(self) -> bool:
        """Whether the program reads the password from nothing but a terminal."""
        return self._method.terminal and self._become.password is not None

    def take(self, place: Place, data: bytes) -> bytes | None:
        """The bytes to write where this was said; None when the shell is there. Raises ``CommandRefused``."""
        if place == "stdout":
            data = self._tail.feed(data)
        self._said = (self._said + data)[-_KEPT:]
        if self._tail.answer is not None:
            if self._tail.answer:
                raise self._missing()
            return None
        line = (self._lines.get(place, b"") + data).rpartition(b"\n")[2]
        if not self._is_question(line.strip()):
            self._lines[place] = line
            return b""
        self._lines[place] = b""
        return self._answer()

    def _is_question(self, line: bytes) -> bool:
        """Whether this, after which nothing came so far, asks for something; messages begin with the program's name."""
        program = shlex.split(self._method.program_of(self._become))[0].rpartition("/")[2]
        return line.endswith(_QUESTION) and not line.startswith(f"{program}:".encode())

    def _answer(self) -> bytes:
        if self._answered:
            raise self._incorrect()
        if self._become.password is None:
            raise self._required()
        self._answered = True
        password = self._become.password.reveal()
        if "\n" in password or "\0" in password:
            raise OptionInvalid("A password can't be typed", "ansible_become_password has more than one line.")
        return password.encode(errors="surrogateescape") + b"\n"

    def ended(self) -> CommandRefused:
        """Why the program has ended without having started the shell."""
        if self._answered and _INCORRECT.search(self._said):
            return self._incorrect()
        if self._become.password is None and _REQUIRED.search(self._said):
            return self._required()
        if not self._answered and not self._has_terminal and _TERMINAL.search(self._said):
            return NeedsTerminal("The program to become another user needs a terminal", self._place, said=self._words)
        return self._refused("Becoming another user was refused", self._failed)

    def late(self) -> CommandRefused:
        """The error when ``PATIENCE`` is up."""
        return self._refused("Becoming another user took too long", f"{self._failed} within {PATIENCE:g} s")

    def _incorrect(self) -> CommandRefused:
        what = f"{self._method.name} did not accept the password for becoming '{self._become.user}'"
        how = "Give the right one with --ask-become-pass or ansible_become_password"
        return self._refused(f"Incorrect {self._method.name} password", f"{what}. {how}")

    def _required(self) -> CommandRefused:
        what = f"{self._method.name} asks for a password to become '{self._become.user}'"
        how = "Give it with --ask-become-pass or ansible_become_password, or configure the host not to ask"
        return self._refused(f"Missing {self._method.name} password", f"{what}. {how}")

    def _missing(self) -> CommandRefused:
        program = self._become.exe or self._method.program or self._method.name
        how = "Install it, use another become_method, or name it with become_exe"
        return self._refused(f"No {self._method.name} on the host", f"there is no program '{program}'. {how}")

    @property
    def _failed(self) -> str:
        return f"{self._method.name} did not start a shell for user '{self._become.user}'"

    def _refused(self, summary: str, detail: str) -> CommandRefused:
        return CommandRefused(summary, f"{self._place}: {detail}.", said=self._words)

    @property
    def _words(self) -> str:
        """What it said, without the questions, which say nothing."""
        lines = self._said.decode(errors="replace").replace(self._prompt, "\n").splitlines()
        return "\n".join(line for line in lines if line.strip())
