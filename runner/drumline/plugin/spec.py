"""The hooks of drumline. A plugin implements those that it needs, marked with ``@drumline.plugin.hookimpl``.

Every hook says in the same words when it is called, what it is given, what ``None`` means, which answer counts when
several plugins answer, who may implement it, and which of drumline's own packages does. It has a heading in
``docs/plugins.md`` and a module in ``tests/plugin/hooks``; ``tests/plugin/test_spec.py`` checks all of that.

drumline asks plugin by plugin, so that it can name the owner of every answer. Plugins are asked in the order in which
``drumline plugins`` lists them, but for those that ask pluggy for ``tryfirst`` or ``trylast``. A hook that is called at
start-up must be quick: import client libraries where they are used, not where they are offered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from drumline.model.event import JobFinished
    from drumline.model.plan import Job
    from drumline.model.target import Target
    from drumline.plugin.actions import Action, ActionPlaces, ActionSpec
    from drumline.plugin.commands import CommandSpec, Setting
    from drumline.plugin.generators import Generator
    from drumline.plugin.history import History
    from drumline.plugin.runs import Executor, JobReport, Reporter, Runner, RunView
    from drumline.plugin.sources import HostVariables, InventorySource, SourceData, SourceSpec
    from drumline.plugin.templates import SecretStore, TemplateFunction
    from drumline.plugin.transports import Connection, Session, Transport

#: The name of the project in pluggy, and of the entry point group.
PROJECT = "drumline"

#: Marks a function as a hook, in a module or class that ``drumline_add_hookspecs`` gives.
hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a function or method of a plugin as one of the hooks below.
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def drumline_add_hookspecs() -> Iterable[object] | None:
    """Declare hooks of the plugin's own, which other plugins implement and ``Registry.hooks`` calls.

    Called: once, at start-up, before any plugin is registered, so that all of them are checked against all hooks.
    Parameters: none.
    None: it declares none.
    Which answer wins: all count; a hook that is declared twice stays with the first plugin, and the second is at fault.
    Who may implement it: any plugin; wrappers aren't called.
    Bundled user: ``drumline_lab``.
    """


@hookspec
def drumline_settings() -> Iterable[Setting] | None:
    """Declare settings of the plugin, which stand in ``drumline.toml`` and the environment beside drumline's own.

    Called: once, at start-up, before all hooks that are given settings.
    Parameters: none.
    None: it has none.
    Which answer wins: all count. A setting is its plugin's alone: its full name begins with that of the plugin, as in
        ``lab.windows``. One whose environment variable means another setting already is left out, and at fault.
    Who may implement it: any plugin whose name isn't that of a setting of drumline itself.
    Bundled user: ``drumline_lab``, ``drumline_secrets``, ``drumline_trace``.
    """


@hookspec
def drumline_transports(settings: Mapping[str, Any]) -> Iterable[Transport] | None:
    """Offer transports, found by ``ansible_connection``.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: all count; a name that is offered twice stays with the first plugin, and the second is at fault.
    Who may implement it: any plugin.
    Bundled user: ``drumline_local``, ``drumline_ssh``, ``drumline_winrm``.
    """


@hookspec
def drumline_actions(settings: Mapping[str, Any]) -> Iterable[Action | ActionSpec] | None:
    """Offer actions, found by the key of a task: themselves, or where they are imported from when a task uses them.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: all count; a name or alias that is offered twice stays with the first plugin, and the second is
        at fault.
    Who may implement it: any plugin.
    Bundled user: ``drumline_actions``, ``drumline_mysql``, ``drumline_postgresql``.
    """


@hookspec(firstresult=True)
def drumline_find_action(
    name: str, offered: bool, places: ActionPlaces, settings: Mapping[str, Any]
) -> Action | str | None:
    """Give the action for a name that no plugin offers, or one that takes the place of what is offered.

    Called: when a name is looked up first; for a name that no one had, again when there are more places to look in.
    Parameters:
        name: what a task calls its action, perhaps with the name of a collection in front of it.
        offered: whether a plugin offers an action of that name.
        places: where actions may lie, as far as playbooks and roles have been read.
        settings: the settings of all plugins, by their full names.
    None: it leaves it to the next plugin, at last to what is offered.
    Which answer wins: the first that isn't None. Text is the reason why no one has such an action, in sentences for
        the author of the playbook; it counts only where none is offered.
    Who may implement it: any plugin. One that does is asked for every name that a playbook uses.
    Bundled user: ``drumline_ansible``.
    """


@hookspec(firstresult=True)
def drumline_exec_task(
    words: tuple[str, ...], executable: str | None, clock: bool
) -> tuple[str, Mapping[str, Any]] | None:
    """Say which action runs what ``drumline exec`` was given, and its arguments.

    Called: when ``drumline exec`` runs a command or compares clocks, and for ``-a`` without ``-m``.
    Parameters:
        words: one word is a command line for the host's shell, several are a program and its arguments; none with
            ``--clock``, and for ``-a``, whose arguments are then used.
        executable: the program that reads a command line; None for the host's usual shell.
        clock: hosts' clocks are to be compared with this machine's.
    None: it leaves it to the next plugin.
    Which answer wins: the first that isn't None. Templates in the words are rendered as in a playbook.
    Who may implement it: any plugin.
    Bundled user: ``drumline_actions``.
    """


@hookspec
def drumline_generators(settings: Mapping[str, Any]) -> Mapping[str, Generator] | None:
    """Offer generators of plays, found by ``generator`` in a generator file.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: all count; a name that is offered twice stays with the first plugin, and the second is at fault.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """


@hookspec
def drumline_inventory_sources(settings: Mapping[str, Any]) -> Iterable[InventorySource | SourceSpec] | None:
    """Offer inventory sources: themselves, or where they are imported from when an inventory needs them.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: all count; the first one that claims what is named after ``-i`` reads it. Those of drumline
        itself, for YAML, INI and lists of hosts, are asked last. A name that is offered twice stays with the first
        plugin, and the second is at fault.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``, ``drumline_inventory``.
    """


@hookspec
def drumline_host_vars(
    inventory: SourceData,
    directories: tuple[Path, ...],
    playbook_directories: tuple[Path, ...],
    settings: Mapping[str, Any],
) -> Iterable[HostVariables] | None:
    """Give variables for hosts and groups beside those of the inventory sources: from a database, or other files.

    Called: once for each inventory that is read, when all its sources are, for all hosts and groups together.
    Parameters:
        inventory: what the sources say, put together; a text that holds a template is an object with that ``text``.
        directories: where files may lie beside the inventory: sources that are directories, and those of other sources.
        playbook_directories: those of the playbooks, without the ones above; none where no playbook is read.
        settings: the settings of all plugins, by their full names.
    None: it has no variables for them.
    Which answer wins: of two plugins that give the same variable to the same host or group, the one that is asked
        first; that is drumline's own reader of ``group_vars`` and ``host_vars``, but for plugins with ``tryfirst``. A
        host's variables win over those of its groups, whoever gives them, and ``stage="playbook"`` over "inventory".
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """


@hookspec
def drumline_commands(settings: Mapping[str, Any]) -> Iterable[CommandSpec] | None:
    """Offer commands of the ``drumline`` program.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names; at their defaults while drumline only looks for its
            commands, as for ``--help``.
    None: it offers none.
    Which answer wins: all count; a name that is offered twice stays with the first plugin, and the second is at fault.
        The names of drumline's own commands are always taken.
    Who may implement it: installed packages, since a command is imported by its module's name.
    Bundled user: ``drumline.built_in``, ``drumline_lab``.
    """


@hookspec
def drumline_filters(settings: Mapping[str, Any]) -> Mapping[str, TemplateFunction] | None:
    """Offer filters of templates (``x | name``) by their names. The function is given ``x`` and the arguments.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: all count; a name that is offered twice stays with the first plugin, and the second is at fault.
        Those of jinja2 and drumline come before all.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """


@hookspec
def drumline_tests(settings: Mapping[str, Any]) -> Mapping[str, TemplateFunction] | None:
    """Offer tests of templates (``x is name``) by their names. What the function gives counts as true or false.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: as for ``drumline_filters``.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """


@hookspec
def drumline_lookups(settings: Mapping[str, Any]) -> Mapping[str, TemplateFunction] | None:
    """Offer lookups of templates (``lookup('name', term)``) by their names. The function is given a ``LookupCall``.

    Called: once, at start-up.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: as for ``drumline_filters``.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """


@hookspec
def drumline_secrets(settings: Mapping[str, Any]) -> Iterable[SecretStore] | None:
    """Offer stores of secrets, found by what stands before the colon in ``lookup('secret', 'STORE:NAME')``.

    Called: once, at start-up. A store is asked when a run needs a secret, once for each reference.
    Parameters:
        settings: the settings of all plugins, by their full names.
    None: it offers none.
    Which answer wins: all count; a name that is offered twice stays with the first plugin, and the second is at fault.
    Who may implement it: any plugin.
    Bundled user: ``drumline_secrets``.
    """


@hookspec
def drumline_plugins_for_run(run: RunView) -> Iterable[object] | None:
    """Give objects whose hooks are called during one run: what keeps something of it, as a trace does.

    Called: once for each run, before its first event or before it is read from the journal. The objects are registered
        until the run has ended, and their hooks are called before those of all plugins; then those are closed that have
        a method ``close``.
    Parameters:
        run: the run; ``run.live`` says whether it is about to begin.
    None: it has none for this run.
    Which answer wins: all count.
    Who may implement it: any plugin. Its objects may implement the hooks below this one.
    Bundled user: ``drumline_trace``.
    """


@hookspec
def drumline_reporters(run: RunView) -> Iterable[Reporter] | None:
    """Offer reports of a run: each is given all its events, in order.

    Called: before the first event of a run, and when ``drumline runs replay`` reads an earlier one from the journal.
    Parameters:
        run: the run; ``run.live`` says which of the two it is.
    None: it has none for this run.
    Which answer wins: all count.
    Who may implement it: any plugin. A wrapper may take reporters away, those of drumline too.
    Bundled user: ``drumline.reporting.console_reporter``, ``drumline.reporting.events_file``.
    """


@hookspec(firstresult=True)
def drumline_executor(run: RunView, runner: Runner, report: Callable[[JobReport | Exception], None]) -> Executor | None:
    """Give what runs the jobs of a run.

    Called: once for each run, before its first event.
    Parameters:
        run: the run that is about to begin.
        runner: runs one job, on the thread that calls its ``run``.
        report: takes what ``runner.run`` gave for a job, unless that is None, or what it raised; from any thread.
    None: it leaves the run to the next plugin, at last to drumline's own threads.
    Which answer wins: the first that isn't None.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """


@hookspec(firstresult=True)
def drumline_run_job(run: RunView, job: Job, perform: Callable[[], JobFinished | None]) -> JobFinished | None:
    """Wrap a job: all that happens on its host happens between the two halves of the wrapper.

    Called: for every job, on the thread that runs it, when there is such a wrapper.
    Parameters:
        run: the run.
        job: the job's host, and its step as an index of ``run.plan.steps``.
        perform: runs the job. Drumline's own implementation calls it; a wrapper doesn't, it yields.
    None: the job was stopped and has been reported already.
    Which answer wins: the job's own report stands, whatever wrappers make of it, and whatever they raise. A wrapper
        that raises is left out from then on, with a warning.
    Who may implement it: wrappers, in any plugin.
    Bundled user: ``drumline.built_in``, ``drumline_trace.tracer``.
    """


@hookspec(firstresult=True)
def drumline_open_session(run: RunView, target: Target, connection: Connection) -> Session | None:
    """Open a session on a connection, or wrap the opening: to trace it, or to give one that records what it is sent.

    Called: whenever a job needs a session and none is idle, on the job's thread.
    Parameters:
        run: the run.
        target: the host with the values of its connection variables.
        connection: the transport's connection to it.
    None: it leaves it to the next plugin, at last to ``connection.open_session()``.
    Which answer wins: the first that isn't None. A ``HostError`` makes the host unreachable; whatever else is raised
        fails the job.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``, ``drumline_trace.tracer``.
    """


@hookspec(firstresult=True)
def drumline_history(state: Path) -> History | None:
    """Give what earlier runs are read from, or wrap it: to show the runs of colleagues as well.

    Called: by ``drumline runs list``, ``show``, ``output`` and ``replay``, and when a plugin's command asks its context
        for the history. Runs are written to drumline's journal all the same.
    Parameters:
        state: the directory of the journal, which may be missing.
    None: it leaves it to the next plugin, at last to drumline's journal.
    Which answer wins: the first that isn't None.
    Who may implement it: any plugin.
    Bundled user: ``drumline.built_in``.
    """
