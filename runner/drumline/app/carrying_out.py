"""Running what was prepared, to its end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Protocol

from drumline.app.prepared import Prepared
from drumline.clock import SystemClock
from drumline.config import Settings
from drumline.config.values import size_text
from drumline.engine.state import RunState
from drumline.errors import PluginError
from drumline.execution.approvals import AnswerSource, Approvals, whoami
from drumline.execution.context import KeepOutput, RunContext
from drumline.execution.driver import Driver
from drumline.execution.runner import JobRunner
from drumline.execution.wrapping import hooks_of_run, wrap_sessions, wrapped
from drumline.journal.store import Journal
from drumline.journal.upkeep import make_room
from drumline.journal.writer import RunWriter
from drumline.model.event import Event, PlanGrown
from drumline.model.plan import without_later
from drumline.model.titles import titled, with_titles
from drumline.plugin.runs import Executor, RunView
from drumline.reporting.saying import say
from drumline.reporting.screens import warn
from drumline.signals import heard
from drumline.source.gc_tuning import rare_collector

if TYPE_CHECKING:
    from drumline.execution.fact_cache import FactCache

#: Makes the listeners of a run's events once its number is known.
Listeners = Callable[[RunView], Iterable[Callable[[Event], None]]]

#: How many open files are requested: one per host, and some. Programs started here inherit the limit.
_MOST_FILES = 65_536


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
        around=prepared.project.around(),
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
