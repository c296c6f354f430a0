"""What a project has of its own beside playbooks and roles: modules, filters, lookups and tests in Python, collections.

They are known by their names alone: their code isn't run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

_MODULES = ("library", "modules", "action_plugins", "action")
#: Directories of plug-ins for templates.
_PLUGINS = ("filter", "filter_plugins", "lookup", "lookup_plugins", "test", "test_plugins")
_NAME = re.compile(r"""['"]([A-Za-z_]\w*)['"]""")
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\w[\w.]*)[ \t]+import[ \t]+([\w ,]+)|import[ \t]+(\w[\w.]*))", re.MULTILINE)
_OF_GALAXY = re.compile(r"^(namespace|name)\s*:\s*['\"]?([\w-]+)", re.MULTILINE)
_MOST = 1 << 20


class Own(Struct, frozen=True, kw_only=True):
    """The names of a project's own modules and plug-ins for templates, and its collections by their full names."""

    modules: frozenset[str]
    plugins: frozenset[str]
    offered: frozenset[str]  #: What plugins of drumline may offer in its ``plugins`` directory: actions, filters, …
    collections: dict[str, str]  #: ``namespace.name`` to the directory.


def own_of(root: str) -> Own:
    """What there is below a directory."""
    modules: set[str] = set()
    plugins: set[str] = set()
    offered: set[str] = set()
    collections: dict[str, str] = {}
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if not name.startswith(".")]
        place = Path(directory)
        if place.name in _MODULES:
            modules.update(Path(name).stem for name in files if name.endswith((".py", ".ps1", ".sh")))
        if place.name in _PLUGINS:
            mine = [place / file for file in files if file.endswith(".py")]
            plugins.update(name for file in mine for name in _names_in(file))
            plugins.update(name for file in mine for other in _imported(file, Path(root)) for name in _names_in(other))
        if place.name == "plugins":
            offered.update(name for file in files if file.endswith(".py") for name in _names_in(place / file))
        if "galaxy.yml" in files:
            said = dict(_OF_GALAXY.findall(_text(place / "galaxy.yml")))
            collections.setdefault(f"{said.get('namespace')}.{said.get('name')}", directory)
    return Own(
        modules=frozenset(modules),
        plugins=frozenset(plugins),
        offered=frozenset(offered),
        collections=collections,
    )


def _names_in(path: Path) -> Iterator[str]:
    """A lookup has the name of its file; filters and tests stand in quotes."""
    yield path.stem
    yield from _NAME.findall(_text(path))


def _imported(path: Path, root: Path) -> Iterator[Path]:
    """The project's own modules that a file imports: it may offer what stands in them."""
    for module, names, whole in _IMPORT.findall(_text(path)):
        inner = (f"{module}.{name.split()[0]}" for name in names.split(",") if name.strip())
        for dotted in filter(None, (whole, module, *inner)):
            place = root.joinpath(*dotted.split("."))
            yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_MOST)
    except OSError:
        return ""
