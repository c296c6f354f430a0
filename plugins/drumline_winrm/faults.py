"""The exceptions of this plugin, and what the SOAP faults of a host become.

Some conditions are answered here rather than reported, and have exceptions that are no ``HostError``.
"""

from __future__ import annotations

from drumline.plugin import AuthenticationFailed, CommandRefused, ConnectionLost, HostError, QuotaExceeded, SessionLimit
from drumline_winrm.answers import SoapFault
from drumline_winrm.options import WinrmSettings

#: WS-Management fault codes ([MS-WSMV] 2.2.4.43 and winerror.h).
_NOTHING_YET = {2150858793}
_PLUGIN_LATE = {1460}
_UNKNOWN_SHELL = {2150858843}
_ABORTED = {2147943395}
_BUSY = {170}
_PIPE_ENDED = {109}
_ACCESS_DENIED = {5}
_NOT_THERE = {2147942402, 2147942403, 2147942667}  # no such file, no such path, not a directory
_QUOTA_SHELLS = {2150859173}
_QUOTA_OPERATIONS = {2150859174}


class NothingYet(Exception):
    """No output within the request's time; the command goes on."""


class ServiceLate(NothingYet):
    """The part of the host that runs shells did not answer the host's own service in time."""


class Busy(Exception):
    """The host asks for patience; nothing was done."""


class ShellGone(Exception):
    """The shell or the command no longer exists: idle for too long, or ended by the host."""


class PipeEnded(ShellGone):
    """No one reads the command's standard input any more: it has ended, or ended its reading."""


class TooLarge(Exception):
    """The request is larger than this host takes; nothing was done."""


class OperationsFull(QuotaExceeded):
    """The quota of commands is used up; deleting a shell gives its part back."""


class Broken(ConnectionLost):
    """The connection is of no more use. ``processed`` is False when the host certainly did not act on the request."""

    def __init__(self, summary: str, detail: str, *, processed: bool = True) -> None:
        super().__init__(summary, detail)
        self.processed = processed


class Silent(Broken):
    """The host did not answer within the time that a request has. It is not asked again at once."""


class Untrusted(ConnectionLost):
    """What came as an answer can't be the host's; nothing of it was believed, and nothing is repeated."""


def raised(fault: SoapFault, settings: WinrmSettings) -> Exception:
    """The exception for a fault."""
    code, said = fault.code, f"{settings.name} says: {fault.reason}"
    if code in _NOTHING_YET:
        return NothingYet(said)
    if code in _PLUGIN_LATE:
        return ServiceLate(said)
    if code in _PIPE_ENDED:
        return PipeEnded(said)
    if code in _UNKNOWN_SHELL | _ABORTED:
        return ShellGone(said)
    if code in _BUSY:
        return Busy(said)
    return _reported(code, said, settings)


def _reported(code: int | None, said: str, settings: WinrmSettings) -> HostError:
    if code in _QUOTA_SHELLS:
        return SessionLimit(
            "Too many shells",
            f"{said} End other sessions of user '{settings.user}' there, lower drumline's sessions per host, or raise "
            "WinRM's MaxShellsPerUser.",
        )
    if code in _QUOTA_OPERATIONS:
        return OperationsFull(
            "Too many operations",
            f"{said} Other programs of user '{settings.user}' use them up; end their shells, or raise WinRM's "
            "MaxConcurrentOperationsPerUser.",
        )
    if code in _ACCESS_DENIED:
        return AuthenticationFailed(
            "Access denied",
            f"{said} User '{settings.user}' may log in, but not use WinRM: it has to be in Administrators or Remote "
            "Management Users.",
        )
    if code in _NOT_THERE:
        return CommandRefused("The command can't be started", f"{said} Its directory or its program is not there.")
    return HostError("WinRM fault", f"{said} (code {code})" if code is not None else said)
