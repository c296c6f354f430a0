"""Registers all plugins and gathers what they offer. One that fails is named and left out; the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from drumline.config import NAMES, variable_of
from drumline.plugin.finding import FoundPlugin, in_directory, installed
from drumline.plugin.hooks import BUILT_IN, Hooks, Rejected, failed
from drumline.plugin.registry import Actions, DeclaredSetting, FindAction, Offers, PluginInfo, Registry

#: Kind of offer, the hook that gives it, and the names of one offer where a plugin's answer isn't by name.
_KINDS: tuple[tuple[str, str, Callable[[Any], Iterable[str]]], ...] = (
    ("transports", "drumline_transports", lambda offer: (offer.name,)),
    ("actions", "drumline_actions", lambda offer: (offer.name, *offer.aliases)),
    ("generators", "drumline_generators", lambda _offer: ()),
    ("inventory sources", "drumline_inventory_sources", lambda offer: (offer.name, *offer.aliases)),
    ("commands", "drumline_commands", lambda offer: (offer.name,)),
    ("filters", "drumline_filters", lambda _offer: ()),
    ("tests", "drumline_tests", lambda _offer: ()),
    ("lookups", "drumline_lookups", lambda _offer: ()),
    ("secrets", "drumline_secrets", lambda offer: (offer.name,)),
)


#: The hook that finds actions of names that no one offers.
_FIND = "drumline_find_action"

#: Gives a value for each setting that plugins declare, both by full name.
ReadSettings: TypeAlias = Callable[[Mapping[str, DeclaredSetting]], Mapping[str, Any]]


def _defaults(declared: Mapping[str, DeclaredSetting]) -> dict[str, Any]:
    return {name: known.setting.default for name, known in declared.items()}


def load_plugins(
    directory: Path | None = None,
    *,
    built_in: object = None,
    extra: Iterable[tuple[str, object]] = (),
    read: ReadSettings = _defaults,
) -> Registry:
    """All plugins: installed ones (entry point group ``drumline``), then ``*.py`` of a project's ``plugins`` directory.

    Files whose name starts with ``_`` are left alone.
    ``built_in`` has the hooks of drumline itself, which come first and aren't listed among the plugins. ``extra`` are
    (name, module or object) pairs that come last, for tests and embedding. Raises what ``read`` does.
    """
    found = [*installed(), *in_directory(directory), *(FoundPlugin(name, "given", plugin) for name, plugin in extra)]
    return _gather(found, built_in, read)


def _gather(found: Sequence[FoundPlugin], built_in: object, read: ReadSettings) -> Registry:
    hooks = Hooks()
    faults: dict[str, list[str]] = {plugin.owner: [] for plugin in found}
    for plugin in found:
        faults[plugin.owner] += _declared(hooks, plugin)
    for plugin in reversed(found):
        faults[plugin.owner] += _registered(hooks, plugin)
    if built_in is not None:
        hooks.register(BUILT_IN, built_in)
    declared: Offers[DeclaredSetting] = Offers("settings")
    declared.reserve(BUILT_IN, map(variable_of, NAMES))
    for owner, fault in _take_settings(hooks, {plugin.owner: plugin.name for plugin in found}, declared):
        faults[owner].append(fault)
    settings = read({known.name: known for known in declared.values()})
    offers: dict[str, Offers[Any]] = {kind: Offers(kind) for kind, _, _ in _KINDS}
    for kind, hook, names in _KINDS:
        for owner, fault in _take(hooks, hook, names, offers[kind], settings):
            faults[owner].append(fault)
    return Registry(
        hooks=hooks,
        transports=offers["transports"],
        actions=Actions(offers["actions"], _finder(hooks, settings)),
        inventory_sources=tuple({id(offer): offer for offer in offers["inventory sources"].values()}.values()),
        commands=offers["commands"],
        generators=offers["generators"],
        filters=offers["filters"],
        tests=offers["tests"],
        lookups=offers["lookups"],
        secrets=offers["secrets"],
        settings=settings,
        plugins=tuple(
            PluginInfo(
                name=plugin.name,
                origin=plugin.origin,
                offers={kind: taken.of(plugin.owner) for kind, taken in offers.items()},
                hooks=hooks.of(plugin.owner),
                settings=tuple(declared[name] for name in declared.of(plugin.owner)),
                fault=" ".join(faults[plugin.owner]),
            )
            for plugin in found
        ),
    )


def _finder(hooks: Hooks, settings: Mapping[str, Any]) -> FindAction | None:
    """What asks plugins for actions of more names; None where none of them looks for such."""
    if not hooks.owners(_FIND):
        return None
    return partial(hooks.ask, _FIND, settings=settings)


def _declared(hooks: Hooks, found: FoundPlugin) -> list[str]:
    """Have its own hooks declared; returns what is wrong with them."""
    try:
        hooks.declare(found.plugin)
    except Exception as error:  # whatever a stranger's hook raises, the others go on
        return [failed(found.owner, "drumline_add_hookspecs", error)]
    return []


def _registered(hooks: Hooks, found: FoundPlugin) -> list[str]:
    """Have it registered; returns why it was left out."""
    if isinstance(found.plugin, BaseException):
        kind = type(found.plugin).__name__
        return [f"{found.owner} can't be imported and was left out: {kind}: {found.plugin}"]
    try:
        hooks.register(found.owner, found.plugin)
    except Rejected as rejected:
        return [f"{found.owner} was left out: {rejected}"]
    return []


def _take_settings(
    hooks: Hooks, names: Mapping[str, str], declared: Offers[DeclaredSetting]
) -> Iterator[tuple[str, str]]:
    """Enter the settings of all plugins by their variables, which are their owners' alone; gives (owner, fault)."""
    for owner, call in hooks.each("drumline_settings"):
        if names[owner] in NAMES:
            yield owner, f"{owner} can't have settings: drumline itself has a setting '{names[owner]}'."
            continue
        try:
            for setting in call() or ():
                name = f"{names[owner]}.{setting.name}"
                known = DeclaredSetting(name, variable_of(name), setting)
                yield from ((owner, fault) for fault in declared.take(owner, (known.variable,), known))
        except Exception as error:  # as above
            yield owner, failed(owner, "drumline_settings", error)


def _take(
    hooks: Hooks,
    hook: str,
    names: Callable[[Any], Iterable[str]],
    offers: Offers[Any],
    settings: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    """Enter what all plugins answer to a hook; gives (owner, fault)."""
    for owner, call in hooks.each(hook):
        try:
            for known_as, offer in _named(call(settings=settings) or (), names):
                yield from ((owner, fault) for fault in offers.take(owner, known_as, offer))
        except Exception as error:  # as above
            yield owner, failed(owner, hook, error)


def _named(answer: Any, names: Callable[[Any], Iterable[str]]) -> Iterator[tuple[Iterable[str], Any]]:
    """The names of each offer, and the offer."""
    if isinstance(answer, Mapping):
        yield from (((name,), offer) for name, offer in answer.items())
    else:
        yield from ((names(offer), offer) for offer in answer)
