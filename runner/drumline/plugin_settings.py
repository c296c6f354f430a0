"""The settings of plugins from ``drumline.toml`` and the environment: a value for each setting that they declare.

As for drumline's own settings (:mod:`drumline.config`), the environment overrides the file, which overrides defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drumline.config import NAMES, ForPlugins, Table
from drumline.diagnostics import Diagnostics, did_you_mean
from drumline.errors import FilesError, PluginError, UsageError
from drumline.loading.arguments import coerce
from drumline.plugin.registry import DeclaredSetting


def read_plugin_settings(written: ForPlugins, declared: Mapping[str, DeclaredSetting]) -> dict[str, Any]:
    """The values by full name (``lab.windows``).

    Raises ``FilesError`` with every mistake in the tables, and ``UsageError`` for an invalid variable.
    """
    found = {name: known.setting.default for name, known in declared.items()}
    found |= _from_tables(written.tables, declared)
    found |= _from_environment(written.environment, declared)
    return found


def _from_tables(tables: Mapping[str, Table], declared: Mapping[str, DeclaredSetting]) -> dict[str, Any]:
    mistakes = Diagnostics()
    found: dict[str, Any] = {}
    for name, table in tables.items():
        own = {full.removeprefix(f"{name}."): known for full, known in declared.items() if full.startswith(f"{name}.")}
        if own:
            found.update(_from_table(name, table, own, mistakes))
            continue
        names = {full.partition(".")[0] for full in declared} | NAMES
        detail = f"There is no setting '{name}', and no plugin '{name}' with settings.{did_you_mean(name, names)}"
        mistakes.add("Unknown setting", detail=detail, position=table.position)
    if mistakes:
        raise FilesError(mistakes)
    return found


def _from_table(
    plugin: str, table: Table, own: Mapping[str, DeclaredSetting], mistakes: Diagnostics
) -> Iterator[tuple[str, Any]]:
    for name, value in table.values.items():
        position = table.positions[name]
        if name not in own:
            detail = f"Plugin '{plugin}' has no setting '{name}'.{did_you_mean(name, own)}"
            mistakes.add("Unknown setting", detail=detail, position=position)
            continue
        try:
            yield f"{plugin}.{name}", _read(own[name], value)
        except ValueError as error:
            detail = f"'{plugin}.{name}' {error}"
            mistakes.add("This setting has an invalid value", detail=detail, position=position)


def _from_environment(environment: Mapping[str, str], declared: Mapping[str, DeclaredSetting]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, known in declared.items():
        text = environment.get(known.variable)
        if not text:
            continue
        try:
            found[name] = _read(known, text)
        except ValueError as error:
            raise UsageError("An environment variable has an invalid value", f"{known.variable} {error}") from None
    return found


def _read(known: DeclaredSetting, value: Any) -> Any:
    setting = known.setting
    read = coerce(value, setting.type)
    if setting.choices and read not in setting.choices:
        hint = did_you_mean(str(read), setting.choices)
        raise ValueError(f"is one of {', '.join(setting.choices)}, not {read!r}.{hint}")
    if setting.check is not None:
        try:
            setting.check(read)
        except ValueError:
            raise
        except Exception as error:
            detail = f"The check of its setting '{known.name}' failed: {type(error).__name__}: {error}"
            raise PluginError("A plugin has failed", detail) from error
    return read
