"""Calls of inventory sources, as drumline makes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from drumline import app
from drumline.config import Settings
from drumline.diagnostics import Diagnostic
from drumline.errors import FilesError
from drumline.inventory.draft import Draft
from drumline.loading.source_options import SourceOptions
from drumline.model.host import Inventory
from drumline.plugin import SourceCall
from drumline.plugin.registry import Registry
from drumline.source.text import read_text
from drumline.templating.templates import Templating


def call_of(source: str, **options: Any) -> SourceCall:
    """A reading of a source by itself; with options, one that a file configures."""
    return SourceCall(
        source=source,
        plugin="given" if options else "",
        options=options,
        draft=Draft(),
        earlier=lambda _with_variables: Inventory(),
        templates=lambda: SourceOptions(Templating(), {}, 0.0),
        read_text=read_text,
        configure=lambda _name, _place: None,
    )


@cache
def registry() -> Registry:
    """All bundled plugins."""
    return app.registry(Settings())


def read_inventory(*sources: Path, state: Path | None = None, **settings: Any) -> Inventory:
    """The inventory of these sources, with every plugin there is."""
    where = state or sources[0].parent / "state"
    return app.inventory_of(Settings(inventory=tuple(map(str, sources)), state=where, **settings), registry())


def refused(*sources: Path, **settings: Any) -> Diagnostic:
    """The only mistake in these sources."""
    with pytest.raises(FilesError) as caught:
        read_inventory(*sources, **settings)
    (found,) = caught.value.diagnostics
    return found


def written(directory: Path, name: str, content: Any) -> Path:
    """A file with a text, or with anything else as JSON, which is YAML too."""
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def variables(inventory: Inventory) -> dict[str, Mapping[str, Any]]:
    """Those of all hosts."""
    return {name: host.variables for name, host in inventory.hosts.items()}


def groups(inventory: Inventory) -> dict[str, list[str]]:
    """The groups of all hosts."""
    return {name: list(host.groups) for name, host in inventory.hosts.items()}


class Page:
    """What a server answers to one path."""

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.body, self.status = body, status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Pages:
    """A server's pages by path, and what it was asked: path and headers."""

    def __init__(self, pages: Mapping[str, Page]) -> None:
        self.pages = dict(pages)
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def pages_served(pages: Mapping[str, Page], server: type[ThreadingHTTPServer] = ThreadingHTTPServer) -> Iterator[Pages]:
    """Serve them on a loopback address. A page whose ``ETag`` is known is answered with 304."""
    known = Pages(pages)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            known.asked.append((self.path, dict(self.headers.items())))
            page = known.pages.get(self.path) or Page(b"nothing", 404)
            same = page.headers.get("ETag") and page.headers["ETag"] == self.headers.get("If-None-Match")
            body = b"" if same else page.body
            self.send_response(304 if same else page.status)
            for name, value in page.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with server(("127.0.0.1", 0), Handler) as serving:
        known.port = serving.server_address[1]
        thread = Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield known
        finally:
            serving.shutdown()
            thread.join()
