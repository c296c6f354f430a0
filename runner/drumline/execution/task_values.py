"""What a task says beside its conditions, rendered for one job: flags, numbers, environment, arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drumline.execution.context import RunContext
from drumline.inventory.variables import Scope
from drumline.loading.arguments import coerce_arguments, to_bool
from drumline.model.plan import Step
from drumline.model.request import Become
from drumline.model.target import SUDO, Target
from drumline.model.value import Template
from drumline.plugin.protocols import ActionFailed
from drumline.templating.failures import TemplateFailed


class Words:
    """The words of one step's task. All methods raise ``TemplateFailed`` with the place in the file."""

    def __init__(self, context: RunContext, step: Step) -> None:
        self._context = context
        self._step = step
        self._task = step.task
        self._render = context.templating.render

    def flag(self, value: Any, keyword: str, scope: Scope) -> bool:
        """A keyword that is true or false."""
        if isinstance(value, bool):
            return value
        rendered = self._render(value, scope)
        try:
            return to_bool(rendered)
        except ValueError:
            raise self._wrong(keyword, f"has to be true or false, and this gives {rendered!r}.") from None

    def number(self, value: Any, keyword: str, scope: Scope) -> float:
        """A keyword that is a number of 0 or more."""
        rendered = self._render(value, scope)
        try:
            number = float(rendered)
        except (TypeError, ValueError):
            number = -1
        if number < 0 or isinstance(rendered, bool):
            raise self._wrong(keyword, f"has to be a number of 0 or more, and this gives {rendered!r}.")
        return number

    def become(self, target: Target, scope: Scope) -> Become | None:
        """Who the task runs as; None: the login user. The target's variables win over the keywords, as in Ansible."""
        wanted = self.flag(self._task.become, "become", scope) if target.become is None else target.become
        if not wanted:
            return None
        if target.become_method not in SUDO:
            raise ActionFailed(f"ansible_become_method is '{target.become_method}' here; only sudo is there yet.")
        if target.become_password is not None:
            raise ActionFailed(
                "ansible_become_password is set for this host, and so far sudo works without a password only. Remove "
                "the variable where sudo asks for none."
            )
        return Become(user=target.become_user or str(self._render(self._task.become_user, scope)))

    def environment(self, scope: Scope) -> dict[str, str]:
        """The variables that the task's commands get; of several layers the last one wins."""
        if not self._task.environment:
            return {}
        rendered = self._render(self._task.environment, scope)
        layers = rendered if isinstance(rendered, list) else [rendered]
        if not all(isinstance(layer, Mapping) for layer in layers):
            raise self._wrong("environment", "has to be a dictionary, or a list of them.")
        return {str(name): str(value) for layer in layers for name, value in layer.items()}

    def arguments(self, scope: Scope) -> Mapping[str, Any]:
        """The action's arguments, of the declared types. Raises ``FilesError`` as well."""
        known = self._context.constant_arguments(self._step)
        if known is not None:
            return known
        action = self._context.actions[self._task.action]
        rendered = {
            self._name(name, scope): self._expressions(value, scope)
            if name in action.expressions
            else self._render(value, scope)
            for name, value in self._task.arguments.items()
        }
        return coerce_arguments(action, rendered, self._task.position)

    def _name(self, written: str, scope: Scope) -> str:
        """The name of an argument, which may be a template where any name is taken."""
        if "{" not in written:
            return written
        keyword = f"arguments.{written}"
        name = self._render(Template(written, self._task.positions.get(keyword, self._task.position)), scope)
        if not isinstance(name, str):
            raise self._wrong(keyword, f"is the name of an argument, which has to be text, and this gives {name!r}.")
        return name

    def lookup(self, name: str, scope: Scope) -> Any:
        """A variable by its name or dotted path."""
        return self._render(Template(name, self._task.position, bare=True), scope)

    def _expressions(self, value: Any, scope: Scope) -> list[tuple[str, bool]]:
        """Each expression's text and whether it holds."""
        expressions = value if isinstance(value, (list, tuple)) else [value]
        return [
            (item.text if isinstance(item, Template) else str(item), self._context.templating.condition((item,), scope))
            for item in expressions
        ]

    def _wrong(self, keyword: str, problem: str) -> TemplateFailed:
        place = self._task.positions.get(keyword, self._task.position)
        return TemplateFailed(f"'{keyword.removeprefix('arguments.')}' {problem}", place)
