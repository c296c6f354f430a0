"""Lookups that ask programs of this machine, and servers. The rendering that waits for them can be ended meanwhile.

Terms, options and results are those that ansible-core documents for its lookups of the same names.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context

from drumline.plugin.background import Background
from drumline.templating.bounds import MOST, ValueTooLarge
from drumline.templating.filters import to_bool
from drumline.templating.lookups import playbook_dir
from drumline.templating.waiting import TICK, waited_for

if TYPE_CHECKING:
    from http.client import HTTPResponse

_PIECE = 64 * 1024


def pipe(context: Context, term: str, _options: dict[str, Any]) -> list[Any]:
    """What a command of the shell prints, without line ends at its end."""
    return [_printed(context, term).rstrip()]


def lines(context: Context, term: str, _options: dict[str, Any]) -> list[Any]:
    """The lines that a command of the shell prints."""
    return [line.rstrip() for line in _printed(context, term).splitlines()]


def _printed(context: Context, command: str) -> str:
    process = subprocess.Popen(
        command,
        shell=True,
        cwd=playbook_dir(context),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        process_group=0,
    )
    try:
        assert process.stdout is not None
        output = _all_of(process.stdout)
        while process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(TICK)
    finally:
        if process.poll() is None:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    if process.returncode:
        raise FilterArgumentError(f"'{command}' on this machine ended with exit status {process.returncode}.")
    return output.decode("utf-8", "surrogateescape")


def _all_of(stream: IO[bytes]) -> bytes:
    found = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if not selector.select(TICK):
                continue
            piece = os.read(stream.fileno(), _PIECE)
            if not piece:
                return found
            found += piece
            if len(found) > MOST:
                raise ValueTooLarge()


def url(_context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """What a server answers: its lines, or with ``split_lines`` false the whole."""
    background = Background(lambda: _fetched(term, options), "drumline-lookup")
    text = waited_for(background)
    return text.splitlines() if to_bool(options.get("split_lines", True)) else [text]


def _fetched(address: str, options: Mapping[str, Any]) -> str:
    from urllib.error import HTTPError, URLError
    from urllib.request import Request

    if not address.lower().startswith(("http://", "https://", "ftp://")):
        raise FilterArgumentError(f"the 'url' lookup takes an address with http, https or ftp, not '{address}'.")
    body = options.get("body")
    request = Request(
        address,
        data=None if body is None else str(body).encode(),
        headers={"User-Agent": str(options.get("http_agent", "drumline")), **options.get("headers", {})},
        method=options.get("method"),
    )
    _log_in(request, options)
    try:
        with _open(request, options) as answer:
            content = answer.read(MOST + 1)
    except HTTPError as error:
        error.close()
        raise FilterArgumentError(f"{address} answers {error.code} {error.reason}.") from None
    except (URLError, OSError, ValueError) as error:
        raise FilterArgumentError(f"{address} can't be read: {getattr(error, 'reason', None) or error}.") from None
    if len(content) > MOST:
        raise ValueTooLarge()
    return content.decode("utf-8", "surrogateescape")


def _log_in(request: Any, options: Mapping[str, Any]) -> None:
    import base64

    if options.get("username"):
        login = f"{options['username']}:{options.get('password', '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")


def _open(request: Any, options: Mapping[str, Any]) -> HTTPResponse:
    import ssl
    from urllib.request import HTTPSHandler, ProxyHandler, build_opener

    trust = ssl.create_default_context(cafile=options.get("ca_path"))
    if not to_bool(options.get("validate_certs", True)):
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    if options.get("client_cert"):
        trust.load_cert_chain(options["client_cert"], options.get("client_key"))
    handlers: list[Any] = [HTTPSHandler(context=trust)]
    if not to_bool(options.get("use_proxy", True)):
        handlers.append(ProxyHandler({}))
    answer: HTTPResponse = build_opener(*handlers).open(request, timeout=float(options.get("timeout", 10)))
    return answer
