"""Verbs of POSIX hosts on a Windows, and in one play over both."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.running import Ran, run_text
from support.web import web_server

from drumline.plugin import ActionFailed, Completed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here, local
from drumline_lab.wsman import Settings, Windows, WsmanServer

WINDOWS = [Platform.WINDOWS]
NAME = "drumlineverb"
GONE = f"Stop-Service {NAME} -ErrorAction SilentlyContinue; $null = sc.exe delete {NAME}; $null = 1"
MADE = (
    f"{GONE}; $null = New-Service -Name {NAME} -BinaryPathName 'C:\\windows\\system32\\spoolsv.exe' -StartupType Manual"
)
FILE = here("f")
ABC = "a.b\r\nk=$1\r\n"


def _packed() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("sub/f", "one")
    return packed.getvalue()


PACKED = _packed()
UNPACKED = {"to/": None, "to/sub/": None, "to/sub/f": "one"}


class TestService(ActionCases):
    action = "service"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "it is started, now and with the host",
            {"name": NAME, "state": "started", "enabled": True},
            setup=MADE,
            changed=True,
            values={"state": "started", "enabled": True, "start_mode": "auto"},
        ),
        Case("it doesn't start by itself", {"name": NAME, "enabled": False}, setup=MADE, changed=False),
        Case(
            "one that is disabled doesn't either",
            {"name": NAME, "state": "stopped", "enabled": False},
            setup=MADE.replace("Manual", "Disabled"),
            changed=False,
            values={"start_mode": "disabled", "enabled": False},
        ),
        Case("it isn't there", {"name": NAME, "state": "stopped"}, setup=GONE, failed="does not exist"),
        Case("nothing to do", {"name": NAME}, failed="Neither 'state' nor 'enabled' set"),
        Case("a state of POSIX", {"name": NAME, "state": "reloaded"}, failed="no such thing as state: reloaded"),
        Case("an argument of POSIX", {"name": NAME, "masked": True}, failed="no such thing as masked"),
    )


class TestLineinfile(ActionCases):
    action = "lineinfile"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a line is added",
            {"path": FILE, "line": "x", "insertafter": "^a"},
            before={"f": ABC},
            changed=True,
            values={"backup": ""},
            after={"f": "a.b\r\nx\r\nk=$1\r\n"},
        ),
        Case(
            "groups are those of POSIX hosts",
            {"path": FILE, "regexp": r"^(?<key>k)=(.).*", "line": r"\1$1\g<key>", "backrefs": True},
            before={"f": ABC},
            changed=True,
            after={"f": "a.b\r\n$$1k\r\n"},
            repeats=False,
        ),
        Case(
            "a text is a text",
            {"path": FILE, "search_string": ".", "state": "absent"},
            before={"f": ABC + "axb\r\n"},
            changed=True,
            values={"found": 1},
            after={"f": "k=$1\r\naxb\r\n"},
        ),
        Case("no line", {"path": FILE, "state": "present"}, before={"f": ABC}, failed="line is required"),
        Case("an argument of POSIX", {"path": FILE, "line": "x", "mode": "0600"}, failed="no such thing as mode"),
    )


class TestUnarchive(ActionCases):
    action = "unarchive"
    platforms = WINDOWS
    cases = (
        Case(
            "an archive of this machine",
            {"src": local("a.zip"), "dest": here("to")},
            files={"a.zip": PACKED},
            changed=True,
            values={"src": local("a.zip")},
            after=UNPACKED,
        ),
        Case(
            "one of the host",
            {"src": here("a.zip"), "dest": here("to"), "remote_src": True},
            before={"a.zip": PACKED},
            changed=True,
            after={"a.zip": ..., **UNPACKED},
        ),
        Case(
            "another file is written anew",
            {"src": here("a.zip"), "dest": here("to"), "remote_src": True},
            before={"a.zip": PACKED, "to/": None, "to/sub/": None, "to/sub/f": "two"},
            changed=True,
            after={"a.zip": ..., **UNPACKED},
        ),
        Case("a URL", {"src": "http://x/a.zip", "dest": here()}, failed="bring the archive there with get_url"),
    )


class TestReboot(ActionCases):
    action = "reboot"
    platforms = WINDOWS
    cases = (
        Case(
            "it goes, and comes back",
            {"msg": "now"},
            answers=[
                Completed(code=0, stdout=b"1"),
                Completed(code=0),
                None,
                None,
                Completed(code=0, stdout=b"2"),
                Completed(code=0),
                None,
            ],
            changed=True,
            values={"rebooted": True},
        ),
        Case("in a check", {}, answers=[], call={"check": True}, changed=True, values={"rebooted": True}),
        Case("an argument of POSIX", {"reboot_command": "x"}, answers=[], failed="no such thing as reboot_command"),
    )


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    with web_server() as url:
        yield url


def test_a_file_of_a_server(windows: ActionHost, web: str) -> None:
    good = "da34f89e34c240b3412f848120b2ef96e00bb205383d781d30c52ee898374c6f"
    with windows.directory() as there:
        at = there.at("shop.txt")
        for checksum, changed in ((f"sha256:{good}", True), (f"sha256:{web}/sums", False)):
            result = windows("get_url", url=f"{web}/shop.txt", dest=at, checksum=checksum)
            assert (result.changed, result.values["dest"]) == (changed, at)
        assert there.entries() == {"shop.txt": "the shop\n"}
        assert not windows("get_url", url=f"{web}/sums", dest=at).changed  # without `force`, as on POSIX hosts
        for given, why in (({"checksum": "sha224:0"}, "no sha224"), ({"mode": "0600"}, "no such thing as mode")):
            with pytest.raises(ActionFailed, match=why):
                windows("get_url", url=f"{web}/shop.txt", dest=at, **given)


def test_a_service_is_asked(windows: ActionHost, web: str) -> None:
    sent: list[tuple[dict[str, Any], str]] = [
        ({"body": {"a": "ü"}, "body_format": "json"}, '{"a": "\\u00fc"}'),
        ({"body": {"a": "b c"}, "body_format": "form-urlencoded"}, "a=b+c"),
        ({"body": "as it is"}, "as it is"),
    ]
    for given, body in sent:
        values = windows("uri", url=f"{web}/echo", method="POST", **given).values
        assert (values["status"], values["json"]["body"]) == (200, body)
        assert "content" not in values
    moved = windows("uri", url=f"{web}/moved", return_content=True).values
    assert (moved["status"], moved["url"], moved["redirected"]) == (200, f"{web}/echo", True)
    assert moved["content"]
    assert windows("uri", url=f"{web}/moved", follow_redirects="no", status_code=[302]).values["status"] == 302
    with pytest.raises(ActionFailed, match="404") as failed:
        windows("uri", url=f"{web}/status/404")
    assert failed.value.values["status"] == 404
    with pytest.raises(ActionFailed, match="no such thing as body_format: form-multipart"):
        windows("uri", url=f"{web}/echo", method="POST", body={}, body_format="form-multipart")


PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - {id: line, lineinfile: {path: "{{ place }}/f", line: "port=1", regexp: "^port=", create: true}}
    - {id: get, get_url: {url: "{{ web }}/shop.txt", dest: "{{ place }}/shop.txt"}}
    - {id: ask, uri: {url: "{{ web }}/echo"}, register: asked}
    - {id: said, assert: {that: "asked.status == 200 and asked.json.method == 'GET'"}}
    - {id: unpack, unarchive: {src: a.zip, dest: "{{ place }}"}}
"""


def test_one_play_for_a_mixed_fleet(
    tmp_path: Path, windows_host: Windows, directory: tuple[str, Path], web: str
) -> None:
    name, place = directory
    (tmp_path / "a.zip").write_bytes(PACKED)
    (tmp_path / "posix").mkdir()
    with WsmanServer(Settings(users={"deploy": "secret"}), backend=windows_host) as server:
        reached = {"ansible_host": server.host, "ansible_port": server.port, "ansible_winrm_scheme": "http"}
        login = {"ansible_connection": "winrm", "ansible_user": "deploy", "ansible_password": "secret"}
        hosts = {
            "unix": {"ansible_connection": "local", "place": str(tmp_path / "posix")},
            "win": {**reached, **login, "place": name},
        }
        inventory = json.dumps({"all": {"hosts": hosts, "vars": {"web": web}}})
        for changed in (True, False):
            ran = run_text(tmp_path, PLAY, inventory=inventory)
            assert ran.exit_status == 0, [event.result for event in ran.ends()]
            assert {host: _changed(ran, host) for host in hosts} == dict.fromkeys(hosts, [changed] * 3)
        for there in (place, tmp_path / "posix"):
            assert (there / "sub/f").read_text() == "one"
            assert (there / "shop.txt").read_text() == "the shop\n"
        refused = run_text(
            tmp_path,
            "- hosts: all\n  tasks: [{id: s, service: {name: x, enabled: true, masked: false, use: '{{ u }}'}}]",
            inventory=inventory,
            extra=["u=openrc"],
        )
        assert "Windows hosts have no such thing as use" in str(refused.result("s", "win"))


def _changed(ran: Ran, host: str) -> list[bool]:
    return [ran.status(task, host) == "changed" for task in ("line", "get", "unpack")]
