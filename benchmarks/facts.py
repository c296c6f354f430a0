"""B10: gathering all facts of a fleet of real OpenSSH servers, next to ansible's setup; and what it costs one host."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from _measure import DRUMLINE, Cost, in_turns, judged, machine, measure, median, print_table
from fleet import Fleet, ansible, open_fleet, write_inventory

from drumline.plugin import Call, Platform
from drumline.plugin.kit import script_run
from drumline_actions import setup

#: What drumline may take, as a share of what ansible takes.
SHARE = 0.1
#: Milliseconds of CPU time that a host may spend.
OWN = 120
_PLAYBOOK = "- hosts: all\n  gather_facts: true\n"
_HOST, _ANSIBLE, _DRUMLINE = "one host's own part", "ansible", "drumline"


def main() -> None:
    options = _options()
    with open_fleet(options.hosts, 0, as_me=options.as_me) as fleet:
        contenders = {_HOST: (options.rounds * 10, _own_part(fleet)), _DRUMLINE: (options.rounds, _drumline(fleet))}
        theirs = None if options.no_ansible else ansible(fleet, fleet.write("facts.yml", _PLAYBOOK))
        if theirs is not None:
            contenders[_ANSIBLE] = (max(1, options.rounds // 3), theirs)
        contenders[_DRUMLINE][1]()  # so that all start with warm caches
        results = in_turns(contenders)
    _report(results, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-ansible", action="store_true", help="leave it out")
    parser.add_argument("--as-me", action="store_true", help="as root too, log in as the one who runs this")
    return parser.parse_args()


def _own_part(fleet: Fleet) -> Callable[[], Cost]:
    """The script that a host runs, as a process of this machine."""
    call = Call(host="host", platform=Platform.POSIX, arguments={"fact_path": "/etc/ansible/facts.d"})
    script = fleet.write("facts.sh", script_run(call, setup.GATHER, setup.script_variables(call, "word")).text)
    return lambda: measure(["sh", script])


def _drumline(fleet: Fleet) -> Callable[[], Cost]:
    inventory: Path = write_inventory(fleet)
    playbook = fleet.write("facts.yml", _PLAYBOOK)
    state = fleet.directory / "state"
    command = [DRUMLINE, "run", playbook, "-i", inventory, "-f", str(len(fleet.hosts)), "--state", state]
    return lambda: measure(command, directory=fleet.directory)


def _report(results: dict[str, list[Cost]], options: argparse.Namespace) -> None:
    walls = {name: median(cost.wall for cost in costs) for name, costs in results.items()}

    def row(name: str) -> list[str]:
        costs = results[name]
        cpu = median(cost.cpu for cost in costs)
        verdict = judged(cpu * 1000, OWN, " ms") if name == _HOST else ""
        if name == _ANSIBLE:
            verdict = judged(walls[_DRUMLINE] / walls[name], SHARE)
        spread = f"{min(cost.wall for cost in costs):.2f} to {max(cost.wall for cost in costs):.2f} s"
        return [name, f"{walls[name]:.2f} s", spread, f"{cpu:.2f} s", str(len(costs)), verdict]

    title = f"B10, facts: {options.hosts} hosts, all facts, whole processes ({machine()})"
    header = ["", "median", "least to most", "its CPU time", "runs", "its CPU time, or drumline's share of it"]
    print_table(title, header, [row(name) for name in results])


if __name__ == "__main__":
    main()
