"""``get_url`` and ``uri`` with a real server, by curl and by wget; ``git`` and ``known_hosts``."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.compared import HERE, Reference, Use
from support.needs import need
from support.web import FILES, web_server

from drumline.plugin import ActionFailed, CheckImpossible, Platform, Session
from drumline.testing import ActionHost, HostDirectory, HostFile

SHOP = FILES["/shop.txt"]


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with web_server() as address:
        yield address


@pytest.fixture(params=["curl", "wget"])
def host(request: pytest.FixtureRequest, ssh_session: Session, tmp_path: Path) -> ActionHost:
    """A host that has one of the two."""
    wanted, other = request.param, {"curl": "wget", "wget": "curl"}[request.param]
    need(wanted)
    programs = tmp_path / "programs"
    programs.mkdir()
    for place in ("/usr/bin", "/bin", "/usr/sbin", "/sbin"):
        for program in Path(place).iterdir():
            if program.name != other and not (programs / program.name).is_symlink():
                (programs / program.name).symlink_to(program)
    settings = {"environment": {"PATH": str(programs)}}
    return ActionHost(platform=Platform.POSIX, session=ssh_session, settings=settings)


@pytest.fixture
def there(host: ActionHost) -> Iterator[HostDirectory]:
    with host.directory() as directory:
        yield directory


def test_a_download(host: ActionHost, there: HostDirectory, web: str) -> None:
    result = host.twice("get_url", url=f"{web}/shop.txt", dest=there.path, mode="0600")
    assert len(host.requests) == 1
    assert result.values["dest"] == there.at("shop.txt")
    assert result.values["status_code"] == 200
    assert result.values["checksum_src"] == hashlib.sha1(SHOP).hexdigest()
    assert result.message == "OK (9 bytes)"
    assert there.entries({"shop.txt"}) == {"shop.txt": HostFile(SHOP.decode(), 0o600)}


def test_a_download_with_a_checksum(host: ActionHost, there: HostDirectory, web: str) -> None:
    right = f"sha256:{hashlib.sha256(SHOP).hexdigest()}"
    there.fill({"f": "old"})
    with pytest.raises(ActionFailed, match="did not match"):
        host("get_url", url=f"{web}/shop.txt", dest=there.at("f"), checksum="md5:00")
    assert there.entries() == {"f": "old"}
    kept = host.twice("get_url", url=f"{web}/shop.txt", dest=there.at("f"), checksum=right, backup=True)
    assert kept.values["backup_file"].startswith(there.at("f."))
    assert not host("get_url", url=f"{web}/shop.txt", dest=there.at("f"), checksum=f"sha256:{web}/sums").changed
    with pytest.raises(ActionFailed, match="'checksum' is ALGORITHM:VALUE"):
        host("get_url", url=f"{web}/shop.txt", dest=there.at("f"), checksum="abc")


@pytest.mark.parametrize("host", ["curl"], indirect=True)  # wget reads no file://
def test_a_file_is_downloaded_again(host: ActionHost, there: HostDirectory) -> None:
    """Asked for what is newer than a file, curl answers with nothing where it doesn't ask over HTTP."""
    there.fill({"src": "text"})
    host.twice("get_url", url=f"file://{there.at('src')}", dest=there.at("f"))
    host.twice("uri", url=f"file://{there.at('src')}", dest=there.at("g"))
    assert there.entries() == {"src": "text", "f": "text", "g": "text"}


def test_a_download_that_fails(host: ActionHost, there: HostDirectory, web: str) -> None:
    with pytest.raises(ActionFailed, match="Request failed: HTTP Error 404") as raised:
        host("get_url", url=f"{web}/status/404", dest=there.at("f"))
    assert raised.value.values["status_code"] == 404 if "status_code" in raised.value.values else True
    with pytest.raises(ActionFailed, match="Request failed"):
        host("get_url", url="http://127.0.0.1:1/", dest=there.at("f"))
    with pytest.raises(ActionFailed, match="does not exist"):
        host("get_url", url=f"{web}/shop.txt", dest=there.at("nowhere/"))
    with pytest.raises(ActionFailed, match="This is no URL"):
        host("get_url", url="http://[", dest=there.at("f"))
    assert there.entries() == {}


def test_a_download_that_is_only_checked(host: ActionHost, there: HostDirectory, web: str) -> None:
    host.settings["check"] = True
    assert host("get_url", url=f"{web}/shop.txt", dest=there.at("f")).changed
    assert there.entries() == {}


def ask(host: ActionHost, **arguments: Any) -> dict[str, Any]:
    result = host("uri", **arguments)
    found: dict[str, Any] = result.values["json"]
    return found


def test_methods_and_bodies(host: ActionHost, web: str) -> None:
    said = ask(host, url=f"{web}/a?b=c", headers={"X-Shop": 'ä "1"'}, method="put", body={"a": [1]}, body_format="json")
    assert (said["method"], said["path"], json.loads(said["body"])) == ("PUT", "/a?b=c", {"a": [1]})
    assert said["headers"]["content-type"] == "application/json"
    assert said["headers"]["user-agent"] == "ansible-httpget"
    form = ask(host, url=f"{web}/", method="POST", body={"a": "ä b", "c": ["1", "2"]}, body_format="form-urlencoded")
    assert form["body"] == "a=%C3%A4+b&c=1&c=2"
    parts = ask(
        host,
        url=f"{web}/",
        method="POST",
        body={"a": "1", "b": {"content": "text", "filename": "b.txt"}},
        body_format="form-multipart",
    )
    assert 'name="b"; filename="b.txt"\r\nContent-Type: text/plain\r\n\r\ntext\r\n' in parts["body"]


def test_a_url_is_asked_for_as_it_is_written(host: ActionHost, web: str) -> None:
    if (Path(host.settings["environment"]["PATH"]) / "curl").exists():
        assert ask(host, url=f'{web}/a?b="\\c"')["path"] == '/a?b="\\c"'


def test_a_file_as_the_body(host: ActionHost, there: HostDirectory, web: str, tmp_path: Path) -> None:
    (tmp_path / "body").write_text("from here")
    host.settings["find_file"] = lambda src, _directory: tmp_path / src
    assert ask(host, url=f"{web}/", method="POST", src="body")["body"] == "from here"
    there.fill({"body": "from there"})
    assert ask(host, url=f"{web}/", method="POST", src=there.at("body"), remote_src=True)["body"] == "from there"


def test_redirects_cookies_and_log_ins(host: ActionHost, web: str) -> None:
    moved = host("uri", url=f"{web}/moved").values
    assert (moved["status"], moved["redirected"]) == (200, True) if "redirected" in moved else False
    stays = host("uri", url=f"{web}/moved", follow_redirects="none", status_code=[302]).values
    assert stays["location"] == f"{web}/echo"
    assert host("uri", url=f"{web}/cookies").values["cookies"] == {"a": "1"}
    with pytest.raises(ActionFailed, match="Status code was 401"):
        host("uri", url=f"{web}/secret")
    login = {"url_username": "anna", "url_password": "secret"}
    assert host("uri", url=f"{web}/secret", **login, force_basic_auth=True).values["status"] == 200
    assert host("uri", url=f"{web}/secret", **login).values["status"] == 200


def test_answers(host: ActionHost, there: HostDirectory, web: str) -> None:
    plain = host("uri", url=f"{web}/shop.txt", return_content=True).values
    assert (plain["content"], plain["content_type"], plain["status"]) == ("the shop\n", "text/plain", 200)
    with pytest.raises(ActionFailed, match=r"Status code was 503 and not \[200, 201\]: HTTP Error 503") as raised:
        host("uri", url=f"{web}/status/503", status_code=["200", "201"])
    assert raised.value.values["content"] == "no luck"
    with pytest.raises(ActionFailed, match="Status code was -1"):
        host("uri", url="http://127.0.0.1:1/")
    result = host("uri", url=f"{web}/shop.txt", dest=there.at("f"), mode="0600")
    assert result.changed
    assert there.entries({"f"}) == {"f": HostFile("the shop\n", 0o600)}
    skipped = host("uri", url=f"{web}/shop.txt", creates=there.at("f"))
    assert skipped.values["stdout"] == f"skipped, since '{there.at('f')}' exists"


def test_headers_say_nothing_of_the_task(host: ActionHost, web: str) -> None:
    result = host("uri", url=f"{web}/headers")
    assert not result.changed
    assert (result.values["status"], result.values["url"]) == (200, f"{web}/headers")
    assert not {"changed", "failed", "content", "msg"} & {*result.values}


def test_a_request_that_changes_something_is_not_made_in_a_check(host: ActionHost, web: str) -> None:
    host.settings["check"] = True
    assert host("uri", url=f"{web}/echo").values["status"] == 200
    with pytest.raises(CheckImpossible):
        host("uri", url=f"{web}/echo", method="POST")


def test_a_password_is_in_no_command_line(host: ActionHost, there: HostDirectory, web: str, tmp_path: Path) -> None:
    programs = Path(host.settings["environment"]["PATH"])
    [name] = [name for name in ("curl", "wget") if (programs / name).exists()]
    (programs / name).unlink()
    script = f'#!/bin/sh\necho "$@" >>{tmp_path}/words\nexec {shutil.which(name)} "$@"\n'
    (programs / name).write_text(script)
    (programs / name).chmod(0o755)
    in_url = "?a=s3cr3t" if name == "curl" else ""
    login = {"url_username": "anna", "url_password": "s3cr3t"}
    host("uri", url=f"{web}/echo{in_url}", **login, headers={"X-Token": "t0k3n"})
    words = (tmp_path / "words").read_text()
    assert words
    assert "s3cr3t" not in words
    assert "t0k3n" not in words


@pytest.mark.ansible
def test_requests_as_the_reference(reference: Reference, web: str) -> None:
    wanted: list[dict[str, Any]] = [
        {"url": f"{web}/shop.txt", "return_content": True},
        {"url": f"{web}/cookies"},
        {"url": f"{web}/moved", "follow_redirects": "none", "status_code": [302]},
        {"url": f"{web}/status/404"},
        {"url": f"{web}/status/204", "status_code": [204]},
    ]
    passing = frozenset({"elapsed", "date", "server", "connection", "body"})
    uses = [Use(str(arguments), arguments, without=passing) for arguments in wanted]
    uses.append(Use("dest", {"url": f"{web}/shop.txt", "dest": f"{HERE}/f", "mode": "0600"}, without=passing))
    reference.compare("uri", uses)
    passing = frozenset({"elapsed", "src"})
    downloads: list[dict[str, Any]] = [
        {"dest": f"{HERE}/f"},
        {"dest": HERE, "mode": "0640"},
        {"dest": f"{HERE}/f", "force": True},
        {"dest": f"{HERE}/f", "checksum": f"sha256:{hashlib.sha256(SHOP).hexdigest()}"},
        {"dest": f"{HERE}/f", "checksum": "sha256:00"},
    ]
    uses = [
        Use(f"{arguments} {before}", {"url": f"{web}/shop.txt", **arguments}, before=before, without=passing)
        for arguments in downloads
        for before in ({}, {"f": "old"})
    ]
    reference.compare("get_url", uses)
