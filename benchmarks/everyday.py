"""B15: 40 everyday tasks on real OpenSSH servers where nothing is to change, side by side with other tools."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from _measure import DRUMLINE, Cost, in_turns, judged, machine, measure, median, print_table
from fleet import Fleet, ansible, installed, open_fleet, pyinfra, write_inventory

#: What drumline may take, as a share of what the other takes.
LIMITS = {"ansible": 0.05, "pyinfra": 0.7}
_USERS, _GROUPS, _SERVICES = ("root", "daemon", "bin"), ("root", "daemon"), ("cron", "atd")


class Task(NamedTuple):
    """One task: the action and its arguments, and the same as a call of pyinfra's."""

    action: str
    arguments: dict[str, Any]
    call: str


def main() -> None:
    options = _options()
    with open_fleet(options.hosts, 0, as_me=options.as_me) as fleet:
        place = Path(fleet.directory if options.as_me else fleet.directory / "home") / "everyday"
        tasks = list(_tasks(place))[: options.tasks]
        contenders = _contenders(fleet, tasks, options)
        contenders["drumline"][1](fleet.hosts[0])  # all hosts are one machine: one of them makes it so
        for name, (_, call) in contenders.items():
            before = _state(place)
            call("all")  # so that no one is the one to fill the caches
            if _state(place) != before:
                raise SystemExit(f"{name} changes something where nothing is to change")
        calls = {name: (rounds, lambda call=call: call("all")) for name, (rounds, call) in contenders.items()}
        results = in_turns(calls)
    _report(results, len(tasks), options.hosts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", metavar="NAME,...", help="drumline and which others")
    parser.add_argument("--as-me", action="store_true", help="as root too, log in as the one who runs this")
    return parser.parse_args()


def _tasks(place: Path) -> Iterator[Task]:
    """Directories, files, lines, links, users, services, packages and times, as a playbook for a server has them."""
    for number in range(6):
        path = str(place / f"d{number}")
        yield Task(
            "file", {"path": path, "state": "directory", "mode": "0755"}, f"files.directory({path!r}, mode='755')"
        )
    for number in range(8):
        path, text = str(place / f"d1/f{number}"), f"setting {number}\n"
        yield Task("copy", {"content": text, "dest": path}, f"files.put(io.StringIO({text!r}), {path!r})")
    for number in range(4):
        path = str(place / f"d2/t{number}")
        yield Task("template", {"src": "everyday.j2", "dest": path}, f"files.template('everyday.j2', {path!r})")
    for number in range(6):
        path, line = str(place / "d1/lines"), f"line{number}=1"
        yield Task("lineinfile", {"path": path, "line": line, "create": True}, f"files.line({path!r}, {line!r})")
    for number in range(4):
        path, target = str(place / f"d3/l{number}"), str(place / "d1/f0")
        yield Task("file", {"src": target, "path": path, "state": "link"}, f"files.link({path!r}, target={target!r})")
    for name in _USERS:
        yield Task("user", {"name": name}, f"server.user({name!r}, ensure_home=False)")
    for name in _GROUPS:
        yield Task("group", {"name": name}, f"server.group({name!r})")
    for number in range(3):
        job, minute = f"true {number}", str(number)
        call = f"crontab.crontab({job!r}, cron_name='j{number}', minute={minute!r})"
        yield Task("cron", {"name": f"j{number}", "job": job, "minute": minute}, call)
    for name in _SERVICES:
        runs = _answers(["service", name, "status"])
        state = {"name": name, "state": "started" if runs else "stopped"}
        yield Task("service", state, f"sysvinit.service({name!r}, running={runs})")
    for name in _packages():
        yield Task("apt", {"name": name}, f"apt.packages([{name!r}])")


def _packages() -> list[str]:
    """Two that are installed, and known to be wanted, where Ansible's module has the Python that it needs."""
    if not _answers(["/usr/bin/python3", "-c", "import apt"]):
        return []
    return subprocess.run(["apt-mark", "showmanual"], check=True, capture_output=True, text=True).stdout.split()[:2]


def _answers(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _state(place: Path) -> dict[str, tuple[int, int]]:
    """All that there is, each with the time and the number of the file."""
    return {str(path): (path.lstat().st_mtime_ns, path.lstat().st_ino) for path in place.rglob("*")}


def _contenders(
    fleet: Fleet, tasks: list[Task], options: argparse.Namespace
) -> dict[str, tuple[int, Callable[[str], Cost]]]:
    """For each the number of rounds, and what runs it on a pattern of hosts."""
    lines = [{task.action: task.arguments} for task in tasks]
    play = {"hosts": "all", "gather_facts": False, "tasks": lines}
    playbook = fleet.write("everyday.yml", yaml.safe_dump([play], sort_keys=False))
    fleet.write("everyday.j2", "The settings of a host.\n")
    command = [DRUMLINE, "run", playbook, "-i", write_inventory(fleet), "-f", str(len(fleet.hosts))]
    command += ["--state", fleet.directory / "state", "--limit"]
    found: dict[str, tuple[int, Callable[[str], Cost]]] = {
        "drumline": (options.rounds, lambda hosts: measure([*command, hosts], directory=fleet.directory))
    }
    wanted = options.only.split(",") if options.only else LIMITS
    if "ansible" in wanted and (theirs := ansible(fleet, playbook)) is not None:
        found["ansible"] = (1, lambda _hosts: theirs())
    if "pyinfra" in wanted and installed("pyinfra") is not None:
        modules = "import io\nfrom pyinfra.operations import apt, crontab, files, server, sysvinit\n"
        run = pyinfra(fleet, modules + "".join(f"{task.call}\n" for task in tasks))
        found["pyinfra"] = (options.rounds, lambda _hosts: run())
    return found


def _report(results: dict[str, list[Cost]], tasks: int, hosts: int) -> None:
    walls = {name: median(cost.wall for cost in costs) for name, costs in results.items()}

    def row(name: str) -> list[str]:
        costs = results[name]
        spread = f"{min(cost.wall for cost in costs):.2f} to {max(cost.wall for cost in costs):.2f} s"
        verdict = judged(walls["drumline"] / walls[name], LIMITS[name]) if name in LIMITS else ""
        return [name, f"{walls[name]:.2f} s", spread, f"{median(cost.cpu for cost in costs):.2f} s", verdict]

    title = f"B15, everyday: {tasks} tasks on {hosts} hosts, of which none changes anything ({machine()})"
    print_table(title, ["", "median", "least to most", "its CPU time", "drumline's share"], map(row, results))
    if missing := [name for name in LIMITS if name not in results]:
        print(f"Left out: {'; '.join(missing)}.")


if __name__ == "__main__":
    main()
