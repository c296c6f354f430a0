"""B13: reading 10,000 hosts in 100 groups with group_vars, next to ansible-inventory, and host patterns over them."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from _measure import DRUMLINE, in_turns, judged, machine, measure, median, print_table

from drumline.inventory.patterns import select
from drumline.inventory.sources import load_inventory

PATTERNS = ("all", "g1:g2:!h00100", "h0*", "~h00\\d+5", "g5[0:20]", "all:&g7", "*5")


def write(directory: Path, hosts: int, groups: int) -> None:
    """An inventory of YAML with two files of variables for each group."""
    lines = ["all:", "  children:"]
    each = hosts // groups
    for group in range(groups):
        lines += [f"    g{group}:", "      hosts:"]
        lines += [
            f"        h{group * each + host:05}: {{ansible_host: 10.{group}.{host % 250}.1, n: {host}}}"
            for host in range(each)
        ]
        own = directory / "group_vars" / f"g{group}"
        own.mkdir(parents=True)
        (own / "main.yml").write_text(f"http_port: {8000 + group}\nroot: '/srv/{{{{ inventory_hostname }}}}'\n")
        (own / "more.yml").write_text("packages: [a, b, c]\n")
    (directory / "hosts.yml").write_text("\n".join(lines))
    (directory / "group_vars" / "all.yml").write_text("ansible_user: deploy\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ansible", default=os.environ.get("DRUMLINE_ANSIBLE"), help="The program ansible.")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        write(Path(directory), arguments.hosts, arguments.groups)
        rows = reading(Path(directory), arguments)
        title = f"B13, inventory: {arguments.hosts} hosts, {arguments.groups} groups ({machine()})"
        print_table(title, ["", "wall", "CPU", "limit"], rows)
        print_table("B13, host patterns", ["", "hosts", "CPU", "limit"], patterns(directory))


def reading(directory: Path, arguments: argparse.Namespace) -> list[list[str]]:
    """Both programs list the same files, as whole processes."""
    listing = ["list", "-i", directory, "--format", "json"]
    contenders = {
        "drumline": (arguments.rounds, lambda: measure([DRUMLINE, "inventory", *listing], directory=directory))
    }
    if arguments.ansible:
        program = Path(arguments.ansible).with_name("ansible-inventory")
        contenders["ansible"] = (1, lambda: measure([program, "-i", directory, "--list"], directory=directory))
    costs = in_turns(contenders)
    wall = {name: median(cost.wall for cost in found) for name, found in costs.items()}
    cpu = {name: median(cost.cpu for cost in found) for name, found in costs.items()}
    said = [judged(cpu["drumline"], 2.0, " s")]
    if "ansible" in cpu:
        said.append(judged(cpu["drumline"] / cpu["ansible"], 0.4, " x ansible"))
    rows = [["drumline", f"{wall['drumline']:.2f} s", f"{cpu['drumline']:.2f} s", "; ".join(said)]]
    if "ansible" in cpu:
        rows.append(["ansible-inventory", f"{wall['ansible']:.2f} s", f"{cpu['ansible']:.2f} s", ""])
    return rows


def patterns(directory: str) -> list[list[str]]:
    """What it costs to choose hosts."""
    inventory = load_inventory([directory])
    rows = []
    for pattern in PATTERNS:
        began = time.process_time()
        chosen = len(select(pattern, inventory))
        milliseconds = (time.process_time() - began) * 1000
        rows.append([pattern, str(chosen), f"{milliseconds:.1f} ms", judged(milliseconds, 50.0, " ms")])
    return rows


if __name__ == "__main__":
    sys.exit(main())
