"""``constructed``: what is made of earlier sources; that it is what Ansible makes is compared in tests/inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.sources import groups, read_inventory, refused, variables, written

HOSTS = "[web]\nweb1 os='Red Hat' n=1\nweb2 os=debian n=2 tags='[\"a\", \"\"]'\n"


def test_it_sees_earlier_sources_and_only_those(tmp_path: Path) -> None:
    first = written(tmp_path, "1.ini", HOSTS)
    made = written(tmp_path, "2.yml", {"plugin": "constructed", "compose": {"m": "n + 1"}, "groups": {"big": "n > 1"}})
    later = written(tmp_path, "3.ini", "late n=9\n")
    inventory = read_inventory(first, made, later)
    assert variables(inventory)["web1"]["m"] == 2
    assert groups(inventory) == {"web1": ["web"], "web2": ["big", "web"], "late": ["ungrouped"]}


def test_names_of_groups_become_valid(tmp_path: Path) -> None:
    first = written(tmp_path, "1.ini", HOSTS)
    keyed = [{"key": "os", "prefix": "os", "parent_group": "by_{{ 'os' }}"}, {"key": "tags", "default_value": "none"}]
    made = written(tmp_path, "2.yml", {"plugin": "ansible.builtin.constructed", "keyed_groups": keyed})
    assert groups(read_inventory(first, made)) == {
        "web1": ["by_os", "os_Red_Hat", "web"],
        "web2": ["_a", "_none", "by_os", "os_debian", "web"],
    }


def test_what_it_makes_is_never_a_template(tmp_path: Path) -> None:
    first = written(tmp_path, "1.yml", "all: {hosts: {h: {said: !unsafe '{{ oops }}'}}}\n")
    made = written(tmp_path, "2.yml", {"plugin": "constructed", "compose": {"again": "said"}})
    assert variables(read_inventory(first, made))["h"]["again"] == "{{ oops }}"


def test_variables_of_files_are_seen_on_request(tmp_path: Path) -> None:
    first = written(tmp_path, "1.ini", HOSTS)
    written(tmp_path, "group_vars/web.yml", "rack: r1\n")
    options = {"plugin": "constructed", "keyed_groups": [{"key": "rack", "separator": ""}]}
    without = written(tmp_path, "2.yml", options)
    within = written(tmp_path, "3.yml", {**options, "use_vars_plugins": True})
    assert groups(read_inventory(first, without))["web1"] == ["web"]
    assert groups(read_inventory(first, within))["web1"] == ["r1", "web"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"compose": {"m": "missing"}, "strict": True}, "'m' can't be set for host 'web1'"),
        ({"groups": {"g": "missing"}, "strict": True}, "'g' can't be decided for host 'web1'"),
        ({"keyed_groups": [{"key": "missing"}], "strict": True}, "'missing' can't be evaluated for host 'web1'"),
        ({"keyed_groups": [{"key": "''"}], "strict": True}, "gives nothing for host 'web1'"),
        ({"keyed_groups": [{"key": "n"}]}, "gives 1 (int) for host 'web1'"),
        ({"keyed_groups": [{"key": "os", "prefx": "a"}]}, "not 'prefx'"),
        ({"keyed_groups": ["os"]}, "a dictionary with a 'key'"),
        ({"keyed_groups": [{"key": "os", "default_value": "a", "trailing_separator": False}]}, "only one may be given"),
    ],
)
def test_mistakes_are_told_at_their_option(tmp_path: Path, options: dict[str, object], words: str) -> None:
    first = written(tmp_path, "1.ini", HOSTS)
    made = written(tmp_path, "2.yml", {"plugin": "constructed", **options})
    found = refused(first, made)
    assert found.summary == "A constructed inventory can't be made"
    assert words in found.detail
    assert found.position is not None
    assert (found.position.path, found.position.line) == (str(made), 1)


def test_an_unknown_option_is_told_with_its_place(tmp_path: Path) -> None:
    found = refused(written(tmp_path, "1.yml", "plugin: constructed\nkeyed_group: []\n"))
    assert found.summary == "Unknown argument"
    assert "Did you mean 'keyed_groups'?" in found.detail
    assert str(found.position) == f"{tmp_path}/1.yml:2:1"
