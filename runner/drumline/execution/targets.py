"""How hosts are reached, cached as long as nothing that it depends on can change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from drumline.inventory.variables import Scope
from drumline.loading.connection import target_of
from drumline.masking import Secrets
from drumline.model.plan import Step
from drumline.model.target import Target
from drumline.model.value import Variables
from drumline.plugin.transports import Transport
from drumline.secret import Secret
from drumline.templating.templates import Templating

#: Variables with these prefixes may change how a host is reached.
_PREFIXES = ("ansible_", "drumline_")
#: What steps share that reach hosts alike: their play, the identity of the keywords, how another user is become.
_Shared: TypeAlias = tuple[int, int, str | int]


class Targets:
    """Read by the threads of all jobs; the driver's thread reports what jobs have set."""

    def __init__(
        self,
        transports: Mapping[str, Transport],
        templating: Templating,
        secrets: Secrets,
        *,
        scope: Callable[[Step, str], Scope],
        definitions: Callable[[Step, str], Iterable[Variables]],
        own: Callable[[Step], Iterable[Variables]],
        passwords: Variables,
    ) -> None:
        """``scope`` gives the variables of a step on a host, ``definitions`` those that its whole play shares.

        ``own`` are those of the step's task and of its role. ``passwords`` are those that people have typed, as
        variables, which are weaker than all others.
        """
        self._passwords = passwords
        self._transports = transports
        self._templating = templating
        self._secrets = secrets
        self._scope = scope
        self._definitions = definitions
        self._own = own
        #: By host, for the steps of a play with the same keywords of connection.
        self._known: dict[_Shared, dict[str, Target]] = {}
        #: The same by step; None for one whose own variables may tell of connections.
        self._of_steps: dict[int, dict[str, Target] | None] = {}

    def of(self, step: Step, host: str) -> Target:
        """How a job of this step reaches the host; secrets in it are registered. Raises ``OptionInvalid``."""
        of_steps = self._of_steps  # the driver's thread may replace it meanwhile
        known = of_steps[step.index] if step.index in of_steps else self._known_for(step)
        if known is None:
            return self._find(step, host)
        target = known.get(host)
        if target is None:
            target = self._find(step, host)
            if self._is_fixed(step, host):
                known[host] = target
        return target

    def _known_for(self, step: Step) -> dict[str, Target] | None:
        """The targets that steps like this one share."""
        known = None
        if not any(layer and _tell_of_connections(layer) for layer in self._own(step)):
            connection, method = step.task.connection, step.task.become_method
            # Most tasks share the keywords of their play by identity; each without any has its own {}.
            shared = step.play, id(connection) if connection else 0, method if isinstance(method, str) else id(method)
            known = self._known.setdefault(shared, {})
        self._of_steps[step.index] = known
        return known

    def forget_all(self) -> None:
        """There are other hosts and groups from here on."""
        self._known = {}
        self._of_steps = {}

    def forget(self, host: str, variables: Iterable[str]) -> None:
        """A job has set these variables of a host."""
        if _tell_of_connections(variables):
            for known in list(self._known.values()):
                known.pop(host, None)

    def _find(self, step: Step, host: str) -> Target:
        scope = self._scope(step, host)
        if self._passwords:
            scope = scope.over(self._passwords)
        method = self._templating.render(step.task.become_method, scope)
        target = target_of(host, scope, self._transports, None if method is None else str(method))
        for value in (*target.options.values(), target.become_password):
            if isinstance(value, Secret):
                self._secrets.add(value)
        return target

    def _is_fixed(self, step: Step, host: str) -> bool:
        """Whether no template affects how the host is reached: its value may change later."""
        definitions = [
            value
            for layer in self._definitions(step, host)
            for name, value in layer.items()
            if name.startswith(_PREFIXES)
        ]
        return all(self._templating.compile_value(value).constant for value in (step.task.become_method, *definitions))


def _tell_of_connections(names: Iterable[str]) -> bool:
    return any(name.startswith(_PREFIXES) for name in names)
