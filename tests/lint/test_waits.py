"""Waits that may never end, and those that surely do."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest
from support.makers import MakePlan, MakePlay, MakeTask

from drumline.diagnostics import Position
from drumline.lint.waits import lint_waits
from drumline.model.playbook import Amount, Barrier, Late, Play, Strategy, Task, TriggerRule
from drumline.model.value import Template

HERE = Position("site.yml", 5, 9)
DROP = Barrier(deadline=60, late=Late.DROP)

#: The reasons that it finds in these plays.
Lint: TypeAlias = Callable[..., list[str]]


def when(*texts: str) -> dict[str, object]:
    return {"when": tuple(Template(text, HERE, bare=True) for text in texts)}


@pytest.fixture
def make(task: MakeTask) -> MakeTask:
    """A task that makes the file that :func:`wait` waits for."""

    def make(name: str, needs: tuple[str, ...] | None = None, **fields: Any) -> Task:
        return task(name, needs, **{"arguments": {"cmd": "touch /srv/ready"}, **fields})

    return make


@pytest.fixture
def wait(task: MakeTask) -> MakeTask:
    def wait(name: str = "wait", needs: tuple[str, ...] | None = None, **fields: Any) -> Task:
        arguments = {"path": "/srv/ready"}
        return task(name, needs, action="wait_for", arguments=arguments, positions={"arguments.path": HERE}, **fields)

    return wait


@pytest.fixture
def lint(plan: MakePlan) -> Lint:
    """The lines that say why, without the first, of the one finding; none where nothing is found."""

    def lint(*plays: Play, extra: Mapping[str, object] | None = None, **options: Any) -> list[str]:
        found = list(lint_waits(plan(*plays, **options), extra or {}))
        if not found:
            return []
        [finding] = found
        assert (finding.summary, finding.position) == ("A wait that may never end", HERE)
        first, *reasons = finding.detail.splitlines()
        assert first == "'wait' waits for /srv/ready, which only its timeout may end:"
        return [line.replace(" (site.yml:1:1)", "") for line in reasons]

    return lint


def all_the_same(reason: str, path: str = "'wait' needs 'make'") -> list[str]:
    return [f"'make' {reason}, and 'wait' still runs: {path}."]


def test_a_wait_for_what_is_surely_made_before_it_ends(
    lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask
) -> None:
    assert lint(play("p", make("make"), task("pack"), wait())) == []
    assert lint(play("one", make("make")), play("two", wait())) == []


def test_a_wait_for_what_nobody_makes_is_for_something_else(
    lint: Lint, play: MakePlay, task: MakeTask, wait: MakeTask
) -> None:
    assert lint(play("p", task("a"), wait())) == []


def test_what_is_made_after_it(lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask) -> None:
    assert lint(play("p", wait(), task("pack"), make("make"))) == [
        "'make' runs after it: 'make' needs 'pack', which needs 'wait'."
    ]
    assert lint(play("one", wait()), play("two", make("make"))) == [
        "'make' runs after it: 'make' needs play 'one', which needs 'wait'."
    ]


def test_what_is_made_in_a_later_wave(
    lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask
) -> None:
    tasks = (task("a"), wait(needs=("a",)), task("b", ("a",)), make("make", ("b",)))
    assert lint(play("p", *tasks)) == ["'make' is in wave 3, which is released only after this wave 2 ends."]
    [reason] = lint(play("p", *tasks, strategy=Strategy.FREE))
    assert reason.startswith("'make' runs beside it, but 'wait' doesn't need it: if 'make' fails or is skipped")


def test_what_is_made_beside_it(lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask) -> None:
    [reason] = lint(play("p", make("make"), wait(needs=())))
    assert reason.endswith("the wait goes on. Add it to the needs.")
    [reason] = lint(play("one", make("make")), play("two", wait(), needs=()))
    assert reason.startswith("'make' runs beside it")


def test_what_may_be_skipped(lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask) -> None:
    between = (make("make", **when("do_it", "now")), task("pack"))
    path = "'wait' needs 'pack', which needs 'make'"
    assert lint(play("p", *between, wait())) == all_the_same("may be skipped (when: do_it and now)", path)
    assert lint(play("p", make("make", when=(False,)), wait())) == all_the_same("is skipped (when: False)")
    assert lint(play("p", make("make", when=(True,)), wait())) == []


def test_a_wait_that_is_skipped_with_it(
    lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask
) -> None:
    made = make("make", register="made", **when("do_it"))
    assert lint(play("p", made, wait(**when("do_it", "also")))) == []
    assert lint(play("p", made, wait(**when("made is not skipped")))) == []
    assert lint(play("p", made, wait(**when("results['make'][inventory_hostname] is changed")))) == []
    assert lint(play("p", made, wait(trigger_rule=TriggerRule.ALL_SUCCESS))) == []
    assert lint(play("p", made, wait(**when("other")))) != []
    assert lint(play("p", made, wait(when=(False,)))) == []


def test_trigger_rules_in_between_count(
    lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask
) -> None:
    made = make("make", **when("do_it"))
    strict = task("pack", trigger_rule=TriggerRule.ALL_SUCCESS)
    assert lint(play("p", made, strict, wait(trigger_rule=TriggerRule.ALL_SUCCESS))) == []
    assert lint(play("p", made, strict, wait())) != []  # what is skipped doesn't keep it from running
    clean_up = task("pack", trigger_rule=TriggerRule.ALL_DONE)
    path = "'wait' needs 'pack', which needs 'make'"
    assert lint(play("p", make("make"), clean_up, wait())) == all_the_same("may fail", path)


def test_what_may_fail_without_consequence(lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask) -> None:
    assert lint(play("p", make("make"), wait())) == []
    assert lint(play("p", make("make", ignore_errors=True), wait())) == all_the_same(
        "may fail and be forgiven (ignore_errors)"
    )
    assert lint(play("p", make("make", ignore_unreachable=True), wait())) == all_the_same(
        "may be unreachable and forgiven (ignore_unreachable)"
    )
    assert lint(play("p", make("make", failed_when=(False,)), wait())) == all_the_same(
        "may fail unseen (failed_when: false)"
    )
    assert lint(play("p", make("make"), wait(trigger_rule=TriggerRule.ALL_DONE))) == all_the_same("may fail")
    fatal = make("make", any_errors_fatal=True)
    assert lint(play("p", fatal, wait(trigger_rule=TriggerRule.ALL_DONE))) == []


def test_a_failure_on_another_host_of_an_earlier_play(
    lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask
) -> None:
    made = play("one", make("make", hosts="db"), task("pack", needs=(), hosts="app"), hosts="app:db")
    path = "'wait' needs play 'one', which needs 'make'"
    assert lint(made, play("two", wait())) == all_the_same("may fail", path)
    assert lint(made, play("two", wait(needs=("one.make",)))) == []
    assert lint(made, play("two", wait(), hosts="db")) == []
    alone = play("one", make("make", hosts="db"), hosts="app:db")
    assert lint(alone, play("two", wait())) == []  # no job of play one is on app: all of its jobs decide


def test_what_may_be_dropped_at_its_barrier(lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask) -> None:
    reason = "may be late at its barrier and dropped (late: drop)"
    assert lint(play("p", make("make", hosts="db", barrier=DROP), wait())) == all_the_same(reason)
    assert lint(play("p", make("make", barrier=DROP), wait())) == []  # its host leaves the play
    path = "'wait' needs play 'one', which needs 'make'"
    assert lint(play("one", make("make", barrier=DROP)), play("two", wait())) == all_the_same(reason, path)
    plain = Barrier(quorum=Amount(100, percent=True), late=Late.DROP)
    assert lint(play("p", make("make", hosts="db", barrier=plain), wait())) == []


def test_what_is_left_out(lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask) -> None:
    plays = (play("p", make("make", tags=frozenset({"x"}), hosts="db"), wait()),)
    assert lint(*plays) == []
    left_out = ["'make' is left out by --tags, --skip-tags or --limit."]
    assert lint(*plays, skip_tags=["x"]) == left_out
    assert lint(*plays, limit="app") == left_out
    assert lint(*plays, limit="db", tags=["x"]) == []


def test_one_that_is_sure_is_enough(lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask) -> None:
    assert lint(play("p", make("make", **when("x")), make("also"), wait())) == []
    assert lint(play("p", make("also"), wait(), make("make"))) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x", "not x"),
        ("not (x or y)", "x or y"),
        ("os == 'windows'", "os != 'windows'"),
        ("x is defined", "x is not defined"),
        ("h in g", "h  not in g"),
    ],
)
def test_conditions_of_which_one_holds(
    lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask, one: str, other: str
) -> None:
    assert lint(play("p", make("make", **when(one)), make("also", **when(other)), wait())) == []
    assert lint(play("p", make("make", **when(other)), make("also", **when(one)), wait())) == []


def test_conditions_of_which_none_may_hold(lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask) -> None:
    assert lint(play("p", make("make", **when("x")), make("also", **when("y")), wait())) == [
        *all_the_same("may be skipped (when: x)", "'wait' needs 'also', which needs 'make'"),
        "'also' may be skipped (when: y), and 'wait' still runs: 'wait' needs 'also'.",
    ]


def test_extra_variables_are_known(lint: Lint, play: MakePlay, task: MakeTask, make: MakeTask, wait: MakeTask) -> None:
    made = make("make", arguments={"cmd": Template("touch {{ root }}/ready", HERE)}, **when("x"))
    assert lint(play("p", made, wait())) == []
    assert lint(play("p", made, wait()), extra={"root": "/srv"}) != []


def test_batches_are_looked_at_once(lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask) -> None:
    [reason] = lint(play("p", wait(), make("make"), serial=(Amount(1),)))
    assert reason.startswith("'make' runs after it")


def test_an_approval_without_timeout_is_told(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    def asks(**arguments: Any) -> Task:
        return task("ask", action="approve", arguments={"message": "Go?", **arguments}, run_once=True)

    [found] = lint_waits(plan(play("p", asks(), task("go"))), {})
    assert found.detail.startswith("'ask' has no timeout: if no one is at the terminal, it waits until someone")
    assert "Until then 'go' and later tasks wait, too." in found.detail
    assert not lint_waits(plan(play("p", asks(timeout="15m"), task("go"))), {})


def test_many_tasks_that_may_fail_are_looked_at_quickly(
    lint: Lint, play: MakePlay, make: MakeTask, wait: MakeTask
) -> None:
    makers = [make(f"m{number}", ignore_errors=True, **when(f"x{number}")) for number in range(12)]
    assert len(lint(play("p", *makers, wait()))) > 12
