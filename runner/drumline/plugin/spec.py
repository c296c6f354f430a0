"""The hooks of drumline. A plugin implements those that it needs, marked with ``@drumline.plugin.hookimpl``.

Hooks only *return* what a plugin offers; drumline asks plugin by plugin, so that a name offered twice is an error
that names both owners. They are called once, at start-up, and must be quick: import client libraries where they are
used, not where they are offered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from drumline.plugin.protocols import Action, CommandSpec, InventorySource, Transport

#: The name of the project in pluggy, and of the entry point group.
PROJECT = "drumline"

hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a function or method of a plugin as one of the hooks below.
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def drumline_transports() -> Iterable[Transport]:  # type: ignore[empty-body]
    """Offer transports, found by ``ansible_connection``. Any plugin may; an empty answer means none."""


@hookspec
def drumline_actions() -> Iterable[Action]:  # type: ignore[empty-body]
    """Offer actions, found by the key of a task. Names and aliases share one name space."""


@hookspec
def drumline_inventory_sources() -> Iterable[InventorySource]:  # type: ignore[empty-body]
    """Offer readers of inventory sources, asked before the built-in YAML and INI ones, in order of plugin names."""


@hookspec
def drumline_commands() -> Iterable[CommandSpec]:  # type: ignore[empty-body]
    """Offer commands of the ``drumline`` program."""
