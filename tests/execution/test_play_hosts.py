"""Which hosts of a play are left: a failure that is pending, or rescued, takes none out."""

from __future__ import annotations

from support.worlds import P, T, build

from drumline.execution.play_hosts import PlayHosts
from drumline.model.plan import Job

PLAN = build(P([T(["a", "b"]), T(["a", "b"], needs=[0])]))


def left(hosts: PlayHosts) -> list[str]:
    found: list[str] = hosts.magic(PLAN.steps[1])["play_hosts"]
    return list(found)


def test_a_host_whose_failure_is_pending_takes_part() -> None:
    hosts = PlayHosts(PLAN)
    hosts.lose(Job(0, "a"))
    assert left(hosts) == ["b"]
    hosts.regain(Job(0, "a"))
    assert left(hosts) == ["a", "b"]


def test_a_host_with_another_failure_takes_no_part() -> None:
    hosts = PlayHosts(PLAN)
    hosts.lose(Job(0, "a"))
    hosts.lose(Job(1, "a"))
    hosts.regain(Job(1, "a"))
    assert left(hosts) == ["b"]
