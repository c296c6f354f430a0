"""What files are read with, and the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from drumline.built_in import all_plugins
from drumline.config import Settings
from drumline.errors import FilesError, UsageError
from drumline.inventory.combining import merge_dictionaries
from drumline.inventory.host_variables import HOOK as HOST_VARS
from drumline.inventory.reading import SourceRules
from drumline.inventory.sources import load_inventory
from drumline.loading.connection import check_connections
from drumline.loading.reading import Around
from drumline.loading.usual import usual_of
from drumline.model.host import Inventory
from drumline.model.value import Value
from drumline.plugin.registry import Registry
from drumline.source.vault import keyring
from drumline.templating.templates import Templating

if TYPE_CHECKING:
    from drumline.loading.source_options import SourceOptions


class Project(Struct, frozen=True, kw_only=True):
    """What files are read with: settings, plugins, the variables of the command line, and how templates are filled."""

    settings: Settings
    plugins: Registry
    extra: Mapping[str, Value]
    templating: Templating

    def around(self, inventory: Inventory | None = None) -> Around:
        """What the reader of playbooks needs beside the actions."""
        return Around(
            generators=self.plugins.generators,
            inventory=inventory,
            extra=self.extra,
            templating=self.templating,
            roles_path=self.settings.roles_path,
            collections_path=self.settings.collections_path,
            usual=usual_of(self.settings),
        )

    def inventory(self, playbooks: Sequence[Path]) -> Inventory:
        """As :func:`inventory_of`."""
        return inventory_of(self.settings, self.plugins, playbooks, self.extra)

    def reread(self, playbooks: Sequence[Path]) -> Inventory:
        """The inventory anew, while a run goes on. Raises ``FilesError`` and ``UsageError``."""
        inventory = self.inventory(playbooks)
        mistakes = check_connections(inventory.hosts.values(), self.plugins.transports)
        if mistakes:
            raise FilesError(mistakes)
        return inventory


def registry(settings: Settings) -> Registry:
    """All plugins: installed ones and those of this project. Raises ``FilesError`` and ``UsageError`` for settings."""
    return all_plugins(Path("plugins"), settings.for_plugins)


def inventory_of(
    settings: Settings,
    registry: Registry,
    playbooks: Sequence[Path] = (),
    extra: Mapping[str, Value] | None = None,
) -> Inventory:
    """The inventory named by the settings, else ``./inventory``. Raises ``UsageError`` and ``FilesError``.

    ``extra`` are the variables of the command line, for templates in the files of sources.
    """
    merge_dictionaries(settings.hash_behaviour == "merge")
    sources = settings.inventory
    if not sources:
        if not Path("inventory").exists():
            raise UsageError(
                "No inventory",
                "Name hosts with -i SOURCE (a file, a directory, or 'web1,web2,'), or create ./inventory.",
            )
        sources = ("inventory",)
    directories = [path.absolute().parent for path in playbooks]
    givers = [(owner, partial(call, settings=registry.settings)) for owner, call in registry.hooks.each(HOST_VARS)]
    return load_inventory(
        sources,
        registry.inventory_sources,
        givers=givers,
        extra_directories=directories,
        rules=_source_rules(settings, registry, extra or {}),
    )


def _source_rules(settings: Settings, registry: Registry, extra: Mapping[str, Value]) -> SourceRules:
    """How sources are read; what few of them need is imported when they do."""

    @cache
    def options() -> SourceOptions:
        from drumline.loading.source_options import SourceOptions

        templating = Templating(settings.template_timeout, registry)
        templating.resolve_secrets(keyring().note)
        return SourceOptions(templating, extra, settings.inventory_cache)

    return SourceRules(
        timeout=settings.inventory_timeout,
        allow_missing=settings.allow_missing_source,
        refresh=settings.refresh_inventory,
        age=settings.inventory_cache,
        copies=settings.state / "inventory",
        configured=lambda source, path: options().read(source, path),
        templates=options,
        extra=extra,
    )
