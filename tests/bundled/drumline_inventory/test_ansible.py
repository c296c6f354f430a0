"""``ansible``: what ansible-inventory says, where it is installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.sources import groups, read_inventory, refused, variables, written

ANSWER = """{"_meta": {"hostvars": {"w": {"b": 2}}}, "all": {"children": ["ungrouped", "web"], "vars": {"a": 1}},
"web": {"hosts": ["w"]}}"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of ansible-inventory, which writes down what it was asked."""
    path = written(tmp_path, "bin/ansible-inventory", f"#!/bin/sh\necho \"$@\" >> {tmp_path}/asked\necho '{ANSWER}'\n")
    path.chmod(0o755)
    monkeypatch.setenv("DRUMLINE_ANSIBLE_INVENTORY", str(path))
    return tmp_path / "asked"


def test_another_inventory_is_asked_for(tmp_path: Path, program: Path) -> None:
    inventory = read_inventory(written(tmp_path, "1.yml", "plugin: ansible\nsource: old/hosts\n"))
    assert program.read_text() == f"-i {tmp_path}/old/hosts --list --export\n"
    assert variables(inventory) == {"w": {"a": 1, "b": 2}}
    [warning] = inventory.warnings
    assert "was read by Ansible: ansible-inventory -i" in warning.detail


def test_a_file_for_a_plugin_that_only_ansible_has_is_ansibles(tmp_path: Path, program: Path) -> None:
    source = written(tmp_path, "1.yml", "plugin: amazon.aws.aws_ec2\nregions: ['{{ not_ours }}']\n")
    assert groups(read_inventory(source)) == {"w": ["web"]}
    assert program.read_text() == f"-i {source} --list --export\n"


def test_without_ansible_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRUMLINE_ANSIBLE_INVENTORY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = refused(written(tmp_path, "1.yml", "plugin: amazon.aws.aws_ec2\n"))
    assert found.summary == "Unknown inventory source"
    assert "Where ansible-core is installed" in found.detail
    assert "isn't installed" in refused(written(tmp_path, "2.yml", "plugin: ansible\nsource: x\n")).detail


def test_a_source_is_needed(tmp_path: Path, program: Path) -> None:
    assert refused(written(tmp_path, "1.yml", "plugin: ansible\n")).summary == "Ansible needs a source"


@pytest.mark.ansible
def test_the_real_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("ansible-inventory")
    monkeypatch.setenv("DRUMLINE_ANSIBLE_INVENTORY", str(real))
    written(tmp_path, "old/hosts", "[web]\nw[1:2] a='{{ b }}'\n")
    source = written(tmp_path, "1.yml", "plugin: ansible\nsource: old/hosts\n")
    generated = "plugin: ansible.builtin.generator\nhosts: {name: 'g{{ n }}'}\nlayers: {n: [1, 2]}\n"
    inventory = read_inventory(source, written(tmp_path, "2.yml", generated))
    assert groups(inventory) == {
        "w1": ["web"],
        "w2": ["web"],
        "g1": ["ungrouped"],
        "g2": ["ungrouped"],
    }
