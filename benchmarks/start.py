"""B4: how long ``drumline --help`` takes, next to a Python that does nothing."""

from __future__ import annotations

import argparse
import sys

from _measure import DRUMLINE, in_turns, judged, machine, measure, median, print_table

LIMIT = 3.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "drumline --help": [DRUMLINE, "--help"],
        "drumline run --help": [DRUMLINE, "run", "--help"],
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
            judged(walls[name] / idle, LIMIT) if name == "drumline --help" else f"{walls[name] / idle:.3g}",
        ]
        for name, costs in results.items()
    ]
    print_table(f"B4, start: {rounds} runs each ({machine()})", ["", "median", "CPU time", "share of python"], rows)


if __name__ == "__main__":
    main()
