"""What drumline itself offers through its own hooks, and all plugins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from drumline.commands import COMMANDS, HELP
from drumline.plugin.commands import CommandSpec
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import Actions, Registry
from drumline.plugin.sources import HostVariables, InventorySource, SourceData
from drumline.plugin.spec import hookimpl
from drumline.templating import offers

if TYPE_CHECKING:
    from drumline.config import ForPlugins
    from drumline.model.event import JobFinished
    from drumline.model.target import Target
    from drumline.plugin.generators import GeneratedPlay, Generator, Metadata
    from drumline.plugin.history import History
    from drumline.plugin.runs import Executor, JobReport, Runner
    from drumline.plugin.transports import Connection, Session


def all_plugins(directory: Path | None = None, written: ForPlugins | None = None) -> Registry:
    """The registry of drumline itself, installed plugins, and a project's ``plugins`` directory.

    Without such a directory no code of a project is to run, so no actions are looked for in its places either.
    ``written`` are the settings for plugins; without it, they have their defaults. Raises ``FilesError`` and
    ``UsageError`` for mistakes in it.
    """
    itself = sys.modules[__name__]
    if written is None:
        plugins = load_plugins(directory, built_in=itself)
        if directory is None and isinstance(plugins.actions, Actions):
            plugins.actions.look_nowhere()
        return plugins
    from drumline.plugin_settings import read_plugin_settings

    return load_plugins(directory, built_in=itself, read=partial(read_plugin_settings, written))


@hookimpl(tryfirst=True)  # first, so that the names are taken whatever order plugins ask for
def drumline_commands() -> Iterable[CommandSpec]:
    """drumline's own commands, so that no plugin can offer a command of the same name."""
    return [CommandSpec(name=name, load=load, help=text) for name, load, text in (*COMMANDS, HELP)]


@hookimpl(trylast=True)
def drumline_inventory_sources() -> Iterable[InventorySource]:
    """Files of YAML and INI, and lists of hosts."""
    from drumline.inventory.readers import BUILT_IN

    return BUILT_IN


@hookimpl
def drumline_host_vars(
    inventory: SourceData, directories: tuple[Path, ...], playbook_directories: tuple[Path, ...]
) -> Iterable[HostVariables]:
    """The variables in ``group_vars`` and ``host_vars``."""
    from drumline.inventory.vars_files import variables_in_files  # imported late: many callers need only names

    return variables_in_files(inventory, directories, playbook_directories)


@hookimpl(tryfirst=True)
def drumline_generators() -> Mapping[str, Generator]:
    """Rules over rows, which need no code."""

    def rules(given: Metadata) -> Iterable[GeneratedPlay]:
        from drumline.loading.generating.rules import generate  # imported late: few playbooks generate plays

        return generate(given)

    return {"rules": rules}


# The names of filters, tests and lookups are taken in the same way, including jinja2's.


@hookimpl(tryfirst=True)
def drumline_filters() -> Mapping[str, str]:
    return {**dict.fromkeys(offers.FILTERS_OF_JINJA.split(), offers.BuiltIn()), **offers.FILTERS}


@hookimpl(tryfirst=True)
def drumline_tests() -> Mapping[str, str]:
    return {**dict.fromkeys(offers.TESTS_OF_JINJA.split(), offers.BuiltIn()), **offers.TESTS}


@hookimpl(tryfirst=True)
def drumline_lookups() -> Mapping[str, str]:
    return offers.LOOKUPS


@hookimpl(trylast=True)
def drumline_executor(runner: Runner, report: Callable[[JobReport | Exception], None]) -> Executor:
    """Threads of this process."""
    from drumline.execution.executors import ThreadExecutor

    return ThreadExecutor(runner, report)


@hookimpl(trylast=True)
def drumline_run_job(perform: Callable[[], JobFinished | None]) -> JobFinished | None:
    """Run the job; called only if a plugin wraps it."""
    return perform()


@hookimpl(trylast=True)
def drumline_open_session(target: Target, connection: Connection) -> Session:
    """Open the transport's session; called only if a plugin wraps it."""
    return connection.open_session()


@hookimpl(trylast=True)
def drumline_history(state: Path) -> History:
    """The journal."""
    from drumline.journal.reading import Reader

    return Reader(state)
