"""``drumline config``, and that runs obey ``ansible.cfg``."""

from __future__ import annotations

import json
from pathlib import Path

from support.program import call

CONFIG = """[defaults]
inventory = hosts
forks = 7
remote_user = deploy
gathering = explicit
vault_password_file = pw
nocows = 1
forkz = 3
"""
PLAYBOOK = "- {hosts: all, tasks: [{debug: {msg: '{{ ansible_facts.os_family }}'}}]}\n"


def project(directory: Path) -> Path:
    (directory / "ansible.cfg").write_text(CONFIG)
    (directory / "hosts").write_text("a ansible_connection=local\n")
    (directory / "pw").write_text("secret\n")
    (directory / "site.yml").write_text(PLAYBOOK)
    return directory


def test_every_setting_its_value_and_its_source(tmp_path: Path) -> None:
    ended = call(project(tmp_path), "config", env={"ANSIBLE_FORKS": "9", "DRUMLINE_LAB_WINDOWS": "wine"})
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert (ended.status, ended.err) == (0, "")
    assert "forks = 9 # ANSIBLE_FORKS" in lines
    assert 'inventory = ["hosts"] # ansible.cfg:2' in lines
    assert "sessions = 4 # default" in lines
    assert "journal_limit = 4 GiB # default" in lines
    assert "lab.windows = wine # DRUMLINE_LAB_WINDOWS" in lines
    assert lines[-2:] == [
        "# [defaults] nocows has no effect in drumline (ansible.cfg:7)",
        "# [defaults] forkz isn't known to drumline (ansible.cfg:8)",
    ]


def test_only_what_was_changed_as_json(tmp_path: Path) -> None:
    found = json.loads(call(project(tmp_path), "config", "--changed", "--format", "json").out)
    assert found["file"] == "ansible.cfg"
    assert found["settings"]["remote_user"] == {"value": "deploy", "source": "ansible.cfg:4"}
    assert found["settings"]["state"]["source"] == "DRUMLINE_STATE"
    assert "sessions" not in found["settings"]
    assert found["ignored"][0] == {"name": "[defaults] nocows", "source": "ansible.cfg:7", "has_no_effect": True}


def test_drumline_toml_and_its_tables(tmp_path: Path) -> None:
    (project(tmp_path) / "drumline.toml").write_text("fact_cache = '12h'\n\n[lab]\nwindows = 'w'\n")
    lines = [" ".join(line.split()) for line in call(tmp_path, "config", "--changed").out.splitlines()]
    assert lines == [
        "fact_cache = 12h # drumline.toml:1",
        f"state = {tmp_path}/state # DRUMLINE_STATE",
        "lab.windows = w # drumline.toml:4",
    ]


def test_nothing_was_changed(tmp_path: Path) -> None:
    ended = call(tmp_path, "config", "--changed", env={"DRUMLINE_STATE": ""})
    assert ended.out == "All settings have their defaults.\n"


def test_a_run_obeys_it(tmp_path: Path) -> None:
    ended = call(project(tmp_path), "plan", "site.yml")
    assert (ended.status, "error: Facts are not gathered" in ended.err) == (5, True), ended.said
    (tmp_path / "site.yml").write_text("- {hosts: all, tasks: [{command: echo hi}]}\n")
    ended = call(tmp_path, "run", "site.yml", "-v")
    assert (ended.status, "hi" in ended.out) == (0, True), ended.said
    (tmp_path / "pw").unlink()
    assert "A file with a vault password isn't there" in call(tmp_path, "plan", "site.yml").err


def test_exec_obeys_it(tmp_path: Path) -> None:
    project(tmp_path)
    ended = call(tmp_path, "exec", "all", "-m", "debug", "-a", "msg='{{ ansible_user }}'")
    assert "deploy" in ended.out, ended.said


def test_mistakes_in_it_stop_everything(tmp_path: Path) -> None:
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = few\n")
    ended = call(tmp_path, "plan", "site.yml")
    assert ended.status == 5
    assert "ansible.cfg:2:1: error: This setting has an invalid value" in ended.err
