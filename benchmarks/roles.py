"""B11: loading a repository of many roles and files of tasks, next to ansible-playbook --syntax-check."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from _measure import DRUMLINE, Cost, in_turns, judged, machine, measure, median, print_table
from fleet import installed

#: Seconds that 200 roles with 2,000 files of tasks may take.
LIMIT = 3.0
_DRUMLINE, _ANSIBLE = "drumline plan", "ansible-playbook --syntax-check"

_TASKS = """
- name: Make the directory of {part}
  file: {{path: "{{{{ {role}_home }}}}/{part}", state: directory, mode: "0755"}}
  tags: [{role}]
- name: Write the settings of {part}
  copy:
    dest: "{{{{ {role}_home }}}}/{part}/settings"
    content: "port={{{{ {role}_port }}}} level={{{{ {role}_level }}}}"
  when: {role}_enabled | bool
  notify: restart {role}
- name: Start {part}
  command: "{{{{ {role}_home }}}}/bin/start {{{{ item }}}}"
  loop: "{{{{ {role}_parts }}}}"
  register: {role}_{part}_started
  changed_when: {role}_{part}_started.rc == 0
"""
_DEFAULTS = """
{role}_home: "/srv/{{{{ {role}_name }}}}"
{role}_name: {role}
{role}_port: {port}
{role}_enabled: true
{role}_parts: [a, b]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roles", type=int, default=200)
    parser.add_argument("--files", type=int, default=10, help="files of tasks of each role")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-ansible", action="store_true", help="leave it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="drumline-benchmark-") as name:
        directory = Path(name)
        write_repository(directory, options.roles, options.files)
        _compare(directory, options)


def write_repository(directory: Path, roles: int, files: int) -> None:
    """A playbook that uses so many roles, each with so many files of tasks, of three tasks each."""
    names = [f"role_{number}" for number in range(roles)]
    for number, role in enumerate(names):
        parts = [f"part_{part}" for part in range(files - 1)]
        imports = "".join(f"- import_tasks: {part}.yml\n  tags: [{part}]\n" for part in parts)
        texts = {f"tasks/{part}.yml": _TASKS.format(role=role, part=part) for part in parts}
        texts |= {
            "tasks/main.yml": imports + _TASKS.format(role=role, part="main"),
            "defaults/main.yml": _DEFAULTS.format(role=role, port=8000 + number),
            "vars/main.yml": f"{role}_level: {number}\n",
            "handlers/main.yml": f"- name: restart {role}\n  command: service {role} restart\n",
            "meta/main.yml": f"dependencies: [{names[number - 1]}]\n" if number % 10 == 9 else "dependencies: []\n",
        }
        for path, text in texts.items():
            file = directory / "roles" / role / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    listed = "".join(f"    - {role}\n" for role in names)
    (directory / "site.yml").write_text(f"- hosts: all\n  gather_facts: false\n  roles:\n{listed}")


def _compare(directory: Path, options: argparse.Namespace) -> None:
    def run(*command: str | Path) -> Cost:
        return measure([*command, "site.yml", "-i", "localhost,"], directory=directory)

    contenders = {_DRUMLINE: (options.rounds, lambda: run(DRUMLINE, "plan", "--state", directory / "state"))}
    ansible = None if options.no_ansible else installed("ansible-playbook")
    if ansible is not None:
        contenders[_ANSIBLE] = (max(1, options.rounds // 3), lambda: run(ansible, "--syntax-check"))
    contenders[_DRUMLINE][1]()  # so that all is compiled and read from the disk
    results = in_turns(contenders)
    rows = []
    for name, costs in results.items():
        wall, cpu = median(cost.wall for cost in costs), median(cost.cpu for cost in costs)
        rows.append([name, judged(wall, LIMIT, " s") if name == _DRUMLINE else f"{wall:.3g} s", f"{cpu:.3g} s"])
    title = f"B11, roles: {options.roles} roles, {options.roles * options.files} files of tasks ({machine()})"
    print_table(title, ["", "median", "CPU time"], rows)
    shutil.rmtree(directory / "state", ignore_errors=True)


if __name__ == "__main__":
    main()
