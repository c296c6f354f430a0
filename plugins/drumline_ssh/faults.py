"""What sockets and paramiko raise, as drumline's errors: the one place where they are translated."""

from __future__ import annotations

import errno
import logging
import socket

import paramiko

from drumline.plugin import (
    ConnectionLost,
    ConnectionRefused,
    ConnectTimedOut,
    HostError,
    NameNotResolved,
    QuotaExceeded,
    SessionLimit,
)

# paramiko logs what it raises as well; without a handler Python would print that to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

#: What to do about a name: one that there isn't, and one about which no name server has answered.
_OF_NAMES = (
    "Check the name, or set ansible_host to an address.",
    "Look at the name servers of this machine (/etc/resolv.conf); ansible_timeout allows more time.",
)
#: Letters of what a host says, in a message.
_LONGEST = 300
_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}


class Disconnected(paramiko.SSHException):
    """The host ended the connection, and said why."""

    def __init__(self, said: str) -> None:
        printable = "".join(letter for letter in said if letter.isprintable())[:_LONGEST]
        super().__init__(f"the host said '{printable}'")


def of_dialing(error: OSError, place: str, timeout: float) -> HostError:
    """An attempt to open a TCP connection failed."""
    if isinstance(error, socket.gaierror):
        return NameNotResolved(
            "The host's name doesn't resolve",
            f"{place}: {error.strerror}. {_OF_NAMES[error.errno == socket.EAI_AGAIN]}",
        )
    if isinstance(error, TimeoutError):
        return ConnectTimedOut(
            "No answer to the attempt to connect",
            f"{place} didn't answer within {timeout:g} s. Is the host up, and does a firewall let SSH through?"
            " ansible_timeout allows more time.",
        )
    if isinstance(error, ConnectionRefusedError):
        return ConnectionRefused(
            "Connection refused", f"Nothing listens on {place}, or a firewall refuses. Is sshd running there?"
        )
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return HostError(
            "This machine can open no more connections",
            f"{place}: {error.strerror}. Each host takes one file; 'ulimit -n' shows and raises how many there may be.",
        )
    if error.errno in _NO_ROUTE:
        return ConnectTimedOut("The host can't be reached", f"{place}: {error.strerror}.")
    return ConnectionLost("The connection broke while it was made", f"{place}: {error}.")


def of_silence(place: str, timeout: float) -> HostError:
    """The host accepted the connection and then didn't say enough."""
    return ConnectTimedOut(
        "The host doesn't speak",
        f"{place} accepted the connection but didn't finish its SSH greeting within {timeout:g} s. It may be"
        " overloaded, or another service may listen there. ansible_timeout allows more time.",
    )


def of_greeting(error: BaseException, place: str, said: str, *, ended: bool) -> HostError:
    """The two sides didn't agree on a protocol and keys; ``said``: how the host began; ``ended``: it hung up."""
    line = "".join(letter for letter in said.strip().partition("\n")[0] if letter.isprintable())
    if ended and (not line or "MaxStartups" in line):
        return QuotaExceeded(
            "The host closed the connection before its SSH greeting",
            f"{place} does so when too many logins are under way (MaxStartups of sshd) or when it has blocked this"
            " address; it may also be no SSH server. It was retried until ansible_timeout had passed. Try with fewer"
            " forks (-f).",
        )
    if line and not line.startswith("SSH-"):
        return ConnectionLost(
            "This isn't an SSH server", f"{place} said '{line}'. Is this the right port (ansible_port)?"
        )
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return ConnectionLost(
            "The host's SSH is too old or too new",
            f"{place} ({line}) has nothing in common with drumline: {error}."
            " drumline speaks what OpenSSH has spoken since version 6.5: update the host's SSH, or check ansible_port.",
        )
    why = _why(error)
    return ConnectionLost(
        "The connection broke during the SSH greeting",
        f"{place}: {why}. A firewall, a proxy or a restart of sshd may have cut it; its log says more"
        " (journalctl -u ssh). Run again; if it stays so, check ansible_port and what is between.",
    )


def of_channel(error: BaseException, place: str, *, alive: bool) -> HostError:
    """The host didn't open one more channel."""
    if alive and isinstance(error, paramiko.SSHException):
        if "Timeout" in str(error):
            return ConnectionLost(
                "The host doesn't open a session",
                f"{place} is connected but didn't answer in time. It may be overloaded, or out of memory or processes."
                " Run again; ansible_timeout allows more time.",
            )
        return SessionLimit(
            "The host refuses another session",
            f"{place} allows no more sessions on one connection (MaxSessions of sshd, 10 unless configured)."
            " Use fewer sessions per host.",
        )
    return lost(error, place)


def of_forwarding(error: BaseException, place: str, timeout: float) -> HostError:
    """A host on the way didn't open a connection to the next."""
    if isinstance(error, paramiko.SSHException) and "Timeout" in str(error):
        return ConnectTimedOut(
            "No answer to the attempt to connect",
            f"{place} wasn't reached within {timeout:g} s from the host before it. Is it up, and does a firewall"
            " let SSH through? ansible_timeout allows more time.",
        )
    return lost(error, place)


def lost(error: BaseException | None, place: str) -> ConnectionLost:
    """The connection broke while it was in use."""
    return ConnectionLost(
        "The connection was lost",
        f"{place}: {_why(error)}. It isn't known whether the running command has finished: check it, then run"
        " again; that opens a new connection. If it happens often, the host's log says more (journalctl -u ssh).",
    )


def _why(error: BaseException | None) -> str:
    """What a library's exception says, as the end of a sentence."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, EOFError) or error is None or not str(error).strip():
        return str(error).rstrip(". ") if error is not None and str(error).strip() else "the host closed it"
    if isinstance(error, paramiko.SSHException | OSError):
        return str(error).rstrip(". ")
    return f"the host sent what can't be understood ({error})"
