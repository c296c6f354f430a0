"""B3: what a task on a Windows host costs in requests and bytes, counted at the practice fleet's WS-Management server.

PowerShell comes from the program that DRUMLINE_LAB_WINDOWS names, or from this machine's ``pwsh``.
"""

from __future__ import annotations

import argparse
import os
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from _measure import DRUMLINE, judged, machine, measure, print_table

from drumline_lab.wsman import Exchange, Settings, Sh, WsmanServer, find_backend

REQUESTS, SENT = 2.0, 4096.0
_USER, _PASSWORD = "admin", secrets.token_hex(8)
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
    tasks = parser.parse_args().tasks
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        folder = Path(name)
        program = os.environ.get("DRUMLINE_LAB_WINDOWS")
        backend = find_backend(f"benchmark-{secrets.token_hex(4)}", folder, program=program)
        if type(backend) is Sh:
            print("B3, Windows: left out, since there is no PowerShell. Set DRUMLINE_LAB_WINDOWS, or install pwsh.")
            return
        try:
            with WsmanServer(Settings(users={_USER: _PASSWORD}), backend=backend) as server:
                rows = [_row(kind, server, folder, tasks) for kind in TASKS]
        finally:
            backend.remove()
    title = f"B3, Windows: one more task on a warm shell, {tasks} of each kind ({backend.description}; {machine()})"
    print_table(title, ["", "requests a task", "bytes sent for a task", "requests of the first task"], rows)


def _row(kind: str, server: WsmanServer, folder: Path, tasks: int) -> list[str]:
    """What tasks add to a run that has one already: connecting and starting PowerShell are in both."""
    first = _traffic(kind, server, folder, 1)
    all_of_them = _traffic(kind, server, folder, 1 + tasks)
    requests = (all_of_them.requests - first.requests) / tasks
    sent = (all_of_them.received - first.received) / tasks
    return [kind, judged(requests, REQUESTS), judged(sent, SENT, " bytes"), str(first.requests)]


def _traffic(kind: str, server: WsmanServer, folder: Path, tasks: int) -> Traffic:
    inventory = folder / "hosts.ini"
    inventory.write_text(
        f"win1 ansible_host={server.host} ansible_port={server.port} ansible_connection=winrm ansible_winrm_scheme=http"
        f" ansible_winrm_transport=ntlm ansible_user={_USER} ansible_password={_PASSWORD}\n"
    )
    playbook = folder / "playbook.yml"
    lines = "".join(f"    - {TASKS[kind].format(n=number)}\n" for number in range(tasks))
    playbook.write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n{lines}")
    server.log.clear()
    measure([DRUMLINE, "run", playbook, "-i", inventory, "--state", folder / "state"], folder=folder)
    return Traffic.of(server.log)


if __name__ == "__main__":
    main()
