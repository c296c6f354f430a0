"""The one place that assembles scopes: of a job, of another host that it looks at, of a play before it starts.

Precedence, highest first, as Ansible's:

1. magic variables (``inventory_hostname``, ``groups``, ``role_name``, …)
2. extra variables (``-e``)
3. what a loop or the job itself sets (``item``)
4. parameters of roles, and of what was included
5. registered results and ``set_fact``
6. ``include_vars``
7. the task's ``vars``, those of its blocks merged in
8. variables of the task's role, and of those around it
9. variables of the play's public roles
10. the play's ``vars``, its ``vars_files`` merged in
11. the host's facts, as last gathered (``ansible_facts``)
12. the host's variables from the inventory, its groups' merged in
13. defaults of the task's role, then of the play's public roles
14. the keywords ``connection``, ``port`` and ``remote_user``, as ``ansible_connection`` and so on
15. ``results`` of all tasks, unless something else has the name
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drumline.inventory.combining import are_merged
from drumline.inventory.definitions import Definitions
from drumline.inventory.variables import Facts, HostVars, MergingScope, Scope, host_magic, run_magic
from drumline.model.host import Host, Inventory
from drumline.model.playbook import Play, Playbook, Task
from drumline.model.value import Value, Variables
from drumline.templating.templates import Templating

NOTHING: Variables = {}
NO_FACTS = Facts()


class Scopes:
    """Makes the scopes of one run."""

    def __init__(
        self,
        inventory: Inventory,
        playbook: Playbook,
        extra: Variables,
        templating: Templating,
        *,
        called: Variables = NOTHING,
        seen: Callable[[str, Any], None] | None = None,
        facts: Mapping[str, Facts] | None = None,
        gathered: Mapping[str, Facts] | None = None,
        included: Mapping[str, Variables] | None = None,
        of_plays: Mapping[tuple[str, str], Variables] | None = None,
        doubts: Mapping[str, str] | None = None,
    ) -> None:
        """``seen`` is called with the name and value of each rendered definition.

        ``facts`` are what tasks have set for hosts so far, ``gathered`` the hosts' gathered facts, ``included`` what
        ``include_vars`` read for them, ``of_plays`` what ``vars_files`` did for a play (by its id) and a host. The
        values of each are replaced, never changed. ``doubts`` says of hosts that may have more variables than a check
        knows of why that is. ``called`` are magic variables that say how the run was called.
        """
        first = playbook.plays[0].position.path if playbook.plays else playbook.path
        self._facts: Mapping[str, Facts] = {} if facts is None else facts
        self._gathered: Mapping[str, Facts] = {} if gathered is None else gathered
        self._included: Mapping[str, Variables] = {} if included is None else included
        self._of_plays: Mapping[tuple[str, str], Variables] = {} if of_plays is None else of_plays
        self._doubts: Mapping[str, str] = {} if doubts is None else doubts
        self.definitions = Definitions()
        self._inventory = inventory
        self._extra = extra
        self._templating = templating
        self._seen = seen
        self._called, self._first = called, Path(first)
        self._run = run_magic(inventory, self._first, **called)

    def change(self, inventory: Inventory) -> None:
        """There are other hosts and groups from here on."""
        self._inventory = inventory
        self._run = run_magic(inventory, self._first, **self._called)

    def host(self, name: str) -> Host:
        """A host of the inventory; a host without variables if the name is unknown."""
        return self._inventory.hosts.get(name) or Host(name=name)

    def scope(
        self,
        host: Host | None,
        *,
        play: Play | None = None,
        task: Task | None = None,
        own: Variables = NOTHING,
        set_by_job: Variables = NO_FACTS,
        batch: Variables = NOTHING,
        everywhere: Variables = NOTHING,
        hostvars: bool = True,
        doubtful: bool = False,
    ) -> Scope:
        """The variables on a host; None: those that are the same for all hosts.

        ``play`` and ``task`` are those that define variables, ``own`` the variables of a loop's item, ``set_by_job``
        what items before it set. ``batch`` and ``everywhere`` are magic variables: those of a batch, and those that
        other hosts have as well when a job looks at them by ``hostvars``. Of a job's they have nothing else.
        ``doubtful``: whether names that aren't there raise in templates where more variables may be there.
        """
        names = host_magic(host, self._hostvars(everywhere) if hostvars else None) if host is not None else NOTHING
        magic = (names, batch, *self.definitions.magic(play, task), self._run)
        layers = (*magic, *self.layers(host, play, task, own, set_by_job), everywhere)
        kind = MergingScope if are_merged() else Scope
        doubt = self._doubts.get(host.name, "") if doubtful and host is not None else ""
        return kind([layer for layer in layers if layer], self._templating, self._seen, doubt)

    def layers(
        self,
        host: Host | None,
        play: Play | None,
        task: Task | None,
        own: Variables = NOTHING,
        set_by_job: Variables = NO_FACTS,
    ) -> tuple[Variables, ...]:
        """Where variables come from that aren't magic, the strongest first."""
        facts = gathered = inventory = included = of_files = NOTHING
        if host is not None:
            facts, inventory = self._facts.get(host.name, NO_FACTS), host.variables
            gathered = self._gathered.get(host.name, NO_FACTS)
            included = self._included.get(host.name, NOTHING)
            of_files = NOTHING if play is None else self._of_plays.get((play.id, host.name), NOTHING)
        known = self.definitions
        return (
            *(self._extra, own, *known.parameters(task), set_by_job, facts, included),
            *known.variables(play, task, of_files),
            *(gathered, inventory, *known.defaults(play, task)),
            task.connection if task is not None else NOTHING,
        )

    def _hostvars(self, everywhere: Variables) -> HostVars:
        return HostVars(
            self._inventory.hosts,
            lambda name: self.scope(self.host(name), everywhere=everywhere, hostvars=False, doubtful=True),
        )

    def before(self, host: Host, play: Play) -> Scope:
        """The variables on a host before the play starts."""
        return self.scope(host, play=play)

    def render(self, value: Value, play: Play) -> Any:
        """Render a value that is the same for all hosts of a play. Raises ``TemplateFailed``."""
        return self._templating.render(value, self.scope(None, play=play))

    def render_pattern(self, value: Value, play: Play) -> str:
        """The same for host patterns, which may be lists."""
        found = self.render(value, play)
        return ",".join(map(str, found)) if isinstance(found, (list, tuple)) else str(found)
