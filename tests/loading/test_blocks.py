"""Blocks: what stands in them, what they pass on, and what needs what."""

from __future__ import annotations

from typing import Any

import pytest
from support.makers import Mistake, Mistakes, ReadPlaybook

from drumline.loading.needs import needs_of
from drumline.model.playbook import BlockPart, Play, Within
from drumline.model.value import Template

BLOCK = """
- hosts: all
  become: true
  tags: [play]
  environment: {A: play, B: play}
  tasks:
    - {id: before, ping: }
    - name: Work hard
      when: x
      vars: {v: block, w: block}
      tags: [block]
      environment: {B: block}
      delegate_to: other
      block:
        - {id: one, ping: , when: y, vars: {w: task}, tags: task, environment: {C: task}}
        - block:
            - {id: inner, ping: , when: z, delegate_to: localhost, become: false}
          always:
            - {id: tidy, ping: }
      rescue:
        - {id: restore, ping: }
    - {id: after, ping: }
"""


@pytest.fixture
def play(read_playbook: ReadPlaybook) -> Play:
    [play] = read_playbook(BLOCK).plays
    return play


def task(play: Play, name: str) -> Any:
    return next(task for task in play.tasks if task.id == name)


def test_tasks_say_where_they_stand(play: Play) -> None:
    assert [(play.path_of(block).names, block.within) for block in play.blocks] == [
        (("work-hard",), None),
        (("work-hard", "block"), Within(0, BlockPart.TASKS)),
    ]
    assert {task.id: (play.path_of(task).names[:-1], task.within) for task in play.tasks} == {
        "before": ((), None),
        "one": (("work-hard",), Within(0, BlockPart.TASKS)),
        "inner": (("work-hard", "block"), Within(1, BlockPart.TASKS)),
        "tidy": (("work-hard", "block"), Within(1, BlockPart.ALWAYS)),
        "restore": (("work-hard",), Within(0, BlockPart.RESCUE)),
        "after": ((), None),
    }


def test_what_a_block_says_holds_for_all_in_it(play: Play) -> None:
    def conditions(name: str) -> list[str]:
        return [part.text for part in task(play, name).when if isinstance(part, Template)]

    assert [conditions(name) for name in ("before", "one", "inner", "tidy", "restore")] == [
        [],
        ["x", "y"],
        ["x", "z"],
        ["x"],
        ["x"],
    ]
    assert task(play, "one").variables == {"v": "block", "w": "task"}
    assert task(play, "restore").variables == {"v": "block", "w": "block"}
    assert task(play, "one").tags == {"play", "block", "task"}
    assert task(play, "before").tags == {"play"}
    assert task(play, "one").environment == {"A": "play", "B": "block", "C": "task"}
    assert (task(play, "one").delegate_to, task(play, "inner").delegate_to) == ("other", "localhost")
    assert (task(play, "one").become, task(play, "inner").become) == (True, False)


def needs(read_playbook: ReadPlaybook, tasks: str) -> dict[str, list[str]]:
    """What each task and block of a play needs, by ids."""
    playbook = read_playbook("- id: p\n  hosts: all\n  tasks:\n" + tasks)
    return {
        path.names[-1]: [".".join(need.names) for need in needed]
        for path, needed in needs_of(playbook.plays).items()
        if not path.is_play
    }


def test_a_block_is_one_element_of_its_list(read_playbook: ReadPlaybook) -> None:
    found = needs(
        read_playbook,
        """
    - {id: a, ping: }
    - id: b
      block: [{id: b1, ping: }, {id: b2, ping: }, {id: b3, ping: , needs: []}, {id: b4, ping: , needs: [b1, b3]}]
      rescue: [{id: r1, ping: }, {id: r2, ping: }]
      always: [{id: t, ping: }]
    - {id: c, ping: }
""",
    )
    assert found == {
        "a": [],
        "b1": ["a"],
        "b2": ["b.b1"],
        "b3": ["a"],
        "b4": ["b.b1", "b.b3"],
        "r1": ["a"],
        "r2": ["b.r1"],
        "t": ["a"],
        "b": ["a", "b.b1", "b.b2", "b.b3", "b.b4", "b.r1", "b.r2", "b.t"],
        "c": ["b"],
    }


def test_needs_of_a_block_hold_for_what_needs_nothing_in_it(read_playbook: ReadPlaybook) -> None:
    found = needs(
        read_playbook,
        """
    - {id: a, ping: }
    - {id: x, ping: , needs: []}
    - id: b
      needs: [x]
      block: [{id: b1, ping: , needs: [a]}, {id: b2, ping: , needs: [b1, a]}]
    - {id: c, ping: , needs: [b, b1]}
""",
    )
    assert (found["b1"], found["b2"], found["c"]) == (["a", "x"], ["b.b1", "a"], ["b", "b.b1"])


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("block: {ping: }", "4:14", "'block' takes a list of tasks, but this is a dictionary."),
        ("rescue: [{ping: }]", "4:7", "A block without tasks."),
        ("block: [{ping: }]\nloop: [1]", "5:7", "A block has no keyword 'loop'. It is one of tasks."),
        ("block: [{ping: }]\nping:", "5:7", "A block has no keyword 'ping'."),
        ("id: b\nblock: [{ping: , needs: [b]}]", "5:24", "'ping' needs 'b', which needs 'ping'."),
        (
            "id: b\nblock: [{id: x, ping: , needs: [y]}]\nrescue: [{id: y, ping: }]",
            "5:31",
            "'x' needs 'y', which needs",
        ),
    ],
)
def test_mistakes_in_a_block(mistake: Mistake, text: str, place: str, message: str) -> None:
    found_place, found = mistake(text)
    assert message in found
    assert found_place == place


def test_a_task_between_two_of_a_block(mistakes: Mistakes) -> None:
    tasks = """
    - id: b
      block: [{id: b1, ping: }, {id: b2, ping: , needs: [x]}, {id: b3, ping: , needs: [b1, y]}]
    - {id: x, ping: , needs: [b1]}
    - {id: y, ping: , needs: []}
"""
    [(place, text)] = mistakes("- hosts: a\n  tasks:" + tasks)
    assert place == "4:50"
    assert text == (
        "A task between tasks of a block. 'b2' needs 'x', which needs 'b1' of the same block 'b'. "
        "What needs a task of a block from outside waits until no rescue can follow. Move 'x' into the block."
    )


def test_a_task_between_a_block_and_one_in_it(mistakes: Mistakes) -> None:
    tasks = """
    - id: b
      block: [{id: b1, ping: }, {id: inner, needs: [x], block: [{id: b2, ping: }]}]
    - {id: x, ping: , needs: [b1]}
"""
    [(place, text)] = mistakes("- hosts: a\n  tasks:" + tasks)
    assert place == "4:45"
    assert "'inner' needs 'x', which needs 'b1' of the same block 'b'" in text


def test_blocks_and_tasks_share_their_ids(mistakes: Mistakes) -> None:
    [(place, text)] = mistakes("- hosts: a\n  tasks:\n    - {id: x, block: [{ping: }]}\n    - {id: x, ping: }\n")
    assert place == "4:8"
    assert "Another task has the id 'x' already" in text
