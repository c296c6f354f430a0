"""Files of known host keys, in OpenSSH's format (``sshd(8)``, "SSH_KNOWN_HOSTS FILE FORMAT").

Read once into a table, so that a fleet's lookups don't each go through a long file. (paramiko's own reader compares
every line with all lines before it.) A host is asked for a certificate only where an authority is known for it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from drumline.plugin import HostKeyChanged, HostKeyUnknown, OptionInvalid
from drumline_ssh import patterns
from drumline_ssh.cache import FileCache, content_of
from drumline_ssh.settings import Checking, SshSettings


class KnownKey(NamedTuple):
    """A public key: its type (``ssh-ed25519``) and its bytes in base64."""

    kind: str
    blob: str

    @property
    def makes_sense(self) -> bool:
        """The bytes are a key of that type."""
        try:
            data = base64.b64decode(self.blob, validate=True)
        except ValueError:
            return False
        kind = self.kind.encode(errors="replace")
        return data.startswith(len(kind).to_bytes(4, "big") + kind)

    @property
    def fingerprint(self) -> str:
        """As ``ssh-keygen -l`` shows it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


class Place(NamedTuple):
    """Where a key was found."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


Found = dict[KnownKey, Place]
#: How OpenSSH's key revocation lists begin.
_REVOCATION_LIST = b"SSHKRL\n\0"


class KnownHosts(Struct):
    """One file. A file that doesn't exist knows no one."""

    path: Path
    plain: dict[str, Found] = {}
    hashed: list[tuple[bytes, bytes, KnownKey, Place]] = []
    patterns: list[tuple[Sequence[str], KnownKey, Place]] = []
    authorities: list[tuple[Sequence[str], KnownKey]] = []
    revoked: list[tuple[Sequence[str], KnownKey]] = []
    lines: int = 0

    @classmethod
    def read(cls, path: Path) -> KnownHosts:
        """Parse a file; lines that make no sense are passed over, as OpenSSH does."""
        known = cls(path)
        try:
            text = content_of(path).decode(errors="replace")
        except OSError:
            return known
        for line in text.splitlines():
            known.take(line)
        return known

    def take(self, line: str) -> None:
        """Note the next line of the file."""
        self.lines += 1
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#"):
            return
        names, key = words[0].lower() if not words[0].startswith("|1|") else words[0], KnownKey(words[1], words[2])
        place = Place(self.path, self.lines)
        if marker == "@revoked":
            # A name that can't be read is taken for any.
            self.revoked.append((["*"] if names.startswith("|1|") else names.split(","), key))
        elif marker == "@cert-authority":
            self.authorities.append((names.split(","), key))
        elif marker:
            return
        elif names.startswith("|1|"):
            self._take_hashed(names, key, place)
        elif any(letter in names for letter in "*?!"):
            self.patterns.append((names.split(","), key, place))
        else:
            for name in names.split(","):
                self.plain.setdefault(name, {}).setdefault(key, place)

    def _take_hashed(self, name: str, key: KnownKey, place: Place) -> None:
        try:
            salt, digest = (base64.b64decode(part) for part in name.split("|")[2:4])
        except ValueError:
            return
        self.hashed.append((salt, digest, key, place))

    def lookup(self, name: str) -> Found:
        """The keys of a host by its name there, such as ``web1`` or ``[web1]:2222``."""
        found = dict(self.plain.get(name, {}))
        for salt, digest, key, place in self.hashed:
            if hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest):
                found.setdefault(key, place)
        for names, key, place in self.patterns:
            if patterns.matches_list(name, names):
                found.setdefault(key, place)
        return {key: place for key, place in found.items() if key.makes_sense}

    def lookup_authorities(self, name: str) -> set[str]:
        """The keys, in base64, of those who may vouch for a host."""
        return {key.blob for names, key in self.authorities if patterns.matches_list(name, names)}

    def lookup_revoked(self, name: str) -> set[KnownKey]:
        """The keys that a host must not show."""
        return {key for names, key in self.revoked if patterns.matches_list(name, names)}


class HostKeys:
    """Decides about the keys that hosts show, by the files that their settings name."""

    def __init__(self) -> None:
        self._files = FileCache(KnownHosts.read)
        self._revocations = FileCache(_read_revoked)
        self._writing = threading.Lock()

    def known(self, settings: SshSettings) -> Found:
        """The keys that are known for a host."""
        found: Found = {}
        for path in (*settings.user_known_hosts, *settings.global_known_hosts):
            for key, place in self._files.get(path).lookup(settings.known_as).items():
                found.setdefault(key, place)
        return found

    def authorities(self, settings: SshSettings) -> set[str]:
        """The keys, in base64, of those who may vouch for a host."""
        names = {settings.known_as, settings.key_name}
        files = [self._files.get(path) for path in (*settings.user_known_hosts, *settings.global_known_hosts)]
        return {key for file in files for name in names for key in file.lookup_authorities(name)}

    def check(self, settings: SshSettings, key: KnownKey, certificate: KnownKey | None = None) -> None:
        """Return if the host may be trusted; else raise ``HostKeyUnknown`` or ``HostKeyChanged``.

        A certificate that doesn't hold leaves its key to be judged, as with ``ssh``.
        """
        self._check_revoked(settings, key)
        fault = ""
        if certificate is not None:
            from drumline_ssh import hostcertificates

            authorities = self.authorities(settings) - {revoked.blob for revoked in self._revoked(settings)}
            fault = hostcertificates.fault_of(*certificate, settings.key_name, authorities)
            if not fault:
                return
        known = self.known(settings)
        if key in known or self._is_known_without_port(settings, key):
            return
        if known:
            raise _changed(settings, key, known)
        if settings.checking is Checking.STRICT:
            raise _unknown(settings, key, fault)
        if settings.checking is Checking.ACCEPT_NEW:
            self._add(settings, key)

    def _revoked(self, settings: SshSettings) -> dict[KnownKey, Path]:
        found: dict[KnownKey, Path] = {}
        for path in (*settings.user_known_hosts, *settings.global_known_hosts):
            for name in (settings.known_as, settings.key_name):
                found.update(dict.fromkeys(self._files.get(path).lookup_revoked(name), path))
        for path in settings.revoked_keys:
            found.update(dict.fromkeys(self._revocations.get(path), path))
        return found

    def _check_revoked(self, settings: SshSettings, key: KnownKey) -> None:
        path = self._revoked(settings).get(key)
        if path is not None:
            raise HostKeyChanged(
                "The host's key is revoked", f"{settings.place} shows {key.fingerprint}, which {path} revokes."
            )

    def _is_known_without_port(self, settings: SshSettings, key: KnownKey) -> bool:
        # OpenSSH takes a key that is known for the name alone for its other ports too.
        paths = (*settings.user_known_hosts, *settings.global_known_hosts)
        return any(key in self._files.get(path).lookup(settings.key_name) for path in paths)

    def _add(self, settings: SshSettings, key: KnownKey) -> None:
        if not settings.user_known_hosts:
            return
        path = settings.user_known_hosts[0]
        with self._writing:
            known = self.known(settings)  # Another thread may have met the host meanwhile.
            if key in known:
                return
            if known:
                raise _changed(settings, key, known)
            line = _line(settings, key)
            try:
                _append(path, line)
            except OSError as error:
                raise HostKeyUnknown("The host's key can't be noted", f"{path}: {error.strerror}.") from None


def _read_revoked(path: Path) -> set[KnownKey]:
    """The keys of a file that RevokedHostKeys names. Raises ``OptionInvalid`` for one that can't be read."""
    try:
        text = content_of(path)
    except OSError as error:
        # As with ssh: no one can be trusted then.
        raise OptionInvalid("The revoked host keys can't be read", f"{path}: {error.strerror}.") from None
    if text.startswith(_REVOCATION_LIST):
        raise OptionInvalid(
            "The revoked host keys can't be read", f"{path} is a binary list; name a file of public keys instead."
        )
    lines = (line.split() for line in text.decode(errors="replace").splitlines() if not line.startswith("#"))
    return {KnownKey(*words[:2]) for words in lines if len(words) > 1}


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        ends_well = size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"
        file.write((b"" if ends_well else b"\n") + line.encode() + b"\n")


def _line(settings: SshSettings, key: KnownKey) -> str:
    name = settings.known_as
    if settings.hash_known_hosts:
        salt = os.urandom(20)
        digest = hmac.digest(salt, name.encode(), "sha1")
        name = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
    return f"{name} {key.kind} {key.blob}"


def _unknown(settings: SshSettings, key: KnownKey, fault: str) -> HostKeyUnknown:
    file = settings.user_known_hosts[0] if settings.user_known_hosts else Path("~/.ssh/known_hosts")
    about = f", with a certificate that doesn't count: {fault}" if fault else ""
    return HostKeyUnknown(
        "The host's key is unknown",
        f"{settings.place} shows the {key.kind} key {key.fingerprint}{about}. Compare it with what the host itself says"
        " (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then let it in:\n"
        f"echo '{settings.known_as} {key.kind} {key.blob}' >> {file}\n"
        "or set drumline_host_key_checking to accept-new to trust each host at the first meeting.",
    )


def _changed(settings: SshSettings, key: KnownKey, known: Found) -> HostKeyChanged:
    same_kind = [(old, place) for old, place in known.items() if old.kind == key.kind] or list(known.items())
    old, place = same_kind[0]
    return HostKeyChanged(
        "The host's key has changed",
        f"{settings.place} shows the {key.kind} key {key.fingerprint}, but {place} says {old.kind} {old.fingerprint}."
        " Someone may be answering in its place. If the host was reinstalled, remove the old key:\n"
        f"ssh-keygen -R '{settings.known_as}' -f {place.path}",
    )
