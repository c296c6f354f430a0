"""The command line of OpenSSH's ``ssh`` for a target: it reads the same ``ssh_config``, so it is told only the rest."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from drumline.plugin import RemoteShell, Target
from drumline_ssh.options import ARGUMENTS
from drumline_ssh.settings import Checking, SshSettings

_CHECKING = {Checking.STRICT: "yes", Checking.ACCEPT_NEW: "accept-new", Checking.OFF: "no"}


def program_of(target: Target, settings: SshSettings) -> RemoteShell:
    """How ``ssh`` reaches the target. What variables say comes first, since the first value counts."""
    return RemoteShell(
        words=("ssh", *_words(target, settings)),
        host=str(target.options.get("host") or target.host),
        user=str(target.options.get("user") or ""),
        port=target.options.get("port"),
        password=settings.password,
        passphrase=settings.passphrase,
    )


def _words(target: Target, settings: SshSettings) -> Iterator[str]:
    options = target.options
    if config := options.get("ssh_config_file"):
        yield from ("-F", str(Path(config).expanduser()) if config != "none" else config)
    if settings.named_key:
        yield from ("-i", str(settings.named_key))
    if file := options.get("known_hosts_file"):
        yield from _option("UserKnownHostsFile", str(Path(file).expanduser()))
    yield from _option("StrictHostKeyChecking", _CHECKING[settings.checking])
    for name in ARGUMENTS:
        yield from shlex.split(options.get(name) or "")
    yield from _option("ConnectTimeout", str(max(1, round(settings.timeout))))
    yield from _option("ServerAliveInterval", str(round(settings.keepalive)))
    if settings.password or settings.passphrase:
        yield from _option("NumberOfPasswordPrompts", "1")
    else:
        yield from _option("BatchMode", "yes")  # there is no one to ask


def _option(name: str, value: str) -> tuple[str, str]:
    return "-o", f"{name}={shlex.quote(value) if ' ' in value else value}"
