"""B12: the plan of a generator file with many rows, each of which is a play that needs another one."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from _measure import DRUMLINE, judged, machine, measure, median, print_table

#: Seconds that 5,000 rows may take, from the start of the program to the last line of the plan.
LIMIT = 3.0
_GENERATOR = """
tables: {nodes: {file: nodes.csv, columns: {site: {required: true}, needs: {type: list, references: nodes}}}}
patterns:
  web:
    parameters: {port: {type: int, required: true}, site: {required: true}}
    tasks:
      - {id: install, command: "install --port {{ port }}"}
      - {id: register, command: "register {{ site }}"}
plays:
  - {for_each: nodes, pattern: web, needs: "{{ row.needs | default([]) }}"}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        directory = Path(name)
        write_tables(directory, options.rows)
        command = [DRUMLINE, "plan", "gen.yml", "-i", "hosts", "--state", directory / "state"]
        measure(command, directory=directory)  # so that all is compiled and read from the disk
        costs = [measure(command, directory=directory) for _ in range(options.rounds)]
    wall, cpu = median(cost.wall for cost in costs), median(cost.cpu for cost in costs)
    title = f"B12, generated plays ({machine()})"
    rows = [[f"{options.rows} rows", judged(wall, LIMIT, " s"), f"{cpu:.3g} s"]]
    print_table(title, ["", "median", "CPU time"], rows)


def write_tables(directory: Path, rows: int) -> None:
    """A generator file and its table, in which each row needs the one a hundred before it."""
    (directory / "gen.yml").write_text(_GENERATOR)
    (directory / "hosts").write_text("".join(f"web{number}\n" for number in range(rows)))
    lines = [
        f"web{number},site{number % 20},{8000 + number},{f'web{number - 100}' if number >= 100 else ''}"
        for number in range(rows)
    ]
    (directory / "nodes.csv").write_text("\n".join(["name,site,port,needs", *lines]) + "\n")


if __name__ == "__main__":
    main()
