"""A PowerShell module goes by Ansible's own wrapper, over drumline's WinRM session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.bridged import add_plugin, ansible_python
from support.program import call

from drumline_lab.wsman import Settings, Windows, WsmanServer

pytestmark = pytest.mark.ansible

_GREET = """#!powershell
#Requires -Module Ansible.ModuleUtils.Legacy
$params = Parse-Args $args -supports_check_mode $true
$name = Get-AnsibleParam -obj $params -name "name" -type "str" -failifempty $true
$check = Get-AnsibleParam -obj $params -name "_ansible_check_mode" -type "bool" -default $false
Exit-Json @{ changed = $true; greeting = "Hello, $name"; checked = $check; word = $env:WORD }
"""
_TASKS = [
    {"greet": {"name": "Ada"}, "environment": {"WORD": "wörd"}},
    {"greet": {"name": "Bob"}, "check_mode": True},
]


def test_a_powershell_module(windows_host: Windows, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "greet.ps1").write_text(_GREET)
    (tmp_path / "drumline.toml").write_text(f'[ansible]\npython = "{ansible_python()}"\n')
    (tmp_path / "site.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": _TASKS}]))
    add_plugin(tmp_path)
    with WsmanServer(Settings(users={"user": "password"}), backend=windows_host) as server:
        host = {
            "ansible_connection": "winrm",
            "ansible_host": server.host,
            "ansible_port": server.port,
            "ansible_winrm_scheme": "http",
            "ansible_winrm_transport": "ntlm",
            "ansible_user": "user",
            "ansible_password": "password",
        }
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"w1": host}}}))
        said = call(tmp_path, "run", "site.yml", "-i", "hosts.yml", "--events", "-")
    events = [json.loads(line) for line in said.out.splitlines() if line.startswith("{")]
    first, second = (event["result"] for event in events if event["event"] == "JobFinished")
    assert (first["greeting"], first["word"], first["checked"]) == ("Hello, Ada", "wörd", False), said.err
    assert second["checked"] is True
