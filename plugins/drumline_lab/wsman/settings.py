"""What a practice Windows host offers, demands and limits. Defaults are those of a Windows Server of 2012 or later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """A server certificate with its key, and who may log in with a certificate of their own."""

    certificate: Path  #: PEM, the server's certificate first.
    key: Path  #: PEM, without a pass phrase.
    client_authority: Path | None = None  #: PEM; clients with a certificate that it vouches for may log in.


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything about a server that a test may want to change."""

    #: User name to password. ``user``, ``DOMAIN\\user`` and ``user@REALM`` are three users; case does not count.
    users: Mapping[str, str] = field(default_factory=dict)
    #: The host's own keys in Kerberos. With them ``Negotiate`` takes tickets too; needs the extra ``kerberos``.
    keytab: Path | None = None
    #: Offered in this order: ``Negotiate``, ``Kerberos``, ``CredSSP``, ``Basic``, ``Certificate`` (HTTPS only).
    schemes: tuple[str, ...] = ("Negotiate", "Basic")
    tls: Tls | None = None
    channel_binding: Literal["none", "relaxed", "strict"] = "relaxed"
    allow_unencrypted: bool = False
    machine: str = "WINDOWS"  #: The host's name in faults.

    max_envelope: int = 500 * 1024  #: bytes of one request, and of one response
    max_timeout: float = 60.0  #: seconds; an OperationTimeout above it, or none, means this
    max_shells: int = 30  #: per user
    max_operations: int = 1500  #: per user; given back only when a shell is deleted
    old_quota_fault: bool = False  #: The operations' quota fault as Windows Server 2008 R2 words it.
    old_skip_cmd: bool = False  #: Honour WINRS_SKIP_CMD_SHELL, as Windows before 2012 R2 does.

    shell_idle: float = 7200.0  #: seconds without a request until a shell is gone
    connection_idle: float = 120.0  #: seconds without a request until a connection is closed
    latency: float = 0.0  #: seconds added to every request
    coalesce: float = 0.02  #: seconds that a Receive waits for more after the first output
    linger: float = 0.5  #: seconds of silence after which output still held by background processes is given up

    crlf: bool = False  #: Turn line feeds of the output into CR LF; for backends that are not Windows.
    chunked: bool = False  #: Answer with ``Transfer-Encoding: chunked``.
    log_size: int = 10_000  #: exchanges that the log keeps
    clock_offset: float = 0.0  #: seconds by which the clock of commands is ahead; needs libfaketime
