"""Which keys are offered to a host, in OpenSSH's order.

First the key that the inventory names. Then, as ``ssh`` has it: certificates that are named (CertificateFile), keys of
the agent that IdentityFile names, the agent's other keys (not with IdentitiesOnly), keys that are only in files. Beside
a key its certificate is offered (``KEY-cert.pub``), unless certificates are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
from msgspec import Struct

from drumline_ssh.agent import Agent
from drumline_ssh.privatekeys import Keys, Unusable
from drumline_ssh.publickeys import PublicKey
from drumline_ssh.settings import SshSettings

#: Signs data by an algorithm; raises ``Unusable`` or ``AgentRefuses``.
Signer = Callable[[bytes, str], bytes]


class Identity(Struct):
    """One key to offer. ``public`` is None where only the private key can tell it."""

    name: str  #: For messages.
    public: PublicKey | None
    path: Path | None = None  #: The private key's file; None: only the agent has it.
    only_in_agent: bool = False
    named: bool = True  #: A person has named it, here or in the configuration.


class Identities:
    """The keys of one login."""

    def __init__(self, settings: SshSettings, keys: Keys, agent: Agent) -> None:
        self._settings = settings
        self._keys = keys
        self._agent = agent

    def __iter__(self) -> Iterator[Identity]:
        settings = self._settings
        files = [identity for path in settings.identity_files for identity in self._of_file(path)]
        first = [identity for identity in files if settings.named_key and identity.path == settings.named_key]
        yield from first
        yield from self._certificates(files)
        # The agent is asked for its keys only now: whoever gets in with a key of a file doesn't need it.
        held = {key: number for number, key in enumerate(self._agent.list_keys())}
        others = [identity for identity in files if identity not in first]
        in_agent = [identity for identity in others if identity.public in held]
        yield from sorted(in_agent, key=lambda identity: held[identity.public] if identity.public else 0)
        if not settings.identities_only:
            offered = {identity.public for identity in files}
            yield from (
                Identity(f"agent's key {key}", key, only_in_agent=True, named=False)
                for key in held
                if key not in offered
            )
        yield from (identity for identity in others if identity not in in_agent)

    def signer(self, identity: Identity) -> Signer:
        """Who signs for a key: its file where that can be used, else the agent. Raises ``Unusable``."""
        try:
            if identity.path is None:
                raise Unusable("its private key is in none of the key files, nor in the agent")
            key = self._keys.private(identity.path, self._settings.passphrase)
            return lambda data, algorithm: _signature(key, data, algorithm)
        except Unusable:
            held = self._held(identity)
            if held is None:
                raise
        return lambda data, algorithm: self._agent.sign(held, data, algorithm)

    def _held(self, identity: Identity) -> PublicKey | None:
        """As what the agent holds a key: a certificate may be there as such, or only its key."""
        if identity.public is None:
            return None
        wanted = (identity.public, identity.public.plain)
        return next((key for key in wanted if key in self._agent.list_keys()), None)

    def public(self, identity: Identity) -> PublicKey:
        """The public half, from the private one if need be. Raises ``Unusable``."""
        if identity.public is not None:
            return identity.public
        assert identity.path is not None
        return PublicKey.of(self._keys.private(identity.path, self._settings.passphrase).asbytes())

    def _of_file(self, path: Path) -> Iterator[Identity]:
        named = not self._settings.usual_files
        public = self._keys.public(path)
        if public is not None or path.exists() or named:
            yield Identity(f"key {path}", public, path, named=named)
        if not self._settings.certificate_files and (certificate := self._certificate(Path(f"{path}-cert"))):
            yield Identity(f"certificate {path}-cert.pub", certificate, path, named=named)

    def _certificate(self, path: Path) -> PublicKey | None:
        found = self._keys.public(path)
        return found if found is not None and found.is_certificate else None

    def _certificates(self, files: list[Identity]) -> Iterator[Identity]:
        for path in self._settings.certificate_files:
            certificate = self._certificate(path)
            if certificate is not None:
                owner = next((key for key in files if key.public and key.public == certificate.plain), None)
                yield Identity(f"certificate {path}", certificate, owner.path if owner else None)


def _signature(key: paramiko.PKey, data: bytes, algorithm: str) -> bytes:
    signature: paramiko.Message = key.sign_ssh_data(data, algorithm)
    return signature.asbytes()
