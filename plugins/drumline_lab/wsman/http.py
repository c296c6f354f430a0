"""HTTP/1.1 as far as WS-Management needs it: one request after the other on a connection kept open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}
#: Header fields of one request; more is an attack or a mistake.
_MOST_FIELDS = 100
#: bytes of one header line; an NTLM token may be long.
_LONGEST_LINE = 64 * 1024


class BadRequest(Exception):
    """Not HTTP, or an end in the middle of a request: the connection is of no more use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. Names of ``headers`` are lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    too_large: bool = False  #: The body was longer than allowed, and was thrown away.

    @property
    def chunked(self) -> bool:
        """Sent in chunks, which Windows refuses; the body was not read."""
        return "chunked" in self.headers.get("transfer-encoding", "").lower()


@dataclass(slots=True, kw_only=True)
class Response:
    """One answer. ``kind`` says for the log what was asked."""

    status: int
    body: bytes = b""
    content_type: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    close: bool = False  #: End the connection after it.
    kind: str = ""

    def encode(self, *, chunked: bool = False) -> bytes:
        """The bytes on the wire, all at once: a header sent ahead of its body waits for a delayed acknowledgement."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS[self.status]}", "Server: Microsoft-HTTPAPI/2.0"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        if self.content_type:
            lines.append(f"Content-Type: {self.content_type}")
        if self.close:
            lines.append("Connection: close")
        body = self.body
        if chunked and body:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        else:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def read_request(stream: IO[bytes], largest_body: int) -> Request | None:
    """The next request, or None where the client has closed. Raises ``BadRequest`` or ``OSError``."""
    start = stream.readline(_LONGEST_LINE)
    if not start:
        return None
    words = start.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest("no request line")
    headers = _read_headers(stream)
    request = Request(method=words[0], path=words[1], headers=headers)
    if request.chunked:
        return request
    length = headers.get("content-length", "0")
    if not length.isdecimal():
        raise BadRequest("no length")
    body = _read_exactly(stream, int(length), largest_body)
    return Request(
        method=words[0], path=words[1], headers=headers, body=body or b"", too_large=body is None and int(length) > 0
    )


def _read_headers(stream: IO[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MOST_FIELDS):
        line = stream.readline(_LONGEST_LINE).decode("latin-1")
        if line in ("\r\n", "\n"):
            return headers
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest("no header field")
        headers[name.strip().lower()] = value.strip()
    raise BadRequest("too many header fields")


def _read_exactly(stream: IO[bytes], length: int, largest: int) -> bytes | None:
    """The body, or None when it was longer than allowed: read all the same, so that the answer is heard."""
    if length <= largest:
        body = stream.read(length)
        if len(body) < length:
            raise BadRequest("the body is cut off")
        return body
    while length > 0:
        piece = stream.read(min(length, 1 << 16))
        if not piece:
            raise BadRequest("the body is cut off")
        length -= len(piece)
    return None
