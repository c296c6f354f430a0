import pytest
from support.makers import MakePlan, MakePlay, MakeTask

from drumline.diagnostics import Position
from drumline.model.playbook import Amount, Start
from drumline.planning.start_times import check_start_times, how_far

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (8 * 86_400 + 7 * 3_600 + 1_799.5, "in 8 d 7 h"),
        (86_400, "in 1 d"),
        (7_261, "in 2 h 1 m"),
        (125.7, "in 2 m 5 s"),
        (0.4, "in less than 1 s"),
        (-0.4, "it was less than 1 s ago"),
        (-7_230, "it was 2 h ago"),
        (-3 * 86_400, "it was 3 d ago"),
    ],
)
def test_how_far_a_time_is(seconds: float, words: str) -> None:
    assert how_far(NOW + seconds, NOW) == words


def test_a_start_that_is_over_is_told_once_at_its_place(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    here = Position("site.yml", 12, 20)
    over = task("over", start=Start(at=NOW - 60), positions={"start.at": here})
    made = plan(
        play("p", over, task("plain", start=Start()), serial=(Amount(1),)),
        play("q", task("ahead", start=Start(at=NOW + 1))),
    )
    [found] = check_start_times(made, NOW)
    assert found.position == here
    assert found.detail == ("'over' starts at 2027-01-15 07:59:00 UTC: it was 1 m ago. Give a time in the future.")


def test_a_start_that_is_left_out_may_be_over(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    over = task("over", start=Start(at=NOW - 60), tags=frozenset({"never"}))
    assert not check_start_times(plan(play("p", over, task("a"))), NOW)


def test_a_time_is_for_one_batch(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    here = Position("site.yml", 12, 20)
    later = task("later", start=Start(at=NOW + 60), positions={"start": here})
    made = plan(play("p", later, serial=(Amount(1),)))
    assert len(made.plays[0].batches) > 1
    [found] = check_start_times(made, NOW)
    assert found.position == here
    assert f"its play has {len(made.plays[0].batches)} batches, one after the other" in found.detail
    assert not check_start_times(plan(play("p", later, serial=(Amount(100, percent=True),))), NOW)
