"""How one inventory source is read: by whom, with which options, how long, and what happens if it fails.

Reading has two halves. Sources begin one after the other, and those that wait for others go on by themselves. Then each
is finished in order: only now those are read that have to know what earlier ones gave.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Position, did_you_mean
from drumline.errors import FilesError, UsageError
from drumline.inventory.author_text import author_text
from drumline.inventory.draft import Draft
from drumline.missing import missing_package
from drumline.model.host import Inventory
from drumline.plugin.sources import (
    InventorySource,
    SourceCall,
    SourceData,
    SourceSpec,
    SourceTemplates,
    SourceUnavailable,
)
from drumline.source.inputs import note_file
from drumline.source.text import read_text

if TYPE_CHECKING:
    from drumline.inventory.source_cache import SourceCache

Offered: TypeAlias = InventorySource | SourceSpec
#: What earlier sources gave, with or without the variables of files and plugins.
Earlier: TypeAlias = Callable[[bool], Inventory]

#: The summary of what is said of a source that fails.
FAILED = "An inventory source failed"
_MISSING = "An inventory source doesn't exist"
#: Seconds that a source has beyond its limit, to say itself what took so long.
_GRACE = 1.0


class Configured(Struct, frozen=True):
    """What a file says of a source."""

    options: Mapping[str, Any]
    places: Mapping[str, Position]
    timeout: float | None = None
    age: float = 0.0  #: Seconds for which what it gives is used again; 0: not at all.


def _unconfigured(source: InventorySource, path: str) -> Configured:
    detail = f"'{source.name}' of {path} isn't configured here."
    raise UsageError("Inventory sources can't be configured here", detail)


def _no_templates() -> SourceTemplates:
    raise UsageError("Inventory sources can't be configured here", "There are no templates here.")


class SourceRules(Struct, frozen=True, kw_only=True):
    """What the settings and the command line say of all sources."""

    asks: bool = True  #: Whether sources are read that have to be waited for.
    timeout: float = 300.0
    allow_missing: bool = False  #: One that fails is left out, with a warning.
    refresh: bool = False  #: Copies are made anew.
    age: float = 0.0  #: As ``Configured.age``, for those that say nothing else.
    copies: Path | None = None  #: The directory of copies; None: there are none.
    #: Reads the options in a file, or raises ``FilesError``.
    configured: Callable[[InventorySource, str], Configured] = _unconfigured
    templates: Callable[[], SourceTemplates] = _no_templates
    extra: Mapping[str, Any] = {}  #: The variables of the command line.


#: Those of an inventory that is read by itself.
USUAL = SourceRules()


class SourcePart:
    """One source: what it has given so far, and what is left to do."""

    def __init__(self, label: str, allow_missing: bool) -> None:
        self.draft = Draft()
        self.failed = False
        self.rest: Callable[[], SourceData | None] | None = None
        self.abandon: Callable[[], None] = lambda: None
        self.label = label
        self._allow_missing = allow_missing
        self._place = Position(label, 0)

    def finish(self) -> None:
        """Have everything in the draft that it gives."""
        if self.rest is not None:
            self.take(self.rest)

    def take(self, read: Callable[[], SourceData | None]) -> None:
        """Enter what reading gives, or note why it fails."""
        try:
            data = read()
            if data is not None:
                _enter(data, self._place, self.draft)
        except FilesError as error:
            self.draft.mistakes.extend(error.diagnostics)
        except UsageError as error:
            self.draft.mistakes.add(error.summary, detail=error.detail)
        except SourceUnavailable as error:
            said = str(error)
            self.fail(FAILED, said if said.startswith(self.label) else f"{self.label}: {said}")
        except Exception as error:  # whatever a stranger's source raises, it is named
            missing = missing_package(error)
            self.fail(FAILED, f"{self.label}: {missing or f'{type(error).__name__}: {error}'}")

    def fail(self, summary: str, detail: str, position: Position | None = None) -> None:
        """Nothing can be had of it."""
        self.failed = not self._allow_missing
        if self._allow_missing:
            self.draft.warnings.add(summary, detail=detail, position=position)
        else:
            hint = "To go on without it: --allow-missing-source."
            self.draft.mistakes.add(summary, detail=f"{detail}\n{hint}", position=position)


class SourceReader:
    """Finds the reader of each source, and begins to read it."""

    def __init__(self, readers: Sequence[Offered], rules: SourceRules, earlier: Earlier) -> None:
        self._readers = readers
        self._source_rules = rules
        self._earlier = earlier

    def begin(self, source: str) -> SourcePart:
        """Read it, or begin to."""
        part = SourcePart(source, self._source_rules.allow_missing)
        reader = next((reader for reader in self._readers if reader.claims(source)), None)
        if reader is None:
            comma = f" For a list of hosts, write a comma after it: -i '{source},'." if "/" not in source else ""
            part.fail(_MISSING, f"There is no {source!r}.{comma}")
            return part
        if os.path.isfile(source):
            note_file(Path(source))
        part.take(lambda: self._begin(part, imported(reader), source))
        return part

    def _begin(self, part: SourcePart, source: InventorySource, path: str, plugin: str = "") -> SourceData | None:
        """What it gives at once."""
        around = self._source_rules
        said = around.configured(source, path) if plugin else Configured(_usual(source), {}, None, around.age)
        call = SourceCall(
            source=path,
            plugin=plugin,
            options=said.options,
            places=said.places,
            timeout=around.timeout if said.timeout is None else said.timeout,
            draft=part.draft,
            earlier=self._earlier,
            templates=around.templates,
            extra=around.extra,
            read_text=read_text,
            configure=lambda name, place: part.take(lambda: self._configured(part, path, name, place)),
        )
        if source.waits and not around.asks:
            return None
        if source.waits:
            reading = _WaitingSource(source, call, replace(around, age=said.age), part.draft)
            if not source.sees_earlier:
                reading.start()
            part.rest, part.abandon = reading.finish, reading.abandon
        elif source.sees_earlier:
            part.rest = partial(source.read, call)
        else:
            return source.read(call)
        return None

    def _configured(self, part: SourcePart, path: str, name: str, place: Position) -> SourceData | None:
        part.label = f"'{name}' of {path}"
        found = self._named(name)
        if found is None or (source := imported(found)).options is None:
            known = [reader.name for reader in self._readers if imported(reader).options is not None]
            detail = f"No plugin has an inventory source '{name}'.{did_you_mean(name, known)}"
            if "." in name:
                detail += " Where ansible-core is installed, its own plugins are asked."
            part.fail("Unknown inventory source", detail, place)
            return None
        return self._begin(part, source, path, name)

    def _named(self, name: str) -> Offered | None:
        for reader in self._readers:
            if name in (reader.name, *reader.aliases):
                return reader
        return next((reader for reader in self._readers if reader.stands_in(name)), None)


def _usual(source: InventorySource) -> dict[str, Any]:
    return {option.name: option.default for option in source.options or ()}


def imported(offered: Offered) -> InventorySource:
    """The source itself."""
    if isinstance(offered, InventorySource):
        return offered
    source: InventorySource = import_module(offered.load).SOURCE
    return source


class _WaitingSource:
    """A source on a thread of its own, with a time limit and perhaps with copies on disk."""

    def __init__(self, source: InventorySource, call: SourceCall, around: SourceRules, draft: Draft) -> None:
        self._source = source
        self._call = call
        self._copies = _copies(around)
        self._around = around
        self._draft = draft
        self._answer: SourceData | None = None
        self._error: BaseException | None = None
        self._ended: Any = None

    def start(self) -> None:
        """Ask it, unless there is a copy that isn't too old."""
        kept = self._copies.read(self._call) if self._copies is not None else None
        if kept is not None and not self._around.refresh:
            self._call = replace(self._call, known=kept[0])
            if kept[1] <= self._around.age:
                self._answer = kept[0]
                return
        from threading import Event, Thread  # most inventories are files

        self._ended = Event()
        self._began = time.monotonic()
        Thread(target=self._ask, name=f"inventory {self._source.name}", daemon=True).start()

    def _ask(self) -> None:
        try:
            self._answer = self._source.read(self._call)
        except BaseException as error:
            self._error = error
        self._ended.set()

    def finish(self) -> SourceData | None:
        """What it gives, or what it gave earlier, with a warning. Raises ``SourceUnavailable`` and what it raised."""
        if self._ended is None and self._answer is None:
            self.start()
        try:
            if self._ended is not None:
                self._wait()
        except SourceUnavailable as error:
            return self._instead(error)
        return self._answer

    def _wait(self) -> None:
        limit = self._call.timeout
        if not self._ended.wait(max(0.0, self._began + limit + _GRACE - time.monotonic())):
            self.abandon()
            raise SourceUnavailable(f"It took longer than {limit:g} s, and was ended.")
        if self._error is not None:
            raise self._error
        if self._copies is not None and self._answer is not None:
            self._copies.write(self._call, self._answer)

    def _instead(self, error: SourceUnavailable) -> SourceData:
        found = self._copies.read(self._call) if self._copies is not None else None
        if found is None:
            raise error
        data, age = found
        from drumline.times import in_words

        name = f"'{self._call.plugin}' of {self._call.source}" if self._call.plugin else self._call.source
        detail = f"{name}: {error} What it gave {in_words(round(age))} ago is used."
        self._draft.warnings.add("An inventory source doesn't answer", detail=detail)
        return data

    def abandon(self) -> None:
        """End what it has started."""
        if self._ended is not None and not self._ended.is_set():
            for undo in self._call.undo:
                undo()


def _copies(around: SourceRules) -> SourceCache | None:
    if not around.age or around.copies is None:
        return None
    from drumline.inventory.source_cache import SourceCache  # few sources have copies

    return SourceCache(around.copies)


def _enter(data: SourceData, position: Position, draft: Draft) -> None:
    """Add what a source gave."""

    def trusted(variables: Mapping[str, Any], place: Position) -> dict[str, Any]:
        found = author_text(variables, place) if data.trusted else dict(variables)
        assert isinstance(found, dict)
        return found

    for sentence in data.warnings:
        draft.warnings.add("An inventory source has something to say", detail=sentence, position=position)
    for host, variables in data.hosts.items():
        place = data.places.get(host, position)
        draft.add_host(host, trusted(variables, place), place)
    for group in dict.fromkeys([*data.groups, *data.members, *data.children]):
        draft.declare(group, position)
        draft.set_variables(group, trusted(data.groups.get(group, {}), position), position)
        for host in data.members.get(group, ()):
            draft.add_member(group, host, data.places.get(host, position))
    for group, children in data.children.items():
        for child in children:
            draft.declare(child, position)
            draft.add_child(group, child, position)
