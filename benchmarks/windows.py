"""B3: what a task on a Windows host costs in requests and bytes, counted at the practice fleet's WS-Management server;
and what a large file costs, which goes to two hosts side by side.

PowerShell comes from the program that DRUMLINE_LAB_WINDOWS names, or from this machine's ``pwsh``.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from _measure import DRUMLINE, Cost, judged, machine, measure, print_table

from drumline_lab.wsman import Exchange, Settings, Sh, WsmanServer, find_backend

REQUESTS, SENT = 2.0, 4096.0
_USER, _PASSWORD = "admin", secrets.token_hex(8)
#: bytes on the way for a byte of a large file (base64 alone makes 4 of 3), and the whole run's seconds for 10 MB
BYTES, SECONDS = 1.4, 5.0
_LARGE = 10_000_000
#: Small tasks of each kind; ``{n}`` is the number of the task.
TASKS = {
    "win_shell": "win_shell: Write-Output {n}",
    "win_command": "win_command: hostname.exe",
    "win_stat": "win_stat: {{path: 'C:\\Windows'}}",
    "win_file": "win_file: {{path: 'C:\\bench-{n}', state: directory}}",
    "win_copy": "win_copy: {{content: 'setting={n}', dest: 'C:\\bench-{n}.ini'}}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What the server saw."""

    requests: int
    received: int  #: bytes of the requests' bodies

    @classmethod
    def of(cls, exchanges: Iterable[Exchange]) -> Traffic:
        bodies = [exchange.received for exchange in exchanges]
        return cls(requests=len(bodies), received=sum(bodies))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3, help="How often the large file is copied.")
    parser.add_argument("--only", default=",".join(TASKS), help="Run only these kinds of small tasks.")
    given = parser.parse_args()
    tasks = given.tasks
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        directory = Path(name)
        program = os.environ.get("DRUMLINE_LAB_WINDOWS")
        backend = find_backend(f"benchmark-{secrets.token_hex(4)}", directory, program=program)
        if type(backend) is Sh:
            print("B3, Windows: left out, since there is no PowerShell. Set DRUMLINE_LAB_WINDOWS, or install pwsh.")
            return
        try:
            with WsmanServer(Settings(users={_USER: _PASSWORD}), backend=backend) as server:
                rows = [_row(kind, server, directory, tasks) for kind in given.only.split(",")]
            large = _large(program, directory, given.rounds)
        finally:
            backend.remove()
    title = f"B3, Windows: one more task on a warm shell, {tasks} of each kind ({backend.description}; {machine()})"
    print_table(title, ["", "requests a task", "bytes sent for a task", "requests of the first task"], rows)
    title = f"B3, Windows: a file of 10 MB to two hosts, the whole run from a cold start, median of {given.rounds}"
    print_table(title, ["", "seconds", "bytes sent for a byte"], [large])


def _row(kind: str, server: WsmanServer, directory: Path, tasks: int) -> list[str]:
    """What tasks add to a run that has one already: connecting and starting PowerShell are in both."""
    first = _traffic(kind, server, directory, 1)
    all_of_them = _traffic(kind, server, directory, 1 + tasks)
    requests = (all_of_them.requests - first.requests) / tasks
    sent = (all_of_them.received - first.received) / tasks
    return [kind, judged(requests, REQUESTS), judged(sent, SENT, " bytes"), str(first.requests)]


def _large(program: str | None, directory: Path, rounds: int) -> list[str]:
    """A copy to two hosts, each with a server of its own."""
    (directory / "large").write_bytes(secrets.token_bytes(_LARGE))
    seconds, sent = [], 0
    with contextlib.ExitStack() as stack:
        servers = []
        for _ in range(2):
            backend = find_backend(f"benchmark-{secrets.token_hex(4)}", directory, program=program)
            stack.callback(backend.remove)
            servers.append(stack.enter_context(WsmanServer(Settings(users={_USER: _PASSWORD}), backend=backend)))
        for number in range(rounds + 1):  # the first one starts the hosts' services
            for server in servers:
                server.log.clear()
            task = f"win_copy: {{src: {directory}/large, dest: 'C:\\bench-{number}.bin'}}"
            cost = _run(servers, directory, f"    - {task}\n")
            seconds.append(cost.wall)
            sent = sum(Traffic.of(server.log).received for server in servers)
    each = sent / len(servers) / _LARGE
    return ["win_copy, 10 MB", judged(statistics.median(seconds[1:]), SECONDS, " s"), judged(each, BYTES)]


def _traffic(kind: str, server: WsmanServer, directory: Path, tasks: int) -> Traffic:
    server.log.clear()
    _run([server], directory, "".join(f"    - {TASKS[kind].format(n=number)}\n" for number in range(tasks)))
    return Traffic.of(server.log)


def _run(servers: Sequence[WsmanServer], directory: Path, tasks: str) -> Cost:
    """Run tasks on hosts, the whole program."""
    inventory = directory / "hosts.ini"
    inventory.write_text(
        "".join(
            f"win{number} ansible_host={server.host} ansible_port={server.port} ansible_winrm_scheme=http"
            f" ansible_connection=winrm ansible_winrm_transport=ntlm ansible_user={_USER}"
            f" ansible_password={_PASSWORD}\n"
            for number, server in enumerate(servers)
        )
    )
    playbook = directory / "playbook.yml"
    playbook.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    return measure([DRUMLINE, "run", playbook, "-i", inventory, "--state", directory / "state"], directory=directory)


if __name__ == "__main__":
    main()
