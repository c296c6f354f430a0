"""The plan of a playbook, with what is known before the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from drumline.inventory.scopes import Scopes
from drumline.loading.deferred import resolve
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Playbook, Task
from drumline.planning.expand import make_plan


def plan_of(
    playbook: Playbook,
    inventory: Inventory,
    scopes: Scopes,
    chosen: Callable[[Task], bool] = lambda _task: True,
    **options: Any,
) -> Plan:
    """The plan of a playbook, with what ``scopes`` knows before the run. ``options`` are those of ``make_plan``."""
    return make_plan(
        resolve(playbook, scopes.render, chosen=chosen),
        inventory,
        render_pattern=scopes.render_pattern,
        host_scope=scopes.before,
        **options,
    )


def shuffled(hosts: Sequence[str]) -> tuple[str, ...]:
    """The hosts in an order that is drawn."""
    import random  # imported late: few plays shuffle their hosts

    return tuple(random.sample(hosts, len(hosts)))
