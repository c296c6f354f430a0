"""``win_get_url`` and ``win_uri`` against a real server."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from drumline.plugin import ActionFailed
from drumline.testing import ActionHost, HostDirectory

DATA = "content ü\n".encode() * 1000
SUM = hashlib.sha256(DATA).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/sums":
            self._say(200, f"{SUM}  file.bin\n".encode())
        elif self.path == "/file.bin":
            self._say(200, DATA)
        elif self.path == "/headers":
            self._say(200, b"it", lies={"Changed": "yes", "Failed": "yes", "Status-Code": "299"})
        elif self.path == "/broken":
            self._say(200, b"it", length=1000)
        elif self.path == "/secret":
            given = self.headers.get("Authorization", "")
            self._say(200 if given == "Basic bWU6d29yZA==" else 401, given.encode())
        else:
            self._say(404, b"nothing here")

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        said = {"body": body, "type": self.headers["Content-Type"], "header": self.headers.get("X-Test")}
        self._say(201, json.dumps(said).encode(), "application/json")

    def _say(
        self,
        status: int,
        body: bytes,
        kind: str = "text/plain",
        length: int | None = None,
        lies: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        for name, value in (lies or {}).items():
            self.send_header(name, value)
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture
def place(windows: ActionHost) -> Iterator[HostDirectory]:
    with windows.directory() as directory:
        yield directory


pytestmark = pytest.mark.windows


def test_a_file_is_downloaded_once(windows: ActionHost, server: str, place: HostDirectory) -> None:
    arguments = {"url": f"{server}/file.bin", "dest": place.path}
    first = windows("win_get_url", **arguments)
    assert (first.changed, first.values["status_code"], first.values["size"]) == (True, 200, len(DATA))
    assert first.values["dest"].endswith("file.bin")
    assert not windows("win_get_url", **arguments).changed  # the server's is older


def test_its_checksum_is_what_counts(windows: ActionHost, server: str, place: HostDirectory) -> None:
    arguments = {"url": f"{server}/file.bin", "dest": place.path + "\\it", "checksum_algorithm": "sha256"}
    with pytest.raises(ActionFailed, match="did not match"):
        windows("win_get_url", **arguments, checksum="00")
    assert windows("win_get_url", **arguments, checksum=SUM).changed
    assert not windows("win_get_url", **arguments, checksum_url=f"{server}/sums", force=True).changed


def test_what_is_not_there(windows: ActionHost, server: str, place: HostDirectory) -> None:
    with pytest.raises(ActionFailed, match="404"):
        windows("win_get_url", url=f"{server}/none", dest=place.path + "\\it")
    with pytest.raises(ActionFailed, match="does not exist for destination"):
        windows("win_get_url", url=f"{server}/file.bin", dest=place.path + "\\none\\it")


def test_a_service_is_asked(windows: ActionHost, server: str) -> None:
    result = windows(
        "win_uri",
        url=f"{server}/x",
        method="POST",
        body={"a": ["ü"]},
        headers={"X-Test": "1"},
        status_code=[201],
        return_content=True,
    )
    assert result.values["json"] == {"body": '{"a": ["\\u00fc"]}', "type": "application/json", "header": "1"}
    assert (result.changed, result.values["status_code"]) == (False, 201)


def test_headers_say_nothing_of_the_task(windows: ActionHost, server: str) -> None:
    result = windows("win_uri", url=f"{server}/headers")
    assert (result.changed, result.values["status_code"]) == (False, 200)


def test_a_wrong_answer_replaces_nothing(windows: ActionHost, server: str, place: HostDirectory) -> None:
    place.fill({"it": "kept"})
    with pytest.raises(ActionFailed, match="404"):
        windows("win_uri", url=f"{server}/none", dest=place.path + "\\it")
    with pytest.raises(ActionFailed):
        windows("win_uri", url=f"{server}/broken", dest=place.path + "\\it")
    assert place.entries() == {"it": "kept"}


def test_user_and_password(windows: ActionHost, server: str) -> None:
    known = {"url": f"{server}/secret", "url_username": "me", "url_password": "word"}
    assert windows("win_uri", **known, force_basic_auth=True).values["status_code"] == 200
    with pytest.raises(ActionFailed, match="not in list of valid status codes"):
        windows("win_uri", url=f"{server}/secret")


def test_no_server(windows: ActionHost, tmp_path: Path) -> None:
    with pytest.raises(ActionFailed, match="Error requesting"):
        windows("win_uri", url="http://127.0.0.1:1/")
