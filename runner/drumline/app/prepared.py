"""What preparing gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from drumline.app.project import Project
from drumline.config import Settings
from drumline.diagnostics import Diagnostic
from drumline.loading.foreseen import Foresight
from drumline.masking import Secrets
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.value import Value
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
