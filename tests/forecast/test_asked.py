"""The words of ``drumline simulate`` become a scenario, or a mistake that says what would be right."""

from __future__ import annotations

from typing import Any

import pytest
from support.worlds import P, build, chain

from drumline.errors import DrumlineError, FilesError, UsageError
from drumline.forecast.asked import in_batches, scenario_of
from drumline.forecast.draws import Range
from drumline.model.host import Group, Host, Inventory
from drumline.model.playbook import Amount, Playbook

HOSTS = ["db1", "db2", "web1"]
PLAN = build(P(chain(HOSTS, HOSTS)), P(chain(HOSTS)))
INVENTORY = Inventory(
    hosts={name: Host(name=name) for name in HOSTS},
    groups={
        "all": Group(name="all", children=("db", "ungrouped")),
        "db": Group(name="db", hosts=("db1", "db2")),
        "ungrouped": Group(name="ungrouped", hosts=("web1",)),
    },
)


def test_tasks_are_named_by_id_by_play_or_by_pattern() -> None:
    assert scenario_of(PLAN, INVENTORY, fail=["t1=5%"]).fail == {("p0", "t1"): 0.05}
    assert scenario_of(PLAN, INVENTORY, fail=["t0=0.5"]).fail == {("p0", "t0"): 0.5, ("p1", "t0"): 0.5}
    assert scenario_of(PLAN, INVENTORY, fail=["p1.t0=100%"]).fail == {("p1", "t0"): 1.0}
    assert scenario_of(PLAN, INVENTORY, fail=["p0.*=1%"]).fail.keys() == {("p0", "t0"), ("p0", "t1")}


def test_the_last_word_counts() -> None:
    assert scenario_of(PLAN, INVENTORY, fail=["*=1%", "t1=50%"]).fail[("p0", "t1")] == 0.5
    assert scenario_of(PLAN, INVENTORY, slow=["all=2", "db2=3"]).slow == {"db1": 2.0, "db2": 3.0, "web1": 2.0}


def test_hosts_are_a_pattern() -> None:
    assert scenario_of(PLAN, INVENTORY, slow=["db:!db1=1.5"]).slow == {"db2": 1.5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30", Range(30, 30)),
        ("30s", Range(30, 30)),
        ("250ms", Range(0.25, 0.25)),
        ("1.5m", Range(90, 90)),
        ("1h", Range(3600, 3600)),
        ("1m30s", Range(90, 90)),
        ("0", Range(0, 0)),
        ("20s-1m", Range(20, 60)),
    ],
)
def test_times(text: str, expected: Range) -> None:
    assert scenario_of(PLAN, INVENTORY, take=[f"t1={text}"]).take == {("p0", "t1"): expected}


@pytest.mark.parametrize(
    ("option", "word", "says"),
    [
        ("take", "t1", "NAME=VALUE"),
        ("take", "=3", "NAME=VALUE"),
        ("take", "t1=soon", "30s"),
        ("take", "t1=-3", "30s"),
        ("take", "t1=3s-1s", "shorter time"),
        ("take", "t1=0-1s", "more than 0"),
        ("take", "tt1=3", "Did you mean 't1'"),
        ("fail", "t1=5", "5%, or 0.05"),
        ("fail", "t1=101%", "5%, or 0.05"),
        ("slow", "db2=fast", "3, or 0.5"),
        ("slow", "db2=0", "3, or 0.5"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_right(option: str, word: str, says: str) -> None:
    given: dict[str, Any] = {option: [word]}
    with pytest.raises(UsageError) as error:
        scenario_of(PLAN, INVENTORY, **given)
    assert f"--{option} {word}" in error.value.detail
    assert says in error.value.detail


def test_a_host_that_nobody_knows_is_told_with_the_option() -> None:
    with pytest.raises(FilesError, match="--slow bd1=2"):
        scenario_of(PLAN, INVENTORY, slow=["bd1=2"])


def test_batches() -> None:
    playbook = Playbook(path="p.yml", plays=tuple(planned.play for planned in PLAN.plays))
    found = in_batches(playbook, "1, 25%,10")
    assert {play.serial for play in found.plays} == {(Amount(1), Amount(25, percent=True), Amount(10))}


@pytest.mark.parametrize("text", ["0", "101%", "many", "", "1,,2", "1.5"])
def test_batches_that_are_none(text: str) -> None:
    with pytest.raises(DrumlineError, match="--serial"):
        in_batches(PLAN.playbook, text)
