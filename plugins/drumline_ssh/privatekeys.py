"""Files of private keys, each read and decrypted once for all hosts."""

from __future__ import annotations

import io
import os
import re
import stat
from pathlib import Path

import paramiko

from drumline.plugin import Secret
from drumline_ssh.cache import FileCache, content_of
from drumline_ssh.publickeys import PublicKey, read_public

_PKCS8 = re.compile(rb"-----BEGIN (ENCRYPTED )?PRIVATE KEY-----")


class Unusable(Exception):
    """A private key that can't be used; why, as part of a sentence."""


class Locked(Unusable):
    """It is encrypted, and the passphrase isn't known."""


class Keys:
    """May be used by several threads."""

    def __init__(self) -> None:
        self._private: dict[Secret | None, FileCache[paramiko.PKey | Unusable]] = {}
        self._public = FileCache(read_public)

    def public(self, path: Path) -> PublicKey | None:
        """The public half of a key, or a certificate; None where no file has it."""
        return self._public.get(path) or self._public.get(Path(f"{path}.pub"))

    def private(self, path: Path, passphrase: Secret | None) -> paramiko.PKey:
        """The key in a file. Raises ``Unusable``."""
        cache = self._private.setdefault(passphrase, FileCache(lambda file: _load(file, passphrase)))
        found = cache.get(path)
        if isinstance(found, Unusable):
            raise found
        return found


def _load(path: Path, passphrase: Secret | None) -> paramiko.PKey | Unusable:
    try:
        _check_content(path)
        _check_owner(path)
        return _parse(path, passphrase.reveal() if passphrase else None)
    except Unusable as error:
        return error
    except (paramiko.PasswordRequiredException, TypeError):
        return Locked("it is encrypted: set ansible_private_key_passphrase, or put the key into an ssh-agent")
    except FileNotFoundError:
        return Unusable("there is no such private key, and the agent doesn't hold it")
    except OSError as error:
        return Unusable(f"it can't be read: {error.strerror}")
    except Exception as error:  # paramiko lets through whatever its parsers raise
        wrong = ". Is the passphrase right?" if passphrase else ""
        return Unusable(f"it can't be used: {str(error).rstrip('.')}{wrong}")


def _check_owner(path: Path) -> None:
    """As ``ssh`` has it: a key that others may read is no secret any more."""
    status = os.stat(path)
    if status.st_uid == os.getuid() and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        mode = stat.S_IMODE(status.st_mode)
        raise Unusable(f"others may read it (mode {mode:04o}), so it isn't used, as ssh doesn't: 'chmod 600 {path}'")


def _check_content(path: Path) -> None:
    public = read_public(path)
    if public is not None and public.is_hardware:
        raise Unusable("it is in a security key, which only an ssh-agent can use: 'ssh-add' it")
    if b"PRIVATE KEY-----" not in content_of(path):
        raise Unusable("it is a public key, and the agent doesn't hold its private key" if public else "it is no key")


def _converted(text: bytes, passphrase: str | None) -> bytes:
    """A key in PKCS #8, which paramiko doesn't read, in OpenSSH's own form."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(text, passphrase.encode() if passphrase else None)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )


def _parse(path: Path, passphrase: str | None) -> paramiko.PKey:
    text = content_of(path)
    if _PKCS8.search(text):
        text = _converted(text, passphrase)
        passphrase = None
    # PKey.from_path wants bytes in one place and text in the other, so the classes are asked one by one.
    errors: list[Exception] = []
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text.decode("utf-8", "replace")), passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError, IndexError) as error:
            errors.append(error)
    raise _foremost(errors)


def _foremost(errors: list[Exception]) -> Exception:
    """Of what the classes say, what isn't that the key is of another kind."""
    return next((error for error in errors if "not a valid" not in str(error).lower()), errors[0])
