"""Finds the plugins and gathers what they offer. A plugin that fails is named and left out; the rest goes on."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from drumline.plugin import spec
from drumline.plugin.registry import Offers, PluginInfo, Registry

#: Kind of offer, the hook that gives it, and the names of one offer.
_KINDS: tuple[tuple[str, str, Callable[[Any], Iterable[str]]], ...] = (
    ("transports", "drumline_transports", lambda offer: (offer.name,)),
    ("actions", "drumline_actions", lambda offer: (offer.name, *offer.aliases)),
    ("inventory sources", "drumline_inventory_sources", lambda offer: (offer.name,)),
    ("commands", "drumline_commands", lambda offer: (offer.name,)),
)


def load_plugins(folder: Path | None = None, *, extra: Iterable[tuple[str, object]] = ()) -> Registry:
    """All plugins: installed ones (entry point group ``drumline``), then ``*.py`` of a project's ``plugins`` folder.

    Files whose name starts with ``_`` are left alone.
    ``extra`` are (name, module or object) pairs that are registered last, for tests and embedding.
    """
    return _gather([*_installed(), *_in_folder(folder), *((name, "given", plugin) for name, plugin in extra)])


def _installed() -> list[tuple[str, str, object]]:
    """(name, origin, plugin or the exception that importing it raised) of each entry point, sorted by name."""
    found = [(entry.name, origin, _import(entry)) for origin, entry in _entry_points(distributions())]
    return sorted(found, key=lambda item: item[0])


def _entry_points(dists: Iterable[Distribution]) -> Iterable[tuple[str, EntryPoint]]:
    seen: set[str] = set()
    for dist in dists:
        # Reading this one file is much cheaper than parsing a distribution's metadata to learn its name.
        if f"[{spec.PROJECT}]" not in (dist.read_text("entry_points.txt") or ""):
            continue
        metadata = dist.metadata  # parsed whenever it is asked for
        if metadata["Name"] in seen:
            continue
        seen.add(metadata["Name"])
        origin = f"{metadata['Name']} {metadata['Version']}"
        yield from ((origin, entry) for entry in dist.entry_points if entry.group == spec.PROJECT)


def _import(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except (Exception, SystemExit) as error:  # whatever a stranger's module raises, the others go on
        return error


def _in_folder(folder: Path | None) -> list[tuple[str, str, object]]:
    if folder is None or not folder.is_dir():
        return []
    return [(path.stem, str(path), _import_file(path)) for path in sorted(folder.glob("[!_]*.py"))]


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


def _gather(found: list[tuple[str, str, object]]) -> Registry:
    offers: dict[str, Offers[Any]] = {kind: Offers(kind) for kind, _, _ in _KINDS}
    plugins = [_register(name, origin, plugin, offers) for name, origin, plugin in found]
    return Registry(
        transports=offers["transports"],
        actions=offers["actions"],
        inventory_sources=tuple(offers["inventory sources"].values()),
        commands=offers["commands"],
        plugins=tuple(plugins),
    )


def _register(name: str, origin: str, plugin: object, offers: dict[str, Offers[Any]]) -> PluginInfo:
    owner = f"Plugin '{name}' ({origin})"
    if isinstance(plugin, BaseException):
        fault = f"{owner} can't be imported and was left out: {type(plugin).__name__}: {plugin}"
        return PluginInfo(name=name, origin=origin, fault=fault)
    try:
        hooks = _checked(name, plugin)
    except Exception as error:  # a wrong hook name or signature: pluggy's message names it
        return PluginInfo(name=name, origin=origin, fault=f"{owner} was left out: {error}")
    faults: list[str] = []
    taken: dict[str, tuple[str, ...]] = {}
    for kind, hook, names in _KINDS:
        before = len(offers[kind])
        try:
            for offer in (item for items in getattr(hooks, hook)() for item in items):
                faults += offers[kind].take(owner, names(offer), offer)
        except Exception as error:
            faults.append(f"{owner}: hook {hook} failed: {type(error).__name__}: {error}")
        taken[kind] = tuple(offers[kind])[before:]
    return PluginInfo(name=name, origin=origin, offers=taken, fault=" ".join(faults))


def _checked(name: str, plugin: object) -> pluggy.HookRelay:
    """The hooks of this one plugin, checked against the specification, misspelt names included."""
    manager = pluggy.PluginManager(spec.PROJECT)
    manager.add_hookspecs(spec)
    manager.register(plugin, name)
    manager.check_pending()
    if not manager.get_hookcallers(plugin):
        raise ValueError("it implements none of drumline's hooks; is a function without '@hookimpl' meant to?")
    return manager.hook
