"""More than eighty inventories as Ansible has them: ``--list``, ``--export``, ``--graph`` and ``--host``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.corpus import Case, ask_ansible, cases, recorded
from support.sources import registry

from drumline import app
from drumline.cli.inventory import graph_lines
from drumline.config import Settings
from drumline.inventory.listing import listing
from drumline.source.origins import origins_noted
from drumline.source.vault import Keyring, use_keyring

CASES = {case.name: case for case in cases()}
#: Differences that the table in docs/playbooks.md names.
DIFFERENT = {"list_with_ranges", "program_empty"}
ANSWERS = recorded()


def test_there_are_enough() -> None:
    assert len(CASES) >= 60
    assert ANSWERS.keys() == CASES.keys()


def answers(case: Case, directory: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What drumline says of it, in the form of Ansible's answers."""
    case.unpack(directory)
    monkeypatch.chdir(directory)
    use_keyring(Keyring())  # Ansible lists what is encrypted as it stands
    with origins_noted() as noted:
        inventory = app.inventory_of(Settings(inventory=case.sources, state=directory / "state"), registry())
    listed = listing(inventory, inventory.hosts, lambda _name: False)
    return {
        "list": listed,
        "export": listing(inventory, inventory.hosts, lambda _name: False, own=noted.variables_of("host")),
        "graph": "\n".join(graph_lines(inventory.groups, "all")) + "\n",
        "hosts": listed["_meta"]["hostvars"],
    }


def check(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for question in ("list", "export"):
        assert canonical(ours[question]) == canonical(theirs[question]), question
    assert sorted(ours["graph"].splitlines()) == sorted(theirs["graph"].splitlines())
    for host, variables in theirs["hosts"].items():
        assert unmarked(ours["hosts"].get(host, {})) == unmarked(variables)


def canonical(answer: Any) -> str:
    """The answer as text, in which the order of keys and of groups' children means nothing."""
    answer = unmarked(answer, braces=True)
    listed = {
        name: {**group, "children": sorted(group["children"])} if "children" in group else group
        for name, group in answer.items()
        if isinstance(group, dict)
    }
    return json.dumps({**answer, **listed}, sort_keys=True, indent=1, ensure_ascii=False)


def unmarked(value: Any, *, braces: bool = False) -> Any:
    """The value without Ansible's marks of text that is never a template; but, if asked for, where that matters."""
    if isinstance(value, dict):
        if list(value) == ["__ansible_unsafe"] and not (braces and "{" in value["__ansible_unsafe"]):
            return value["__ansible_unsafe"]
        return {name: unmarked(item, braces=braces) for name, item in value.items()}
    return [unmarked(item, braces=braces) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", CASES)
def test_it_is_as_ansible_had_it(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = answers(CASES[name], tmp_path, monkeypatch)
    if name in DIFFERENT:
        with pytest.raises(AssertionError):
            check(name, ours, ANSWERS[name])
    else:
        check(name, ours, ANSWERS[name])


@pytest.mark.ansible
def test_ansible_still_has_it_so() -> None:
    assert ask_ansible() == ANSWERS
