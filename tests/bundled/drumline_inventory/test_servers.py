"""Sources that ask others: HTTP servers, ranges of addresses, engines of containers. All on loopback addresses."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any

import pytest
from support.sources import Page, groups, pages_served, read_inventory, refused, variables, written

from drumline.source.vault import Keyring, keyring, use_keyring


def asking(directory: Path, url: str, **options: Any) -> Path:
    return written(directory, "1.yml", {"plugin": "http", "url": url, **options})


class TestHttp:
    def test_a_list_in_pages_by_the_header_link(self, tmp_path: Path) -> None:
        first = Page(b'[{"name": "w1", "groups": ["web"], "note": "{{ 1 }}"}]', Link='</2>; rel="next"')
        with pages_served({"/1": first, "/2": Page(b'[{"name": "w2", "groups": "web db"}]')}) as server:
            inventory = read_inventory(asking(tmp_path, f"{server.url}/1"))
        assert groups(inventory) == {"w1": ["web"], "w2": ["db", "web"]}
        assert variables(inventory)["w1"]["note"] == "{{ 1 }}"  # text

    def test_pages_and_items_at_paths(self, tmp_path: Path) -> None:
        pages = {
            "/1": Page(b'{"data": {"servers": [{"id": "a"}], "more": "/2"}}'),
            "/2": Page(b'{"data": {"servers": [{"id": "b"}], "more": null}}'),
        }
        with pages_served(pages) as server:
            options = {"items": "data.servers", "next": "data.more", "host_column": "id"}
            assert list(read_inventory(asking(tmp_path, f"{server.url}/1", **options)).hosts) == ["a", "b"]

    def test_what_inventory_programs_print(self, tmp_path: Path) -> None:
        body = {"web": {"hosts": ["w"], "vars": {"a": 1}}, "_meta": {"hostvars": {"w": {"b": 2}}}}
        with pages_served({"/": Page(json.dumps(body).encode())}) as server:
            inventory = read_inventory(asking(tmp_path, f"{server.url}/"))
        assert variables(inventory) == {"w": {"a": 1, "b": 2}}

    def test_a_token_from_a_secret_is_sent_and_masked(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CMDB_TOKEN", "hunter2-horse")
        use_keyring(Keyring())
        with pages_served({"/": Page(b"[]")}) as server:
            token = "{{ lookup('secret', 'env:CMDB_TOKEN') }}"
            read_inventory(asking(tmp_path, f"{server.url}/", token=token, allow_http=True))
            [(_, headers)] = server.asked
        assert headers["Authorization"] == "Bearer hunter2-horse"
        assert "hunter2-horse" in keyring().known

    def test_a_token_does_not_go_to_another_server(self, tmp_path: Path) -> None:
        with pages_served({"/": Page(b"[]")}) as other:
            moved = Page(b"", 302, Location=f"{other.url}/")
            with pages_served({"/": moved}) as server:
                read_inventory(asking(tmp_path, f"{server.url}/", token="hunter2", allow_http=True))
            [(_, headers)] = other.asked
        assert "Authorization" not in headers

    def test_a_token_does_not_go_to_a_page_of_another_server(self, tmp_path: Path) -> None:
        with pages_served({"/": Page(b"[]")}) as other:
            first = Page(b"[]", Link=f'<{other.url}/>; rel="next"')
            with pages_served({"/": first}) as server:
                found = refused(asking(tmp_path, f"{server.url}/", token="hunter2", allow_http=True))
            assert not other.asked
        assert "another server" in found.detail

    def test_no_password_in_a_url(self, tmp_path: Path) -> None:
        found = refused(asking(tmp_path, "https://user:hunter2@127.0.0.1/x"))
        assert found.summary == "A password in a URL"
        assert "hunter2" not in str(found)

    def test_a_token_needs_https(self, tmp_path: Path) -> None:
        found = refused(asking(tmp_path, "http://127.0.0.1:1/", token="hunter2"))
        assert found.summary == "A token needs HTTPS"

    @pytest.mark.parametrize(
        ("page", "words"),
        [
            (Page(b"<html>login</html>", Content_Type="text/html"), "answers HTML"),
            (Page(b"hello"), "It begins: 'hello'"),
            (Page(b"no", 403), "answers 403 Forbidden. Is the token right?"),
            (Page(b"[" + b" " * 33_000_000 + b"]"), "more than 32 MB"),
            (Page(b'{"a": {"b": 1}}'), "'b'"),
            (Page(b"[1]"), "no list of objects"),
            (Page(b"", 302, Location="ftp://127.0.0.1/"), "leads to ftp"),
        ],
    )
    def test_answers_that_are_no_inventory(self, tmp_path: Path, page: Page, words: str) -> None:
        with pages_served({"/": page}) as server:
            found = refused(asking(tmp_path, f"{server.url}/"))
        assert found.summary == "An inventory source failed"
        assert found.detail.startswith(f"'http' of {tmp_path}/1.yml: ")
        assert words in found.detail

    def test_hosts_without_a_name(self, tmp_path: Path) -> None:
        with pages_served({"/": Page(b'[{"id": 1}]')}) as server:
            found = refused(asking(tmp_path, f"{server.url}/"))
        assert found.summary == "There is no column for hosts"

    def test_nobody_listens(self, tmp_path: Path) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            found = refused(asking(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}/"))
        assert "refused" in found.detail

    def test_a_server_that_never_answers(self, tmp_path: Path) -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            found = refused(asking(tmp_path, f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout="200ms"))
        assert "doesn't answer within 0.2 s" in found.detail

    def test_an_etag_saves_the_answer(self, tmp_path: Path) -> None:
        page = Page(b'[{"name": "w1"}]', ETag='"1"')
        with pages_served({"/": page}) as server:
            source = asking(tmp_path, f"{server.url}/", cache_timeout="1ms")
            for _ in range(2):
                assert list(read_inventory(source).hosts) == ["w1"]
            assert [headers.get("If-None-Match") for _, headers in server.asked] == [None, '"1"']


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``good.pem`` and ``old.pem``, with their keys, for 127.0.0.1."""
    directory = tmp_path_factory.mktemp("certificates")
    for name, clock in (("good", []), ("old", ["faketime", "2020-01-01"])):
        key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
        request = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        who = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        command = [*clock, "openssl", "req", *request, *who, "-keyout", key, "-out", certificate]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return directory


def secured(certificates: Path, name: str) -> type[ThreadingHTTPServer]:
    class Secured(ThreadingHTTPServer):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
            self.socket = context.wrap_socket(self.socket, server_side=True)

        def handle_error(self, *_: object) -> None:
            pass

    return Secured


class TestHttps:
    def test_a_certificate_that_is_trusted(self, tmp_path: Path, certificates: Path) -> None:
        with pages_served({"/": Page(b'[{"name": "w"}]')}, secured(certificates, "good")) as server:
            url = f"https://127.0.0.1:{server.port}/"
            inventory = read_inventory(asking(tmp_path, url, ca_path=str(certificates / "good.pem")))
            assert list(inventory.hosts) == ["w"]
            assert "can't be trusted: self" in refused(asking(tmp_path, url)).detail
            assert list(read_inventory(asking(tmp_path, url, validate_certs=False)).hosts) == ["w"]

    def test_a_certificate_that_has_expired(self, tmp_path: Path, certificates: Path) -> None:
        with pages_served({"/": Page(b"[]")}, secured(certificates, "old")) as server:
            url = f"https://127.0.0.1:{server.port}/"
            found = refused(asking(tmp_path, url, ca_path=str(certificates / "old.pem")))
        assert "can't be trusted: certificate has expired" in found.detail

    def test_a_file_of_authorities_that_is_not_there(self, tmp_path: Path) -> None:
        found = refused(asking(tmp_path, "https://127.0.0.1:1/", ca_path="/not/there"))
        assert found.summary == "A file can't be read"


class TestNetwork:
    def test_hosts_that_answer(self, tmp_path: Path) -> None:
        with ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.77.1", 0)))
            port = first.getsockname()[1]
            stack.enter_context(socket.create_server(("127.0.77.3", port)))
            options = {"networks": ["127.0.77.0/29"], "ports": [port, 1], "connect_timeout": "5s"}
            inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "network", **options}))
        assert variables(inventory) == {
            address: {"ansible_host": address, "ansible_port": port, "open_ports": [port]}
            for address in ("127.0.77.1", "127.0.77.3")
        }
        assert groups(inventory)["127.0.77.1"] == [f"port_{port}"]

    @pytest.mark.parametrize(
        ("options", "summary"),
        [
            ({"networks": ["192.0.2.0/33"]}, "Not a range of addresses"),
            ({"networks": ["10.0.0.0/8"]}, "Too many addresses"),
            ({"networks": ["127.0.0.1/32"], "ports": [0]}, "Not a port"),
            ({"networks": ["127.0.0.1/32"], "ports": ["ssh"]}, "Not a port"),
        ],
    )
    def test_mistakes(self, tmp_path: Path, options: dict[str, Any], summary: str) -> None:
        assert refused(written(tmp_path, "1.yml", {"plugin": "network", **options})).summary == summary


#: As Docker 27 and Podman 5 answer, shortened to what is read.
DOCKER = {
    "Id": "5f1c" * 16,
    "Name": "/shop-web-1",
    "State": {"Status": "running", "Running": True},
    "Config": {
        "Image": "registry.example.com:5000/nginx:1.27@sha256:0000",
        "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web", "note": "{{ 1 }}"},
    },
    "NetworkSettings": {"IPAddress": "", "Networks": {"shop": {"IPAddress": "172.18.0.2"}}, "Ports": {"80/tcp": None}},
}
PODMAN = {
    "Id": "aa00" * 16,
    "Name": "db",
    "State": {"Status": "exited", "Running": False},
    "Config": {"Image": "docker.io/library/postgres:15", "Labels": None},
    "NetworkSettings": {"IPAddress": "10.88.0.5", "Networks": {}, "Ports": {}},
}


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Programs ``docker`` and ``podman`` that answer what was recorded, and write down what they were asked."""
    programs = tmp_path / "programs"
    for name, container in (("docker", DOCKER), ("podman", PODMAN)):
        answer = written(programs, f"{name}.json", [container])
        script = f'#!/bin/sh\necho "$@" >> {programs}/asked\n[ $1 = ps ] && echo {container["Id"]} || cat {answer}\n'
        written(programs, name, script).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs / "asked"


class TestContainers:
    def test_by_the_program(self, tmp_path: Path, engine: Path) -> None:
        inventory = read_inventory(
            written(tmp_path, "1.yml", {"plugin": "docker"}),
            written(tmp_path, "2.yml", {"plugin": "podman", "stopped": True}),
        )
        assert groups(inventory) == {
            "shop-web-1": ["docker", "image_nginx", "project_shop", "service_web"],
            "db": ["image_postgres", "podman"],
        }
        own = variables(inventory)["shop-web-1"]
        assert own["ansible_host"] == "172.18.0.2"
        assert own["container_labels"]["note"] == "{{ 1 }}"  # text
        assert variables(inventory)["db"]["container_state"] == "exited"
        assert "ps --quiet --no-trunc --all\n" in engine.read_text()

    def test_by_the_socket(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)  # a socket's path has to be short
        pages = {"/containers/json?": [{"Id": DOCKER["Id"]}], f"/containers/{DOCKER['Id']}/json": DOCKER}
        with engine_at("engine.sock", pages):
            options = {"plugin": "docker", "socket": "engine.sock"}
            inventory = read_inventory(written(tmp_path, "1.yml", options))
        assert list(inventory.hosts) == ["shop-web-1"]
        assert "doesn't answer" in refused(tmp_path / "1.yml").detail

    def test_a_program_that_is_not_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "'podman' isn't installed" in refused(written(tmp_path, "1.yml", {"plugin": "podman"})).detail


@contextmanager
def engine_at(path: str, pages: dict[str, Any]) -> Iterator[None]:
    """An engine's socket that answers with these pages."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            body = json.dumps(pages[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingMixIn, UnixStreamServer):
        pass

    with Server(path, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
