"""Bodies of requests with several parts (``multipart/form-data``)."""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drumline.plugin import ActionFailed, Call
from drumline.plugin.kit import readable

#: Bytes of all parts, which are held in memory.
_MOST = 64 * 1024 * 1024


def multipart(call: Call, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body and its type. A field is text, or a dictionary of ``filename``, ``content`` and ``mime_type``."""
    boundary = secrets.token_hex(16)
    body = (
        b"".join(_part(call, boundary, name, value) for name, value in fields.items()) + f"--{boundary}--\r\n".encode()
    )
    if len(body) > _MOST:
        raise ActionFailed(f"The parts of the body have more than {_MOST // 1024 // 1024} MiB")
    return body, f"multipart/form-data; boundary={boundary}"


def _part(call: Call, boundary: str, name: str, value: Any) -> bytes:
    if not isinstance(value, Mapping):
        value = {"content": value}
    filename, content = value.get("filename"), value.get("content")
    if filename is None and content is None:
        raise ActionFailed(f"The part '{name}' of the body has neither 'content' nor 'filename'")
    kind = value.get("mime_type") or (mimetypes.guess_type(filename)[0] if filename else None)
    data = str(content).encode() if content is not None else _read(call.find_file(filename, "files"))
    head = f'Content-Disposition: form-data; name="{_plain(name)}"'
    if filename:
        head += f'; filename="{_plain(Path(filename).name)}"\r\nContent-Type: {kind or "application/octet-stream"}'
    elif kind:
        head += f"\r\nContent-Type: {kind}"
    return f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n"


def _read(path: Path) -> bytes:
    with readable(path):
        return path.read_bytes()


def _plain(text: object) -> str:
    return str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
