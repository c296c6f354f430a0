"""YAML inventories: what is wrong in one, and where."""

from __future__ import annotations

import pytest

from drumline.diagnostics import Position
from drumline.inventory.draft import Draft
from drumline.inventory.yaml_source import read_yaml
from drumline.source.yaml import load


def draft_of(text: str) -> Draft:
    draft = Draft()
    read_yaml(load(text, "hosts.yml"), draft)
    return draft


def test_a_single_name_may_stand_for_hosts_and_children() -> None:
    draft = draft_of("web: {hosts: 'web[1:2]', children: sub}\n")
    assert list(draft.hosts) == ["web1", "web2"]
    assert list(draft.groups["web"].children) == ["sub"]


@pytest.mark.parametrize(
    ("text", "summary", "where", "words"),
    [
        ("- web1\n", "Wrong type in an inventory", (1, 1), "a list"),
        ("web1\n", "Wrong type in an inventory", (1, 1), "text"),
        ("web: {hosts: [a]}\n", "Wrong type in an inventory", (1, 14), "End each name with a colon"),
        ("web: {vars: 1}\n", "Wrong type in an inventory", (1, 13), "'vars' of group 'web'"),
        ("web: {hosts: {a: b}}\n", "Wrong type in an inventory", (1, 18), "Host 'a'"),
        ("web: 1\n", "Wrong type in an inventory", (1, 6), "Group 'web'"),
        ("web: {host: {a: }}\n", "Unknown key in a group", (1, 7), "Did you mean 'hosts'?"),
        ("web: {hosts: {../../../x: }}\n", "Not a host name", (1, 15), "reads as a path"),
        ("web: {hosts: {'a b': }}\n", "Not a host name", (1, 15), "A space"),
        ("web: {hosts: {'a[2:1]': }}\n", "Not a host name", (1, 15), "empty"),
        ("'my web': {}\n", "Not a group name", (1, 1), "A space"),
    ],
)
def test_a_wrong_entry_is_told_with_its_place(text: str, summary: str, where: tuple[int, int], words: str) -> None:
    (found,) = draft_of(text).mistakes
    assert found.summary == summary
    assert found.position == Position("hosts.yml", *where)
    assert words in found.detail
