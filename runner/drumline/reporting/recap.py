"""The recap at the end of a run: hosts with their counts, what failed where, what wasn't run, and how to continue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drumline.model.hostnames import fold_hosts
from drumline.model.outcome import Status
from drumline.model.plan import Plan
from drumline.reporting.lines import MARKS, Line, Part, count_parts, task_name
from drumline.reporting.tracker import Tracker

#: Up to this many hosts are listed one by one; of more, those with equal counts share a line.
_MOST_HOSTS = 20

#: How many of the tasks that weren't run on a host are named.
_MOST_TASKS = 8


def hosts_to_go_on(tracker: Tracker) -> list[str]:
    """Hosts on which something failed or wasn't run, in the order of the inventory."""
    failed = {host for hosts in tracker.causes.values() for host in hosts}
    left = {host for hosts in tracker.never_ran.values() for host in hosts}
    cut = {host for host, counts in tracker.hosts.items() if counts[Status.CANCELLED] or counts[Status.UNKNOWN]}
    return tracker.folding.ordered(failed | left | cut)


def recap_lines(tracker: Tracker, command: str | None) -> Iterator[Line]:
    """``command`` continues with the rest, if there is any."""
    if tracker.hosts:
        yield [Part("recap", "bold")]
        yield from _host_lines(tracker)
    for (step, status), hosts in tracker.causes.items():
        yield _cause_line(tracker, step, status, hosts)
    for tasks, hosts in _not_run(tracker):
        yield [
            Part("not run on ", "magenta"),
            Part(_names(tracker.folding.ordered(hosts)), "bold"),
            Part(f": {_listed(tracker.plan, tasks)}"),
        ]
    if command is not None:
        yield [Part("to continue: ", "bold"), Part(command, whole=True)]


def _host_lines(tracker: Tracker) -> Iterator[Line]:
    groups: dict[tuple[object, ...], list[str]] = {}
    alone = len(tracker.hosts) <= _MOST_HOSTS
    for host in tracker.folding.ordered(tracker.hosts):
        counts = tracker.hosts[host]
        groups.setdefault((host,) if alone else tuple(sorted(counts.items())), []).append(host)
    names = {key: fold_hosts(hosts) for key, hosts in groups.items()}
    width = min(30, max(map(len, names.values())))
    for key, hosts in groups.items():
        yield [Part(f"  {names[key]:<{width}}  ", "bold"), *count_parts(tracker.hosts[hosts[0]])]


def _cause_line(tracker: Tracker, step: int, status: Status, hosts: Sequence[str]) -> Line:
    word, style = MARKS[status]
    names = Part(_names(tracker.folding.ordered(hosts)), "bold")
    task = f"'{task_name(tracker.plan.steps[step])}'"
    if status is Status.UNREACHABLE:
        return [Part(f"{word}: ", style), names, Part(f" (at {task})")]
    return [Part(f"{word} on ", style), names, Part(f": {task}")]


def _not_run(tracker: Tracker) -> Iterator[tuple[Sequence[int], list[str]]]:
    """Groups of steps that weren't run, with the hosts on which exactly these weren't."""
    by_host: dict[str, list[int]] = {}
    for step, hosts in sorted(tracker.never_ran.items()):
        for host in hosts:
            by_host.setdefault(host, []).append(step)
    groups: dict[tuple[int, ...], list[str]] = {}
    for host in tracker.folding.ordered(by_host):
        groups.setdefault(tuple(by_host[host]), []).append(host)
    yield from groups.items()


def _listed(plan: Plan, steps: Sequence[int]) -> str:
    named = ", ".join(f"'{task_name(plan.steps[step])}'" for step in steps[:_MOST_TASKS])
    more = len(steps) - _MOST_TASKS
    return f"{named} and {more} more" if more > 0 else named


def _names(hosts: Sequence[str]) -> str:
    return ", ".join(hosts) if len(hosts) <= _MOST_HOSTS else fold_hosts(hosts)
