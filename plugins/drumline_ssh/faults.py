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
)

# paramiko logs what it raises as well; without a handler Python would print that to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_NO_ROUTE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}


def of_dialing(error: OSError, place: str, timeout: float) -> HostError:
    """An attempt to open a TCP connection failed."""
    if isinstance(error, socket.gaierror):
        return NameNotResolved(
            "The host's name doesn't resolve",
            f"{place}: {error.strerror}. Check the name, or set ansible_host to an address.",
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
        return ConnectTimedOut("There is no way to the host", f"{place}: {error.strerror}.")
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
            " address; it may also be no SSH server. It was asked again until ansible_timeout was over. Try with fewer"
            " forks (-f).",
        )
    if line and not line.startswith("SSH-"):
        return ConnectionLost(
            "What answers is no SSH server", f"{place} said '{line}'. Is this the right port (ansible_port)?"
        )
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return ConnectionLost(
            "The host's SSH is too old or too new", f"{place} ({line}) has nothing in common with drumline: {error}."
        )
    why = str(error) or "the host closed it"
    return ConnectionLost("The connection broke during the SSH greeting", f"{place}: {why}.")


def of_channel(error: BaseException, place: str, *, alive: bool) -> HostError:
    """The host didn't open one more channel."""
    if alive and isinstance(error, paramiko.SSHException) and "Timeout" not in str(error):
        return QuotaExceeded(
            "The host refuses one more session",
            f"{place} allows no more sessions on one connection (MaxSessions of sshd, 10 unless configured)."
            " Use fewer sessions per host.",
        )
    return lost(error, place)


def lost(error: BaseException | None, place: str) -> ConnectionLost:
    """The connection broke while it was in use."""
    why = str(error) if error is not None and str(error) else "the host closed it"
    return ConnectionLost(
        "The connection was lost", f"{place}: {why}. Whether what ran at that moment has finished isn't known."
    )
