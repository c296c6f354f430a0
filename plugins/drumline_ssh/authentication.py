"""Logs in as ``ssh`` does: keys, then keyboard-interactive, then the password, as far as the host takes them.

A host that wants several methods (``AuthenticationMethods publickey,keyboard-interactive``) says after each what it
takes next. A host that has refused enough keys (``MaxAuthTries``, 6 unless configured) breaks off, and an agent may
hold more keys than that: then what a person has named is tried by itself, on another connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import paramiko

from drumline.plugin import AuthenticationFailed, ConnectionLost, ConnectTimedOut
from drumline_ssh.agent import Agent, AgentRefuses
from drumline_ssh.identities import Identities, Identity
from drumline_ssh.login import Expired, Login, LoginSilent, Refused
from drumline_ssh.privatekeys import Keys, Locked, Unusable
from drumline_ssh.publickeys import PublicKey
from drumline_ssh.questions import Answers, NoAnswer
from drumline_ssh.settings import SshSettings
from drumline_ssh.tries import Tried, TriesUsedUp

#: Signatures of RSA keys, the preferred first; those with SHA-1 are not made.
_RSA = ("rsa-sha2-512", "rsa-sha2-256")
_CERTIFICATE = "-cert-v01@openssh.com"
_NONE = "none"


class Way(NamedTuple):
    """One try to log in: what it is called, and how it is done. It returns None when we are in."""

    name: str
    attempt: Callable[[], Refused | None]


class Skipped(Exception):
    """A way that can't be tried; why."""


def log_in(transport: paramiko.Transport, settings: SshSettings, keys: Keys, tried: Tried) -> None:
    """Log in to a host whose key has been checked. Raises ``AuthenticationFailed`` with everything that was tried.

    Raises ``TriesUsedUp`` when another connection may succeed.
    """
    agent = Agent(settings.identity_agent)
    try:
        _Attempt(transport, settings, Identities(settings, keys, agent), tried).run()
    finally:
        agent.close()


class _Attempt:
    """The tries on one connection."""

    def __init__(
        self, transport: paramiko.Transport, settings: SshSettings, identities: Identities, tried: Tried
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._identities = identities
        self._tried = tried
        self._login = Login(transport, settings.user, settings.timeout)
        self._answers = Answers(settings.place, settings.password, batch=settings.batch)
        self._unnamed_tried = False
        self._methods: tuple[str, ...] | None = None  #: That the host takes; None: it hasn't said yet.
        makers = {"publickey": self._keys, "keyboard-interactive": self._questions, "password": self._password}
        self._ways = {method: makers[method]() for method in settings.methods}

    def run(self) -> None:
        """Try one way after the other."""
        way: Way | None = None
        try:
            while True:
                way = self._next()
                if way is None:
                    break
                if self._try(way):
                    return
        except LoginSilent:
            raise ConnectTimedOut(
                "The host doesn't answer the login",
                f"{self._settings.place} didn't answer within {self._settings.timeout:g} s. ansible_timeout allows more"
                " time.",
            ) from None
        except Exception as error:  # paramiko lets through whatever its parsers raise
            raise self._broken(way, error) from None
        raise self._failure()

    def _next(self) -> Way | None:
        """The next way of the first method that the host takes."""
        for method, ways in self._ways.items():
            if self._methods is None and method != "publickey":
                return Way(_NONE, self._login.none)  # to hear which methods the host takes
            if self._methods is not None and method not in self._methods:
                continue
            way = next((way for way in ways if not self._tried.knows(way.name)), None)
            if way is not None:
                return way
        return None

    def _try(self, way: Way) -> bool:
        try:
            refused = way.attempt()
        except (Skipped, Unusable, AgentRefuses, NoAnswer) as error:
            self._tried.note(way.name, str(error))
            return False
        if refused is None:
            return True
        self._methods = refused.methods
        self._answers.partial = self._answers.partial or refused.partial
        if way.name != _NONE:
            self._tried.note(way.name, "accepted, but not enough" if refused.partial else "")
        return False

    # The ways.

    def _keys(self) -> Iterator[Way]:
        for identity in self._identities:
            if identity.named or not self._tried.used_up:
                self._unnamed_tried = self._unnamed_tried or not identity.named
                yield Way(identity.name, partial(self._try_key, identity))

    def _try_key(self, identity: Identity) -> Refused | None:
        try:
            sign = self._identities.signer(identity)
        except Locked as error:
            if identity.public is not None and isinstance(refused := self._takes(identity.public), Refused):
                return refused
            raise Skipped(str(error)) from None
        public = self._identities.public(identity)
        algorithm = self._algorithm(public)
        # An agent may ask for a finger, or for its owner's leave: only for a key that will do.
        if (identity.only_in_agent or public.is_hardware) and isinstance(refused := self._takes(public), Refused):
            return refused
        return self._login.key(algorithm, public.blob, lambda data: sign(data, algorithm))

    def _takes(self, public: PublicKey) -> Refused | bool:
        return self._login.takes_key(self._algorithm(public), public.blob)

    def _algorithm(self, public: PublicKey) -> str:
        if not public.kind.startswith("ssh-rsa"):
            return public.kind
        extensions: dict[str, bytes] = self._transport.server_extensions  # type: ignore[attr-defined]
        listed = extensions.get("server-sig-algs", b"").decode("ascii", "replace").split(",")
        known = [name for name in _RSA if name in listed] if listed != [""] else list(_RSA)
        if not known:
            raise Skipped("the host takes RSA keys only with SHA-1, which is broken")
        return known[0] + (_CERTIFICATE if public.is_certificate else "")

    def _questions(self) -> Iterator[Way]:
        yield Way("keyboard-interactive", lambda: self._login.answering(self._answers.of))

    def _password(self) -> Iterator[Way]:
        password = self._settings.password
        if password is not None:
            yield Way("password", lambda: self._try_password(password.reveal()))

    def _try_password(self, word: str) -> Refused | None:
        if self._answers.password_given:
            raise Skipped("the host has refused it already")
        try:
            return self._login.password(word)
        except Expired:
            raise Skipped("the host wants it to be changed first: log in with ssh once") from None

    # What came of it.

    def _broken(self, way: Way | None, error: BaseException) -> Exception:
        """The connection ended, because of this way or of all of them."""
        refusals = self._login.tries
        if way is not None:
            self._tried.note(way.name)
        said = str(error)
        if refusals == 0 and "authentication failures" not in said:
            why = said or "the host closed it"
            return ConnectionLost("The connection broke during the login", f"{self._settings.place}: {why}.")
        if not self._tried.used_up and self._unnamed_tried and self._named_left():
            self._tried.used_up = True
            return TriesUsedUp()
        end = f"and then {said}" if said else "and then the host closed the connection"
        self._tried.ways.append(end)
        return self._failure()

    def _named_left(self) -> bool:
        named = [identity.name for identity in self._identities if identity.named]
        if self._settings.password is not None and not self._answers.password_given:
            named.append("password")
        return not all(self._tried.knows(name) for name in named)

    def _failure(self) -> AuthenticationFailed:
        settings, tried = self._settings, list(self._tried.ways)
        if settings.password is not None and not self._answers.password_given and not self._tried.knows("password"):
            tried.append("password (not taken by the host)")
        hints = [f"{name} is not used; put its keys into an ssh-agent." for name in settings.unused]
        if not tried:
            what = "nothing: there is no key, no agent and no password."
        else:
            what = (
                f"{'; '.join(tried)}. Is the user right, and does the host know the key (~/.ssh/authorized_keys there)?"
            )
        if any(way.startswith("agent's key") for way in tried) and any(way.startswith("and then") for way in tried):
            hints.append("With IdentitiesOnly yes, only keys that IdentityFile names are offered.")
        return AuthenticationFailed(
            "The host refuses the login",
            f"{settings.user} at {settings.place}. Tried: {what} Set ansible_user, and ansible_ssh_private_key_file or"
            f" ansible_password. {' '.join(hints)}".rstrip(),
        )
