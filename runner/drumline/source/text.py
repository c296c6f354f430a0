"""Text files of the author's: read whole, or refused with a diagnostic that says why."""

from __future__ import annotations

import os
from pathlib import Path

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.source.inputs import note_content
from drumline.source.vault import VAULT, Decrypted, keyring

#: Bytes. A file of this project is written by a person or a generator of theirs; what is larger is a mistake.
LARGEST = 50_000_000


def read_text(path: Path) -> str:
    """The file's text without a byte order mark; ``FilesError`` when it is missing, a directory, binary, too big.

    The text of a file that ansible-vault encrypted is ``Decrypted``; ``FilesError`` when it can't be.
    """
    raw = _read(path)
    if raw.startswith(VAULT):
        return Decrypted(_text(path, keyring().open(raw, Position(str(path)))))
    return _text(path, raw)


def _text(path: Path, raw: bytes) -> str:
    if b"\0" in raw:
        raise _refusal(path, "This file isn't text", _binary_reason(raw), raw.index(b"\0"), raw)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(path, "This file isn't UTF-8 text", "Save it in UTF-8.", error.start, raw) from None


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size  # 0 of what isn't a file, such as a pipe
            raw = file.read() if 0 < size <= LARGEST else file.read(LARGEST + 1)
    except FileNotFoundError:
        raise _unreadable(f"{path} doesn't exist.") from None
    except IsADirectoryError:
        raise _unreadable(f"{path} is a directory; a file is needed here.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _unreadable(f"{path}: {reason}.") from None
    if len(raw) > LARGEST:
        raise _unreadable(f"{path} is larger than {LARGEST // 1_000_000} MB.")
    note_content(path, raw)
    return raw


def _unreadable(detail: str) -> FilesError:
    return FilesError([Diagnostic(summary="A file can't be read", detail=detail)])


def _binary_reason(raw: bytes) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "It is UTF-16; save it in UTF-8."
    return "It holds a NUL byte, so it seems to be binary."


def _refusal(path: Path, summary: str, detail: str, offset: int, raw: bytes) -> FilesError:
    before = raw[:offset]
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    position = Position(str(path), before.count(b"\n") + 1, column)
    return FilesError([Diagnostic(summary=summary, detail=detail, position=position)])
