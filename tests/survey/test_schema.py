"""``drumline schema``: what is right validates, and wrong files fail that a schema can catch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from support.documents import ROOT, blocks
from support.program import call

from drumline.built_in import all_plugins
from drumline.source.nodes import Node
from drumline.source.yaml import load, read
from drumline.survey.schema import SCHEMAS

PLUGINS = all_plugins()
VALIDATORS = {kind: Draft202012Validator(make(PLUGINS)) for kind, make in SCHEMAS.items()}
MISTAKES = ROOT / "tests" / "mistakes"
#: Beginnings of names of wrong files that a schema catches; the others need more than one place, or a look elsewhere.
CAUGHT = (
    *("block-", "handler-unknown", "handlers-no", "import-with-", "play-barrier", "play-gather", "play-keep"),
    *("play-keyword", "play-max", "play-order", "play-serial", "play-spread", "play-strategy", "play-tasks-no"),
    *("play-unknown-keyword", "play-vari", "play-vars-files", "play-vars-list", "play-without", "task-all-at"),
    *("task-argument-as", "task-argument-choice", "task-argument-ex", "task-argument-type", "task-argument-unknown"),
    *("task-arguments", "task-async-word", "task-become-word", "task-env", "task-id-wrong", "task-ignore"),
    *("task-keyword", "task-loop-control", "task-loop-text", "task-mode-wrong", "task-no-action", "task-not-yet"),
    *("task-pause", "task-register-name", "task-retries", "task-start", "task-tags", "task-text", "task-throttle"),
    *("task-trigger", "task-two", "task-unknown", "task-when-number", "template-in-id", "yaml-dictionary"),
)


def raw(node: Node | None) -> Any:
    value = node.value if node is not None else None
    if isinstance(value, dict):
        return {key: raw(entry.node) for key, entry in value.items()}
    return [raw(item) for item in value] if isinstance(value, list) else value


def faults(kind: str, content: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:300]}" for error in VALIDATORS[kind].iter_errors(content)]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_it_is_a_schema(kind: str) -> None:
    Draft202012Validator.check_schema(VALIDATORS[kind].schema)


def _is_playbook(content: Any) -> bool:
    return isinstance(content, list) and any(
        isinstance(item, dict) and not {"hosts", "import_playbook", "generate"}.isdisjoint(item) for item in content
    )


EXAMPLES = sorted(
    path for name in ("playbooks", "docs/examples", "benchmarks") for path in (ROOT / name).rglob("*.yml")
)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_example_validates(path: Path) -> None:
    content = raw(read(path))
    if _is_playbook(content):
        assert faults("playbook", content) == []


def test_every_block_of_the_documentation_validates() -> None:
    for block in blocks("yaml"):
        content = raw(load(block.text, str(block)))
        if block.info == "wrong" or block.page.name == "plugins.md":  # whose actions aren't installed
            continue
        if _is_playbook(content) and all({"hosts", "import_playbook", "generate"} & set(play) for play in content):
            assert faults("playbook", content) == [], block
        elif isinstance(content, dict) and "all" in content:
            assert faults("inventory", content) == [], block
        elif isinstance(content, list):
            assert faults("tasks", content) == [], block


@pytest.mark.parametrize(
    "path", [path for path in sorted((MISTAKES / "playbooks").glob("*.yml")) if path.name.startswith(CAUGHT)], ids=str
)
def test_wrong_playbooks_fail(path: Path) -> None:
    assert faults("playbook", raw(read(path)))


@pytest.mark.parametrize("name", ["unknown-key.yml", "hosts-list.yml", "host-no-dictionary.yml"])
def test_wrong_inventories_fail(name: str) -> None:
    assert faults("inventory", raw(read(MISTAKES / "inventories" / name)))


def test_the_command_prints_it(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "own.py").write_text(
        "from drumline.plugin import Action, Result, hookimpl\n"
        "def perform(call):\n    yield from ()\n    return Result()\n"
        "@hookimpl\ndef drumline_actions():\n    return [Action(name='own_one', perform=perform, help='Own')]\n"
    )
    assert "own_one" not in call(tmp_path, "schema").out  # the file isn't run
    ended = call(tmp_path, "schema", "--trust")
    schema = json.loads(ended.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "own_one" in schema["$defs"]["task"]["properties"]
    assert json.loads(call(tmp_path, "schema", "inventory").out)["title"] == "An inventory of drumline"
