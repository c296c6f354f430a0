"""What settings say holds where a playbook says nothing, and only there."""

from __future__ import annotations

from pathlib import Path

from drumline.config import Settings
from drumline.loading.playbook import load_playbooks
from drumline.loading.reading import Around
from drumline.loading.usual import usual_of
from drumline.model.playbook import Play, Strategy
from drumline.plugin.actions import Action


def play_of(directory: Path, actions: dict[str, Action], text: str, settings: Settings) -> Play:
    path = directory / "site.yml"
    path.write_text(text)
    [play] = load_playbooks([path], actions, Around(usual=usual_of(settings))).plays
    return play


def test_keywords_and_connections(tmp_path: Path, actions: dict[str, Action]) -> None:
    settings = Settings(
        become=True, become_user="app", remote_user="deploy", remote_port=2222, host_key_checking=False, timeout=7.0,
        task_timeout=60.0, strategy="free", gathering="explicit", transport="smart",
    )  # fmt: skip
    play = play_of(tmp_path, actions, "- {hosts: all, tasks: [{command: a}]}", settings)
    [task] = play.tasks
    assert (task.become, task.become_user, task.timeout) == (True, "app", 60.0)
    assert task.connection == {
        "ansible_user": "deploy",
        "ansible_port": 2222,
        "ansible_host_key_checking": False,
        "ansible_timeout": 7.0,
    }
    assert (play.strategy, play.gathers) == (Strategy.FREE, False)


def test_the_playbook_wins(tmp_path: Path, actions: dict[str, Action]) -> None:
    settings = Settings(become=True, remote_user="deploy", remote_port=2222, strategy="free", gathering="explicit")
    text = """
- hosts: all
  strategy: linear
  gather_facts: true
  remote_user: ann
  tasks:
    - {command: a, become: false}
"""
    play = play_of(tmp_path, actions, text, settings)
    [task] = play.tasks
    assert task.become is False
    assert task.connection == {"ansible_user": "ann", "ansible_port": 2222}
    assert (play.strategy, play.gathers) == (Strategy.WAVES, True)


def test_without_settings_nothing_is_said(tmp_path: Path, actions: dict[str, Action]) -> None:
    [task] = play_of(tmp_path, actions, "- {hosts: all, tasks: [{command: a}]}", Settings()).tasks
    assert task.connection == {}
    assert usual_of(Settings()).tasks == {}
