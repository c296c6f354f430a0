"""What a file with ``plugin: NAME`` says of an inventory source: checked against what that declares, and rendered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from drumline.diagnostics import Diagnostics, Position
from drumline.errors import FilesError
from drumline.inventory.reading import Configured
from drumline.inventory.variables import Scope
from drumline.loading.arguments import check_arguments, coerce_arguments
from drumline.model.value import Template, Value
from drumline.plugin.actions import Action, Call
from drumline.plugin.sources import COMMON_OPTIONS, InventorySource
from drumline.source.nodes import plain
from drumline.source.yaml import read
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating

#: Keys of such a file that aren't options.
_OTHERS = ("plugin",)


class SourceOptions:
    """Reads the options of sources, and evaluates their expressions."""

    def __init__(self, templating: Templating, extra: Mapping[str, Value], age: float) -> None:
        """``extra``: the variables of the command line. ``age``: for how long copies are used by default."""
        self._templating = templating
        self._extra = extra
        self._age = age

    def read(self, source: InventorySource, path: str) -> Configured:
        """What the file says. Raises ``FilesError`` with every mistake in it."""
        document = read(Path(path))
        assert document is not None  # it names the source
        assert isinstance(document.value, dict)
        entries = {name: entry for name, entry in document.value.items() if name not in _OTHERS}
        places = {name: entry.key_position for name, entry in entries.items()}
        given = {name: plain(entry.node, unsafe=self._is_raw(source, name)) for name, entry in entries.items()}
        carrier = _carrier(source)
        found = Diagnostics()
        check_arguments(carrier, given, lambda name: places.get(name, document.position), found)
        rendered = dict(self._rendered(given, places, found))
        if found:
            raise FilesError(found)
        options = coerce_arguments(carrier, rendered, document.position)
        return Configured(options, _by_own_names(carrier, places), options["timeout"], self._age_of(options))

    @staticmethod
    def _is_raw(source: InventorySource, name: str) -> bool:
        declared = {known for option in source.options or () for known in (option.name, *option.aliases)}
        return name in source.raw or (source.open_options and name not in declared)

    def _age_of(self, options: Mapping[str, Any]) -> float:
        """As Ansible has it, ``cache: true`` turns copies on, and ``cache_timeout`` says how old they may be."""
        if options["cache"] is False:
            return 0.0
        if options["cache_timeout"] is not None:
            return float(options["cache_timeout"])
        return self._age or (_HOUR if options["cache"] else 0.0)

    def _rendered(
        self, given: Mapping[str, Value], places: Mapping[str, Position], found: Diagnostics
    ) -> Iterator[tuple[str, Any]]:
        for name, value in given.items():
            try:
                yield name, self._templating.render(value, Scope([self._extra], self._templating))
            except TemplateFailed as error:
                detail = f"'{name}': {error.summary}"
                found.add("An option can't be rendered", detail=detail, position=error.position or places[name])

    def evaluate(self, text: str, variables: Mapping[str, Any]) -> Any:
        """What an expression gives with these variables. Raises ``ValueError`` with a sentence."""
        return self.render("{{ " + text + " }}", variables)

    def render(self, text: str, variables: Mapping[str, Any]) -> Any:
        """What a text with templates gives. Raises ``ValueError`` with a sentence."""
        return self._told(self._templating.render, Template(text, Position("")), variables)

    def holds(self, text: str, variables: Mapping[str, Any]) -> bool:
        """Whether a condition holds. Raises ``ValueError`` with a sentence."""
        condition = Template("{{ " + text + " }}", Position(""))
        return bool(self._told(self._templating.condition, [condition], variables))

    def _told(self, ask: Callable[[Any, Any], Any], template: Any, variables: Mapping[str, Any]) -> Any:
        try:
            return ask(template, Scope([variables], self._templating))
        except TemplateFailed as error:
            raise ValueError(error.summary) from None


#: Seconds for which copies are used where a file only says that there are any; Ansible's usual value.
_HOUR = 3600.0


def _carrier(source: InventorySource) -> Action:
    """What has the options of the source as its arguments, so that they are read as those of actions are."""
    return Action(
        name=source.name,
        perform=_nothing,
        help="",
        arguments=(*(source.options or ()), *COMMON_OPTIONS),
        open_arguments=source.open_options,
    )


def _nothing(_call: Call) -> Any:
    raise AssertionError("it is never performed")


def _by_own_names(carrier: Action, places: Mapping[str, Position]) -> dict[str, Position]:
    own = {alias: argument.name for argument in carrier.arguments for alias in (argument.name, *argument.aliases)}
    return {own.get(name, name): place for name, place in places.items()}
