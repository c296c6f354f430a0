"""Passwords of ansible-vault and what they open. Each process has one keyring, which the command line fills.

A password is read, or its program run, when something is met that it may open; those that a person types are there from
the start. What was opened is secret: it is noted here, and registered with the mask of the run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.secret import Secret

if TYPE_CHECKING:
    from drumline.source.vault_format import Sealed

#: What a file begins with that ansible-vault encrypted.
VAULT = b"$ANSIBLE_VAULT;"
#: The label of a password that has none.
DEFAULT = "default"

#: What is said of data that no password is there for.
MISSING = "A vault password is missing"
_HELP = "Give --vault-password-file FILE, --vault-id LABEL@FILE, or -J to be asked for it."
#: Seconds for a program that prints a password, and for whatever it asks.
_PATIENCE = 120.0
#: Characters of what such a program said that are shown.
_MOST_SHOWN = 300
#: Whole numbers from this on are secret where they were encrypted; smaller ones are counts, ports and the like.
_SECRET_NUMBER = 10_000


#: What is said of a password that is ``Unreadable``.
UNREADABLE = "A vault password can't be read"


class Unreadable(Exception):
    """A password can't be had; the message says why."""


class Decrypted(str):
    """The text of a file that was encrypted."""

    __slots__ = ()


class Password:
    """One password by its label and where it comes from: a file, a program, or a person."""

    def __init__(self, label: str, source: str, given: Secret | None = None) -> None:
        """``given``: what a person typed; else ``source`` is a path."""
        self.label = label
        self.source = source
        self._given = given
        self._fault = ""  # why it can't be had: a program that failed isn't run again for the next value
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """Where the file or program is."""
        return Path(os.path.expandvars(self.source)).expanduser()

    def reveal(self) -> bytes:
        """The password. Raises ``Unreadable``."""
        with self._lock:
            if self._given is None and not self._fault:
                try:
                    self._given = Secret(read_password(self.path, self.label))
                except Unreadable as error:
                    self._fault = str(error)
            if self._given is None:
                raise Unreadable(f"{self.source}: {self._fault}.")
            return self._given.reveal().encode("utf-8", "surrogateescape")


class Keyring:
    """All passwords of a process, in the order in which they are tried, and what they opened. For many threads."""

    def __init__(self, passwords: Iterable[Password] = ()) -> None:
        self.passwords = tuple(passwords)
        #: Single values that stay encrypted, since there is no password at all: where nothing is sent to hosts, it can
        #: do without them.
        self.locked = Diagnostics()
        self._known: dict[str, None] = {}
        self._places: set[Position] = set()
        self._register: Callable[[str], None] | None = None
        self._lock = threading.Lock()

    @property
    def known(self) -> Sequence[str]:
        """What was noted so far."""
        return tuple(self._known)

    def sealed(self, place: Position) -> bool:
        """Whether what stands there is encrypted, by itself or with the whole file."""
        return place in self._places or Position(place.path) in self._places

    def open(self, text: bytes, place: Position) -> bytes:
        """What is encrypted in the text that begins at this place. Raises ``FilesError`` with why it can't be had."""
        return self.find(text, place)[0]

    def find(self, text: bytes, place: Position) -> tuple[bytes, Password, str]:
        """The same, and with it the password that opens it, and the label that is written there."""
        from drumline.source.vault_format import VaultDamaged, WrongPassword, parse

        self._places.add(place)
        try:
            sealed = parse(text)
        except VaultDamaged as damage:
            where = place._replace(line=place.line + damage.line - 1)
            raise _refusal("Vault data is damaged", f"As ansible-vault writes it, {damage}.", where) from None
        for password in self._in_order(sealed):
            try:
                return sealed.open(password.reveal()), password, sealed.label
            except WrongPassword:
                continue
            except Unreadable as error:
                raise _refusal(UNREADABLE, str(error), place) from None
        raise self._no_password(sealed, place)

    def open_value(self, text: str, place: Position) -> str:
        """The same for a single value, which stays as it is where there is no password at all (``locked``)."""
        if not self.passwords:
            try:
                self.open(text.encode(), place)
            except FilesError as error:
                if error.diagnostics[0].summary != MISSING:
                    raise
                self.locked.extend(error.diagnostics)
            return text
        clear = self.open(text.encode(), place).decode("utf-8", "surrogateescape")
        self.note(clear)
        return clear

    def note(self, text: str) -> None:
        """This is secret from here on."""
        with self._lock:
            if text in self._known:
                return
            self._known[text] = None
            register = self._register
        if register is not None:
            register(text)

    def note_number(self, number: float) -> None:
        """The same for a number that is large enough to be one."""
        if abs(number) >= _SECRET_NUMBER:
            self.note(str(number))

    def follow(self, register: Callable[[str], None]) -> None:
        """Have everything registered that is secret, and what will be."""
        with self._lock:
            self._register = register
            known = list(self._known)
        for text in known:
            register(text)

    def _in_order(self, sealed: Sealed) -> list[Password]:
        """Those with the label of the data first; a label is a hint, not a rule (as in Ansible)."""
        return sorted(self.passwords, key=lambda password: password.label != sealed.label)

    def _no_password(self, sealed: Sealed, place: Position) -> FilesError:
        which = f" with the label '{sealed.label}'" if sealed.label else ""
        if not self.passwords:
            detail = f"It was encrypted by ansible-vault{which}, and there is no password to open it. {_HELP}"
            return _refusal(MISSING, detail, place)
        tried = ", ".join(f"'{password.label}' ({password.source})" for password in self.passwords)
        detail = (
            f"It was encrypted by ansible-vault{which}. Tried: {tried}. Either it has another password, or it was "
            "changed since it was encrypted."
        )
        return _refusal("The vault password is wrong", detail, place)


_keyring = Keyring()


def keyring() -> Keyring:
    """The keyring of this process."""
    return _keyring


def use_keyring(chosen: Keyring) -> None:
    """Have another one from here on."""
    global _keyring
    _keyring = chosen


def opened(path: Path, content: bytes) -> bytes:
    """The content of a file in clear, and noted as secret; what isn't encrypted is given as it is.

    Raises ``FilesError``.
    """
    if not content.startswith(VAULT):
        return content
    clear = _keyring.open(content, Position(str(path)))
    _keyring.note(clear.decode("utf-8", "surrogateescape"))
    return clear


def _refusal(summary: str, detail: str, place: Position) -> FilesError:
    return FilesError([Diagnostic(summary=summary, detail=detail, position=place, hides_names=True)])


def read_password(path: Path, label: str = DEFAULT) -> str:
    """The password that a file holds, or prints where it is a program. Raises ``Unreadable``."""
    try:
        text = _printed(path, label) if os.access(path, os.X_OK) and path.is_file() else path.read_bytes()
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from None
    password = text.strip().decode("utf-8", "surrogateescape")
    if not password:
        raise Unreadable("it is empty")
    return password


def _printed(path: Path, label: str) -> bytes:
    import subprocess  # most passwords are in files, if there are any

    # Ansible's rule for programs that serve several labels.
    words = [str(path.absolute())]
    if path.stem.endswith("-client"):
        words += ["--vault-id", label]
    try:
        done = subprocess.run(words, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise Unreadable(f"the program took longer than {_PATIENCE:g} s") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-_MOST_SHOWN:]
        raise Unreadable(f"the program ended with exit status {done.returncode}{f': {said}' if said else ''}")
    return done.stdout
