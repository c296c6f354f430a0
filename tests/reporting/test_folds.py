"""What differs by the hosts' names and addresses alone is told as one; what differs otherwise isn't."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from reporting.test_lines import Kept
from support.worlds import P, T, build

from drumline.model.event import BarrierPassed, Event, JobFinished, JobsStarted, RunFinished, RunStarted, WaveReleased
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.reporting.console import ConsoleReport

MANY = [f"web{number:02}" for number in range(1, 59)]


def report(
    results: Mapping[str, Mapping[str, Any]],
    *,
    status: Status = Status.CHANGED,
    addresses: Mapping[str, str] | None = None,
) -> list[str]:
    """What is told of one task with these results, which come in the order of the mapping."""
    hosts = sorted(results)
    jobs = tuple(Job(0, host) for host in hosts)
    events: list[Event] = [
        RunStarted(at=0, run="abc"),
        WaveReleased(at=0, play=0, batch=0, wave=0, jobs=len(jobs)),
        JobsStarted(at=0, jobs=jobs),
        *(JobFinished(at=1, job=Job(0, host), status=status, result=result) for host, result in results.items()),
        BarrierPassed(at=1, play=0, batch=0, wave=0),
        RunFinished(at=1, counts={}, exit_status=0),
    ]
    screen = Kept()
    address = (addresses or {}).get
    with ConsoleReport(build(P([T(hosts)])), screen, number=49, verbose=1, address=address) as console:
        for event in events:
            console(event)
    return screen.lines[2:-1]


def said(*texts: str) -> dict[str, dict[str, str]]:
    return {f"web{number}": {"stdout": text} for number, text in enumerate(texts, 1)}


def test_of_outputs_that_differ_by_the_host_three_are_shown_in_the_order_of_the_inventory() -> None:
    lines = report({host: {"stdout": f"I am\n{host}."} for host in reversed(MANY)})
    assert lines == [
        "  changed     t0: web[01-58]  58 hosts, 1.0 s",
        "      web01: stdout │ I am",
        "             stdout │ web01.",
        "      web02: stdout │ I am",
        "             stdout │ web02.",
        "      web03: stdout │ I am",
        "             stdout │ web03.",
        "      and 55 more: drumline runs show 49 -v",
    ]


def test_failures_that_differ_by_the_host_are_told_in_full_once() -> None:
    lines = report({host: {"stdout": f"{host} is broken", "rc": 3} for host in MANY}, status=Status.FAILED)
    text = "\n".join(lines)
    assert text.count("exit code: 3") == 1
    assert lines[-4:] == [
        "  failed      t0: web[01-58]  58 hosts, 1.0 s; see web01 above",
        "      web02: stdout │ web02 is broken",
        "      web03: stdout │ web03 is broken",
        "      and 55 more: drumline runs show 49 -v",
    ]


def test_an_address_is_as_good_as_a_name() -> None:
    addresses = {"web1": "10.0.0.1", "web2": "10.0.0.12"}
    lines = report(said("port 80 of 10.0.0.1", "port 80 of 10.0.0.12"), addresses=addresses)
    assert lines[0] == "  changed     t0: web[1-2]  2 hosts, 1.0 s"


@pytest.mark.parametrize(
    "texts",
    [
        ("server 10.0.0.1", "server 10.0.0.2"),  # no address of theirs
        ("I am web1", "I am web1"),  # the second one is mistaken: told as it is, of both
        ("web1 runs 1", "web2 runs 2"),
        ("web1", "web12"),
    ],
)
def test_what_differs_otherwise_is_told_apart(texts: tuple[str, str]) -> None:
    shown = [line.removeprefix("      stdout │ ") for line in report(said(*texts)) if "stdout" in line]
    assert shown == list(dict.fromkeys(texts))


def test_one_that_takes_itself_for_another_is_not_folded_with_those_that_do_not() -> None:
    lines = report(said("I am web1", "I am web2", "I am web1"))
    assert [line for line in lines if "t0" in line] == [
        "  changed     t0: web[1,3]  2 hosts, 1.0 s",
        "  changed     t0: web2  1.0 s",
    ]


def test_a_short_name_that_is_a_word_does_not_keep_equal_texts_apart() -> None:
    results = {"a": {"stdout": "a problem"}, "b": {"stdout": "a problem"}}
    assert report(results)[0] == "  changed     t0: a, b  2 hosts, 1.0 s"
