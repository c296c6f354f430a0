"""Plugins that wrap the jobs and sessions of a run. If no plugin wraps either, nothing here is called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from drumline.errors import PluginError
from drumline.execution.sessions import SessionPool
from drumline.model.event import JobFinished
from drumline.model.plan import Job
from drumline.model.target import Target
from drumline.plugin.hooks import HookFailed, Hooks, Rejected, failed
from drumline.plugin.runs import JobReport, Runner, RunView, Stopped
from drumline.plugin.transports import Connection, Session

#: Shows people a message about a plugin that has failed.
Say = Callable[[str], None]


@contextmanager
def hooks_of_run(hooks: Hooks, run: RunView, say: Say) -> Iterator[None]:
    """For the time of a ``with``, the objects are registered that plugins have for this run alone.

    Then they are closed. What a plugin raises is said, and the run goes on.
    """
    with ExitStack() as stack:
        for owner, call in hooks.each("drumline_plugins_for_run"):
            try:
                for number, plugin in enumerate(call(run=run) or (), 1):
                    stack.callback(_close, plugin, owner, say)
                    stack.enter_context(hooks.registered(f"{owner}, object {number}", plugin))
            except Rejected as rejected:
                say(f"{owner}, object {number}, was left out: {rejected}")
            except Exception as error:  # whatever a stranger's hook raises, the run goes on
                say(failed(owner, "drumline_plugins_for_run", error))
        yield


def _close(plugin: object, owner: str, say: Say) -> None:
    """Close an object if it can be closed."""
    try:
        getattr(plugin, "close", lambda: None)()
    except Exception as error:  # as above
        say(f"{owner} could not be closed: {type(error).__name__}: {error}")


def wrap_sessions(pool: SessionPool, hooks: Hooks, run: RunView) -> None:
    """Have the sessions of a pool opened by plugins, if one wants to."""
    if hooks.is_implemented("drumline_open_session"):
        pool.open_session = partial(_open_session, hooks, run)


def _open_session(hooks: Hooks, run: RunView, target: Target, connection: Connection) -> Session:
    session: Session | None = hooks.ask("drumline_open_session", run=run, target=target, connection=connection)
    if session is None:
        raise PluginError("A plugin has failed", "A wrapper of hook drumline_open_session gave no session.")
    return session


def wrapped(runner: Runner, hooks: Hooks, run: RunView, say: Say) -> Runner:
    """The runner itself, or one whose jobs plugins wrap."""
    return _WrappedRunner(runner, hooks, run, say) if hooks.is_implemented("drumline_run_job") else runner


class _WrappedRunner:
    """Runs jobs within the wrappers of ``drumline_run_job``, which can neither change nor lose a report."""

    def __init__(self, runner: Runner, hooks: Hooks, run: RunView, say: Say) -> None:
        self._runner = runner
        self._hooks = hooks
        self._run = run
        self._say = say

    def run(self, job: Job) -> JobReport | None:
        once = _Once(partial(self._runner.run, job))
        try:
            self._hooks.ask("drumline_run_job", run=self._run, job=job, perform=once)
        except HookFailed as failure:
            if once.error is None:
                self._hooks.leave_out(failure.owner)
                self._say(f"{failure.detail}. It is left out from here on.")
        return once.report()

    def release(self, jobs: Sequence[Job], instant: float | None = None) -> float | None:
        return self._runner.release(jobs, instant)

    def stop(self, job: Job, stopped: Stopped) -> JobReport | None:
        return self._runner.stop(job, stopped)


class _Once:
    """Carries a job out when it is first called, and keeps the report beside what plugins see of it."""

    def __init__(self, perform: Callable[[], JobReport | None]) -> None:
        self._perform = perform
        self._began = False
        self._report: JobReport | None = None
        self.error: Exception | None = None

    def __call__(self) -> JobFinished | None:
        if not self._began:
            self._began = True
            try:
                self._report = self._perform()
            except Exception as error:
                self.error = error
                raise
        return None if self._report is None else self._report.event

    def report(self) -> JobReport | None:
        """What came of the job; carries it out if no plugin has let it begin. Raises what the runner has raised."""
        if self.error is not None:
            raise self.error
        self()
        return self._report
