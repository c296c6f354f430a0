"""Run by Ansible's own Python: what ``ansible-inventory`` says of inventories.

stdin has the sources of each inventory by name; its files lie below the directory that is the argument. Each inventory
has a process of its own, forked from one that has imported Ansible and read an inventory already: that takes longest.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import tempfile
from typing import Any

#: Seconds for the answers to one inventory.
_PATIENCE = 120


def ask(arguments: list[str]) -> str | None:
    """What ``ansible-inventory`` prints; None if it fails."""
    from ansible.cli.inventory import InventoryCLI
    from ansible.context import GlobalCLIArgs
    from ansible.parsing.vault import VaultSecretsContext

    # Ansible means to be asked one thing by each process.
    VaultSecretsContext._current = None
    GlobalCLIArgs._Singleton__instance = None
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            InventoryCLI(["ansible-inventory", *arguments]).run()
        except SystemExit as error:
            return None if error.code else said.getvalue()
        except Exception:
            return None
    return said.getvalue()


def answers(directory: str, sources: list[str]) -> dict[str, Any]:
    """All that is asked of one inventory: of its hosts, the first and the last one."""
    os.chdir(directory)
    named = [word for source in sources for word in ("-i", source)]
    if os.path.exists("pw"):
        named += ["--vault-password-file", "pw"]
    listed = json.loads(ask([*named, "--list"]) or "null")
    hosts = sorted(listed["_meta"]["hostvars"]) if listed else []
    return {
        "list": listed,
        "export": json.loads(ask([*named, "--list", "--export"]) or "null"),
        "graph": ask([*named, "--graph"]),
        "hosts": {host: json.loads(ask([*named, "--host", host]) or "null") for host in {*hosts[:1], *hosts[-1:]}},
    }


def apart(directory: str, sources: list[str]) -> Any:
    """The answers, from a process that nothing is left of."""
    with tempfile.TemporaryFile() as file:
        child = os.fork()
        if child == 0:
            signal.alarm(_PATIENCE)
            os.dup2(os.open(os.devnull, os.O_RDWR), 2)
            try:
                found = json.dumps(answers(directory, sources))
            except Exception as error:
                found = json.dumps(f"{directory}: {error!r}")
            file.write(found.encode())
            file.flush()
            os._exit(0)
        os.waitpid(child, 0)
        file.seek(0)
        return json.loads(file.read())


def main() -> None:
    questions = json.load(sys.stdin)
    ask(["-i", "a,", "--list"])
    found = {name: apart(os.path.join(sys.argv[1], name), sources) for name, sources in questions.items()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
