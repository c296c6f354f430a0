"""Logs in: key files, then the password, then the agent's keys and the usual files, as far as the host takes them.

What the user named comes first, because a host breaks off after a few failures (``MaxAuthTries``, 6 unless configured)
and an agent may hold more keys than that.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import PublicBlob

from drumline.plugin import AuthenticationFailed, ConnectionLost, ConnectTimedOut, OptionInvalid, Secret
from drumline_ssh.cache import FileCache
from drumline_ssh.settings import Settings

#: Tried when nothing else is configured, in OpenSSH's order of strength.
_USUAL_FILES = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


class _Way(NamedTuple):
    """One way to log in: its name, the SSH method it needs, and how to try it, which returns what is still missing."""

    name: str
    method: str
    attempt: Callable[[], list[str]]


class Keys:
    """Private keys, each file decrypted once for all hosts."""

    def __init__(self) -> None:
        self._files: dict[Secret | None, FileCache[paramiko.PKey]] = {}

    def load(self, path: Path, passphrase: Secret | None) -> paramiko.PKey:
        """The key in a file. Raises ``OptionInvalid`` when it can't be read."""
        cache = self._files.setdefault(passphrase, FileCache(lambda file: _load(file, passphrase)))
        return cache.get(path)


def _load(path: Path, passphrase: Secret | None) -> paramiko.PKey:
    try:
        return _parse(path, passphrase.reveal() if passphrase else None)
    except (paramiko.PasswordRequiredException, TypeError):
        raise OptionInvalid(
            "The private key needs a passphrase",
            f"{path} is encrypted: set ansible_private_key_passphrase, or put the key into an ssh-agent.",
        ) from None
    except OSError as error:
        raise OptionInvalid("The private key can't be read", f"{path}: {error.strerror}.") from None
    except Exception as error:  # paramiko lets through whatever its parsers raise
        wrong = "Is the passphrase right? " if passphrase else ""
        raise OptionInvalid("The private key can't be used", f"{path}: {error}. {wrong}") from None


def _parse(path: Path, passphrase: str | None) -> paramiko.PKey:
    # PKey.from_path wants bytes in one place and text in the other, so the classes are asked one by one.
    errors: list[Exception] = []
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            key = kind.from_private_key_file(str(path), passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError, IndexError) as error:
            errors.append(error)
            continue
        certificate = Path(f"{path}-cert.pub")
        if certificate.is_file():
            key.load_certificate(str(certificate))
        return key
    raise errors[0]


def log_in(transport: paramiko.Transport, settings: Settings, keys: Keys) -> None:
    """Log in to a host whose key has been checked. Raises ``AuthenticationFailed`` with everything that was tried."""
    tried: list[str] = []
    allowed: list[str] | None = None
    with _Agent(settings) as agent:
        for way in _ways(transport, settings, keys, agent, tried):
            if allowed is not None and way.method not in allowed:
                tried.append(f"{way.name} (not taken by the host)")
                continue
            missing, allowed = _try(transport, way, settings, tried)
            if missing == []:
                return
    raise _failure(settings, tried)


def _try(
    transport: paramiko.Transport, way: _Way, settings: Settings, tried: list[str]
) -> tuple[list[str] | None, list[str] | None]:
    """What is still missing (None: the attempt failed), and the methods that the host takes, when it says so."""
    try:
        missing = way.attempt()
    except paramiko.BadAuthenticationType as error:
        tried.append(f"{way.name} (not taken by the host)")
        return None, list(error.allowed_types)
    except paramiko.AuthenticationException as error:
        if "timeout" in str(error).lower():
            raise ConnectTimedOut("The host doesn't answer the login", f"{settings.place}: {error}") from None
        tried.append(way.name)
        if not transport.is_active():
            raise _failure(settings, [*tried, "and then the host closed the connection"]) from None
        return None, None
    except (paramiko.SSHException, EOFError, OSError) as error:
        if transport.is_active():  # such as an agent that can't sign
            tried.append(f"{way.name} ({error})")
            return None, None
        if isinstance(error, paramiko.SSHException):  # "Too many authentication failures"
            raise _failure(settings, [*tried, way.name, f"and then the host said '{error}'"]) from None
        raise ConnectionLost("The connection broke during the login", f"{settings.place}: {error}") from None
    if missing:
        tried.append(f"{way.name} (accepted, but not enough)")
    return missing, missing or None


def _ways(
    transport: paramiko.Transport, settings: Settings, keys: Keys, agent: _Agent, tried: list[str]
) -> Iterator[_Way]:
    def by_key(key: paramiko.PKey, name: str) -> _Way:
        return _Way(name, "publickey", lambda: transport.auth_publickey(settings.user, key))

    for path in settings.identity_files:
        yield from (by_key(key, f"key {path}") for key in _usable(keys, path, settings, agent, tried))
    password = settings.password
    if password is not None:
        yield _Way("password", "password", lambda: transport.auth_password(settings.user, password.reveal()))
    if not settings.identities_only:
        yield from (by_key(key, f"agent's key {key.get_name()} {key.fingerprint}") for key in agent.offered())
    if not settings.identity_files:
        for path in (Path(name).expanduser() for name in _USUAL_FILES):
            yield from (by_key(key, f"key {path}") for key in _usable(keys, path, settings, agent, tried))


def _usable(keys: Keys, path: Path, settings: Settings, agent: _Agent, tried: list[str]) -> Iterator[paramiko.PKey]:
    """The key of a file that is there; one that can't be decrypted may still be in the agent."""
    if not path.is_file():
        return
    try:
        yield keys.load(path, settings.passphrase)
    except OptionInvalid as error:
        public = _public_blob(path)
        found = [key for key in agent.offered() if key.asbytes() == public]
        if not found:
            tried.append(f"key {path} ({error.summary.lower()}: {error.detail.rstrip('. ')})")
        yield from found


def _public_blob(path: Path) -> bytes | None:
    try:
        return PublicBlob.from_file(f"{path}.pub").key_blob
    except (OSError, ValueError, IndexError):
        return None


class _Agent:
    """The ssh-agent, asked only when its keys are needed."""

    def __init__(self, settings: Settings) -> None:
        named = settings.identity_agent or "SSH_AUTH_SOCK"
        self._path = os.environ.get("SSH_AUTH_SOCK", "none") if named == "SSH_AUTH_SOCK" else named
        self._socket: socket.socket | None = None
        self._client = _AgentClient()

    def offered(self) -> tuple[paramiko.AgentKey, ...]:
        if self._socket is None and self._path.lower() != "none":
            self._socket = socket.socket(socket.AF_UNIX)
            # A socket whose agent is gone, or that isn't an agent's, offers nothing.
            with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                self._socket.connect(os.path.expanduser(self._path))
                self._client.ask(self._socket)
        return self._client.get_keys()

    def __enter__(self) -> _Agent:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()


class _AgentClient(AgentSSH):
    """paramiko's own finds the agent in the environment alone."""

    def ask(self, connection: socket.socket) -> None:
        """Fetch the keys that the agent holds."""
        self._connect(connection)  # type: ignore[attr-defined]  # the stubs leave it out


def _failure(settings: Settings, tried: list[str]) -> AuthenticationFailed:
    if tried:
        what = f"{'; '.join(tried)}. Is the user right, and does the host know the key (~/.ssh/authorized_keys there)?"
    else:
        what = "nothing: there is no key, no agent and no password."
    return AuthenticationFailed(
        "The host refuses the login",
        f"{settings.user} at {settings.place}. Tried: {what} Set ansible_user, and ansible_ssh_private_key_file or"
        " ansible_password.",
    )
