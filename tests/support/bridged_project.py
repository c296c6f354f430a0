"""A project with modules and an action plug-in of its own, in all the places where Ansible finds them."""

from __future__ import annotations

from typing import Any

_MODULE = """#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
%s

def main():
    module = AnsibleModule(argument_spec=dict(%s), supports_check_mode=%s)
    module.exit_json(**of(module))


main()
"""


def module(of: str, arguments: str = "", *, check: bool = True) -> str:
    """A module whose function ``of`` gives its result."""
    return _MODULE % (of, arguments, check)


_GREET = module(
    """
from ansible.module_utils.words import GREETING
import os, sys

def of(module):
    name = module.params["name"]
    return dict(
        changed=True, checked=module.check_mode, greeting=f"{GREETING}, {name}!",
        diff=dict(before="", after=name + "\\n"), word=os.environ.get("WORD"),
        umask=os.umask(0), directory=os.getcwd(), argv=len(sys.argv),
        names=[key for key in sys.modules if key.startswith("xml")],
    )
""",
    "name=dict(required=True), secret=dict(no_log=True)",
)
_FACTS = module(
    """
def of(module):
    return dict(ansible_facts=dict(colour="green", ansible_size=3, nested=dict(a=[1, None, True])))
"""
)
_NO_CHECK = module("def of(module): return dict(changed=True)", check=False)
_FAILS = module('def of(module):\n    module.fail_json(msg="It fails", rc=7, stdout="a\\nb")')
_BREAKS = module('def of(module):\n    raise ValueError("broken")')
#: Where its arguments can be seen: it says which processes and files have the word.
_SNOOP = module(
    """
import glob, os

def holds(path, word):
    try:
        with open(path, "rb") as file:
            return word in file.read(1 << 20)
    except OSError:
        return False

def of(module):
    word = module.params["word"].encode()
    processes = [path for path in glob.glob("/proc/[0-9]*/cmdline") if holds(path, word)]
    places = ["/tmp", os.path.expanduser("~/.ansible"), os.path.expanduser("~")]
    files = [
        os.path.join(directory, name) for place in places for directory, _, names in os.walk(place) for name in names
        if ".drumline" in directory or "ansible" in directory
    ]
    return dict(processes=processes, files=[path for path in files if holds(path, word)])
""",
    "word=dict(required=True, no_log=True)",
)
_SLOW = module(
    """
import os, time

def of(module):
    with open(module.params["path"], "w") as file:
        file.write(str(os.getpid()))
    time.sleep(120)
    return {}
""",
    "path=dict(required=True)",
)
_OLD = """#!/bin/sh
# WANT_JSON
name=$(sed -n 's/.*"name": "\\([^"]*\\)".*/\\1/p' "$1")
echo "{\\"changed\\": true, \\"said\\": \\"hello $name\\"}"
"""
_OLDER = """#!/bin/sh
. "$1"
echo "{\\"changed\\": false, \\"said\\": \\"hello $name\\"}"
"""
_ACTION = """from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    TRANSFERS_FILES = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        with open(self._find_needle("files", self._task.args["source"])) as file:
            text = file.read()
        there = self._connection._shell.join_path(self._connection._shell.tmpdir, "it")
        self._transfer_data(there, text)
        stat = self._execute_module("ansible.builtin.stat", dict(path=there, get_mime=False), task_vars=task_vars)
        said = self._low_level_execute_command("cat " + there + "; exit 3")
        result.update(
            changed=True, size=stat["stat"]["size"], said=said["stdout"].split(), rc_of_it=said["rc"],
            colour=task_vars["wanted"], hosts=sorted(task_vars["hostvars"]),
            w=task_vars["hostvars"]["h0"]["ansible_port"] > 0,
            mine=self._templar.template("x"),
        )
        return result
"""
FILES = {
    "library/greet.py": _GREET,
    "library/colour_facts.py": _FACTS,
    "library/no_check.py": _NO_CHECK,
    "library/fails.py": _FAILS,
    "library/breaks.py": _BREAKS,
    "library/snoop.py": _SNOOP,
    "library/slow.py": _SLOW,
    "library/old_one": _OLD,
    "library/older_one": _OLDER,
    "module_utils/words.py": 'GREETING = "Hello"\n',
    "action_plugins/measure.py": _ACTION,
    "library/measure.py": "# what carries it out is the action plug-in\n",
    "files/text.txt": "some text\n",
    "roles/own/library/of_role.py": module("def of(module): return dict(changed=True, of='role')"),
    "roles/own/tasks/main.yml": "- of_role:\n  register: of_role\n",
    "collections/ansible_collections/a/b/plugins/modules/of_collection.py": module(
        "from ansible_collections.a.b.plugins.module_utils.more import WORD\ndef of(module): return dict(of=WORD)"
    ),
    "collections/ansible_collections/a/b/plugins/module_utils/more.py": "WORD = 'collection'\n",
}
#: Each registers what it gives under the name.
TASKS: list[dict[str, Any]] = [
    {"greet": {"name": "Ada"}, "register": "greeted", "environment": {"WORD": "w ö$(x)'rd"}},
    {"greet": {"name": "{{ wanted }}", "secret": "hidden-from-all"}, "register": "templated"},
    {"greet": "name='Bob B'", "register": "text"},
    {"greet": {}, "register": "without", "ignore_errors": True},
    {"greet": {"name": "Ada", "nome": 1}, "register": "unknown", "ignore_errors": True},
    {"greet": {"name": "Ada"}, "register": "checked", "check_mode": True},
    {"greet": {"name": "{{ item }}"}, "loop": ["a", "b"], "register": "looped"},
    {"colour_facts": {}, "register": "facts"},
    {"debug": {"msg": "{{ colour }} {{ ansible_facts.size }} {{ ansible_size }} {{ nested.a }}"}, "register": "used"},
    {"fails": {}, "register": "failed", "ignore_errors": True},
    {"fails": {}, "register": "judged", "failed_when": False, "changed_when": True},
    {"breaks": {}, "register": "broken", "ignore_errors": True},
    {"old_one": {"name": "Ada"}, "register": "old"},
    {"older_one": {"name": "Ada"}, "register": "older"},
    {"measure": {"source": "text.txt"}, "register": "measured"},
    {"a.b.of_collection": {}, "register": "of_collection"},
    {"of_collection": {}, "register": "short"},
    {"greet": {"name": "here"}, "delegate_to": "localhost", "register": "delegated"},
    {"greet": {"name": "quiet"}, "no_log": True, "register": "quiet"},
]
