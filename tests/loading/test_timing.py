"""The keywords of barriers, batches and starts: what they give, and every way in which they can be wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.makers import Actions, MakePlay, MakeTask, Mistake, Mistakes, MistakesOf, ReadPlaybook, no_steps

from drumline.loading.playbook import load_playbooks
from drumline.loading.timing import INHERITED, PLAY, TASK
from drumline.model.playbook import Amount, Barrier, Late, Order, Play, Start
from drumline.plugin.actions import Action


def share(percent: float) -> Amount:
    return Amount(percent, percent=True)


@pytest.fixture
def read_play(read_playbook: ReadPlaybook) -> MakePlay:
    """The play that has this line."""

    def read(line: str) -> Play:
        return read_playbook(f"- hosts: app\n  {line}\n  tasks: [{{ping: }}]\n").plays[0]

    return read


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("serial: 2", "serial", (Amount(2),)),
        ("serial: '2'", "serial", (Amount(2),)),
        ("serial: 30%", "serial", (share(30),)),
        ("serial: 30 %", "serial", (share(30),)),
        ("serial: 12.5%", "serial", (share(12.5),)),
        ("serial: [1, 10%, '5']", "serial", (Amount(1), share(10), Amount(5))),
        ("serial: 0", "serial", (share(100),)),
        ("serial: -1", "serial", (share(100),)),
        ("serial: 0%", "serial", (share(0),)),
        ("serial: []", "serial", ()),
        ("serial:", "serial", ()),
        ("canary: 1", "canary", Amount(1)),
        ("canary: 5%", "canary", share(5)),
        ("spread_by: site", "spread_by", "site"),
        ("order: reverse_sorted", "order", Order.REVERSE_SORTED),
        ("order: shuffle", "order", Order.SHUFFLE),
        ("max_fail_percentage: 30", "max_fail_percentage", 30.0),
        ("max_fail_percentage: 12.5", "max_fail_percentage", 12.5),
        ("max_fail_percentage: 30%", "max_fail_percentage", 30.0),
        ("max_fail_percentage: 0", "max_fail_percentage", 0.0),
        ("max_fail_percentage: 100", "max_fail_percentage", 100.0),
        (
            "keep_available: {app: 70%, db: 2, web: 0}",
            "keep_available",
            {"app": share(70), "db": Amount(2), "web": Amount(0)},
        ),
        ("barrier: {}", "barrier", Barrier()),
        (
            "barrier: {quorum: 90%, deadline: 10m, late: drop}",
            "barrier",
            Barrier(quorum=share(90), deadline=600.0, late=Late.DROP),
        ),
        ("barrier: {quorum: 36}", "barrier", Barrier(quorum=Amount(36))),
        ("barrier: {deadline: 1h30m, late: catch_up}", "barrier", Barrier(deadline=5400.0, late=Late.CATCH_UP)),
    ],
)
def test_keywords_of_a_play(read_play: MakePlay, line: str, field: str, value: object) -> None:
    assert getattr(read_play(line), field) == value


def test_a_play_without_keywords_of_timing(read_play: MakePlay) -> None:
    play = read_play("gather_facts: false")
    assert (play.serial, play.canary, play.spread_by, play.keep_available) == ((), None, None, {})
    assert (play.max_fail_percentage, play.order, play.barrier) == (None, Order.INVENTORY, Barrier())


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("ping:\nbarrier: {quorum: 50%}", "barrier", Barrier(quorum=share(50))),
        ("ping:", "barrier", None),
        ("ping:\nthrottle: 3", "throttle", 3),
        ("ping:\nthrottle: '3'", "throttle", 3),
        ("command: x", "start", None),
        ("command: x\nstart: {together: true}", "start", Start()),
        ("shell: x\nstart: {together: true, max_skew: 100ms}", "start", Start(max_skew=0.1)),
        ("script: x\nstart: {max_skew: 1s}", "start", Start(max_skew=1.0)),
        ("win_shell: x\nstart: {at: '2026-12-01T02:00:00Z'}", "start", Start(at=1_796_090_400.0)),
        ("win_command: x\nstart: {at: 2026-12-01T03:00:00+01:00}", "start", Start(at=1_796_090_400.0)),
        ("command: x\nstart: {at: 2026-12-01 03:00:00 +01:00}", "start", Start(at=1_796_090_400.0)),
        ("command: x\nstart: {at: !!timestamp 2026-12-01T02:00:00Z}", "start", Start(at=1_796_090_400.0)),
        ("command: x\nrun_once: true\ndelegate_to: a\nstart: {max_skew: 1s}", "start", Start(max_skew=1.0)),
    ],
)
def test_keywords_of_a_task(read_task: MakeTask, text: str, field: str, value: object) -> None:
    assert getattr(read_task(text), field) == value


def test_a_play_passes_throttle_on_and_a_task_has_the_last_word(read_playbook: ReadPlaybook) -> None:
    tasks = "[{ping: }, {ping: , throttle: 0}, {ping: , throttle: 7}]"
    play = read_playbook(f"- hosts: app\n  throttle: 2\n  tasks: {tasks}").plays[0]
    assert [task.throttle for task in play.tasks] == [2, 0, 7]


def test_parts_of_a_keyword_have_places_of_their_own(read_playbook: ReadPlaybook) -> None:
    play = read_playbook(
        "- hosts: app\n  keep_available: {app: 1,\n   db: 2}\n  barrier:\n    quorum: 90%\n    late: drop\n"
        "  tasks:\n    - command: x\n      start: {at: 2026-12-01T02:00Z}\n"
    ).plays[0]
    places = {key: (place.line, place.column) for key, place in play.positions.items()}
    assert places["keep_available"] == (2, 3)
    assert places["keep_available.app"] == (2, 20)
    assert places["keep_available.db"] == (3, 4)
    assert places["barrier.late"] == (6, 5)
    assert play.tasks[0].positions["start.at"][1:] == (9, 15)


def test_an_action_that_is_done_once_needs_no_run_once(tmp_path: Path, actions: Actions) -> None:
    decide = Action(name="decide", perform=no_steps, help="", once=True)
    file = tmp_path / "site.yml"
    file.write_text("- hosts: app\n  tasks: [{decide: }, {decide: , run_once: false}, {ping: }]")
    tasks = load_playbooks([file], {**actions, "decide": decide}).plays[0].tasks
    assert [task.run_once for task in tasks] == [True, True, False]


# What is wrong.


@pytest.mark.parametrize(
    ("line", "column", "message"),
    [
        ("serial: {a: 1}", 11, "'serial' takes a whole number or a share such as 30%, but this is a dictionary."),
        ("serial: some", 11, "'serial' takes a whole number or a share such as 30%, but this is 'some'."),
        ("serial: ''", 11, "'serial' takes a whole number or a share such as 30%, but this is ''."),
        ("serial: true", 11, "but this is true."),
        ("serial: 2.5", 11, "but this is 2.5."),
        ("serial: 0.25", 11, "'serial' takes a whole number or a share such as 25%, but this is 0.25."),
        ("serial: -5%", 11, "but this is '-5%'."),
        ("serial: 200%", 11, "'serial' is a share of what there is, and 200% is more than all of it."),
        ("serial: [1, 101%]", 15, "'serial' is a share of what there is, and 101% is more than all of it."),
        ("serial: [1, [2]]", 15, "'serial' takes a whole number or a share such as 30%, but this is a list."),
        ("serial: [1, null]", 15, "but this is nothing."),
        ("canary: one", 11, "'canary' takes a whole number or a share such as 30%, but this is 'one'."),
        ("canary: 0", 11, "'canary' has to be 1 at least, or a share above 0%."),
        ("canary: [1]", 11, "but this is a list"),
        ("canary: 120%", 11, "'canary' is a share of what there is, and 120% is more than all of it."),
        ("spread_by: [site]", 14, "'spread_by' takes text, but this is a list."),
        ("spread_by: a-b", 14, "'spread_by' is the name of a variable"),
        ("order: revers_sorted", 10, "'order' can't be 'revers_sorted'. Did you mean 'reverse_sorted'?"),
        ("order: 1", 10, "It takes inventory, reverse_inventory, sorted, reverse_sorted, shuffle."),
        ("order: [sorted]", 10, "'order' takes text, but this is a list."),
        (
            "max_fail_percentage: many",
            24,
            "takes a percentage from 0 to 100, but this is 'many'.",
        ),
        ("max_fail_percentage: 101", 24, "'max_fail_percentage' takes a percentage from 0 to 100, but this is 101."),
        ("max_fail_percentage: 200%", 24, "takes a percentage from 0 to 100, but this is '200%'."),
        ("max_fail_percentage: -1", 24, "takes a percentage from 0 to 100, but this is -1."),
        ("max_fail_percentage: [1]", 24, "takes a percentage from 0 to 100, but this is a list."),
        (
            "keep_available: 70%",
            19,
            "takes a dictionary such as {app: 70%, db: 2}, but this is '70%'.",
        ),
        ("keep_available: {app: most}", 25, "'keep_available: app' takes a whole number or a share such as 30%"),
        ("keep_available: {app: 130%}", 25, "'keep_available: app' is a share of what there is, and 130% is more"),
        ("keep_available: {app: -1}", 25, "'keep_available: app' can't be negative."),
        ("throttle: fast", 13, "'throttle' takes a whole number that isn't negative, but this is 'fast'."),
        ("throttle: -1", 13, "'throttle' takes a whole number that isn't negative, but this is -1."),
        ("throttle: 30%", 13, "but this is '30%'."),
        ("throttle: 1.5", 13, "but this is 1.5."),
        ("throttle: true", 13, "but this is true."),
        ("barrier: 90%", 12, "'barrier' takes a dictionary such as {quorum: 90%, deadline: 10m, late: drop}"),
        ("barrier: {quorom: 1}", 13, "'barrier' has no keyword 'quorom'. Did you mean 'quorum'?"),
        ("barrier: {quorum: all}", 21, "'quorum' takes a whole number or a share such as 30%, but this is 'all'."),
        ("barrier: {quorum: 0}", 21, "'quorum' has to be 1 at least, or a share above 0%."),
        ("barrier: {quorum: 0%}", 21, "'quorum' has to be 1 at least, or a share above 0%."),
        ("barrier: {quorum: -3}", 21, "'quorum' has to be 1 at least, or a share above 0%."),
        ("barrier: {quorum: 120%}", 21, "'quorum' is a share of what there is, and 120% is more than all of it."),
        ("barrier: {quorum: 0.9}", 21, "'quorum' takes a whole number or a share such as 90%, but this is 0.9."),
        (
            "barrier: {deadline: 10}",
            23,
            "'deadline' can't be 10. A duration has a unit: write 10m for minutes",
        ),
        (
            "barrier: {deadline: soon}",
            23,
            "'deadline' can't be 'soon'. A duration is written as 100ms, 90s",
        ),
        ("barrier: {deadline: [1m]}", 23, "'deadline' takes a duration such as 10m, but this is a list."),
        ("barrier: {deadline: 0s}", 23, "'deadline' has to be longer than nothing."),
        ("barrier: {deadline: 1m, late: catchup}", 33, "'late' can't be 'catchup'. Did you mean 'catch_up'?"),
        ("barrier: {deadline: 1m, late: never}", 33, "'late' can't be 'never'. It takes fail, drop, catch_up."),
        (
            "barrier: {late: drop}",
            19,
            "Nothing is late without a 'deadline', or a 'quorum' under 100%",
        ),
        ("start: {together: true}", 3, "A play has no keyword 'start'. It is one of tasks."),
    ],
)
def test_mistakes_in_a_play(mistakes: Mistakes, line: str, column: int, message: str) -> None:
    [(place, found)] = mistakes(f"- hosts: app\n  {line}\n  tasks: []\n")
    assert message in found
    assert place == f"2:{column}"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("ping:\nbarrier: {quorum: 0}", "5:25", "'quorum' has to be 1 at least, or a share above 0%."),
        ("ping:\nbarrier: [90%]", "5:16", "'barrier' takes a dictionary such as"),
        ("ping:\nthrottle: x", "5:17", "'throttle' takes a whole number that isn't negative, but this is 'x'."),
        ("command: x\nstart: true", "5:14", "'start' takes a dictionary such as {together: true, max_skew: 100ms}"),
        ("command: x\nstart: together", "5:14", "'start' takes a dictionary such as {together: true, max_skew: 100ms}"),
        ("command: x\nstart: {}", "5:14", "'start' needs one of 'together', 'max_skew' and 'at'."),
        ("command: x\nstart: {at: }", "5:14", "'start' needs one of 'together', 'max_skew' and 'at'."),
        ("command: x\nstart: {together: false}", "5:25", "Leave 'start' out where that isn't wanted."),
        ("command: x\nstart: {together: maybe}", "5:25", "'together' takes true or false, but this is 'maybe'."),
        ("command: x\nstart: {max_scew: 1s}", "5:15", "'start' has no keyword 'max_scew'. Did you mean 'max_skew'?"),
        ("command: x\nstart: {max_skew: 100}", "5:25", "'max_skew' can't be 100. A duration has a unit"),
        ("command: x\nstart: {max_skew: 0ms}", "5:25", "'max_skew' has to be longer than nothing."),
        ("command: x\nstart: {max_skew: {a: b}}", "5:25", "'max_skew' takes a duration such as 10m"),
        ("command: x\nstart: {at: 02:00:00}", "5:19", "'at' can't be '02:00:00'. A time has a date and a zone"),
        ("command: x\nstart: {at: tomorrow}", "5:19", "'at' can't be 'tomorrow'. A time has a date and a zone"),
        ("command: x\nstart: {at: 1796090400}", "5:19", "'at' can't be 1796090400. A time has a date and a zone"),
        ("command: x\nstart: {at: [2026-12-01]}", "5:19", "'at' takes a time such as 2026-12-01T02:00:00+01:00"),
        ("ping:\nstart: {together: true}", "5:7", "Only a command can be held back, and 'ping' is not: use command"),
        ("command: x\nstart: {together: true}\nloop: [1]", "5:7", "that leaves nothing to 'loop'."),
        ("command: x\nstart: {together: true}\nwith_items: [1]", "5:7", "that leaves nothing to 'loop'."),
        ("command: x\nstart: {together: true}\nuntil: a", "5:7", "that leaves nothing to 'until'."),
        ("command: x\nretries: 3\nstart: {together: true}", "6:7", "that leaves nothing to 'until'."),
        ("command: x\ndelegate_to: a\nstart: {together: true}", "6:7", "that leaves nothing to 'delegate_to'."),
        ("command: x\nstart: {together: true}\nthrottle: 2", "5:7", "'throttle' lets 2 in. Set 'throttle: 0'"),
        ("command: x\nserial: 1", "5:7", "A task has no keyword 'serial'. It is one of plays."),
        ("command: x\nmax_fail_percentage: 1", "5:7", "'max_fail_percentage'. It is one of plays."),
    ],
)
def test_mistakes_in_a_task(mistake: Mistake, text: str, place: str, message: str) -> None:
    found_place, found = mistake(text)
    assert message in found
    assert found_place == place


@pytest.mark.parametrize("value", ["2026-12-01T02:00:00", "2026-12-01 02:00:00", "'2026-12-01T02:00'"])
def test_a_time_without_a_zone_is_proposed_that_of_this_machine(
    mistake: Mistake, zone: Callable[[str], None], value: str
) -> None:
    """YAML readers take the second for a date of their own."""
    zone("America/New_York")
    place, found = mistake(f"command: x\nstart: {{at: {value}}}")
    assert place == "5:19"
    assert "This time has no zone. If you mean this machine's zone, write 2026-12-01T02:00:00-05:00." in found


def test_throttle_of_the_play_and_start_exclude_each_other(mistake: Mistake, read_task: MakeTask) -> None:
    task = "command: x\nstart: {together: true}"
    assert mistake(task, play="  throttle: 2\n")[0] == "6:7"
    assert read_task(f"{task}\nthrottle: 0", play="  throttle: 2\n").start == Start()


@pytest.mark.parametrize("late", ["fail", "drop", "catch_up"])
def test_barriers_need_waves(mistakes: Mistakes, mistake: Mistake, late: str) -> None:
    words = "With 'strategy: free' there are no waves, so nothing waits at a 'barrier'. Remove one of the two."
    barrier = f"barrier: {{deadline: 1m, late: {late}}}"
    [(place, found)] = mistakes(f"- hosts: app\n  strategy: free\n  {barrier}\n")
    assert (place, words in found) == ("3:3", True)
    place, found = mistake(f"ping:\n{barrier}", play="  strategy: free\n")
    assert (place, words in found) == ("6:7", True)


def test_several_mistakes_are_told_at_once(mistakes: Mistakes) -> None:
    text = "- hosts: app\n  serial: x\n  barrier: {quorum: 0, deadline: 5, late: x}\n  tasks: [{ping: , throttle: x}]\n"
    assert [place for place, _ in mistakes(text)] == ["2:11", "3:21", "3:34", "3:43", "4:30"]


PARTS = st.sampled_from(["quorum", "deadline", "late", "together", "max_skew", "at", "app", "{{ x }}"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["9%", "1m", "drop"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner, max_size=4),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("timing") / "0.yml"


@settings(max_examples=50)
@given(
    play=st.dictionaries(st.sampled_from([*PLAY, *INHERITED]), VALUES),
    task=st.dictionaries(st.sampled_from([*TASK, *INHERITED]), VALUES),
)
def test_whatever_stands_there_is_read_or_told_with_its_place(
    file: Path, actions: Actions, mistakes_of: MistakesOf, play: dict[str, Any], task: dict[str, Any]
) -> None:
    whole = [{"hosts": "app", **play, "tasks": [{"command": "a", **task}]}]
    file.write_text(json.dumps(whole))
    assert all(found.position for found in mistakes_of(lambda: load_playbooks([file], actions)))
