"""Hosts from a server that answers JSON: rows, or the form that inventory programs print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from msgspec.structs import replace

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData, SourceUnavailable
from drumline.plugin.tables import Row
from drumline_inventory.rows import ROW_OPTIONS, hosts_of, with_constructed
from drumline_inventory.script import data_of
from drumline_inventory.web import Asker, without_password

#: The most pages that are asked for: more is a server that goes round in a circle.
_MOST_PAGES = 10_000


def _read(call: SourceCall) -> SourceData:
    url: str = call["url"]
    if not url.startswith(("https://", "http://")):
        call.refuse("Not a URL", "It has to begin with https:// or http://.", "url")
    if "@" in urlsplit(url).netloc:
        call.refuse("A password in a URL", "Say it in a header: 'token' and 'token_header', or 'headers'.", "url")
    if call["token"] and url.startswith("http://") and not call["allow_http"]:
        detail = "A token would be sent in clear. Use https://, or say allow_http: true."
        call.refuse("A token needs HTTPS", detail, "url")
    pages = _Pages(call)
    found, shown = list(pages), without_password(url)
    if pages.unchanged and call.known is not None:
        return call.known
    if not call["items"] and len(found) == 1 and isinstance(found[0], dict) and not _rows_in(found[0]):
        data = replace(data_of(shown, found[0], lambda hosts: {host: {} for host in hosts}), trusted=False)
        return replace(with_constructed(call, data), mark=pages.etag)
    rows = [row for page in found for row in _rows_of(call, page)]
    placed = [Row(values=row, position=Position(shown, number)) for number, row in enumerate(rows, 1)]
    data = hosts_of(call, placed, "What the server gives", trusted=False, option="url")
    return replace(with_constructed(call, data), mark=pages.etag)


class _Pages:
    """The content of all pages."""

    def __init__(self, call: SourceCall) -> None:
        self._call = call
        self.etag = ""
        self.unchanged = False

    def __iter__(self) -> Iterator[Any]:
        call = self._call
        try:
            asker = Asker(
                _headers(call), call.timeout, authorities=call["ca_path"] or None, check=call["validate_certs"]
            )
        except OSError as error:
            call.refuse("A file can't be read", f"{call['ca_path']}: {error.strerror or error}.", "ca_path")
        url, etag = call["url"], call.known.mark if call.known is not None else ""
        for number in range(_MOST_PAGES):
            answer = asker.ask(url, etag)
            if answer.content is None:
                self.unchanged = True
                return
            self.etag = answer.etag if number == 0 else ""  # of several pages, any may have changed
            yield answer.content
            following = _value_at(answer.content, call["next"]) if call["next"] else answer.following
            if not following:
                return
            url, etag = urljoin(url, str(following)), ""
            if urlsplit(url)[:2] != urlsplit(call["url"])[:2]:  # it would get the token
                other = "{}://{}".format(*urlsplit(url)[:2])
                raise SourceUnavailable(f"Its next page is on another server, which isn't asked: {other}.")
        raise SourceUnavailable(f"{without_password(call['url'])} has more than {_MOST_PAGES:,} pages.")


def _headers(call: SourceCall) -> dict[str, str]:
    given = {str(name): str(value) for name, value in call["headers"].items()}
    if call["token"]:
        name, _, scheme = call["token_header"].partition(":")
        given[name.strip()] = f"{scheme.strip()} {call['token']}".strip()
    return given


def _value_at(content: Any, path: str) -> Any:
    """What stands at a path such as ``data.items``; None if there is nothing."""
    for name in path.split("."):
        content = content.get(name) if isinstance(content, Mapping) else None
    return content


def _rows_in(content: Any) -> Any:
    """The rows of an answer that is a list, or has one by one of the usual names."""
    if isinstance(content, list):
        return content
    usual = (content[name] for name in ("results", "items", "hosts", "data") if isinstance(content.get(name), list))
    return next((rows for rows in usual if all(isinstance(row, dict) for row in rows)), None)


def _rows_of(call: SourceCall, content: Any) -> list[dict[str, Any]]:
    path = call["items"]
    rows = _value_at(content, path) if path else _rows_in(content)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        where = f"at '{path}'" if path else "at its top, nor under 'results', 'items', 'hosts' or 'data'"
        raise SourceUnavailable(
            f"{without_password(call['url'])} has no list of objects {where}. Name its path: items."
        )
    return rows


SOURCE = InventorySource(
    name="http",
    read=_read,
    waits=True,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="url", required=True, help="What to ask."),
        Argument(name="items", help="The path of the list of hosts in the answer, such as `data.servers`."),
        Argument(
            name="next",
            help="The path of the URL of the next page in the answer; by default the header `Link` names it.",
        ),
        Argument(name="token", help="What proves who asks; take it from a secret."),
        Argument(
            name="token_header",
            default="Authorization: Bearer",
            help="The header that has the token, and what stands before it.",
        ),
        Argument(name="headers", type=dict, default={}, help="Other headers."),
        Argument(name="ca_path", help="A file of the authorities to trust, in PEM; by default those of this machine."),
        Argument(name="validate_certs", type=bool, default=True, help="Whether the certificate has to be trusted."),
        Argument(name="allow_http", type=bool, default=False, help="Whether a token may be sent without HTTPS."),
        *ROW_OPTIONS,
    ),
)
