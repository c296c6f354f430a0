"""Filters over passwords and what ansible-vault encrypts.

Names, arguments and results are those that ansible-core documents for its filters of the same names.
"""

from __future__ import annotations

import secrets
from typing import Any

from jinja2.exceptions import FilterArgumentError

from drumline.diagnostics import Position
from drumline.errors import FilesError
from drumline.secret import Secret
from drumline.source.vault import VAULT, Keyring, Password, keyring

#: By short and long name: the class of passlib, and the rounds that Ansible takes.
_SCHEMES = {
    **dict.fromkeys(("md5", "md5_crypt"), ("md5_crypt", None)),
    **dict.fromkeys(("blowfish", "bcrypt"), ("bcrypt", 12)),
    **dict.fromkeys(("sha256", "sha256_crypt"), ("sha256_crypt", 535_000)),
    **dict.fromkeys(("sha512", "sha512_crypt"), ("sha512_crypt", 656_000)),
}
#: More would keep everyone waiting for minutes.
_MOST_ROUNDS = 5_000_000
#: Of bcrypt, which doubles its work with each: at 14 it takes a second, in which it can't be ended.
_MOST_OF_BCRYPT = 14
_SALT = "./0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def password_hash(
    password: Any,
    hashtype: str = "sha512",
    salt: str | None = None,
    salt_size: int | None = None,
    rounds: int | None = None,
    ident: str | None = None,
) -> str:
    """The password's hash, as crypt(3) reads it; without a salt another one each time."""
    if hashtype not in _SCHEMES:
        raise FilterArgumentError(f"There is no kind of hash '{hashtype}'; there are {', '.join(_SCHEMES)}.")
    scheme, usual = _SCHEMES[hashtype]
    settings: dict[str, Any] = {"salt": salt, "salt_size": salt_size, "rounds": rounds or usual}
    if scheme == "bcrypt":
        settings["ident"] = ident or "2b"
    if (settings["rounds"] or 0) > (_MOST_ROUNDS if scheme != "bcrypt" else _MOST_OF_BCRYPT):
        raise FilterArgumentError(f"{settings['rounds']:,} rounds take too long.")
    if scheme == "bcrypt" and salt is not None:
        settings["salt"] = _for_bcrypt(salt)
    return _hashed(str(password), scheme, {name: value for name, value in settings.items() if value is not None})


def _for_bcrypt(salt: str) -> str:
    from passlib.utils.binary import bcrypt64

    return str(bcrypt64.repair_unused(salt))


def _hashed(password: str, scheme: str, settings: dict[str, Any]) -> str:
    from passlib import hash as schemes

    try:
        return str(getattr(schemes, scheme).using(**settings).hash(password))
    except (TypeError, ValueError) as error:
        text = str(error).replace(password, "…") if password else str(error)
        raise FilterArgumentError(f"The password can't be hashed: {text}.") from None


def random_salt(length: int = 8) -> str:
    """A new salt."""
    return "".join(secrets.choice(_SALT) for _ in range(length))


def vault(
    data: Any,
    secret: str,
    salt: str | None = None,
    vault_id: str = "filter_default",
    wrap_object: bool = False,
    vaultid: str | None = None,
) -> str:
    """The text, encrypted as ansible-vault does it. The same salt gives the same."""
    from drumline.source.vault_format import seal

    label = vaultid or vault_id
    given = None if salt is None else str(salt).encode()
    if wrap_object:
        raise FilterArgumentError("'vault' has no 'wrap_object' here: what it gives is text.")
    return seal(_bytes(data), _bytes(secret), label, given).decode()


def unvault(data: Any, secret: str, vault_id: str = "filter_default", vaultid: str | None = None) -> str:
    """What the text holds that ansible-vault encrypted; other text is given as it is."""
    raw = _bytes(data)
    if not raw.startswith(VAULT):
        return str(data)
    label = vaultid or vault_id
    ring = Keyring([Password(label, "the filter's", Secret(str(secret)))])
    try:
        clear = ring.open(raw, Position("unvault")).decode("utf-8", "surrogateescape")
    except FilesError as error:
        [first] = error.diagnostics
        raise FilterArgumentError(f"'unvault': {first.summary}. {first.detail}") from None
    keyring().note(clear)
    return clear


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
