"""B1: small commands on a fleet of real OpenSSH servers, side by side with other tools, from a cold start."""

from __future__ import annotations

import argparse
import contextlib
import functools
import getpass
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from _measure import DRUMLINE, HERE, Cost, in_turns, judged, machine, measure, median, print_table

from drumline_lab.sshd import Sshd

#: Where other tools are installed; made when it is missing.
CONTENDERS = HERE / ".contenders"
#: Written by scripts/lock.
LOCKED = HERE.parent / "requirements" / "benchmarks.txt"
#: What drumline may take, as a share of what the other takes.
LIMITS = {
    "floor (bare paramiko)": 1.35,
    "pyinfra": 0.5,
    "parallel-ssh": 0.7,
    "ansible, raw": 0.12,
    "ansible, command": 0.02,
}
_PSSH = """
import sys
from pssh.clients import ParallelSSHClient
path, port, user, key, commands = sys.argv[1:]
hosts = open(path).read().split()
client = ParallelSSHClient(hosts, user=user, port=int(port), pkey=key, pool_size=len(hosts))
for number in range(int(commands)):
    outputs = client.run_command(f"echo {number}")
    client.join(outputs)
    assert len(outputs) == len(hosts)
    for output in outputs:
        assert list(output.stdout) == [str(number)] and output.exit_code == 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Servers that are up, and the files that the contenders read."""

    directory: Path
    server: Sshd
    user: str
    tasks: int

    @property
    def hosts(self) -> tuple[str, ...]:
        return self.server.addresses

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.write_text(text)
        return path


def main() -> None:
    options = _options()
    with open_fleet(options.hosts, options.tasks, as_me=options.as_me) as fleet:
        contenders = _contenders(fleet, options)
        for times, call in contenders.values():
            if times > 1:
                call()  # so that no one is the one to fill the caches
        results = in_turns(contenders)
    _report(results, options, fleet.user)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--slow-rounds", type=int, default=1, help="rounds of ansible with command, which takes long")
    parser.add_argument("--only", default="", metavar="NAME,...", help="contenders whose names begin so")
    parser.add_argument("--as-me", action="store_true", help="as root too, log in as the one who runs this")
    return parser.parse_args()


# The fleet.


@contextlib.contextmanager
def open_fleet(hosts: int, tasks: int, *, as_me: bool) -> Iterator[Fleet]:
    """Servers for as long as a ``with`` takes; as root, with a user of their own."""
    addresses = [f"127.0.{2 + number // 250}.{1 + number % 250}" for number in range(hosts)]
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="drumline-benchmark-")))
        user = getpass.getuser() if as_me or os.geteuid() else stack.enter_context(_temporary_user(directory))
        settings = {"AuthorizedKeysFile": str(directory / "authorized_keys")}
        server = stack.enter_context(Sshd(directory / "sshd", addresses=addresses, settings=settings))
        shutil.copy(f"{server.client_key}.pub", directory / "authorized_keys")
        directory.chmod(0o755)  # sshd reads the authorized keys as the user who logs in
        fleet = Fleet(directory=directory, server=server, user=user, tasks=tasks)
        fleet.write("hosts", "".join(f"{host}\n" for host in addresses))
        yield fleet


@contextlib.contextmanager
def _temporary_user(directory: Path) -> Iterator[str]:
    """A user whose shell is /bin/sh, so that no shell's start-up files are measured."""
    name = f"drumline{os.getpid()}"
    home = directory / "home"
    # '*' lets no one in by password; the '!' that useradd sets by itself locks the account for keys too.
    subprocess.run(["useradd", "-s", "/bin/sh", "-m", "-d", home, "-p", "*", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["userdel", "-r", name], check=True, stderr=subprocess.DEVNULL)


# The contenders: for each the number of rounds, and the call that measures it once.


def _contenders(fleet: Fleet, options: argparse.Namespace) -> dict[str, tuple[int, Callable[[], Cost]]]:
    makers: dict[str, tuple[int, Callable[[], Callable[[], Cost] | None]]] = {
        "floor (bare paramiko)": (options.rounds, lambda: _floor(fleet)),
        "drumline": (options.rounds, lambda: _drumline(fleet)),
        "pyinfra": (options.rounds, lambda: _pyinfra(fleet)),
        "parallel-ssh": (options.rounds, lambda: _parallel_ssh(fleet)),
        "ansible, raw": (max(1, options.rounds // 3), lambda: ansible(fleet, _playbook(fleet, "raw"))),
        "ansible, command": (options.slow_rounds, lambda: ansible(fleet, _playbook(fleet, "command"))),
    }
    wanted = [name.strip() for name in options.only.split(",")]
    return {
        name: (times, call)
        for name, (times, make) in makers.items()
        if times and any(name.startswith(word) for word in wanted) and (call := make()) is not None
    }


def arguments_of(fleet: Fleet) -> list[str | Path]:
    """What the bare scripts are given: a file of hosts, port, user, private key, number of commands."""
    key = fleet.server.client_key
    return [fleet.directory / "hosts", str(fleet.server.port), fleet.user, key, str(fleet.tasks)]


def _floor(fleet: Fleet) -> Callable[[], Cost]:
    return lambda: measure([sys.executable, HERE / "floor.py", *arguments_of(fleet)])


def write_inventory(fleet: Fleet) -> Path:
    """The fleet as drumline's inventory."""
    return fleet.write(
        "inventory.ini",
        "\n".join(
            [
                "[all]",
                *fleet.hosts,
                "[all:vars]",
                f"ansible_port={fleet.server.port}",
                f"ansible_user={fleet.user}",
                f"ansible_ssh_private_key_file={fleet.server.client_key}",
                f"drumline_ssh_known_hosts_file={fleet.server.known_hosts}",
                "",
            ]
        ),
    )


def _drumline(fleet: Fleet) -> Callable[[], Cost]:
    inventory = write_inventory(fleet)
    playbook = _playbook(fleet, "command")
    state = fleet.directory / "state"
    command = [DRUMLINE, "run", playbook, "-i", inventory, "-f", str(len(fleet.hosts)), "--state", state]
    return lambda: measure(command, directory=fleet.directory)


def _pyinfra(fleet: Fleet) -> Callable[[], Cost] | None:
    if installed("pyinfra") is None:
        return None
    lines = [f"server.shell(name='t{number}', commands=['echo {number}'])\n" for number in range(fleet.tasks)]
    return pyinfra(fleet, "from pyinfra.operations import server\n" + "".join(lines))


def pyinfra(fleet: Fleet, text: str) -> Callable[[], Cost]:
    """Runs a deploy file by pyinfra, which is installed."""
    shared = {
        "ssh_port": fleet.server.port,
        "ssh_user": fleet.user,
        "ssh_key": str(fleet.server.client_key),
        "ssh_known_hosts_file": str(fleet.server.known_hosts),
        "ssh_strict_host_key_checking": "yes",
    }
    inventory = fleet.write("pyinfra_hosts.py", f"hosts = ({list(fleet.hosts)!r}, {shared!r})\n")
    deploy = fleet.write("deploy.py", text)
    command = [_environment() / "bin" / "pyinfra", "-y", "--parallel", str(len(fleet.hosts)), inventory, deploy]
    return lambda: measure(command, directory=fleet.directory)


def _parallel_ssh(fleet: Fleet) -> Callable[[], Cost] | None:
    python = _environment() / "bin" / "python"
    if subprocess.run([python, "-c", "import pssh.clients"], check=False, stderr=subprocess.DEVNULL).returncode:
        return None
    script = fleet.write("pssh_script.py", _PSSH)
    return lambda: measure([python, script, *arguments_of(fleet)])


def ansible(fleet: Fleet, playbook: Path) -> Callable[[], Cost] | None:
    """Runs a playbook by ansible-playbook, from a cold start; None where it can't be installed."""
    program = installed("ansible-playbook")
    if program is None:
        return None
    inventory = fleet.write(
        "ansible.ini",
        "[all]\n"
        + "".join(f"{host}\n" for host in fleet.hosts)
        + f"[all:vars]\nansible_port={fleet.server.port}\nansible_user={fleet.user}\n"
        + f"ansible_ssh_private_key_file={fleet.server.client_key}\nansible_python_interpreter=/usr/bin/python3\n"
        + f"ansible_ssh_common_args=-o UserKnownHostsFile={fleet.server.known_hosts}\n",
    )

    def once() -> Cost:
        # ssh keeps its connections for a minute: a directory of their own makes each run start cold.
        with tempfile.TemporaryDirectory(prefix="cp", dir="/tmp") as sockets:
            environment = {
                "ANSIBLE_FORKS": str(len(fleet.hosts)),
                "ANSIBLE_PIPELINING": "True",
                "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
                "ANSIBLE_LOCAL_TEMP": str(fleet.directory / "ansible"),
                "ANSIBLE_NOCOLOR": "1",
                "LC_ALL": "C.UTF-8",
            }
            cost = measure([program, "-i", inventory, playbook], environment=environment, directory=fleet.directory)
            fleet.server.drop_connections()
        return cost

    return once


def _playbook(fleet: Fleet, module: str) -> Path:
    tasks = "".join(f"    - {module}: echo {number}\n" for number in range(fleet.tasks))
    return fleet.write(f"{module}.yml", f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")


def installed(name: str) -> Path | None:
    """One of the other tools; None where it can't be installed."""
    program = _environment() / "bin" / name
    return program if program.exists() else None


@functools.cache
def _environment() -> Path:
    """The environment of the other tools, made and filled when it is missing."""
    python = CONTENDERS / "bin" / "python"
    done = CONTENDERS / "installed.txt"
    wanted = LOCKED.read_text()
    if done.exists() and done.read_text() == wanted:
        return CONTENDERS
    print(f"installing requirements/benchmarks.txt into {CONTENDERS}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", CONTENDERS], check=True)
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    if subprocess.run([*pip, "--require-hashes", "-r", LOCKED], check=False).returncode:
        print("The other tools can't be installed; they are left out.", file=sys.stderr)
    done.write_text(wanted)
    return CONTENDERS


# The table.


def _report(results: dict[str, list[Cost]], options: argparse.Namespace, user: str) -> None:
    walls = {name: median(cost.wall for cost in costs) for name, costs in results.items()}
    ours = walls.get("drumline")

    def row(name: str) -> list[str]:
        costs = results[name]
        limit = LIMITS.get(name)
        ratio = judged(ours / walls[name], limit) if ours and limit else ""
        spread = f"{min(cost.wall for cost in costs):.2f} to {max(cost.wall for cost in costs):.2f} s"
        cpu = median(cost.cpu for cost in costs)
        return [name, f"{walls[name]:.2f} s", spread, f"{cpu:.2f} s", str(len(costs)), ratio]

    title = f"B1, fleet: {options.hosts} hosts x {options.tasks} commands, whole processes ({machine()})"
    print_table(
        title,
        ["", "median", "least to most", "its CPU time", "runs", "drumline takes, as a share"],
        [row(name) for name in results],
    )
    missing = [name for name in LIMITS if name not in results]
    if missing:
        print(f"Left out: {'; '.join(missing)}.")
    shell = Path(pwd.getpwnam(user).pw_shell).name if user == getpass.getuser() else "sh"
    print(f"Logged in as {'a temporary user' if user != getpass.getuser() else user} whose shell is {shell}.")


if __name__ == "__main__":
    main()
