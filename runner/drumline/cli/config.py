"""``drumline config``: every setting, its value and where it comes from."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from drumline.cli.messages import show_warnings
from drumline.cli.options import working_directory
from drumline.config import NAMES, ForPlugins, Loaded, settings_and_sources
from drumline.config.values import age_text, size_text
from drumline.plugin.registry import DeclaredSetting, Registry

_DEFAULT = "default"
#: Columns before the sources.
_WIDTH = 50


class _Shown(NamedTuple):
    name: str
    value: Any
    source: str


@click.command("config")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
@click.option("--changed", is_flag=True, help="Leave out settings that have their defaults.")
def command(form: str, changed: bool) -> None:
    """Show every setting, its value, and where that comes from: a file and line, a variable, or the default.

    Settings come from drumline.toml, or, without that file, from ansible.cfg, and from the environment.
    """
    from drumline.app import registry

    loaded = settings_and_sources(working_directory(), os.environ)
    show_warnings(loaded.warnings)
    plugins = registry(loaded.settings)
    shown = [one for one in _all(loaded, plugins) if not changed or one.source != _DEFAULT]
    click.echo(
        json.dumps(_as_json(loaded, shown), indent=2, default=str) if form == "json" else _as_text(loaded, shown)
    )


def _all(loaded: Loaded, plugins: Registry) -> Iterator[_Shown]:
    for name in sorted(NAMES):
        value = _in_units(name, getattr(loaded.settings, name))
        yield _Shown(name, value, _here(loaded.sources.get(name, _DEFAULT)))
    declared = (known for plugin in plugins.plugins for known in plugin.settings)
    for known in sorted(declared, key=lambda known: known.name):
        yield _Shown(known.name, plugins.settings[known.name], _here(_source(known, loaded.settings.for_plugins)))


def _source(known: DeclaredSetting, written: ForPlugins) -> str:
    if written.environment.get(known.variable):
        return known.variable
    table, _, key = known.name.partition(".")
    position = written.tables[table].positions.get(key) if table in written.tables else None
    return f"{position.path}:{position.line}" if position else _DEFAULT


def _in_units(name: str, value: Any) -> Any:
    """The value as it would be written in ``drumline.toml``."""
    if name.endswith("_limit"):
        return size_text(value)
    return age_text(value) if name in ("fact_cache", "inventory_cache") else value


def _here(source: str) -> str:
    """A place as seen from the working directory."""
    directory = f"{Path.cwd()}{os.sep}"
    return source.removeprefix(directory)


def _as_text(loaded: Loaded, shown: list[_Shown]) -> str:
    lines = [(f"{one.name} = {_written(one.value)}", one.source) for one in shown]
    width = min(_WIDTH, max((len(text) for text, _ in lines), default=0))
    parts = [f"{text:{width}}  # {source}" for text, source in lines]
    for one in loaded.ignored:
        said = "has no effect in drumline" if one.is_known else "isn't known to drumline"
        parts.append(f"# {one.name} {said} ({_here(one.source)})")
    return "\n".join(parts) if parts else "All settings have their defaults."


def _written(value: Any) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (bool, tuple, list, Mapping)) or "\n" in str(value):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _as_json(loaded: Loaded, shown: list[_Shown]) -> dict[str, Any]:
    return {
        "file": _here(str(loaded.file)) if loaded.file else None,
        "settings": {one.name: {"value": _finite(one.value), "source": one.source} for one in shown},
        "ignored": [
            {"name": one.name, "source": _here(one.source), "has_no_effect": one.is_known} for one in loaded.ignored
        ],
    }


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and math.isinf(value) else value
