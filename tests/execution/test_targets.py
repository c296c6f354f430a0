"""How a host is reached is worked out once for all tasks that say the same of it: it takes as long as a whole job."""

from pathlib import Path

import pytest

from drumline.app import prepare
from drumline.config import Settings
from drumline.execution.context import RunContext
from drumline.masking import Secrets

INVENTORY = "all: {hosts: {a: }, vars: {ansible_connection: local}}"


def context_of(directory: Path, play: str) -> RunContext:
    (directory / "inventory.yml").write_text(INVENTORY)
    (directory / "playbook.yml").write_text(play)
    settings = Settings(inventory=(str(directory / "inventory.yml"),), state=directory / "state")
    made = prepare([directory / "playbook.yml"], settings)
    return RunContext(
        plan=made.plan,
        inventory=made.inventory,
        actions=made.registry.actions,
        transports=made.registry.transports,
        templating=made.templating,
        extra_variables={},
        secrets=Secrets(),
        keep_output=lambda *_piece: True,
    )


@pytest.mark.parametrize("said", ["", "remote_user: deploy\n  "])
def test_tasks_that_say_nothing_of_it_share_what_was_found(tmp_path: Path, said: str) -> None:
    play = f"- hosts: all\n  {said}tasks:\n    - command: one\n    - command: two\n"
    context = context_of(tmp_path, play)
    first, second = (context.targets.of(step, "a") for step in context.plan.steps)
    assert first is second


def test_a_task_that_says_something_of_it_has_its_own(tmp_path: Path) -> None:
    play = "- hosts: all\n  tasks:\n    - command: one\n    - {command: two, port: 2222}\n"
    context = context_of(tmp_path, play)
    first, second = (context.targets.of(step, "a") for step in context.plan.steps)
    assert first is not second
