"""Everything that drumline raises on purpose, sorted by who is at fault.

===================  ============================================  ===========
class                at fault                                      exit status
===================  ============================================  ===========
FilesError           the author of inventory, playbook, settings   5
UsageError           whoever typed the command line                5
PluginError          the author of a plugin                        1
HostError            a host, or the way to it                      (per job)
===================  ============================================  ===========

``summary`` is one sentence without names of this run; ``detail`` says what, why and how to mend it.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable

from drumline.diagnostics import PLAIN, Diagnostic, Look, counted
from drumline.missing import missing_package

#: How many mistakes are shown; any further ones are nearly always more of the same.
_MOST_SHOWN = 50


#: Resources that this machine may lack, by errno, and what to do about it.
_LACKING = {
    errno.EMFILE: "too many open files. Raise the limit (ulimit -n), or work on fewer hosts at once (--forks).",
    errno.ENFILE: "too many open files on this machine, in all programs together.",
    errno.ENOSPC: "no space left on the disk. Free some space.",
    errno.EDQUOT: "the disk quota is used up. Free some space.",
    errno.ENOMEM: "out of memory. Work on fewer hosts at once (--forks).",
    errno.EAGAIN: "no more processes or threads. Raise the limit (ulimit -u), or work on fewer hosts (--forks).",
}


def lacking(error: BaseException) -> str | None:
    """What this machine lacks, in words, if that caused the error; else None."""
    if isinstance(error, MemoryError):
        return _LACKING[errno.ENOMEM]
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return _LACKING[errno.EAGAIN]
    if isinstance(error, FileNotFoundError) and "temporary directory" in str(error):
        return "no directory for temporary files is writable. Name another one with TMPDIR."
    return _LACKING.get(error.errno or 0) if isinstance(error, OSError) else missing_package(error)


#: The most characters of a host's own words in a message.
_LONGEST_WORDS = 500


class DrumlineError(Exception):
    """Base class of all errors. ``exit_status`` is that of the command line (``docs/semantics.md`` section 8)."""

    exit_status = 1

    def __init__(self, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.summary}. {self.detail}" if self.detail else self.summary


class UsageError(DrumlineError):
    """The command line or the environment is wrong, such as a state directory that can't be written."""

    exit_status = 5


class FilesError(DrumlineError):
    """There are mistakes in files; nothing was sent to any host. ``diagnostics`` is never empty."""

    exit_status = 5

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(f"{counted(len(self.diagnostics), 'mistake')} in the files", self.render())

    def render(self, look: Look = PLAIN) -> str:
        """The diagnostics as text, one after another, but not all of very many. Their number comes last."""
        number = counted(len(self.diagnostics), "mistake")
        shown = [diagnostic.render(look=look) for diagnostic in self.diagnostics[:_MOST_SHOWN]]
        if len(self.diagnostics) > _MOST_SHOWN:
            number += f"; the first {_MOST_SHOWN} are shown"
        return "\n".join([*shown, look.bold(number)])


class PluginError(DrumlineError):
    """A plugin breaks its contract. The message names the part of the plugin, and the place."""


class HostError(DrumlineError):
    """Something about one host. Raised by transports; ends the job as ``unreachable`` unless a subclass says otherwise.

    ``summary`` names the fault in a few words ("connection refused"), ``detail`` says what to do. ``said`` is the
    host's own message, uncut, because it may contain a secret, and half a secret can't be recognised.
    """

    def __init__(self, summary: str, detail: str = "", *, said: str = "") -> None:
        super().__init__(summary, detail)
        self.said = said

    def told(self, mask: Callable[[str], str]) -> str:
        """The full error with the host's own words, masked first and then shortened to their end."""
        words = " ".join(mask(self.said).split())
        return self._with(f"…{words[-_LONGEST_WORDS:]}" if len(words) > _LONGEST_WORDS else words)

    def _with(self, words: str) -> str:
        text = super().__str__()
        return f"{text} It said: {words}" if words else text

    def __str__(self) -> str:
        return self._with(self.said)


class NameNotResolved(HostError):
    """The host's address is a name that doesn't resolve."""


class ConnectionRefused(HostError):
    """Nothing listens on the port, or a firewall refuses the connection."""


class ConnectTimedOut(HostError):
    """The host didn't answer the attempt to connect."""


class ConnectionLost(HostError):
    """The connection broke while it was in use; a command that was running has an unknown result."""


class AuthenticationFailed(HostError):
    """The host refused the user, password or key."""


class HostKeyUnknown(HostError):
    """The host's key is in no known_hosts file, and checking is strict."""


class HostKeyChanged(HostError):
    """The host's key differs from the known one, which is always refused."""


class CertificateInvalid(HostError):
    """The host's TLS certificate can't be trusted."""


class QuotaExceeded(HostError):
    """The host refuses more shells, operations, sessions or disk space for this user."""


class SessionLimit(QuotaExceeded):
    """The host has no room for another session now. Nothing was done; the host works with fewer sessions at a time.

    Raised when a connection opens a session, or by the first request in that session.
    """


class PackageMissing(HostError):
    """The connection to this host needs a Python package that isn't installed on this machine."""


class OptionInvalid(HostError):
    """A connection variable of this host has an invalid value."""


class CommandRefused(HostError):
    """The host can't start a command: its directory or program doesn't exist. Ends the job as ``failed``."""


class TransferFailed(HostError):
    """A file could not be written, read or verified on the host. Ends the job as ``failed``, since the host answers."""


class TransferStopped(TransferFailed):
    """A transfer was stopped midway: its time was up, or it was interrupted. The incomplete file is removed."""

    def __init__(self, summary: str, detail: str = "", *, said: str = "", timed_out: bool = False) -> None:
        super().__init__(summary, detail, said=said)
        self.timed_out = timed_out
