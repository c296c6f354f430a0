"""The composition root: the one place that wires loading, planning, execution, journal and reports together."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache, partial
from graphlib import CycleError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from drumline.built_in import all_plugins
from drumline.clock import SystemClock
from drumline.config import Settings
from drumline.config.values import size_text
from drumline.diagnostics import Diagnostic, Diagnostics, did_you_mean
from drumline.engine.state import RunState
from drumline.errors import FilesError, PluginError, UsageError
from drumline.execution.approvals import AnswerSource, Approvals, whoami
from drumline.execution.context import KeepOutput, RunContext
from drumline.execution.driver import Driver
from drumline.execution.preflight import Preflight
from drumline.execution.runner import JobRunner
from drumline.execution.wrapping import hooks_of_run, wrap_sessions, wrapped
from drumline.inventory.combining import merge_dictionaries
from drumline.inventory.definitions import roles_of
from drumline.inventory.host_variables import HOOK as HOST_VARS
from drumline.inventory.limit import read_limit
from drumline.inventory.reading import SourceRules
from drumline.inventory.scopes import Scopes
from drumline.inventory.sources import load_inventory, require_hosts
from drumline.journal.store import Journal
from drumline.journal.upkeep import make_room
from drumline.journal.writer import RunWriter
from drumline.loading.connection import check_connections
from drumline.loading.deferred import resolve, resolve_tags
from drumline.loading.extra_vars import read_extra_vars
from drumline.loading.facts import with_facts
from drumline.loading.foreseen import Foresight, foresee
from drumline.loading.handlers import with_handlers
from drumline.loading.names import RESULTS, check_names, references
from drumline.loading.playbook import read_playbooks
from drumline.loading.prompts import with_prompts
from drumline.loading.reading import Around, Reading
from drumline.loading.typos import check_typos
from drumline.loading.usual import usual_of
from drumline.loading.vars_files import with_vars_files
from drumline.loading.written import all_templates, embedded, mentions
from drumline.masking import Secrets
from drumline.model.event import Event, PlanGrown
from drumline.model.host import Inventory
from drumline.model.plan import Plan, without_later
from drumline.model.playbook import Debugger, Playbook, Task
from drumline.model.titles import titled, with_titles
from drumline.model.value import Value
from drumline.planning.expand import check_patterns, make_plan, matches_any
from drumline.planning.later import later_plays
from drumline.planning.repeats import without_repeats
from drumline.planning.start_times import check_start_times
from drumline.planning.tags import Selection, selected
from drumline.plugin.actions import Action
from drumline.plugin.registry import Offers, Registry
from drumline.plugin.runs import Executor, RunView
from drumline.reporting.saying import say
from drumline.reporting.screens import warn
from drumline.secret import Secret
from drumline.signals import heard
from drumline.source.gc_tuning import rare_collector
from drumline.source.inputs import Inputs, inputs_noted
from drumline.source.mistakes import Mistakes, gathered
from drumline.source.vault import keyring
from drumline.source.yaml import Node
from drumline.templating.offers import NEIGHBOURS
from drumline.templating.templates import Templating

if TYPE_CHECKING:
    from drumline.execution.fact_cache import FactCache
    from drumline.loading.source_options import SourceOptions

#: Makes the listeners of a run's events once its number is known.
Listeners = Callable[[RunView], Iterable[Callable[[Event], None]]]

#: Reads a playbook from elsewhere than files of plays, given the actions and the rest, and says what is wrong with it.
ReadPlaybook = Callable[[Mapping[str, Action], Around], tuple[Playbook, list[Diagnostic]]]

#: Changes what was read, for a what-if question: ``(playbook, inventory) -> both``.
Instead = Callable[[Playbook, Inventory], tuple[Playbook, Inventory]]

#: How many open files are requested: one per host, and some. Programs started here inherit the limit.
_MOST_FILES = 65_536


class Prepared(Struct, frozen=True, kw_only=True):
    """Everything that a run needs, checked; nothing has been sent to any host yet."""

    settings: Settings
    registry: Registry
    inventory: Inventory
    extra_variables: Mapping[str, Value]
    templating: Templating
    plan: Plan
    #: Warnings about the files, which don't stop the run.
    warnings: tuple[Diagnostic, ...] = ()
    #: Passwords that people have typed, as connection variables of all hosts.
    passwords: Mapping[str, Secret] = {}
    #: The secrets to mask; filled when the plan is run.
    secrets: Secrets = field(default_factory=Secrets)
    #: What of the playbook takes part.
    selection: Selection = Selection()
    #: Reads the inventory anew. Raises ``FilesError`` and ``UsageError``.
    reread: Callable[[], Inventory] | None = None
    #: What its tasks add while it runs, as far as that is known.
    foreseen: Foresight = field(default_factory=Foresight)
    #: The files that this was made from.
    inputs: Inputs = field(default_factory=Inputs)

    def address(self, host: str) -> Value:
        """The address of a host according to the inventory; None if its name is its address."""
        found = self.inventory.hosts.get(host)
        return found.variables.get("ansible_host") if found else None


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


def _reread(settings: Settings, plugins: Registry, playbooks: Sequence[Path], extra: Mapping[str, Value]) -> Inventory:
    inventory = inventory_of(settings, plugins, playbooks, extra)
    mistakes = check_connections(inventory.hosts.values(), plugins.transports)
    if mistakes:
        raise FilesError(mistakes)
    return inventory


def prepare(
    playbooks: Sequence[Path] | Playbook | ReadPlaybook,
    settings: Settings,
    *,
    plugins: Registry | None = None,
    templating: Templating | None = None,
    made_up: Callable[[Playbook], Inventory] | None = None,
    limit: str | None = None,
    extra_vars: Sequence[str] = (),
    tags: Collection[str] = (),
    skip_tags: Collection[str] = (),
    force_handlers: bool = False,
    strict: bool = False,
    sends: bool = False,
    check: bool = False,
    diff: bool = False,
    instead: Instead = lambda playbook, inventory: (playbook, inventory),
) -> Prepared:
    """Read and check everything, and make the plan. Raises ``FilesError`` with all mistakes, or ``UsageError``.

    ``instead`` may change both before the plan is made. With ``force_handlers``, handlers run on failed hosts, too.
    With ``strict``, warnings are mistakes. What is missing for a run alone, such as the password of an encrypted value,
    is a mistake where the plan ``sends`` something to hosts, and else a warning. With ``check`` tasks only say what
    they would change, with ``diff`` they show it. ``made_up`` gives hosts for the playbook in place of the inventory;
    undefined variables aren't mistakes then, since hosts may define them. ``plugins`` and ``templating``
    are those of the settings, if they are at hand; what ``templating`` doesn't trust isn't run.
    """
    plugins = plugins or registry(settings)
    merge_dictionaries(settings.hash_behaviour == "merge")
    with inputs_noted() as inputs:
        paths = playbooks if isinstance(playbooks, Sequence) else ()
        managed = settings.ansible_managed
        templating = templating or Templating(settings.template_timeout, plugins, managed=managed)
        beside = _neighbours((path.absolute().parent for path in paths), plugins, templating)
        beside += _look_in(settings, [path.absolute().parent / "collections" for path in paths], plugins, templating)
        extra = read_extra_vars(extra_vars)
        limit = None if limit is None else read_limit(limit)
        modes = {"ansible_check_mode": check, "ansible_diff_mode": diff}
        playbook, inventory = instead(*_read(playbooks, settings, plugins, extra, templating, made_up, beside))
        warnings = Diagnostics()
        warnings.extend((*beside, *inventory.warnings))
        scopes = Scopes(inventory, playbook, extra, templating, called=modes)
        chosen = partial(selected, tags=tags, skip_tags=skip_tags)
        with gathered() as mistakes:
            mistakes.imported = playbook.imported
            reading = Reading(plugins.actions, mistakes.found, _around(settings, extra, templating, plugins))
            playbook, foreseen = _put_in_place(
                playbook, inventory, reading, scopes, chosen, warnings, asks=sends, force_handlers=force_handlers
            )
            mistakes.imported = {**reading.imported, **playbook.imported}
            seen = foreseen.seen(playbook)
            written = all_templates(seen)
            warnings.extend(embedded(written))
            defined = made_up is None and not any(mistake.hides_names for mistake in mistakes.found)
            mistakes.found.extend(
                check_names(seen, inventory, extra, templating, written=written, chosen=chosen, undefined=defined)
            )
            mistakes.found.extend(check_connections(inventory.hosts.values(), plugins.transports))
            matching = partial(matches_any, inventory=inventory, render_pattern=scopes.render_pattern)
            later = later_plays(playbook, foreseen, chosen, matching)
            selection = {"limit": limit, "tags": tags, "skip_tags": skip_tags, "shuffle": shuffled, "later": later}
            plan = mistakes.of(lambda: plan_of(playbook, inventory, scopes, chosen, warnings=warnings, **selection))
            if plan is not None:
                prepared = Prepared(
                    settings=settings,
                    registry=plugins,
                    inventory=inventory,
                    extra_variables=extra,
                    templating=templating,
                    plan=replace(plan, check=check, diff=diff),
                    selection=Selection(limit=limit, tags=tags, skip_tags=skip_tags),
                    foreseen=foreseen,
                    reread=partial(_reread, settings, plugins, paths, extra),
                )
                _check_plan(prepared, mentions(written, inventory), mistakes.found, warnings)
            (mistakes.found if sends else warnings).extend(keyring().locked)
            if sends and plan is not None:
                mistakes.found.extend(_unasked(plan))
            if strict:
                mistakes.found.extend(warnings)
        if tags and all(step.task.first for step in plan.steps):
            _no_such_tags(playbook, tags)
    return replace(prepared, warnings=tuple(warnings), inputs=inputs)


def written_plays(paths: Sequence[Path], prepared: Prepared) -> list[Node]:
    """What stands in the playbooks of a plan, with generated plays in place of what generates them."""
    around = _around(
        prepared.settings, prepared.extra_variables, prepared.templating, prepared.registry, prepared.inventory
    )
    written: list[Node] = []
    read_playbooks(paths, prepared.registry.actions, around, written)
    return written


def _put_in_place(
    playbook: Playbook,
    inventory: Inventory,
    reading: Reading,
    scopes: Scopes,
    chosen: Callable[[Task], bool],
    warnings: Diagnostics,
    *,
    asks: bool,
    force_handlers: bool,
) -> tuple[Playbook, Foresight]:
    """The playbook with all that files and people say before the run, and what its tasks will add."""
    found, extra, actions = reading.found, reading.around.extra, reading.actions
    playbook = with_prompts(playbook, extra, asks, found)
    playbook = with_vars_files(playbook, scopes.render, found, actions)
    playbook = without_repeats(resolve_tags(playbook, scopes.render, found), chosen)
    foreseen = foresee(playbook, scopes.render, reading, chosen)
    playbook = with_handlers(
        playbook,
        scopes.render,
        chosen,
        found,
        warnings,
        actions=actions,
        force=force_handlers,
        coming=foreseen.coming,
    )
    return with_facts(playbook, inventory, extra, actions, chosen, foreseen.seen(playbook)), foreseen


def _unasked(plan: Plan) -> Iterable[Diagnostic]:
    if all(step.task.debugger is Debugger.NEVER for step in plan.steps):
        return ()
    from drumline.execution.debugging import unasked  # few tasks have a debugger

    return unasked(plan)


def plan_of(
    playbook: Playbook,
    inventory: Inventory,
    scopes: Scopes,
    chosen: Callable[[Task], bool] = lambda _task: True,
    **options: Any,
) -> Plan:
    """The plan of a playbook, with what ``scopes`` knows before the run. ``options`` are those of ``make_plan``."""
    return make_plan(
        resolve(playbook, scopes.render, chosen=chosen),
        inventory,
        render_pattern=scopes.render_pattern,
        host_scope=scopes.before,
        **options,
    )


def _neighbours(directories: Iterable[Path], plugins: Registry, templating: Templating) -> list[Diagnostic]:
    """Load the filters, tests and lookups that stand in files beside playbooks and in roles; few have any."""
    places = [place for place in dict.fromkeys(directories) if any((place / name).is_dir() for name in NEIGHBOURS)]
    if not places:
        return []
    from drumline.templating.neighbours import load_neighbours

    return load_neighbours(places, plugins, trusted=templating.trusted)


def _look_in(
    settings: Settings, collections: Sequence[Path], plugins: Registry, templating: Templating
) -> list[Diagnostic]:
    """Have filters, tests and lookups found in directories of the settings, and of collections when one is named."""
    warnings: list[Diagnostic] = []
    directories = [*collections, *(Path(path).expanduser() for path in settings.collections_path)]

    def enter(kind: str, offers: Offers[Any], name: str) -> None:
        from drumline.templating.neighbours import load_of_collection  # few templates name one

        load_of_collection(kind, offers, name, directories, trusted=templating.trusted)

    for kind, offers in (("filter", plugins.filters), ("test", plugins.tests), ("lookup", plugins.lookups)):
        offers.look_for = partial(enter, kind, offers)
        for directory in getattr(settings, f"{kind}_plugins"):
            from drumline.templating.neighbours import load_directory  # few projects have any

            warnings += load_directory(Path(directory), f"{kind}_plugins", offers, trusted=templating.trusted)
    return warnings


def _directories(playbook: Playbook) -> Iterator[Path]:
    """Those of the files of plays that were imported, and of roles."""
    yield from (Path(path).absolute().parent for path in dict.fromkeys(play.position.path for play in playbook.plays))
    for play in playbook.plays:
        yield from (Path(role.path) for role in roles_of(play))


def shuffled(hosts: Sequence[str]) -> tuple[str, ...]:
    """The hosts in an order that is drawn."""
    import random  # imported late: few plays shuffle their hosts

    return tuple(random.sample(hosts, len(hosts)))


def _read(
    playbooks: Sequence[Path] | Playbook | ReadPlaybook,
    settings: Settings,
    plugins: Registry,
    extra: Mapping[str, Value],
    templating: Templating,
    made_up: Callable[[Playbook], Inventory] | None,
    beside: list[Diagnostic],
) -> tuple[Playbook, Inventory]:
    """Read playbook and inventory. Raises ``FilesError`` with the mistakes of both.

    ``beside`` gets what is wrong with files of filters, tests and lookups beside what was read.
    """
    paths = playbooks if isinstance(playbooks, Sequence) else ()
    with gathered() as mistakes:
        inventory = None if made_up else mistakes.of(lambda: inventory_of(settings, plugins, paths, extra))
        if isinstance(playbooks, Playbook):
            playbook = playbooks
        else:
            around = _around(settings, extra, templating, plugins, inventory)
            read = playbooks if callable(playbooks) else partial(read_playbooks, paths)
            playbook, found = read(plugins.actions, around)
            mistakes.found.extend(found)
            mistakes.imported = playbook.imported
        beside += _neighbours(_directories(playbook), plugins, templating)
        if made_up is not None:
            inventory = made_up(playbook)
        if mistakes.found:
            _look_further(playbook, inventory, extra, plugins, mistakes, templating, undefined=made_up is None)
    assert inventory is not None  # else there was a mistake
    require_hosts(inventory)
    return playbook, inventory


def _around(
    settings: Settings,
    extra: Mapping[str, Value],
    templating: Templating,
    plugins: Registry,
    inventory: Inventory | None = None,
) -> Around:
    return Around(
        generators=plugins.generators,
        inventory=inventory,
        extra=extra,
        templating=templating,
        roles_path=settings.roles_path,
        collections_path=settings.collections_path,
        usual=usual_of(settings),
    )


def _look_further(
    playbook: Playbook,
    inventory: Inventory | None,
    extra: Mapping[str, Value],
    plugins: Registry,
    mistakes: Mistakes,
    templating: Templating,
    *,
    undefined: bool,
) -> None:
    """Find further mistakes in files that have one, so that one mistake doesn't hide another."""
    known = inventory or Inventory()
    scopes = Scopes(known, playbook, extra, templating)
    playbook = with_prompts(playbook, extra, False, mistakes.found)
    playbook = with_vars_files(playbook, scopes.render, mistakes.found, plugins.actions)
    hidden = any(mistake.hides_names for mistake in mistakes.found)  # what can't be read may define handlers, too
    noted = Diagnostics() if hidden else mistakes.found
    playbook = with_handlers(playbook, scopes.render, lambda _task: True, noted, Diagnostics(), actions=plugins.actions)
    undefined = undefined and inventory is not None and not any(mistake.hides_names for mistake in mistakes.found)
    mistakes.found.extend(check_names(playbook, known, extra, templating, undefined=undefined))
    if inventory is None or not inventory.hosts:
        return
    mistakes.of(lambda: check_patterns(playbook, known, scopes.render_pattern))
    mistakes.found.extend(check_connections(known.hosts.values(), plugins.transports))
    with suppress(FilesError, CycleError):  # the rest of the playbook may need a missing task, or itself
        plan = plan_of(playbook, inventory, scopes, shuffle=tuple)
        preflight = Preflight(plan, inventory, extra, actions=plugins.actions, transports=plugins.transports)
        preflight.check()
        mistakes.add_apart(preflight.mistakes, (task.position for play in playbook.plays for task in play.tasks))


def _check_plan(
    prepared: Prepared, mentioned: Callable[[str], bool], mistakes: Diagnostics, warnings: Diagnostics
) -> None:
    """Add the mistakes that only the plan shows. ``mentioned`` says whether any template contains a word."""
    plan, extra, plugins = prepared.plan, prepared.extra_variables, prepared.registry
    if mentioned(RESULTS):  # few playbooks do
        from drumline.planning.references import check_results

        mistakes.extend(check_results(plan, references(plan.playbook, extra, prepared.templating)))
    mistakes.extend(check_start_times(plan, SystemClock().now()))
    preflight = Preflight(plan, prepared.inventory, extra, actions=plugins.actions, transports=plugins.transports)
    preflight.check()
    check_typos(preflight.names(), preflight.having, plugins.transports, mentioned, mistakes, warnings)
    if prepared.foreseen.added:
        _check_foreseen(prepared, preflight, mistakes)
    mistakes.extend(preflight.mistakes)
    warnings.extend(preflight.warnings)


def _check_foreseen(prepared: Prepared, preflight: Preflight, mistakes: Diagnostics) -> None:
    """The same for what tasks will add; what the preflight finds of it is added to that of the plan."""
    from drumline.execution.growing import foreseen_parts  # imported late: few plans grow

    plan, extra, plugins = prepared.plan, prepared.extra_variables, prepared.registry
    scopes = Scopes(prepared.inventory, plan.playbook, extra, prepared.templating)
    for part in foreseen_parts(plan, prepared.foreseen, prepared.inventory, scopes, prepared.selection, mistakes):
        check = Preflight(part, prepared.inventory, extra, actions=plugins.actions, transports=plugins.transports)
        check.check()
        preflight.mistakes.extend(check.mistakes)
        preflight.warnings.extend(check.warnings)


class Readers(Protocol):
    """The readers of a run's reports, if the program ends with the run (:class:`.reporting.reporters.Reports`)."""

    def hurry(self) -> None:
        """Stop waiting for readers, because a signal asks for the end. May be called from any thread."""
        ...

    def close(self) -> None:
        """Wait, within bounds, until everything has been shown."""
        ...


def carry_out(
    prepared: Prepared,
    listeners: Listeners,
    *,
    command: str,
    verbosity: int = 0,
    sources: Iterable[AnswerSource] = (),
    readers: Readers | None = None,
) -> int:
    """Run a plan to its end; returns the exit status. ``command`` is the command line, for the journal.

    Questions are answered through the journal, or by one of the ``sources``. With ``readers``, the program ends
    with the run: it waits for them, and later signals that ask for the end have no effect.
    """
    _allow_files()
    journal = _journal(prepared.settings)
    begins = without_later(prepared.plan)
    context = _context(prepared, lambda *piece: record.keep_output(*piece), verbosity)
    record = _begin(journal, prepared, command)
    run = RunView(
        number=record.number,
        id=record.id,
        command=command,
        plan=titled(begins, prepared.secrets.mask),
        verbose=verbosity,
        mask=prepared.secrets.mask,
        settings=prepared.registry.settings,
    )
    hooks = prepared.registry.hooks
    with closing(journal), hooks_of_run(hooks, run, say):
        driver = Driver(
            RunState(begins, forks=prepared.settings.forks, sessions=prepared.settings.sessions),
            run=record.id,
            record=record,
            listeners=[context.gained.follow, *(_masked(listen, prepared.secrets.mask) for listen in listeners(run))],
            clock=SystemClock(),
            remember=context.remember,
            by=whoami(),
            grow=context.grow,
            plan_play=context.plan_play,
        )
        approvals = Approvals(note=driver.note, sources=[record, *sources])
        runner = wrapped(JobRunner(context, note=driver.note, approvals=approvals), hooks, run, say)
        wrap_sessions(context.sessions, hooks, run)
        try:
            executor: Executor = hooks.ask("drumline_executor", run=run, runner=runner, report=driver.report)
        except PluginError:  # nothing was sent, so the run is removed
            journal.remove([record.number])
            raise
        # Interrupts are also handled while connections are closed and readers are waited for; the run's status stays.
        with _interrupts(driver, readers), rare_collector():
            try:
                return driver.run(executor)
            finally:
                executor.close()
                context.sessions.close()
                journal.close()
                if readers is not None:
                    readers.close()


def _masked(listen: Callable[[Event], None], mask: Callable[[str], str]) -> Callable[[Event], None]:
    """A listener that gets additions to the plan in the form of the plan itself: titles for names, masked."""
    return lambda event: listen(with_titles(event, mask) if isinstance(event, PlanGrown) else event)


def _begin(journal: Journal, prepared: Prepared, command: str) -> RunWriter:
    """Record the run in the journal."""
    settings = prepared.settings
    record = journal.begin(
        without_later(prepared.plan),
        command=command,
        forks=settings.forks,
        sessions=settings.sessions,
        secrets=prepared.secrets,
        files=prepared.inputs.files(),
    )
    record.room = settings.journal_limit - journal.size()
    return record


def _context(prepared: Prepared, keep_output: KeepOutput, verbosity: int) -> RunContext:
    """What the jobs of the run share."""
    return RunContext(
        plan=prepared.plan,
        inventory=prepared.inventory,
        actions=prepared.registry.actions,
        transports=prepared.registry.transports,
        templating=prepared.templating,
        extra_variables=prepared.extra_variables,
        secrets=prepared.secrets,
        keep_output=keep_output,
        output_limit=prepared.settings.output_limit,
        sessions_per_host=prepared.settings.sessions,
        verbosity=verbosity,
        fact_cache=_fact_cache(prepared.settings),
        passwords=prepared.passwords,
        selection=prepared.selection,
        reread=prepared.reread,
        around=_around(prepared.settings, prepared.extra_variables, prepared.templating, prepared.registry),
    )


def _fact_cache(settings: Settings) -> FactCache | None:
    if not settings.fact_cache:
        return None
    from drumline.execution.fact_cache import FactCache  # few have one

    return FactCache(settings.state / "facts", settings.fact_cache, SystemClock())


def _journal(settings: Settings) -> Journal:
    """The journal, with room for a run. Warns about the runs that were removed for it."""
    journal = Journal(settings.state)
    gone = make_room(journal, settings.journal_limit)
    if gone:
        which = f"run {gone[0].number} was" if len(gone) == 1 else f"the oldest {len(gone)} runs were"
        limit = f"'journal_limit' ({size_text(settings.journal_limit)})"
        warn(sys.stderr, [f"The journal was larger than {limit} allows: {which} removed."])
    return journal


def _no_such_tags(playbook: Playbook, tags: Collection[str]) -> None:
    known = sorted({tag for play in playbook.plays for task in play.tasks for tag in task.tags})
    if not set(tags) & {*known, "all", "tagged", "untagged", "always", "never"}:
        [first, *_] = tags
        there = f"the tags of the playbook are {', '.join(known)}" if known else "the playbook has no tags"
        detail = f"--tags {','.join(tags)}: {there}.{did_you_mean(first, known)}"
        raise UsageError("No task has one of these tags", detail)


def _allow_files() -> None:
    """Raise the limit of open files, since every connected host keeps one open and shells set a low default."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= _MOST_FILES:
        return
    with suppress(ValueError, OSError):  # macOS says "unlimited" and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _MOST_FILES), most))


@contextmanager
def _interrupts(driver: Driver, readers: Readers | None) -> Iterator[None]:
    """Ctrl-C asks the driver to stop: first after the wave, then now. Signals from other programs mean now."""
    hurry = readers.hurry if readers is not None else lambda: None

    def interrupt() -> None:
        driver.interrupt()
        hurry()

    def terminate(name: str) -> None:
        driver.terminate(name)
        hurry()

    handlers: dict[int, Callable[[], None]] = {signal.SIGINT: interrupt, signal.SIGTERM: partial(terminate, "SIGTERM")}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
        handlers[signal.SIGHUP] = partial(terminate, "SIGHUP")
    with heard(handlers, then=None if readers is None else signal.SIG_IGN):
        yield
