"""What tasks and plays are called in reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.model.playbook import Play, Task
from drumline.model.titles import play_title, task_title
from drumline.model.value import Template

AT = Position("site.yml")


def title(action: str, arguments: Mapping[str, Any], **fields: Any) -> str:
    return task_title(
        Task(**{"id": "x-2", "name": action, "action": action, "arguments": arguments, "position": AT, **fields})
    )


@pytest.mark.parametrize(
    ("action", "arguments", "shown"),
    [
        ("command", {"cmd": "echo 1"}, "command: echo 1"),
        ("command", {"argv": ["echo", "a b"]}, "command: echo a b"),
        ("command", {"cmd": Template("echo {{ x }}", AT), "chdir": "/tmp"}, "command: echo {{ x }}"),
        ("shell", {"cmd": "a\n  b\n"}, "shell: a b"),
        ("copy", {"src": "a", "dest": "/b", "mode": "0644"}, "x-2"),
        ("copy", {"content": "something long", "dest": "/b"}, "x-2"),
        ("set_fact", {"password": "hunter2"}, "x-2"),
        ("ping", {}, "x-2"),
        ("command", {"cmd": "login --password=hunter2"}, "command: login --password=********"),
        ("command", {"cmd": "x" * 100}, f"command: {'x' * 59}…"),
    ],
)
def test_a_task_without_a_name_is_called_by_its_text(action: str, arguments: Mapping[str, Any], shown: str) -> None:
    assert title(action, arguments) == shown


def test_a_name_or_an_id_comes_first_and_no_log_shows_no_text() -> None:
    arguments = {"cmd": "echo 1"}
    assert title("command", arguments, name="Say it") == "Say it"
    assert title("command", arguments, id="say", positions={"id": AT}) == "say"
    assert title("command", arguments, no_log=True) == "x-2"
    assert title("command", arguments, no_log=Template("{{ x }}", AT)) == "x-2"


def test_an_unnamed_play_is_called_by_its_hosts() -> None:
    assert play_title(Play(id="web", name="web:!db", hosts="web:!db", position=AT)) == "hosts: web:!db"
    assert play_title(Play(id="web", name="Roll out", hosts="web", position=AT)) == "Roll out"
