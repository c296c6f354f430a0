"""Asking servers for JSON: time, size, certificates and tokens in bounds."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from msgspec import Struct

from drumline.plugin import SourceUnavailable

#: The most bytes of one answer; more is no inventory.
LARGEST = 32_000_000
_SHOWN = 100


class _Page(Struct, frozen=True):
    """What a server said."""

    content: Any  #: None if nothing has changed.
    etag: str
    following: str  #: The URL of the next page, by the header ``Link``; "" for none.


class Asker:
    """Asks for pages, one after the other."""

    def __init__(self, headers: Mapping[str, str], timeout: float, *, authorities: str | None, check: bool) -> None:
        """``authorities``: a file of trusted certificates. Raises ``OSError``."""
        self._headers = {"Accept": "application/json", "User-Agent": "drumline", **headers}
        self._timeout = timeout
        self._opener = _opener(authorities, check)

    def ask(self, url: str, etag: str = "") -> _Page:
        """The JSON at a URL; with an ``etag``, only if it has changed since. Raises ``SourceUnavailable``."""
        headers = {**self._headers, **({"If-None-Match": etag} if etag else {})}
        shown = without_password(url)
        try:
            with self._opener.open(Request(url, headers=headers), timeout=self._timeout) as response:
                body = response.read(LARGEST + 1)
                kind = response.headers.get("Content-Type", "")
                answered = response.headers
        except HTTPError as error:
            with error:
                if error.code == 304 and etag:
                    return _Page(None, etag, "")
                raise SourceUnavailable(f"{shown} answers {error.code} {error.reason}.{_hint(error.code)}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise SourceUnavailable(_reason(shown, error, self._timeout)) from None
        if len(body) > LARGEST:
            raise SourceUnavailable(f"{shown} answers with more than {LARGEST // 1_000_000} MB. Ask for pages of it.")
        return _Page(_json(shown, body, kind), answered.get("ETag", ""), _following(answered))


def _opener(authorities: str | None, check: bool) -> OpenerDirector:
    context = ssl.create_default_context(cafile=authorities)
    if not check:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return build_opener(HTTPSHandler(context=context), _KeepTokens())


class _KeepTokens(HTTPRedirectHandler):
    """Follows to other servers without the token that was meant for the first, and not to what is less safe."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if after.scheme not in ("https", before.scheme):
            said = f"and leads to {after.scheme}, which isn't followed"
            raise HTTPError(req.full_url, code, said, headers, fp)
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        if found is not None and (before.scheme, before.netloc) != (after.scheme, after.netloc):
            found.headers = {name: value for name, value in found.headers.items() if name in _HARMLESS}
        return found


#: The headers that any server may see.
_HARMLESS = ("Accept", "User-agent")


def without_password(url: str) -> str:
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def _hint(code: int) -> str:
    return " Is the token right?" if code in (401, 403) else ""


def _reason(shown: str, error: Exception, timeout: float) -> str:
    cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        said = cause.verify_message or str(cause)
        return f"The certificate of {shown} can't be trusted: {said}."
    if isinstance(cause, TimeoutError):
        return f"{shown} doesn't answer within {timeout:g} s."
    if isinstance(cause, socket.gaierror):
        return f"The name in {shown} can't be resolved."
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return f"{shown} doesn't answer: {said}."


def _json(shown: str, body: bytes, kind: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        begin = body[:_SHOWN].decode("utf-8", "replace").strip()
        if "html" in kind.lower() or begin.lower().startswith(("<!doctype", "<html")):
            raise SourceUnavailable(f"{shown} answers HTML, not JSON. It may be a page to log in.") from None
        raise SourceUnavailable(f"{shown} doesn't answer JSON. It begins: {begin!r}") from None


def _following(headers: HTTPMessage) -> str:
    for link in headers.get("Link", "").split(","):
        target, _, rest = link.strip().partition(";")
        if 'rel="next"' in rest.replace(" ", "") or "rel=next" in rest.replace(" ", ""):
            return target.strip("<> ")
    return ""
