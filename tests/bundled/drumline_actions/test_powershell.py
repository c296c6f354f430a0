"""Every script that the actions can send to Windows, read by PowerShell's own parser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from support.background import in_background

from drumline.plugin import Completed, Language, Platform, Run
from drumline.testing import ActionHost

#: Tasks whose functions, which a session is sent once, are more than others need.
LARGE = {"background", "copy remote 0", "copy large 1", "setup 0", "win_get_url 0", "win_powershell 0", "win_regedit 0"}
LARGE |= {"win_service 0", "win_uri 0", "win_chocolatey 0", "win_chocolatey_source 0", "win_lineinfile 0"}
LARGE |= {f"win_{name} 0" for name in ("user_right", "package", "acl", "owner", "firewall_rule", "user", "group")}
LARGE |= {"win_share 0", "win_dsc 0", "win_psmodule 0", "win_iis_virtualdirectory 0", "win_iis_webapplication 0"}
LARGE |= {"win_iis_webapppool 0", "win_iis_webbinding 0", "win_iis_website 0"}
#: Takes scripts by name; gives those that 5.1 would not run.
Parser: TypeAlias = Callable[[Mapping[str, str]], dict[str, list[str]]]

ANSWER: dict[str, object] = {
    "changed": False,
    "upload": "C:\\t",
    "dest": "C:\\d",
    "elapsed": 0,
    "checksum": "0",
    "real": "C:\\r",
    "creates": False,
    "facts": "{}",
    "results_file": "C:\\j",
}


@pytest.fixture
def sent(posix: ActionHost, tmp_path: Path) -> dict[str, str]:
    """The text of each script, by the task that sends it, with texts in it that must be quoted."""
    posix.platform = Platform.WINDOWS
    posix.answer = lambda request: (
        Completed(code=0, stdout=b"pong" if request.text == "'pong'" else json.dumps(ANSWER).encode())
        if isinstance(request, Run)
        else None
    )
    awkward = 'C:\\it\'s \u2018quoted\u2019 $x `n "y"\\'
    (tmp_path / "small").write_text("x")
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    (tmp_path / "tree").mkdir()
    (tmp_path / "it.ps1").write_text("'x'")
    tasks: dict[str, tuple[str, dict[str, Any]]] = {
        "copy content": ("copy", {"content": "x", "dest": awkward}),
        "copy large": ("copy", {"src": str(tmp_path / "large"), "dest": awkward}),
        "copy directory": ("copy", {"src": str(tmp_path / "tree"), "dest": awkward}),
        "copy remote": ("copy", {"src": awkward, "dest": awkward, "remote_src": True}),
        "template": ("template", {"src": str(tmp_path / "small"), "dest": awkward}),
        "file": ("file", {"path": awkward, "state": "directory"}),
        "stat": ("stat", {"path": awkward}),
        "fetch": ("fetch", {"src": awkward, "dest": str(tmp_path / "got"), "validate_checksum": False}),
        "wait_for": ("wait_for", {"path": awkward, "search_regex": awkward}),
        "drained": ("wait_for", {"port": 1, "state": "drained", "exclude_hosts": ["10.0.0.1"]}),
        "ping": ("ping", {}),
        "setup": ("setup", {"fact_path": awkward}),
        "script": ("script", {"cmd": f"{tmp_path}/it.ps1 -Name 'x y'"}),
        "script file": ("script", {"cmd": f"{tmp_path}/small"}),
        "async_status": ("async_status", {"jid": "j1.2"}),
        "creates": ("command", {"cmd": "x", "creates": awkward, "removes": awkward}),
        "win_regedit": ("win_regedit", {"path": "HKLM:\\x", "name": awkward, "data": awkward, "hive": awkward}),
        "win_reg_stat": ("win_reg_stat", {"path": "HKLM:\\x", "name": awkward}),
        "win_service": ("win_service", {"name": awkward, "path": awkward, "dependencies": [awkward]}),
        "win_service_info": ("win_service_info", {"name": awkward}),
        "win_environment": ("win_environment", {"name": awkward, "value": awkward, "level": "user"}),
        "win_path": ("win_path", {"elements": [awkward]}),
        "win_powershell": ("win_powershell", {"script": awkward, "parameters": {"x": awkward}}),
        "win_get_url": ("win_get_url", {"url": "http://x", "dest": awkward, "headers": {"X": awkward}}),
        "win_uri": ("win_uri", {"url": "http://x", "body": awkward, "status_code": [200]}),
        "win_unzip": ("win_unzip", {"src": awkward, "dest": awkward}),
        "win_lineinfile": ("win_lineinfile", {"path": awkward, "line": awkward, "regex": "x", "validate": "x %s"}),
        "win_chocolatey": ("win_chocolatey", {"name": [awkward], "proxy_url": awkward, "choco_args": [awkward]}),
        "win_chocolatey_source": ("win_chocolatey_source", {"name": awkward, "source": awkward}),
        "win_user_right": ("win_user_right", {"name": "SeBatchLogonRight", "users": [awkward]}),
        "win_security_policy": ("win_security_policy", {"section": awkward, "key": awkward, "value": awkward}),
        "win_feature": ("win_feature", {"name": [awkward], "source": awkward}),
        "win_optional_feature": ("win_optional_feature", {"name": [awkward], "source": awkward}),
        "win_package": ("win_package", {"path": awkward, "product_id": awkward, "arguments": [awkward]}),
        "win_firewall": ("win_firewall", {"state": "enabled", "profiles": [awkward]}),
        "win_firewall_rule": ("win_firewall_rule", {"name": awkward, "program": awkward, "description": awkward}),
        "win_acl": ("win_acl", {"path": awkward, "user": awkward, "rights": awkward, "type": "allow"}),
        "win_owner": ("win_owner", {"path": awkward, "user": awkward}),
        "win_user": ("win_user", {"name": awkward, "password": awkward, "groups": [awkward]}),
        "win_group": ("win_group", {"name": awkward, "members": {"add": [awkward]}}),
        "win_dsc": ("win_dsc", {"resource_name": awkward, "Key": awkward}),
        "win_psmodule": ("win_psmodule", {"name": awkward, "repository": awkward}),
        "win_iis_website": ("win_iis_website", {"name": awkward, "physical_path": awkward}),
        "win_iis_webapppool": ("win_iis_webapppool", {"name": awkward, "attributes": {awkward: awkward}}),
        "win_iis_webapplication": ("win_iis_webapplication", {"site": awkward, "name": awkward}),
        "win_iis_virtualdirectory": ("win_iis_virtualdirectory", {"site": awkward, "name": awkward}),
        "win_iis_webbinding": ("win_iis_webbinding", {"name": awkward, "host_header": awkward}),
        "win_timezone": ("win_timezone", {"timezone": awkward}),
        "win_hostname": ("win_hostname", {"name": "flagship"}),
        "win_power_plan": ("win_power_plan", {"name": awkward}),
        "win_share": ("win_share", {"name": awkward, "path": awkward, "full": awkward}),
        "win_dns_client": ("win_dns_client", {"adapter_names": [awkward], "dns_servers": [awkward]}),
        "win_zip": ("win_zip", {"src": awkward, "dest": awkward}),
    }
    texts: dict[str, str] = {}
    for name, (action, arguments) in tasks.items():
        posix(action, **arguments)
        requests = [request for request in posix.requests if isinstance(request, Run)]
        scripts = [request.script for request in requests if request.language is Language.POWERSHELL]
        texts |= {f"{name} {number}": text for number, text in enumerate(scripts)}
    posix(in_background("shell"), cmd=awkward)
    [launch] = (request.script for request in posix.requests if isinstance(request, Run))
    texts["background"] = launch
    return texts


@pytest.mark.windows
@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_5_1_would_run_every_script(powershell_parser: Parser, sent: dict[str, str]) -> None:
    assert powershell_parser(sent) == {}


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_no_script_is_left_out(sent: dict[str, str]) -> None:
    packages = map(resources.files, ("drumline_actions", "drumline_actions.windows", "drumline.plugin.kit"))
    for file in (file for package in packages for file in package.iterdir()):
        if file.name.endswith(".ps1"):
            first = next(line for line in file.read_text().splitlines() if line and line[0] not in "# ")
            assert any(first in text for text in sent.values()), file.name


@pytest.mark.parametrize("posix", ["dash"], indirect=True)
def test_small_tasks_stay_small(sent: dict[str, str]) -> None:
    assert {name: len(text) for name, text in sent.items() if len(text) >= 6000 and name not in LARGE} == {}


NEWER = [
    "if (",
    "$a ? 1 : 2",
    "Get-Item x && Get-Item y",
    "$a ?? 1",
    "${a}?.b",
    "Get-Item x &",
    "1 | ForEach-Object -Parallel { $_ }",
    "ConvertTo-Json -EscapeHandling EscapeNonAscii 1",
    "Expand-Archive x",
    "[Security.Cryptography.SHA1]::HashData($x)",
]


@pytest.mark.windows
def test_the_parser_finds_what_5_1_lacks(powershell_parser: Parser) -> None:
    scripts = {script: script for script in NEWER} | {"good": "& { Get-Item -LiteralPath x -Force }"}
    assert powershell_parser(scripts).keys() == set(NEWER)
