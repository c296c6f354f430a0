"""B2: the engine alone. Hosts that do nothing, reached by the real way from the files to the journal and the report."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _measure import in_turns, judged, machine, median, print_table

from drumline import app
from drumline.app.carrying_out import carry_out
from drumline.config import Settings
from drumline.reporting.listeners import listeners_for

#: Microseconds per job, MB, and how many times as long ten times the hosts take.
TIME, MEMORY, GROWTH = 80.0, 600.0, 11.0
_PLUGIN = """
from drumline.plugin import hookimpl
from drumline.testing.null import NullTransport

@hookimpl
def drumline_transports():
    return [NullTransport()]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", action="store_true", help="run once in this process and print the figures as JSON")
    options = parser.parse_args()
    if options.once:
        print(json.dumps(_once(options.hosts, options.tasks)))
        return
    sizes = (options.hosts // 10, options.hosts)
    calls = {
        # The small run is the shorter one, and so the more disturbed.
        str(hosts): (options.rounds, lambda hosts=hosts: _in_a_process(hosts, options.tasks))
        for hosts in sizes
    }
    results = in_turns(calls)
    _report({int(name): figures for name, figures in results.items()}, options.tasks)


def _in_a_process(hosts: int, tasks: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--once", "--hosts", str(hosts), "--tasks", str(tasks)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _once(hosts: int, tasks: int) -> dict[str, float]:
    """Seconds of each part, CPU seconds of the run, and the peak of memory in MB."""
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        directory = Path(name)
        playbook = write_project(directory, hosts, tasks)
        os.chdir(directory)
        settings = Settings(inventory=("hosts.ini",), state=directory / "state")
        start = time.perf_counter()
        app.inventory_of(settings, app.registry(settings))
        loaded = time.perf_counter()
        prepared = app.prepare([playbook], settings)
        planned, cpu = time.perf_counter(), time.process_time()
        said = sys.stdout
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends, a moment later
        with listeners_for(prepared.plan) as reports:
            status = carry_out(prepared, reports.listeners, command="benchmark")
        sys.stdout = said
        assert status == 0, status
        return {
            "inventory": loaded - start,
            "prepare": planned - loaded,
            "run": time.perf_counter() - planned,
            "cpu": time.process_time() - cpu,
            "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


def write_project(directory: Path, hosts: int, tasks: int) -> Path:
    (directory / "plugins").mkdir()
    (directory / "plugins" / "null.py").write_text(_PLUGIN)
    (directory / "hosts.ini").write_text(f"[fleet]\nh[00001:{hosts:05}]\n[all:vars]\nansible_connection=null\n")
    playbook = directory / "playbook.yml"
    lines = "".join(f"    - command: echo {number}\n" for number in range(tasks))
    playbook.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{lines}")
    return playbook


def _report(results: dict[int, list[dict[str, float]]], tasks: int) -> None:
    figures = {hosts: {name: median(run[name] for run in runs) for name in runs[0]} for hosts, runs in results.items()}
    rows = []
    for hosts, found in figures.items():
        per_job = found["run"] / hosts / tasks * 1e6
        rows.append(
            [
                f"{hosts} x {tasks}",
                f"{found['inventory']:.2f} s",
                f"{found['prepare']:.2f} s",
                f"{found['run']:.2f} s",
                judged(per_job, TIME, " µs"),
                f"{found['cpu'] / hosts / tasks * 1e6:.0f} µs",
                judged(found["peak"], MEMORY, " MB"),
            ]
        )
    title = f"B2, engine: medians of {len(next(iter(results.values())))} runs ({machine()})"
    print_table(title, ["", "inventory", "load and plan", "run", "a job", "its CPU time", "peak"], rows)
    small, large = figures.values()
    print(f"Ten times the hosts, times the time: {judged(large['run'] / small['run'], GROWTH)}.")


if __name__ == "__main__":
    main()
