"""HTTP/1.1 as far as WS-Management needs it: one request after the other on a connection kept open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import h11

#: bytes of a request's header fields; an NTLM token may be long.
_LONGEST_HEAD = 64 * 1024
#: bytes that are read at once
_PIECE = 64 * 1024


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
        """Sent in chunks, which Windows refuses."""
        return "transfer-encoding" in self.headers


@dataclass(slots=True, kw_only=True)
class Response:
    """One answer. ``kind`` says for the log what was asked."""

    status: int
    body: bytes = b""
    content_type: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    close: bool = False  #: End the connection after it.
    kind: str = ""


class HttpEnd:
    """The server's end of one connection. ``receive`` reads up to a number of bytes, like a socket's ``recv``."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)

    def read(self, largest_body: int) -> Request | None:
        """The next request, or None where the client has closed. Raises ``BadRequest`` or ``OSError``.

        A body that is too large is read all the same, so that the answer is heard.
        """
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        head = self._next_event()
        if not isinstance(head, h11.Request):
            return None
        body, length = bytearray(), 0
        while isinstance(piece := self._next_event(), h11.Data):
            length += len(piece.data)
            if length <= largest_body:
                body += piece.data
        too_large = length > largest_body
        return Request(
            method=head.method.decode("ascii"),
            path=head.target.decode("ascii"),
            headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
            body=b"" if too_large else bytes(body),
            too_large=too_large,
        )

    def _next_event(self) -> h11.Event:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(self._receive(_PIECE))
        except h11.RemoteProtocolError as error:
            raise BadRequest(str(error)) from error
        assert not isinstance(event, type), "each request is answered before the next is read"
        return event

    def encode(self, response: Response, *, chunked: bool = False) -> bytes:
        """The bytes on the wire, all at once: a header sent ahead of its body waits for a delayed acknowledgement."""
        fields = [("Server", "Microsoft-HTTPAPI/2.0"), *response.fields]
        if response.content_type:
            fields.append(("Content-Type", response.content_type))
        if response.close:
            fields.append(("Connection", "close"))
        if chunked and response.body:
            fields.append(("Transfer-Encoding", "chunked"))
        else:
            fields.append(("Content-Length", str(len(response.body))))
        head = h11.Response(status_code=response.status, headers=fields, reason=HTTPStatus(response.status).phrase)
        send = self._http.send
        return send(head) + send(h11.Data(data=response.body)) + send(h11.EndOfMessage())

    @property
    def is_open(self) -> bool:
        """Whether another request may come after the answer."""
        return self._http.our_state is h11.DONE
