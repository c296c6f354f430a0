"""What a task says for one item of one job: rendered when it is asked for, and with no scope where nothing is."""

from __future__ import annotations

from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.execution.task_values import TaskValues, constant_arguments
from drumline.inventory.variables import Scope
from drumline.model.playbook import Loop, Task
from drumline.model.target import Target
from drumline.model.value import Template
from drumline.plugin.actions import ActionFailed
from drumline.plugin.manager import load_plugins
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating

HERE = Position("site.yml", 4, 9)
TEMPLATING = Templating()


def task(**fields: Any) -> Task:
    return Task(id="t", name="t", action="command", position=HERE, **fields)


def values(given: Task, **variables: Any) -> TaskValues:
    return TaskValues(given, TEMPLATING, lambda: Scope([variables], TEMPLATING))


def template(text: str) -> Template:
    return Template(text, HERE)


def test_a_constant_task_needs_no_variables() -> None:
    def no_scope() -> Scope:
        raise AssertionError("nothing is to be rendered")

    constant = task(arguments={"cmd": "true"}, become=True, no_log=False, timeout=5)
    found = TaskValues(constant, TEMPLATING, no_scope)
    assert found.false_condition() is None
    assert found.flag(constant.no_log, "no_log") is False
    assert found.number(constant.timeout, "timeout") == 5
    assert found.environment() == {}
    become = found.become(Target(host="a", transport="ssh", become_method="sudo"))
    assert become is not None
    assert become.user == "root"
    assert found.with_result({"rc": 0}) is found


def test_a_scope_is_made_once() -> None:
    made = []

    def make() -> Scope:
        made.append(1)
        return Scope([{"x": 1}], TEMPLATING)

    found = TaskValues(task(), TEMPLATING, make)
    assert [found.render(template("{{ x }}")), found.look_up("x")] == [1, 1]
    assert len(made) == 1


@pytest.mark.parametrize(
    ("keyword", "value", "words"),
    [
        ("no_log", "{{ 7 }}", "'no_log' has to be true or false, but this gives 7."),
        ("timeout", "{{ 'long' }}", "'timeout' has to be a number of 0 or more, but this gives 'long'."),
        ("timeout", "{{ -1 }}", "'timeout' has to be a number of 0 or more, but this gives -1."),
        ("loop", "{{ 3 }}", "'loop' needs a list, but this gives int."),
        ("environment", "{{ 3 }}", "'environment' has to be a dictionary, or a list of them."),
    ],
)
def test_a_value_of_another_kind_is_named_with_its_place(keyword: str, value: str, words: str) -> None:
    place = Position("site.yml", 9, 3)
    found = values(task(positions={keyword: place}, environment=template(value)))
    ask = {
        "no_log": lambda: found.flag(template(value), keyword),
        "timeout": lambda: found.number(template(value), keyword),
        "loop": lambda: found.items(Loop(items=template(value))),
        "environment": found.environment,
    }
    with pytest.raises(TemplateFailed) as error:
        ask[keyword]()
    assert (error.value.summary, error.value.position) == (words, place)


def test_a_result_is_seen_by_the_conditions_that_judge_it() -> None:
    judged = task(register="done", failed_when=(Template("done.rc == 1", HERE, bare=True),))
    found = values(judged, done="before")
    assert found.with_result({"rc": 1}).holds(judged.failed_when)
    assert found.look_up("done") == "before"
    with pytest.raises(ActionFailed, match="'missing' is undefined"):
        found.look_up("missing")


def test_arguments_are_constant_unless_something_in_them_is_to_be_rendered() -> None:
    actions = load_plugins().actions
    command, debug = actions["command"], actions["set_fact"]
    assert constant_arguments(task(arguments={"cmd": "true"}), command, TEMPLATING)
    assert constant_arguments(task(arguments={"cmd": template("{{ x }}")}), command, TEMPLATING) is None
    assert constant_arguments(task(arguments={"{{ x }}": 1}), debug, TEMPLATING) is None
    assert values(task(arguments={"{{ x }}": template("{{ y }}")}), x="name", y=2).arguments(debug)["name"] == 2
