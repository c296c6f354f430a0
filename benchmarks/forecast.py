"""B8: the forecast. How long it takes to imagine runs of a large fleet, with times from a journal of many events."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _measure import judged, machine, median, print_table

from drumline import app
from drumline.config import Settings
from drumline.journal.past import past_runs
from drumline.journal.store import Journal
from drumline.model.event import Event, JobFinished, RunStarted
from drumline.model.outcome import Status
from drumline.model.plan import Job, Plan

#: Seconds for 10,000 hosts with 50 tasks, and MB.
TIME, MEMORY = 60.0, 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--events", type=int, default=300_000, help="jobs in the journal")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", type=Path, help="simulate once in this process, in this directory; print JSON")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(_once(options.once, options.hosts)))
        return
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        directory = Path(name)
        _write_project(directory, options.tasks)
        jobs = _write_journal(directory, options.events)
        _report([_in_a_process(directory, options.hosts) for _ in range(options.rounds)], options, jobs)


def _write_project(directory: Path, tasks: int) -> None:
    (directory / "hosts.ini").write_text("[fleet]\nh[001:100]\n")
    lines = "".join(f"    - {{id: t{number}, command: echo {number}}}\n" for number in range(tasks))
    (directory / "playbook.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{lines}")


def _settings(directory: Path) -> Settings:
    return Settings(inventory=(str(directory / "hosts.ini"),), state=directory / "state")


def _write_journal(directory: Path, events: int) -> int:
    """Runs of 100 hosts, as many as there are to be events; returns how many jobs were entered."""
    plan = app.prepare([directory / "playbook.yml"], _settings(directory)).plan
    journal = Journal(directory / "state")
    written = 0
    while written < events:
        writer = journal.begin(plan, command="benchmark")
        ends = _ends(plan, written)
        writer.append([RunStarted(at=0.0, run=writer.id), *ends])
        written += len(ends)
    journal.close()
    return written


def _ends(plan: Plan, shift: int) -> list[Event]:
    return [
        JobFinished(
            at=2.0 * step.index + 1.0 + (number * 37 + shift) % 100 / 100,
            job=Job(step.index, host),
            status=Status.CHANGED,
            started=2.0 * step.index,
            result={"changed": True, "rc": 0, "stdout": "x" * 100, "stderr": "", "cmd": ["echo", "x"]},
        )
        for step in plan.steps
        for number, host in enumerate(step.hosts)
    ]


def _in_a_process(directory: Path, hosts: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--once", str(directory), "--hosts", str(hosts)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _once(directory: Path, hosts: int) -> dict[str, float]:
    """Seconds of each part, and the peak of memory in MB. The whole is the command, from files to printed lines."""
    start = time.perf_counter()
    path = str(directory / "playbook.yml")
    read = sum(len(run.endings) for run in past_runs(directory / "state", path))
    history = time.perf_counter() - start
    start = time.perf_counter()
    program = Path(sys.executable).with_name("drumline")
    words = ["simulate", path, "-i", directory / "hosts.ini", "--state", directory / "state", "--hosts", str(hosts)]
    subprocess.run([program, *words], stdout=subprocess.DEVNULL, check=True)
    return {
        "history": history,
        "read": read,
        "whole": time.perf_counter() - start,
        "peak": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def _report(runs: list[dict[str, float]], options: argparse.Namespace, jobs: int) -> None:
    found = {name: median(run[name] for run in runs) for name in runs[0]}
    row = [
        f"{options.hosts} x {options.tasks}",
        f"{found['history']:.2f} s for {found['read']:.0f} of {jobs} jobs",
        judged(found["whole"], TIME, " s"),
        judged(found["peak"], MEMORY, " MB"),
    ]
    title = f"B8, forecast: drumline simulate, medians of {len(runs)} runs ({machine()})"
    print_table(title, ["", "reading the journal", "the whole command", "peak"], [row])


if __name__ == "__main__":
    main()
