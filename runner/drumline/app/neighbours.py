"""Filters, tests and lookups that stand in files: beside playbooks, in roles, in collections, where settings say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from drumline.app.project import Project
from drumline.diagnostics import Diagnostic
from drumline.inventory.definitions import roles_of
from drumline.model.playbook import Playbook
from drumline.plugin.registry import Offers
from drumline.templating.offers import NEIGHBOURS


def load_beside(project: Project, directories: Iterable[Path]) -> list[Diagnostic]:
    """Load the filters, tests and lookups that stand in directories of these; few have any. Says what is wrong."""
    places = [place for place in dict.fromkeys(directories) if any((place / name).is_dir() for name in NEIGHBOURS)]
    if not places:
        return []
    from drumline.templating.neighbours import load_neighbours

    return load_neighbours(places, project.plugins, trusted=project.templating.trusted)


def look_in(project: Project, collections: Sequence[Path]) -> list[Diagnostic]:
    """Have filters, tests and lookups found in directories of the settings, and of collections when one is named."""
    settings, plugins, trusted = project.settings, project.plugins, project.templating.trusted
    warnings: list[Diagnostic] = []
    directories = [*collections, *(Path(path).expanduser() for path in settings.collections_path)]

    def enter(kind: str, offers: Offers[Any], name: str) -> None:
        from drumline.templating.neighbours import load_of_collection  # few templates name one

        load_of_collection(kind, offers, name, directories, trusted=trusted)

    for kind, offers in (("filter", plugins.filters), ("test", plugins.tests), ("lookup", plugins.lookups)):
        offers.look_for = partial(enter, kind, offers)
        for directory in getattr(settings, f"{kind}_plugins"):
            from drumline.templating.neighbours import load_directory  # few projects have any

            warnings += load_directory(Path(directory), f"{kind}_plugins", offers, trusted=trusted)
    return warnings


def directories_of(playbook: Playbook) -> Iterator[Path]:
    """Those of the files of plays that were imported, and of roles."""
    yield from (Path(path).absolute().parent for path in dict.fromkeys(play.position.path for play in playbook.plays))
    for play in playbook.plays:
        yield from (Path(role.path) for role in roles_of(play))
