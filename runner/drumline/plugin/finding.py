"""Finds plugins: installed ones, by their entry points, and those of a project, by their files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from msgspec import Struct

from drumline.plugin.distributions import EntryPoint, entry_points
from drumline.plugin.spec import PROJECT


class FoundPlugin(Struct, frozen=True):
    """A plugin that was found, or the exception that importing it raised."""

    name: str
    origin: str  #: Distribution and version, or the path of a file.
    plugin: object

    @property
    def owner(self) -> str:
        """What messages call it; it begins a sentence."""
        return f"Plugin '{self.name}' ({self.origin})"


def installed() -> list[FoundPlugin]:
    """The plugins that distributions declare by an entry point, sorted by name."""
    found = [FoundPlugin(entry.name, entry.origin, _import(entry)) for entry in entry_points(PROJECT, sys.path)]
    return sorted(found, key=lambda item: item.name)


def _import(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises, the others go on
        return error


def in_directory(directory: Path | None) -> list[FoundPlugin]:
    """The plugins of a project: its ``*.py``, sorted by name. Files whose name starts with ``_`` are left alone."""
    if directory is None or not directory.is_dir():
        return []
    return [FoundPlugin(path.stem, str(path), _import_file(path)) for path in sorted(directory.glob("[!_]*.py"))]


def _import_file(path: Path) -> object:
    module_spec = importlib.util.spec_from_file_location(f"drumline_project_{path.stem}", path)
    assert module_spec is not None
    assert module_spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(module_spec)
    sys.modules[module_spec.name] = module  # dataclasses look their module up there
    try:
        module_spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # as above
        del sys.modules[module_spec.name]
        return error
    return module
