"""An inventory for a playbook that is looked at without one: it has every group that the playbook names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from drumline.loading.written import templates_in
from drumline.model.host import Group, Host, Inventory
from drumline.model.playbook import Playbook
from drumline.model.value import Template, Value

#: Hosts that are in every group, so that groups meet.
_SHARED = ("made-up-1", "made-up-2")
_NAME = re.compile(r"[^\s/*?{}]+\Z")
_WORD = re.compile(r"[A-Za-z_]\w*")
#: ``groups['web']``, ``groups.web``, ``groups["web"]`` in a template.
_GROUPS = re.compile(r"""\bgroups(?:\[\s*['"]([\w.-]+)['"]\s*\]|\.([A-Za-z_]\w*))""")
#: A name in quotes, such as the default of a template.
_QUOTED = re.compile(r"""['"]([\w.,:!&*-]+)['"]""")
_NO_GROUPS = frozenset({"all", "ungrouped", "localhost", "127.0.0.1", "get", "keys", "items", "values", *_SHARED})


def made_up(playbook: Playbook) -> Inventory:
    """Every name in a pattern or in ``groups`` as a group of its own, with a host of its own and some shared ones.

    Groups that patterns leave out have no shared hosts.
    """
    named = set(_names(playbook))
    left_out = {name[1:] for name in named if name.startswith("!")} - named
    names = sorted({name.lstrip("!") for name in named} - _NO_GROUPS)
    own = {name: f"{name}-made-up" for name in names}
    groups = {name: Group(name=name, hosts=(own[name], *(() if name in left_out else _SHARED))) for name in names}
    hosts = {own[name]: Host(name=own[name], groups=(name,)) for name in names}
    hosts |= {name: Host(name=name, groups=tuple(name for name in names if name not in left_out)) for name in _SHARED}
    groups["ungrouped"] = Group(name="ungrouped", hosts=() if names else _SHARED)
    groups["all"] = Group(name="all", children=("ungrouped", *names))
    return Inventory(hosts=hosts, groups=groups)


def _names(playbook: Playbook) -> Iterator[str]:
    """Names of groups; those that a pattern leaves out begin with ``!``."""
    for play in playbook.plays:
        yield from _of_pattern(play.hosts)
        if isinstance(play.hosts, Template):
            named = (play.variables.get(word) for word in _WORD.findall(play.hosts.text))
            yield from (name for value in named if isinstance(value, str) for name in _of_pattern(value))
        yield from play.keep_available
        yield from _of_templates(play.variables)
        for task in play.tasks:
            yield from _of_pattern(task.hosts)
            yield from _of_templates([task.arguments, task.when, task.variables, task.delegate_to, task.deferred])
            yield from _of_templates(task.loop.items if task.loop else None)


def _of_pattern(pattern: Value) -> Iterator[str]:
    if isinstance(pattern, Template):
        yield from _of_templates(pattern)
        for default in _QUOTED.findall(pattern.text):
            yield from _of_pattern(str(default))
        return
    for part in re.split(r"[,:]", str(pattern or "")):
        name = re.sub(r"\[[^\]]*\]\Z", "", part.strip().lstrip("&!~")).replace("*", "x").replace("?", "x")
        if _NAME.match(name) and not part.strip().startswith("~"):
            yield f"!{name}" if part.strip().startswith("!") else name


def _of_templates(value: Value) -> Iterable[str]:
    for template in templates_in(value):
        for match in _GROUPS.finditer(template.text):
            yield match[1] or match[2]
