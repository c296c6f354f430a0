"""What an action asks for: the requests that it yields and the job runner runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct


class Language(StrEnum):
    """How a command's text is to be read on the host."""

    SH = "sh"  #: A POSIX shell script.
    POWERSHELL = "powershell"  #: A script for the host's warm PowerShell, whichever it is.
    CMD = "cmd"  #: One line for Windows' ``cmd``.
    EXEC = "exec"  #: One command line started without a shell, quoted as the platform quotes arguments.


class Become(Struct, frozen=True, kw_only=True, gc=False):
    """Run as another user: ``sudo`` without a password."""

    user: str = "root"


class Run(Struct, frozen=True, kw_only=True, gc=False):
    """Run one command or script and collect what it says. Answered by a ``Completed``."""

    language: Language
    text: str
    #: Functions that ``text`` uses, the same for many commands; a session may keep them rather than send them again.
    library: str = ""
    stdin: bytes = b""
    #: Added to what the host's login gives; names and values are any text without NUL.
    environment: Mapping[str, str] = {}
    directory: str | None = None  #: Working directory on the host; None: the login's own.
    timeout: float | None = None  #: Seconds until it and its children are ended; None: never.
    become: Become | None = None
    #: The program that reads the text: a shell's path or name (``/bin/bash``, ``pwsh``); None: the usual one.
    executable: str | None = None

    #: This is what the task is about, and what ``start`` holds back; other requests prepare it or tidy up.
    main: bool = False
    #: It removes what earlier requests have left: it is run, within a few seconds, also when the job was
    #: stopped or its time is up.
    tidies: bool = False

    @property
    def script(self) -> str:
        """All of the text, the library in front."""
        return f"{self.library}\n{self.text}" if self.library else self.text


class Put(Struct, frozen=True, kw_only=True, gc=False):
    """Write a file on the host, as the login user, whole or not at all. Answered by None.

    The content's checksum is compared at the end; the directory must exist.
    """

    source: bytes | Path  #: The content, or a file on this machine that holds it.
    destination: str
    mode: int | None = None  #: Permission bits on POSIX, such as ``0o644``; None: the host's default.
    timeout: float | None = None  #: Seconds until it is given up; None: not while it gets on.


class Get(Struct, frozen=True, kw_only=True, gc=False):
    """Read a file of the host into one on this machine, whole or not at all. Answered by None."""

    source: str
    destination: Path
    timeout: float | None = None  #: Seconds until it is given up; None: not while it gets on.


class Sleep(Struct, frozen=True, kw_only=True, gc=False):
    """Let time pass without holding a session. Answered by None; the task's time-out still counts."""

    seconds: float


class Reconnect(Struct, frozen=True, kw_only=True, gc=False):
    """Drop the connection and open it anew. Answered by None, or raises a ``HostError`` in the action."""

    timeout: float | None = None  #: Seconds until the attempt is given up; None: as long as the transport takes.


class Waiting(Struct, frozen=True, kw_only=True, gc=False):
    """Tell people what the job waits for from here on. Answered by None."""

    reason: str  #: ``for port 5432 of 127.0.0.1``; it follows the word "waits".
    seconds: float | None = None  #: How long at most.


class Ask(Struct, frozen=True, kw_only=True, gc=False):
    """Let a person decide whether the run goes on. Answered by an ``Approval``."""

    message: str
    timeout: float | None = None  #: Seconds; None: for as long as it takes.
    default: bool = False  #: What holds when no one answers in that time.
    enter: bool = False  #: At the terminal Enter is the answer; what was typed before it is the comment.
    echo: bool = True  #: Whether that is shown while it is typed, and kept.


class ReadClock(Struct, frozen=True, kw_only=True, gc=False):
    """Compare the host's clock with this machine's. Answered by a ``ClockReading``."""

    samples: int = 8


#: Whatever an action may yield.
Request: TypeAlias = Run | Put | Get | Sleep | Reconnect | Waiting | Ask | ReadClock
