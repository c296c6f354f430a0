"""B14: tasks that Ansible's own module carries out on real OpenSSH servers, by drumline and by ansible-playbook."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

from _measure import DRUMLINE, Cost, in_turns, judged, machine, measure, median, print_table
from fleet import Fleet, ansible, installed, open_fleet, write_inventory

#: What a task by the bridge may take, as a share of what ansible takes for it.
SHARE = 0.4
_MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec=dict(word=dict(required=True)), supports_check_mode=True)
module.exit_json(changed=False, word=module.params["word"])
"""
_PLUGIN = "import sys\nsys.path.append({!r})\nfrom drumline_ansible import *\n"
_DRUMLINE, _ANSIBLE = "drumline, by the bridge", "ansible"


def main() -> None:
    options = _options()
    with open_fleet(options.hosts, 0, as_me=options.as_me) as fleet:
        tasks = "".join(f"    - look: {{word: w{number}}}\n" for number in range(options.tasks))
        playbook = fleet.write("bridge.yml", f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
        (fleet.directory / "library").mkdir()
        fleet.write("library/look.py", _MODULE)
        theirs = ansible(fleet, playbook)
        if theirs is None:
            raise SystemExit("ansible-core can't be installed, and the bridge needs it")
        ours = _drumline(fleet)
        ours()  # so that both start with warm caches
        results = in_turns({_DRUMLINE: (options.rounds, ours), _ANSIBLE: (options.rounds, theirs)})
    _report(results, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=20)
    parser.add_argument("--tasks", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--as-me", action="store_true", help="as root too, log in as the one who runs this")
    return parser.parse_args()


def _drumline(fleet: Fleet) -> Callable[[], Cost]:
    program = installed("ansible-playbook")
    assert program is not None
    (fleet.directory / "plugins").mkdir()
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    fleet.write("plugins/ansible.py", _PLUGIN.format(os.path.join(root, "plugins")))
    fleet.write("drumline.toml", f'[ansible]\npython = "{program.with_name("python")}"\n')
    command = [DRUMLINE, "run", fleet.directory / "bridge.yml", "-i", write_inventory(fleet)]
    command += ["-f", str(len(fleet.hosts)), "--state", fleet.directory / "state"]
    command += ["-e", "ansible_python_interpreter=/usr/bin/python3"]
    return lambda: measure(command, directory=fleet.directory)


def _report(results: dict[str, list[Cost]], options: argparse.Namespace) -> None:
    walls = {name: median(cost.wall for cost in costs) for name, costs in results.items()}

    def row(name: str) -> list[str]:
        each = walls[name] / options.tasks
        verdict = judged(walls[_DRUMLINE] / walls[_ANSIBLE], SHARE) if name == _ANSIBLE else ""
        spread = f"{min(cost.wall for cost in results[name]):.2f} to {max(cost.wall for cost in results[name]):.2f} s"
        return [name, f"{walls[name]:.2f} s", spread, f"{each:.2f} s", verdict]

    title = f"B14, bridge: {options.tasks} tasks on {options.hosts} hosts, whole processes ({machine()})"
    print_table(title, ["", "median", "least to most", "a task", "drumline's share"], [row(name) for name in results])


if __name__ == "__main__":
    main()
