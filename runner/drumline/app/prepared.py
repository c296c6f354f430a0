"""A plan, and all that was prepared with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from drumline.app.project import Project
from drumline.config import Settings
from drumline.diagnostics import Diagnostic
from drumline.inventory.scopes import Scopes
from drumline.loading.deferred import resolve
from drumline.loading.foreseen import Foresight
from drumline.masking import Secrets
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Playbook, Task
from drumline.model.value import Value
from drumline.planning.expand import make_plan
from drumline.planning.tags import Selection
from drumline.plugin.registry import Registry
from drumline.secret import Secret
from drumline.source.inputs import Inputs
from drumline.templating.templates import Templating


class Prepared(Struct, frozen=True, kw_only=True):
    """Everything that a run needs, checked; nothing has been sent to any host yet."""

    settings: Settings
    registry: Registry
    inventory: Inventory
    extra_variables: Mapping[str, Value]
    templating: Templating
    plan: Plan
    #: Warnings about the files, which don't stop the run.
    warnings: tuple[Diagnostic, ...] = ()
    #: Passwords that people have typed, as connection variables of all hosts.
    passwords: Mapping[str, Secret] = {}
    #: The secrets to mask; filled when the plan is run.
    secrets: Secrets = field(default_factory=Secrets)
    #: What of the playbook takes part.
    selection: Selection = Selection()
    #: Reads the inventory anew. Raises ``FilesError`` and ``UsageError``.
    reread: Callable[[], Inventory] | None = None
    #: What its tasks add while it runs, as far as that is known.
    foreseen: Foresight = field(default_factory=Foresight)
    #: The files that this was made from.
    inputs: Inputs = field(default_factory=Inputs)

    @property
    def project(self) -> Project:
        """What its files were read with."""
        return Project(
            settings=self.settings, plugins=self.registry, extra=self.extra_variables, templating=self.templating
        )

    def address(self, host: str) -> Value:
        """The address of a host according to the inventory; None if its name is its address."""
        found = self.inventory.hosts.get(host)
        return found.variables.get("ansible_host") if found else None


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
