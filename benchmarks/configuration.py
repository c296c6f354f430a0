"""B9: what it costs to find out what ~/.ssh/config says of 500 hosts, with the program ssh asked and without it."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from _measure import Cost, in_turns, machine, measure, median, print_table

from drumline.plugin import Target

#: As many threads resolve as forks connect.
_THREADS = 50


def _blocks(hosts: int) -> str:
    return "".join(f"Host host{number}\n  HostName 10.0.{number // 250}.{number % 250}\n" for number in range(hosts))


CONFIGURATIONS: dict[str, Callable[[int], str]] = {
    "settings for all hosts": lambda hosts: "User deploy\nServerAliveInterval 30\n",
    "ten groups of hosts": lambda hosts: "".join(f"Host host*{digit}\n  User u{digit}\n" for digit in range(10)),
    "a block for each host": _blocks,
    "a key for each host": lambda hosts: (
        "IdentityFile ~/.ssh/%n\n"
        + "".join(f"Host host{number}\n  IdentityFile ~/.ssh/key{number}\n" for number in range(hosts))
    ),
    "Match exec for each host": lambda hosts: "Match exec true\n  User deploy\n",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--resolve", nargs=2, metavar=("FILE", "WAY"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.resolve:
        resolve(arguments.hosts, *arguments.resolve)
        return
    with tempfile.TemporaryDirectory() as directory:
        rows = [
            compare(name, text(arguments.hosts), Path(directory), arguments.hosts, arguments.rounds)
            for name, text in CONFIGURATIONS.items()
        ]
    title = f"B9, configuration: {arguments.hosts} hosts, medians of {arguments.rounds} processes each ({machine()})"
    print_table(title, ["", "ssh asked", "its CPU time", "ssh asked, times", "without ssh", "its CPU time"], rows)


def compare(name: str, text: str, directory: Path, hosts: int, rounds: int) -> list[str]:
    """A row: what both ways cost beyond a process that resolves no host."""
    file = directory / "config"
    file.write_text(text)
    home = {"HOME": pwd.getpwuid(os.getuid()).pw_dir}
    counted = directory / "asked"

    def run(way: str, number: int) -> Callable[[], Cost]:
        command = [sys.executable, __file__, "--hosts", str(number), "--resolve", str(file), way]
        return lambda: measure(command, environment={**home, "DRUMLINE_ASKED": str(counted)})

    costs = in_turns(
        {
            "idle": (rounds, run("alone", 0)),
            "asked": (rounds, run("asked", hosts)),
            "alone": (rounds, run("alone", hosts)),
        }
    )
    asked = counted.read_text()
    idle = Cost(wall=median(cost.wall for cost in costs["idle"]), cpu=median(cost.cpu for cost in costs["idle"]))

    def beyond(way: str) -> list[str]:
        wall, cpu = median(cost.wall for cost in costs[way]), median(cost.cpu for cost in costs[way])
        return [f"{max(0.0, wall - idle.wall):.3f} s", f"{max(0.0, cpu - idle.cpu):.3f} s"]

    return [name, *beyond("asked"), asked, *beyond("alone")]


def resolve(hosts: int, file: str, way: str) -> None:
    """What the child does: the settings of so many hosts, as jobs find them out."""
    from drumline_ssh.asking import SshProgram
    from drumline_ssh.configfile import ClientConfig
    from drumline_ssh.settings import resolve as settings

    asked: list[str] = []

    class Program(SshProgram):
        @property
        def installed(self) -> bool:
            return way == "asked" and super().installed

        def ask(self, name: str, *rest: object) -> dict[str, list[str]]:
            asked.append(name)
            return super().ask(name, *rest)  # type: ignore[arg-type]

    config = ClientConfig(Program)
    targets = [
        Target(host=f"host{number}", transport="ssh", options={"ssh_config_file": file}) for number in range(hosts)
    ]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(lambda target: settings(target, config), targets))
    if way == "asked":
        Path(os.environ["DRUMLINE_ASKED"]).write_text(str(len(asked)))


if __name__ == "__main__":
    main()
