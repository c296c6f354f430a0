from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from support.makers import MakePlan, MakePlay, MakeTask

from drumline.diagnostics import Position
from drumline.loading.names import references
from drumline.model.playbook import Amount, Play, Task
from drumline.model.value import Template
from drumline.planning.references import check_results
from drumline.templating.templates import Templating

HERE = Position("site.yml", 5, 9)


@pytest.fixture
def wrong(plan: MakePlan) -> Callable[..., list[str]]:
    """What is wrong with the references to results in these plays, as details; the place is the template's."""

    def check(*plays: Play, **options: Any) -> list[str]:
        made = plan(*plays, **options)
        found = list(check_results(made, references(made.playbook, {}, Templating())))
        assert all(diagnostic.position == HERE for diagnostic in found)
        return [diagnostic.detail for diagnostic in found]

    return check


@pytest.fixture
def using(task: MakeTask) -> MakeTask:
    """A task that renders this expression."""

    def using(name: str, expression: str, needs: tuple[str, ...] | None = None, **fields: Any) -> Task:
        template = Template("{{ " + expression + " }}", HERE)
        return task(name, needs, arguments={"cmd": template}, **fields)

    return using


def test_results_of_what_is_upstream_are_there(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask
) -> None:
    first = play("one", task("a"), task("b"))
    assert wrong(first, play("two", task("c"), using("d", "results.c.app1.stdout ~ results['one.a']['app1']"))) == []
    assert wrong(play("p", task("a"), task("b"), using("c", "results.a[inventory_hostname].rc"))) == []
    assert wrong(play("p", using("c", "results[item]"))) == []


def test_an_unknown_task(wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask) -> None:
    assert wrong(play("one", task("migrate")), play("p", task("a"), using("b", "results.migrate"))) == [
        (
            "No task of this play has the id 'migrate'. Did you mean 'one.migrate'? "
            "For a task of another play, write PLAY.TASK."
        )
    ]
    assert wrong(play("one", task("a")), play("p", using("b", "results.one.app1"))) == [
        "'one' is a play. Name one of its tasks, as in results['one.a']."
    ]


def test_a_name_that_several_tasks_have(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask
) -> None:
    [detail] = wrong(play("p", task("a"), replace(task("a-2"), name="a"), using("b", "results.a")))
    assert detail == "Several tasks are named 'a'. Give the one that you mean an id of its own."


def test_a_task_that_is_not_upstream(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask
) -> None:
    assert wrong(play("p", task("a"), task("b", ("a",)), using("c", "results.b.app1", ("a",)))) == [
        "'c' refers to the result of 'b', but doesn't wait for it. Write needs: [a, b] on 'c'."
    ]
    assert wrong(play("p", using("a", "results.a"), using("b", "results.c"), task("c"))) == [
        "'a' refers to its own result, which doesn't exist until it has run.",
        "'b' refers to the result of 'c', which runs after it: 'c' needs 'b'.",
    ]
    assert wrong(play("one", task("a")), play("two", using("b", "results['one.a']"), needs=())) == [
        "'b' refers to the result of 'one.a', but doesn't wait for it. Write needs: [one.a] on 'b'."
    ]


def test_a_variable_is_followed_to_the_task_that_uses_it(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask
) -> None:
    variables = {"position": Template("{{ results.b.app1.stdout }}", HERE)}
    uses = task("a", arguments={"cmd": Template("{{ position }}", Position("site.yml", 9))})
    [detail] = wrong(play("p", uses, task("b"), variables=variables))
    assert detail.startswith("'a' refers to the result of 'b'")


def test_a_task_that_is_left_out(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask
) -> None:
    given = (play("p", task("a", hosts="db"), using("b", "results.a.db1.rc")),)
    assert wrong(*given) == []
    assert wrong(*given, limit="app") == [
        "'a' has no result, because --tags, --skip-tags or --limit leaves it out of this run."
    ]
    assert wrong(play("p", task("a", hosts="db"), using("b", "results.a.db1.rc | default(0)")), limit="app") == []
    assert wrong(play("p", using("b", "results.z", tags=frozenset({"x"})), task("c")), skip_tags=["x"]) == []


def test_a_host_that_the_task_does_not_run_on(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask
) -> None:
    assert wrong(play("p", task("a", hosts="db"), using("b", "results.a.db11"))) == [
        "'a' runs on db[1-2], not on 'db11'. Did you mean 'db1'?"
    ]


def test_a_host_whose_turn_comes_later(
    wrong: Callable[..., list[str]], play: MakePlay, task: MakeTask, using: MakeTask
) -> None:
    rolling = play("p", task("a"), using("b", "results.a.app3.rc"), serial=(Amount(2),))
    [detail] = wrong(rolling)
    assert detail.startswith(
        "'b' already runs in batch 1, but 'a' runs on app3 in batch 2. Move app3 into an earlier play of"
    )
    assert wrong(play("p", task("a"), using("b", "results.a.app1.rc"), serial=(Amount(2),))) == []
