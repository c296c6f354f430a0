"""A server on a loopback address that says what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: When its files were written: what is asked for files that are newer gets none.
WRITTEN = "Mon, 01 Jan 2024 00:00:00 GMT"
FILES = {
    "/shop.txt": b"the shop\n",
    "/sums": b"0000  other.txt\nda34f89e34c240b3412f848120b2ef96e00bb205383d781d30c52ee898374c6f  shop.txt\n",
}


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.partition("?")[0]
        if path in FILES:
            self._file(FILES[path])
        elif path == "/moved":
            self._send(302, b"", {"Location": "/echo"})
        elif path == "/cookies":
            self._send(200, b"{}", {"Content-Type": "application/json", "Set-Cookie": "a=1; Path=/"})
        elif path == "/headers":
            lies = {"Changed": "yes", "Failed": "yes", "Status": "200 OK", "Url": "lie", "Content": "lie", "Msg": "lie"}
            self._send(200, b"plain", {"Content-Type": "text/plain", **lies})
        elif path.startswith("/status/"):
            self._send(int(path.rpartition("/")[2]), b"no luck", {"Content-Type": "text/plain"})
        elif path == "/secret" and self.headers.get("Authorization") != "Basic YW5uYTpzZWNyZXQ=":
            self._send(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
        else:
            said = {
                "method": self.command,
                "path": self.path,
                "body": body.decode(),
                "headers": {name.lower(): value for name, value in self.headers.items()},
            }
            self._send(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815

    def _file(self, data: bytes) -> None:
        if self.headers.get("If-Modified-Since"):
            self._send(304, b"", {})
        else:
            self._send(200, data, {"Content-Type": "text/plain", "Last-Modified": WRITTEN})

    def _send(self, code: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if code != 304:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


@contextmanager
def web_server() -> Iterator[str]:
    """The address of a new one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
