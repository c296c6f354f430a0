"""Keywords that are fixed before the run and hold templates: rendered, then read as if what they give were written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.makers import Actions, Mistakes, MistakesOf, ReadPlaybook, place

from drumline.errors import FilesError
from drumline.inventory.variables import Scope
from drumline.loading.deferred import resolve
from drumline.loading.playbook import load_playbooks
from drumline.loading.timing import INHERITED, PLAY, TASK
from drumline.model.playbook import Amount, Barrier, Late, Order, Play, Playbook, Start, Task
from drumline.templating.templates import Templating

MAGIC = {"groups": {"app": ["a1", "a2", "a3", "a4"]}}
EXTRA = {
    "two": 2,
    "strict": {"quorum": "90%", "late": "drop", "deadline": "5m"},
    "when_naive": datetime(2026, 12, 1, 2),
    "when": datetime(2026, 12, 1, 2, tzinfo=UTC),
    "braces": "{{ two }}",
}
SECOND = 1_796_090_400.0  #: 2026-12-01T02:00:00Z


@pytest.fixture
def resolved(read_playbook: ReadPlaybook) -> ReadPlaybook:
    """The playbook of one play with a task, both with more lines, after its templates were rendered."""

    def read(play: str = "", task: str = "", chosen: Callable[[Task], bool] = lambda _task: True) -> Playbook:
        text = f"- hosts: app\n  {play}\n  tasks:\n    - command: x\n      {task}\n"
        templating = Templating()

        def render(value: object, play: Play) -> object:
            return templating.render(value, Scope((MAGIC, EXTRA, play.variables), templating))

        return resolve(read_playbook(text), render, chosen=chosen)

    return read


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("serial: '{{ two }}'", "serial", (Amount(2),)),
        ("serial: '{{ two }}5%'", "serial", (Amount(25, percent=True),)),
        ("serial: [1, '{{ two }}']", "serial", (Amount(1), Amount(2))),
        ("serial: '{{ [1, two, \"50%\"] }}'", "serial", (Amount(1), Amount(2), Amount(50, percent=True))),
        ("serial: \"{{ groups['app'] | length // 2 }}\"", "serial", (Amount(2),)),
        ("serial: \"{{ batch | default('25%') }}\"", "serial", (Amount(25, percent=True),)),
        ("serial: '{{ batch | default(omit) }}'", "serial", ()),
        ("serial: [1, '{{ batch | default(omit) }}']", "serial", (Amount(1),)),
        ("serial: '{{ none }}'", "serial", ()),
        ("vars: {size: '{{ two }}'}\n  serial: '{{ size }}'", "serial", (Amount(2),)),
        ("canary: '{{ two }}'", "canary", Amount(2)),
        ("order: \"{{ 'sorted' }}\"", "order", Order.SORTED),
        ("spread_by: \"{{ 'site' }}\"", "spread_by", "site"),
        ("max_fail_percentage: '{{ two * 10 }}'", "max_fail_percentage", 20.0),
        ("keep_available: {app: '{{ two }}', db: 1}", "keep_available", {"app": Amount(2), "db": Amount(1)}),
        ("keep_available: \"{{ {'app': two} }}\"", "keep_available", {"app": Amount(2)}),
        ("barrier: {quorum: '{{ two }}', late: drop}", "barrier", Barrier(quorum=Amount(2), late=Late.DROP)),
        (
            "barrier: '{{ strict }}'",
            "barrier",
            Barrier(quorum=Amount(90, percent=True), deadline=300.0, late=Late.DROP),
        ),
    ],
)
def test_keywords_of_a_play(resolved: ReadPlaybook, line: str, field: str, value: object) -> None:
    [play] = resolved(line).plays
    assert getattr(play, field) == value
    assert play.deferred == {}


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("throttle: '{{ two }}'", "throttle", 2),
        ("throttle: '{{ three }}'\n      vars: {three: 3}", "throttle", 3),
        ("any_errors_fatal: '{{ two == 2 }}'", "any_errors_fatal", True),
        ("barrier: {deadline: '{{ two }}m'}", "barrier", Barrier(deadline=120.0)),
        ("start: {at: '{{ when }}'}", "start", Start(at=SECOND)),
        ("start: {at: '{{ two }}026-12-01T02:00:00Z'}", "start", Start(at=SECOND)),
        ("start: {max_skew: 1s, at: '{{ cutover | default(omit) }}'}", "start", Start(max_skew=1.0)),
        ("start: '{{ cutover | default(omit) }}'", "start", None),
    ],
)
def test_keywords_of_a_task(resolved: ReadPlaybook, line: str, field: str, value: object) -> None:
    [task] = resolved(task=line).plays[0].tasks
    assert getattr(task, field) == value
    assert task.deferred == {}


def test_a_play_passes_on_what_is_deferred_and_a_task_has_the_last_word(resolved: ReadPlaybook) -> None:
    play = "throttle: '{{ two }}'\n  any_errors_fatal: '{{ true }}'"
    [task] = resolved(play).plays[0].tasks
    assert (task.throttle, task.any_errors_fatal) == (2, True)
    [task] = resolved(play, "throttle: 7").plays[0].tasks
    assert (task.throttle, task.any_errors_fatal) == (7, True)
    [task] = resolved("throttle: 7", "throttle: '{{ two }}'").plays[0].tasks
    assert task.throttle == 2


def test_what_is_not_chosen_is_not_rendered(resolved: ReadPlaybook) -> None:
    [play] = resolved("serial: '{{ nowhere }}'", "throttle: '{{ nowhere }}'", chosen=lambda _task: False).plays
    assert (play.serial, play.deferred) == ((), {})
    assert (play.tasks[0].throttle, play.tasks[0].deferred) == (0, {})


@pytest.fixture
def mistakes(resolved: ReadPlaybook) -> Mistakes:
    """What is wrong with these lines, as ``(line:column, summary and detail)``."""

    def find(play: str = "", task: str = "") -> list[tuple[str, str]]:
        with pytest.raises(FilesError) as error:
            resolved(play, task)
        return [(place(d), f"{d.summary}. {d.detail}") for d in error.value.diagnostics]

    return find


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("serial: '{{ nowhere }}'", 11, "A keyword can't be rendered. 'serial': 'nowhere' is undefined. It is fixed"),
        ("serial: '{{ twoo }}'", 11, "Did you mean 'two'?"),
        ("serial: '{{ two }'", 11, "A keyword can't be rendered. 'serial': unexpected '}'."),
        ("serial: '{{ 1 // 0 }}'", 11, "A keyword can't be rendered. 'serial': "),
        ("serial: [1, '{{ two }}', '{{ 150 }}%']", 28, "'serial' is a share of what there is, and 150% is more"),
        ("serial: ['{{ two }}', 200%]", 3, "'serial' is a share of what there is, and 200% is more"),
        ("serial: '{{ braces }}'", 11, "'serial' takes a whole number or a share such as 30%, but this is '{{ two }}'"),
        ("order: '{{ braces }}'", 10, "'order' can't be '{{ two }}'. It takes inventory,"),
        ("serial: \"{{ groups['app'][:1] }}\"", 11, "'serial' takes a whole number or a share such as 30%"),
        ("serial: '{{ {1: 2} }}'", 11, "but this is a dictionary."),
        ("canary: '{{ 0 }}'", 11, "'canary' has to be 1 at least"),
        ("keep_available: {app: '{{ two }}', db: 101%}", 38, "'keep_available: db' is a share of what there is"),
        ("barrier: {deadline: '{{ 10 }}'}", 23, "'deadline' can't be 10. A duration has a unit"),
        ("barrier: {quorum: '{{ 50 }}%', deadline: 10}", 34, "'deadline' can't be 10. A duration has a unit"),
        ("barrier: {quorum: '{{ 50 }}%', deadlin: 10m}", 34, "'barrier' has no keyword 'deadlin'."),
    ],
)
def test_mistakes_in_a_play(mistakes: Mistakes, line: str, column: int, message: str) -> None:
    [(place, found)] = mistakes(line)
    assert message in found
    assert place == f"2:{column}"


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("start: {at: '{{ when_naive }}'}", 19, "This time has no zone."),
        ("start: {at: '{{ two }}'}", 19, "'at' can't be 2. A time has a date and a zone"),
        (
            "start: {together: true}\n      throttle: '{{ two }}'",
            7,
            "lets 2 in. Set 'throttle: 0' on this task.",
        ),
        ("start: {max_skew: '{{ two }}s'}\n      throttle: 4", 7, "'throttle' lets 4 in."),
    ],
)
def test_mistakes_in_a_task(mistakes: Mistakes, line: str, column: int, message: str) -> None:
    [(place, found)] = mistakes(task=line)
    assert message in found
    assert place == f"5:{column}"


def test_a_wrong_value_that_a_play_passes_on_is_told_where_it_stands(mistakes: Mistakes) -> None:
    [(place, found)] = mistakes("throttle: '{{ nowhere }}'")
    assert (place, "'throttle': 'nowhere' is undefined." in found) == ("2:13", True)


def test_several_mistakes_are_told_at_once(mistakes: Mistakes) -> None:
    found = mistakes("serial: '{{ nowhere }}'\n  barrier: {deadline: '{{ two }}'}", "throttle: '{{ -1 }}'")
    assert [place for place, _ in found] == ["2:11", "3:23", "6:17"]


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=8)
        | st.datetimes()
        | st.binary(max_size=2),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["quorum", "at", "app"]), inner),
        max_leaves=5,
    )
)
def test_whatever_a_template_gives_is_read_or_told_with_its_place(
    deferred: Playbook, mistakes_of: MistakesOf, value: object
) -> None:
    assert all(found.position for found in mistakes_of(lambda: resolve(deferred, lambda _value, _play: value)))


@pytest.fixture(scope="module")
def deferred(tmp_path_factory: pytest.TempPathFactory, actions: Actions) -> Playbook:
    """A playbook in which everything is to be rendered."""
    path = tmp_path_factory.mktemp("deferred") / "0.yml"
    play = {"hosts": "app"} | dict.fromkeys((*PLAY, *INHERITED), "{{ x }}")
    tasks = [{"command": "a"} | dict.fromkeys((*TASK, *INHERITED), "{{ x }}")]
    path.write_text(json.dumps([play | {"tasks": tasks}]))
    return load_playbooks([path], actions)
