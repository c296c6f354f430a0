"""The requests that an action yields and a job performs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from drumline.secret import Secret


class Language(StrEnum):
    """How the host reads a command's text."""

    SH = "sh"  #: A POSIX shell script.
    POWERSHELL = "powershell"  #: A script for the host's warm PowerShell, of either kind.
    CMD = "cmd"  #: One line for Windows' ``cmd``.
    EXEC = "exec"  #: One command line started without a shell, quoted as the platform quotes arguments.


class Become(Struct, frozen=True, kw_only=True, gc=False):
    """Run as another user."""

    user: str = "root"
    method: str = "sudo"  #: The program that makes the change, by Ansible's name for it.
    exe: str | None = None  #: Its name or path on the host; None: the method's own.
    flags: str | None = None  #: Its flags, as a line; None: the method's own.
    password: Secret | None = None  #: What it may ask for.


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """Run one command or script and collect its output. Answered by a ``Completed``."""

    language: Language
    text: str
    #: Functions that ``text`` uses, shared by many commands; a session may keep them instead of sending them again.
    library: str = ""
    stdin: bytes = b""
    #: Added to the environment of the host's login; names and values are any text without NUL.
    environment: Mapping[str, str] = {}
    directory: str | None = None  #: Working directory on the host; None: the login's own.
    timeout: float | None = None  #: Seconds until it and its children are ended; None: never.
    become: Become | None = None
    #: The program that reads the text: a shell's path or name (``/bin/bash``, ``pwsh``); None: the default.
    executable: str | None = None

    #: What results call it, where it is left to run in the background: its text or its words; empty: nothing. None: it
    #: is the script of an action, whose output is an answer.
    shown: str | Sequence[str] | None = None
    #: Whether this is the task's main command, which ``start`` holds back and ``async`` may leave in the background;
    #: other requests prepare it or clean up.
    main: bool = False
    #: Whether it removes what earlier requests left. It is run, for a few seconds, even if the job was
    #: stopped or its time is up.
    tidies: bool = False

    #: Set where its output is for the action alone, and may be much, such as a file to work on: how many bytes are held
    #: until then. They don't count toward what the job may hold, and no more is kept in the journal.
    most: int = 0

    @property
    def script(self) -> str:
        """The whole text, with the library in front."""
        return f"{self.library}\n{self.text}" if self.library else self.text


class Put(Struct, frozen=True, kw_only=True, gc=False):
    """Write a file on the host, as the login user, completely or not at all. Answered by None.

    The checksum is verified at the end; the directory must exist.
    """

    source: bytes | Path  #: The content, or a file on this machine that holds it.
    destination: str
    mode: int | None = None  #: Permission bits on POSIX, such as ``0o644``; None: the host's default.
    timeout: float | None = None  #: Seconds until it is given up; None: not while it makes progress.


class Get(Struct, frozen=True, kw_only=True, gc=False):
    """Copy a file of the host to this machine, completely or not at all. Answered by None."""

    source: str
    destination: Path
    timeout: float | None = None  #: Seconds until it is given up; None: not while it makes progress.


class Sleep(Struct, frozen=True, kw_only=True, gc=False):
    """Wait without holding a session. Answered by None; the task's timeout still counts."""

    seconds: float


class Reconnect(Struct, frozen=True, kw_only=True, gc=False):
    """Drop the connection and open it again. Answered by None, or raises a ``HostError`` in the action."""

    timeout: float | None = None  #: Seconds until the attempt is given up; None: as long as the transport takes.


class Reread(Struct, frozen=True, kw_only=True, gc=False):
    """Read the inventory anew, for all that follows in the run. Answered by None; raises ``ActionFailed``."""


class Waiting(Struct, frozen=True, kw_only=True, gc=False):
    """Show people what the job waits for from now on. Answered by None."""

    reason: str  #: ``for port 5432 of 127.0.0.1``; it follows the word "waits".
    seconds: float | None = None  #: The most seconds to wait.


class Ask(Struct, frozen=True, kw_only=True, gc=False):
    """Let a person decide whether the run goes on. Answered by an ``Approval``."""

    message: str
    timeout: float | None = None  #: Seconds; None: for as long as it takes.
    default: bool = False  #: The decision if no one answers in that time.
    enter: bool = False  #: Whether Enter at the terminal is the answer; text typed before it is the comment.
    echo: bool = True  #: Whether that text is shown while it is typed, and kept.
    prompt: str = ""  #: What stands before what is typed; empty: how to answer.


class AtEnd(Struct, frozen=True, kw_only=True, gc=False):
    """Have a command run on the host when the run ends, before its connection is closed. Answered by None.

    Once for equal commands, for a few seconds, and as the task's user. It is for what later tasks of the run need on
    the host: where the connection is lost before, it isn't run, so a later run has to find what was left.
    """

    run: Run


class Here(Struct, frozen=True, kw_only=True, gc=False):
    """Run a command on this machine, as whoever runs drumline. Answered by a ``Completed``."""

    run: Run


class ReadClock(Struct, frozen=True, kw_only=True, gc=False):
    """Compare the host's clock with this machine's. Answered by a ``ClockReading``."""

    samples: int = 8


#: Anything that an action may yield.
Request: TypeAlias = Run | Put | Get | Sleep | Reconnect | Reread | Waiting | Ask | AtEnd | Here | ReadClock
