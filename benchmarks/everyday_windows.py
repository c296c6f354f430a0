"""B16: 25 files on two Windows hosts where nothing is to change, next to ansible-playbook over WinRM.

PowerShell comes from the program that DRUMLINE_LAB_WINDOWS names, or from this machine's ``pwsh``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from _measure import DRUMLINE, Cost, in_turns, judged, machine, measure, median, print_table
from fleet import installed

from drumline_lab.wsman import Settings, Sh, WsmanServer, find_backend

SHARE = 0.05
_USER, _PASSWORD = "admin", secrets.token_hex(8)
_PLACE = "C:\\everyday-"


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        program = os.environ.get("DRUMLINE_LAB_WINDOWS")
        servers = []
        for _ in range(2):
            backend = find_backend(f"benchmark-{secrets.token_hex(4)}", directory, program=program)
            if type(backend) is Sh:
                print(
                    "B16, Windows: left out, since there is no PowerShell. Set DRUMLINE_LAB_WINDOWS, or install pwsh."
                )
                return
            stack.callback(backend.remove)
            servers.append(stack.enter_context(WsmanServer(Settings(users={_USER: _PASSWORD}), backend=backend)))
        tasks = list(_tasks())[: options.tasks]
        contenders = _contenders(directory, servers, tasks, options)
        for _, call in contenders.values():
            call()  # makes what isn't there, and fills the caches
        results = in_turns(contenders)
    _report(results, len(tasks), backend.description)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-rounds", type=int, default=1, help="rounds of ansible, which takes long")
    return parser.parse_args()


def _tasks() -> Iterator[dict[str, Any]]:
    """What Ansible's modules can do on a lab's Windows: most compile C#, which needs more than PowerShell itself."""
    for number in range(13):
        yield {"win_copy": {"content": f"setting {number}", "dest": f"{_PLACE}f{number}"}}
        template = {"src": "everyday.j2", "dest": f"{_PLACE}t{number}", "newline_sequence": "\r\n"}
        yield {"win_template": template}


def _contenders(
    directory: Path, servers: Sequence[WsmanServer], tasks: list[dict[str, Any]], options: argparse.Namespace
) -> dict[str, tuple[int, Callable[[], Cost]]]:
    hosts = {
        f"win{number}": {
            "ansible_host": server.host,
            "ansible_port": server.port,
            "ansible_connection": "winrm",
            "ansible_winrm_scheme": "http",
            "ansible_winrm_transport": "ntlm",
            "ansible_user": _USER,
            "ansible_password": _PASSWORD,
        }
        for number, server in enumerate(servers)
    }
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    for name, content in (("hosts.yml", {"all": {"hosts": hosts}}), ("everyday.yml", [play])):
        (directory / name).write_text(yaml.safe_dump(content, sort_keys=False))
    # Of a last line end, Ansible makes LF, whatever the others are.
    (directory / "everyday.j2").write_text("The settings\nof a host.")
    ours: list[str | Path] = [DRUMLINE, "run", "everyday.yml", "-i", "hosts.yml", "--state", directory / "state"]
    found = {"drumline": (options.rounds, lambda: measure(ours, directory=directory))}
    program = installed("ansible-playbook") if options.slow_rounds else None
    if program is not None:
        theirs: list[str | Path] = [program, "-i", "hosts.yml", "everyday.yml"]
        environment = {"ANSIBLE_LOCAL_TEMP": str(directory / "ansible"), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}
        found["ansible"] = (options.slow_rounds, partial(measure, theirs, environment=environment, directory=directory))
    return found


def _report(results: dict[str, list[Cost]], tasks: int, description: str) -> None:
    walls = {name: median(cost.wall for cost in costs) for name, costs in results.items()}

    def row(name: str) -> list[str]:
        costs = results[name]
        spread = f"{min(cost.wall for cost in costs):.2f} to {max(cost.wall for cost in costs):.2f} s"
        verdict = judged(walls["drumline"] / walls[name], SHARE) if name == "ansible" else ""
        return [name, f"{walls[name]:.2f} s", spread, f"{walls[name] / tasks:.2f} s", verdict]

    title = f"B16, Windows: {tasks} tasks on 2 hosts, of which none changes anything ({description}; {machine()})"
    print_table(title, ["", "median", "least to most", "a task", "drumline's share"], map(row, results))
    if "ansible" not in results:
        print("Left out: ansible.")


if __name__ == "__main__":
    main()
