"""The sections of a play: ``pre_tasks``, ``tasks`` and ``post_tasks`` follow one another, wherever they are written."""

from __future__ import annotations

import pytest
from support.makers import Mistakes, ReadPlaybook

from drumline.loading.needs import needs_of
from drumline.model.playbook import Section, TaskPath

SECTIONS = """
- id: p
  hosts: all
  become: true
  post_tasks:
    - {id: last, ping: }
  tasks:
    - {id: one, ping: }
    - {id: beside, needs: [], ping: }
    - {id: back, needs: [before], ping: }
    - {id: two, needs: [one], ping: }
  pre_tasks:
    - {id: before, ping: }
    - id: group
      block:
        - {id: inner, ping: }
"""


def needs(read_playbook: ReadPlaybook, text: str) -> dict[str, list[str]]:
    """What each task and block needs, by their ids."""
    graph = needs_of(read_playbook(text).plays)
    return {path.names[-1]: [str(need) for need in found] for path, found in graph.items() if path.names}


def test_tasks_of_all_sections_are_tasks_of_the_play(read_playbook: ReadPlaybook) -> None:
    [play] = read_playbook(SECTIONS).plays
    assert [(task.id, task.section) for task in play.tasks] == [
        ("before", Section.PRE_TASKS),
        ("inner", Section.PRE_TASKS),
        ("one", Section.TASKS),
        ("beside", Section.TASKS),
        ("back", Section.TASKS),
        ("two", Section.TASKS),
        ("last", Section.POST_TASKS),
    ]
    assert [block.section for block in play.blocks] == [Section.PRE_TASKS]
    assert all(task.become for task in play.tasks)
    assert play.path_of(play.tasks[-1]) == TaskPath("p", ("last",))


def test_what_needs_nothing_in_its_section_needs_the_end_of_the_one_before(read_playbook: ReadPlaybook) -> None:
    found = needs(read_playbook, SECTIONS)
    assert found["before"] == []
    assert (found["one"], found["beside"]) == (["p.group"], ["p.group"])
    assert found["back"] == ["p.before", "p.group"]
    assert found["two"] == ["p.one"]
    assert found["last"] == ["p.beside", "p.back", "p.two"]


def test_an_empty_section_is_passed_over(read_playbook: ReadPlaybook) -> None:
    text = "- {id: p, hosts: a, pre_tasks: [{id: x, ping: }], tasks: [], post_tasks: [{id: y, needs: [], ping: }]}\n"
    assert needs(read_playbook, text) == {"x": [], "y": ["p.x"]}


def test_needs_of_the_play_are_those_of_its_first_section(read_playbook: ReadPlaybook) -> None:
    text = "- {id: p, hosts: a, tasks: [{id: t, ping: }]}\n"
    text += "- {id: q, hosts: a, pre_tasks: [{id: x, ping: }], tasks: [{id: y, needs: [p], ping: }]}\n"
    assert needs(read_playbook, text) == {"t": [], "x": ["p"], "y": ["q.x"]}


def test_a_need_of_a_later_section_is_a_cycle(mistakes: Mistakes) -> None:
    text = "- {id: p, hosts: a, pre_tasks: [{id: x, needs: [y], ping: }], tasks: [{id: y, ping: }]}\n"
    [(place, said)] = mistakes(text)
    assert place == "1:41"
    assert "'x' needs 'y', which needs 'x'." in said


@pytest.mark.parametrize("section", ["pre_tasks", "post_tasks"])
def test_a_section_is_a_list(section: str, mistakes: Mistakes) -> None:
    [(_, said)] = mistakes(f"- hosts: a\n  {section}: {{ping: }}\n")
    assert f"'{section}' takes a list of tasks" in said


def test_ids_are_unique_over_all_sections(mistakes: Mistakes) -> None:
    [(_, said)] = mistakes("- {hosts: a, pre_tasks: [{id: x, ping: }], tasks: [{id: x, ping: }]}\n")
    assert "Another task has the id 'x' already" in said
