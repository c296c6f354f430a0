"""``drumline plugins``: what there is, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

from support.program import call


def test_text_names_origin_and_offers(tmp_path: Path) -> None:
    ended = call(tmp_path, "plugins")
    assert (ended.status, ended.err) == (0, "")
    assert "ssh  drumline " in ended.out
    assert "  transports: ssh" in ended.out
    assert "  hooks: drumline_add_hookspecs, drumline_commands, drumline_settings\n" in ended.out
    assert " copy," in ended.out
    assert max(map(len, ended.out.splitlines())) <= 100


def test_json_has_everything(tmp_path: Path) -> None:
    found = {plugin["name"]: plugin for plugin in json.loads(call(tmp_path, "plugins", "--format", "json").out)}
    assert {"actions", "inventory", "lab", "local", "ssh", "winrm"} <= set(found)
    assert found["winrm"]["offers"]["transports"] == ["winrm"]
    assert "ansible.builtin.copy" in found["actions"]["offers"]["actions"]
    assert found["lab"]["offers"]["commands"] == ["lab"]
    assert found["trace"]["hooks"] == ["drumline_plugins_for_run", "drumline_settings"]
    assert not any(plugin["fault"] for plugin in found.values())


def test_a_plugin_of_the_project_and_its_fault_are_shown(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "broken.py").write_text("import drumline_no_such_module\n")
    ended = call(tmp_path, "plugins")
    assert ended.status == 0
    assert "plugins/broken.py" in ended.out
    assert "fault: " in ended.out
    assert "drumline_no_such_module" in ended.out
