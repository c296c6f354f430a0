"""What commands of plugins work with, read when they ask for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drumline.config import Settings
    from drumline.plugin.registry import Registry


class Surroundings:
    """The :class:`drumline.plugin.CommandContext` of this process."""

    @cached_property
    def settings(self) -> Settings:
        from drumline.cli.options import settings_with

        return settings_with()

    @cached_property
    def registry(self) -> Registry:
        from drumline.app import registry

        return registry(self.settings)
