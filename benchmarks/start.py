"""B4: how long ``drumline --help`` and a run of one local task take, next to a Python that does nothing."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from _measure import DRUMLINE, in_turns, judged, machine, measure, median, print_table

#: How many times as long they may take as a Python that does nothing.
LIMITS = {"drumline --help": 3.0, "drumline run, one local task": 5.0}
_PLAYBOOK = "- hosts: localhost\n  gather_facts: false\n  tasks:\n    - command: echo 1\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        playbook = Path(name, "playbook.yml")
        playbook.write_text(_PLAYBOOK)
        _compare(rounds, playbook, Path(name, "state"))


def _compare(rounds: int, playbook: Path, state: Path) -> None:
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "drumline --help": [DRUMLINE, "--help"],
        "drumline run --help": [DRUMLINE, "run", "--help"],
        "drumline run, one local task": [DRUMLINE, "run", playbook, "-i", "localhost,", "--state", state],
    }
    for command in commands.values():
        measure(command)  # so that all is compiled and read from the disk
    calls = {name: (rounds, lambda command=command: measure(command)) for name, command in commands.items()}
    results = in_turns(calls)
    walls = {name: median(cost.wall for cost in costs) for name, costs in results.items()}
    idle = walls["python -c pass"]
    rows = [
        [
            name,
            f"{walls[name] * 1000:.1f} ms",
            f"{median(cost.cpu for cost in costs) * 1000:.1f} ms",
            judged(walls[name] / idle, LIMITS[name]) if name in LIMITS else f"{walls[name] / idle:.3g}",
        ]
        for name, costs in results.items()
    ]
    print_table(f"B4, start: {rounds} runs each ({machine()})", ["", "median", "CPU time", "share of python"], rows)


if __name__ == "__main__":
    main()
