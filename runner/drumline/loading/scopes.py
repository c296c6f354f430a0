"""What templates see that are rendered before a run, when no host has been asked anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drumline.inventory.variables import HostVars, Scope, host_magic, run_magic
from drumline.model.host import Host, Inventory
from drumline.model.playbook import Play, Playbook
from drumline.model.value import Value
from drumline.templating.templates import Templating


def play_renderer(
    templating: Templating, inventory: Inventory, extra: Mapping[str, Value], playbook: Playbook
) -> Callable[[Value, Play], Any]:
    """Renders what is the same for all hosts of a play."""
    magic = _magic(inventory, playbook)

    def render(value: Value, play: Play) -> Any:
        return templating.render(value, Scope((magic, extra, play.variables), templating))

    return render


def pattern_renderer(render: Callable[[Value, Play], Any]) -> Callable[[Value, Play], str]:
    """The same for host patterns, which may be lists."""

    def render_pattern(value: Value, play: Play) -> str:
        found = render(value, play)
        return ",".join(map(str, found)) if isinstance(found, (list, tuple)) else str(found)

    return render_pattern


def host_scopes(
    templating: Templating, inventory: Inventory, extra: Mapping[str, Value], playbook: Playbook
) -> Callable[[Host, Play], Scope]:
    """What a host's variables are before its play starts."""
    magic = _magic(inventory, playbook)

    def scope(host: Host, play: Play) -> Scope:
        hostvars = HostVars(inventory.hosts, lambda name: scope(inventory.hosts[name], play))
        return Scope((host_magic(host, hostvars), magic, extra, play.variables, host.variables), templating)

    return scope


def _magic(inventory: Inventory, playbook: Playbook) -> Mapping[str, Any]:
    first = playbook.plays[0].position.path if playbook.plays else playbook.path
    return run_magic(inventory, Path(first))
