"""The values of a task's keywords, rendered on demand for one item of one job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drumline.execution.values import flatten
from drumline.inventory.variables import Facts, Scope
from drumline.loading.arguments import coerce_arguments, overlaid, to_bool
from drumline.loading.loops import TERMS
from drumline.loading.written import named_by_templates
from drumline.model.playbook import Loop, Task
from drumline.model.request import Become
from drumline.model.target import Target
from drumline.model.value import Template, Value
from drumline.plugin.actions import Action, ActionFailed
from drumline.templating.failures import TemplateFailed, VariableUndefined
from drumline.templating.templates import Templating
from drumline.templating.unclear import UnclearRead, known_of
from drumline.templating.values import ATOMS, OMIT


class TaskValues:
    """A task with these variables. All methods raise ``TemplateFailed`` with the place in the file."""

    __slots__ = ("_make_scope", "_scope", "_templating", "task")

    def __init__(self, task: Task, templating: Templating, make_scope: Callable[[], Scope]) -> None:
        """The scope is made when something has to be rendered, since most tasks are constant."""
        self.task = task
        self._templating = templating
        self._make_scope = make_scope
        self._scope: Scope | None = None

    @property
    def scope(self) -> Scope:
        """The variables of the item."""
        if self._scope is None:
            self._scope = self._make_scope()
        return self._scope

    def with_result(self, values: Mapping[str, Any]) -> TaskValues:
        """The same for conditions that judge a result, which see it under its registered name."""
        name = self.task.register
        if name is None:
            return self
        return TaskValues(self.task, self._templating, lambda: self.scope.child(Facts({name: known_of(name, values)})))

    def render(self, value: Any) -> Any:
        """A value of the task's."""
        return value if type(value) in ATOMS else self._templating.render(value, self.scope)

    def evaluate(self, value: Any, variables: Scope) -> Any:
        """The same with other variables."""
        return self._templating.render(value, variables)

    def holds(self, conditions: tuple[Template | bool, ...]) -> bool:
        """Whether all of these conditions hold; stops at the first that doesn't."""
        return self._templating.condition(conditions, self.scope)

    def false_condition(self) -> str | bool | None:
        """The first condition of ``when`` that doesn't hold, as written; None if all hold.

        Raises ``UnclearRead`` if that depends on one that a check can't know.
        """
        unclear: UnclearRead | None = None
        for condition in self.task.when:
            try:
                if not self.holds((condition,)):
                    return condition.text if isinstance(condition, Template) else condition
            except UnclearRead as read:
                unclear = unclear or read
        if unclear is not None:
            raise unclear
        return None

    def texts(self, values: Sequence[Any]) -> list[str]:
        """A keyword that is a list of texts, in which templates may give lists of them."""
        rendered = (self.render(value) for value in values)
        return [
            str(text)
            for value in rendered
            for text in (value if isinstance(value, (list, tuple)) else [value])
            if text is not OMIT
        ]

    def flag(self, value: Any, keyword: str) -> bool:
        """A keyword that is true or false."""
        if isinstance(value, bool):
            return value
        rendered = self.render(value)
        try:
            return to_bool(rendered)
        except ValueError:
            raise self._wrong(keyword, f"has to be true or false, but this gives {rendered!r}.") from None

    def number(self, value: Any, keyword: str) -> float:
        """A keyword that is a number of 0 or more."""
        rendered = self.render(value)
        try:
            number = float(rendered)
        except (TypeError, ValueError):
            number = -1
        if number < 0 or isinstance(rendered, bool):
            raise self._wrong(keyword, f"has to be a number of 0 or more, but this gives {rendered!r}.")
        return number

    def items(self, loop: Loop) -> Sequence[Any]:
        """The items of the task's loop."""
        if loop.query is not None:
            return self._found(loop, loop.query)
        items = self.render(loop.items)
        if loop.flatten:
            return flatten(items)
        if not isinstance(items, (list, tuple)):
            place = self.task.positions.get("loop", self.task.position)
            raise TemplateFailed(f"'loop' needs a list, but this gives {type(items).__name__}.", place)
        return items

    def _found(self, loop: Loop, query: Template) -> list[Any]:
        """What the lookup of ``with_…`` finds."""
        terms = self._defined(loop.items) if loop.lenient else self.render(loop.items)
        given = terms if isinstance(terms, (list, tuple)) else [terms]
        found: list[Any] = self._templating.render(query, self.scope.child({TERMS: given}))
        return found

    def _defined(self, value: Value) -> Any:
        """The value rendered, without the entries that use what is undefined."""
        if isinstance(value, (list, tuple)):
            return [item for one in value if (item := self._defined(one)) is not OMIT]
        if isinstance(value, Mapping):
            return {key: item for key, one in value.items() if (item := self._defined(one)) is not OMIT}
        try:
            return self.render(value)
        except VariableUndefined:
            return OMIT

    def become(self, target: Target) -> Become | None:
        """Who the task runs as; None: the login user. The target's variables override the keywords, as in Ansible."""
        wanted = self.flag(self.task.become, "become") if target.become is None else target.become
        if not wanted:
            return None
        return Become(
            user=target.become_user or self._text(self.task.become_user) or Become().user,
            method=target.become_method,
            exe=target.become_exe or self._text(self.task.become_exe),
            flags=self._text(self.task.become_flags) if target.become_flags is None else target.become_flags,
            password=target.become_password,
        )

    def _text(self, value: Any) -> str | None:
        rendered = self.render(value)
        return None if rendered is None else str(rendered)

    def environment(self) -> dict[str, str]:
        """The environment of the task's commands; of several layers, the last one wins."""
        if not self.task.environment:
            return {}
        rendered = self.render(self.task.environment)
        layers = rendered if isinstance(rendered, list) else [rendered]
        if not all(isinstance(layer, Mapping) for layer in layers):
            raise self._wrong("environment", "has to be a dictionary, or a list of them.")
        return {str(name): str(value) for layer in layers for name, value in layer.items()}

    def arguments(self, action: Action) -> Mapping[str, Any]:
        """The action's arguments, of the declared types. Raises ``FilesError`` as well."""
        rendered = {
            self._name(name): self._expressions(value) if name in action.expressions else self.render(value)
            for name, value in self.task.arguments.items()
        }
        if self.task.more_arguments:
            rendered = overlaid(action, [*map(self._more, self.task.more_arguments), rendered])
        return coerce_arguments(action, rendered, self.task.position)

    def _more(self, value: Value) -> Mapping[str, Any]:
        """The arguments that a template gives."""
        rendered = self.render(value)
        if isinstance(rendered, Mapping):
            return rendered
        place = value.position if isinstance(value, Template) else self.task.position
        raise TemplateFailed(f"Arguments are a dictionary, but this gives {type(rendered).__name__}.", place)

    def _name(self, written: str) -> str:
        """The name of an argument, which may be a template if the action accepts any name."""
        if "{" not in written:
            return written
        keyword = f"arguments.{written}"
        name = self.render(Template(written, self.task.positions.get(keyword, self.task.position)))
        if not isinstance(name, str):
            raise self._wrong(keyword, f"is the name of an argument, which has to be text, but this gives {name!r}.")
        return name

    def _expressions(self, value: Any) -> list[tuple[str, bool]]:
        """Each expression's text and whether it holds."""
        expressions = value if isinstance(value, (list, tuple)) else [value]
        return [(item.text if isinstance(item, Template) else str(item), self.holds((item,))) for item in expressions]

    def look_up(self, name: str) -> Any:
        """A variable by its name or dotted path. Raises ``ActionFailed`` for an undefined one."""
        try:
            return self.render(Template(name, self.task.position, bare=True))
        except VariableUndefined as error:
            raise ActionFailed(error.summary) from None

    def render_file(self, text: str, path: str, **syntax: Any) -> str:
        """A file rendered as a template, which may use ``ansible_managed`` as the settings say, unless it is set."""
        scope = self.scope
        if "ansible_managed" not in scope:
            from drumline.execution.managed import managed  # most tasks render no file

            scope = scope.child({"ansible_managed": managed(self._templating.managed, path)})
        return self._templating.render_file(text, path, scope, **syntax)

    def _wrong(self, keyword: str, problem: str) -> TemplateFailed:
        place = self.task.positions.get(keyword, self.task.position)
        return TemplateFailed(f"'{keyword.removeprefix('arguments.')}' {problem}", place)


def constant_arguments(task: Task, action: Action, templating: Templating) -> Mapping[str, Any] | None:
    """The arguments of a task if they are the same for all jobs, with nothing to be rendered; else None."""
    if (
        action.expressions
        or task.more_arguments
        or not templating.compile_value(task.arguments).constant
        or named_by_templates(task)
    ):
        return None
    return coerce_arguments(action, task.arguments, task.position)
