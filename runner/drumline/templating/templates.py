"""Templates: what is wrong with them, which variables they need, and what they give.

Only :class:`~drumline.model.value.Template` objects are ever evaluated, and those only come from the author's
files. What rendering gives is data, as is every string of a host, whatever braces it holds (promise 7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from drumline.diagnostics import Diagnostic, Position
from drumline.model.value import SecretTemplate, Template, Value
from drumline.secret import Secret
from drumline.source.vault import keyring
from drumline.templating.budget import DEFAULT
from drumline.templating.failures import TemplateFailed
from drumline.templating.values import ATOMS, OMIT
from drumline.templating.variables import Lookup

if TYPE_CHECKING:
    from drumline.plugin.registry import Registry
    from drumline.templating.names import Reference
    from drumline.templating.texts import Texts

#: Compiled containers that are remembered; more than a playbook has, so that a mistake of a caller can't fill memory.
_REMEMBERED = 20_000
_TRUTH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}

Variables: TypeAlias = Mapping[str, Any]
#: A value made ready: called with the variables it gives the rendered value.
Rendered: TypeAlias = Callable[[Variables], Any]


class Compiled:
    """A value made ready for being rendered often."""

    __slots__ = ("_render", "_value", "constant")

    def __init__(self, value: Value, render: Rendered | None) -> None:
        #: Whether it is the same for all variables. It is handed out as it is and must not be changed.
        self.constant = render is None
        self._value = value
        self._render = render

    def render(self, variables: Variables) -> Any:
        """The value with all templates in it rendered."""
        return self._value if self._render is None else self._render(variables)


class Templating:
    """All templates of a run. Each text is compiled once; may be used from several threads."""

    def __init__(
        self,
        seconds: float = DEFAULT,
        plugins: Registry | None = None,
        *,
        trusted: bool = True,
        managed: str = "Ansible managed",
    ) -> None:
        """``seconds`` is what one rendering may take. Without ``plugins`` there is only what drumline offers itself.

        Of files that aren't ``trusted`` no code is run, and no lookup: what needs one can't be rendered. ``managed`` is
        what files that are rendered may have as ``ansible_managed``.
        """
        self.trusted = trusted
        self.managed = managed
        self._seconds = seconds
        self._plugins = plugins
        self._register: Callable[[str], None] | None = None  # in a run: what registers a secret
        # The value is kept beside its compiled form, so that its id stays its own.
        self._compiled: dict[int, tuple[Value, Compiled]] = {}

    @cached_property
    def _texts(self) -> Texts:
        from drumline.templating.texts import Texts  # it brings jinja2, which a run without templates doesn't need

        return Texts(self._seconds, self._plugins, lambda: self._register, trusted=self.trusted)

    def resolve_secrets(self, register: Callable[[str], None]) -> None:
        """A run begins: references to secrets are resolved from here on, and what they give is registered first."""
        self._register = register

    def wrong_secrets(self, template: Template) -> list[Diagnostic]:
        """The references to secrets in it that no plugin resolves. Empty for what doesn't parse."""
        return self._texts.wrong_secrets(template) if "secret" in template.text else []

    def check(self, template: Template) -> list[Diagnostic]:
        """Everything that is wrong with the template itself; nothing is evaluated."""
        return self._texts.check(template)

    def undeclared(self, template: Template) -> frozenset[str]:
        """Names without which it can't be rendered, whatever the others hold. Empty for what doesn't parse."""
        return self._texts.names(template).needed

    def guarded(self, template: Template) -> frozenset[str]:
        """Names that it mentions but can perhaps do without: behind ``default``, ``is defined``, ``if``, ``and``…"""
        return self._texts.names(template).guarded

    def references(self, template: Template) -> list[tuple[Reference, Position]]:
        """Every use of ``results`` and where it stands. Empty for what doesn't parse."""
        return self._texts.references(template) if "results" in template.text else []

    def compile_value(self, value: Value) -> Compiled:
        """Make a value ready for being rendered often; a text that doesn't parse fails when it is rendered."""
        return Compiled(value, self._renderer(value))

    def render(self, value: Value, variables: Variables) -> Any:
        """The value with all templates in it rendered, at any depth; entries that give ``omit`` are left out.

        A constant is handed out as it is: don't change what is returned. ``value`` is the author's, and lives as
        long as the run. Raises ``TemplateFailed``.
        """
        if type(value) in ATOMS:
            return value
        if type(value) is Template:
            return self._texts.evaluate(value, variables)
        known = self._compiled.get(id(value))
        if known is None:
            known = self._remember(value)
        return known[1].render(variables)

    def condition(self, conditions: Sequence[Template | bool], variables: Variables) -> bool:
        """Whether all of them hold; those after the first that doesn't aren't looked at. Raises ``TemplateFailed``."""
        for condition in conditions:
            if type(condition) is bool:
                holds = condition
            else:
                holds = _truth(self.render(condition, variables), condition)
            if not holds:
                return False
        return True

    def render_file(self, text: str, path: str, variables: Variables, **syntax: Any) -> str:
        """A whole file's text as a template. Raises ``TemplateFailed`` with a position in that file.

        ``syntax`` are arguments of jinja2's ``Environment`` that differ from the usual ones.
        """
        return self._texts.render_file(text, path, variables, **syntax)

    def _remember(self, value: Value) -> tuple[Value, Compiled]:
        if len(self._compiled) >= _REMEMBERED:
            self._compiled.clear()
        known = self._compiled[id(value)] = (value, self.compile_value(value))
        return known

    def _renderer(self, value: Value) -> Rendered | None:
        if type(value) in ATOMS:
            return None
        if isinstance(value, SecretTemplate):
            return lambda variables: _noted(self._texts.evaluate(value, variables))
        if isinstance(value, Template):
            return lambda variables: self._texts.evaluate(value, variables)
        if isinstance(value, Secret):
            return lambda _variables: value.reveal()
        if isinstance(value, Mapping) and not isinstance(value, Lookup):
            return self._dict_renderer(value)
        if isinstance(value, (list, tuple)):
            return self._list_renderer(value)
        return None

    def _dict_renderer(self, value: Mapping[Any, Value]) -> Rendered | None:
        entries = [(self.compile_value(key), self.compile_value(item)) for key, item in value.items()]
        if all(key.constant and item.constant for key, item in entries):
            return None

        def render(variables: Variables) -> dict[Any, Any]:
            rendered = ((key.render(variables), item.render(variables)) for key, item in entries)
            return {key: item for key, item in rendered if item is not OMIT}

        return render

    def _list_renderer(self, value: Sequence[Value]) -> Rendered | None:
        items = [self.compile_value(item) for item in value]
        if all(item.constant for item in items):
            return None

        def render(variables: Variables) -> list[Any]:
            rendered = [item.render(variables) for item in items]
            return [item for item in rendered if item is not OMIT]

        return render


def _truth(value: Any, condition: Template) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        holds = False if not value else _TRUTH.get(value.lower())
        if holds is not None:
            return holds
    raise TemplateFailed(
        f"A condition has to be true or false, and this one gives {_shown(value)}. "
        "Compare it with something, or use the filter 'bool' or the test 'is truthy'.",
        condition.position,
    )


def _noted(value: Any) -> Any:
    """The value, with all text in it noted as secret, and all numbers that are large enough."""
    if isinstance(value, str):
        keyring().note(value)
    elif isinstance(value, (int, float)):
        keyring().note_number(value)
    elif isinstance(value, Mapping):
        for item in value.values():
            _noted(item)
    elif isinstance(value, list):
        for item in value:
            _noted(item)
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "nothing (null)"
    text = repr(value)
    return f"the {type(value).__name__} {text if len(text) <= 60 else text[:57] + '…'}"
