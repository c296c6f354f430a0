"""The console: a live line for each open wave at a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, assert_never

from drumline.clock import SystemClock
from drumline.diagnostics import counted
from drumline.model.event import (
    ApprovalGiven,
    ApprovalRequested,
    BarrierPassed,
    Event,
    FailuresPending,
    FailuresSettled,
    InterruptRequested,
    JobFinished,
    JobsAbandoned,
    JobsLate,
    JobsStarted,
    JobStaged,
    JobWaiting,
    PlanGrown,
    PlayStopped,
    RunFinished,
    RunStarted,
    StartCalledOff,
    StartMeasured,
    StartReleased,
    TimePassed,
    WaveEnded,
    WaveReleased,
)
from drumline.model.outcome import Status
from drumline.model.plan import Plan
from drumline.model.playbook import Strategy
from drumline.reporting.diffs import AROUND
from drumline.reporting.failures import FailureReports
from drumline.reporting.lines import (
    Line,
    Part,
    batch_title,
    count_parts,
    seconds,
    task_name,
    verdict,
    wave_number,
    wave_title,
)
from drumline.reporting.screens import FRAMES_PER_SECOND, Screen
from drumline.reporting.timing_lines import (
    approve_command,
    called_off_line,
    headed,
    question_lines,
    show_command,
    start_progress,
    stop_line,
    waiting_lines,
)
from drumline.reporting.tracker import Tracker, Wave, WaveKey
from drumline.reporting.wave_lines import running_text, wave_result

if TYPE_CHECKING:
    from drumline.forecast.remaining import Left
    from drumline.reporting.custom_stats import CustomStats
    from drumline.reporting.prompt import TerminalPrompt


def _custom_stats() -> CustomStats:
    from drumline.reporting.custom_stats import CustomStats  # few settings ask for it

    return CustomStats()


class ConsoleReport:
    """Shows a run on a screen. It is a context manager and a listener of events."""

    def __init__(
        self,
        plan: Plan,
        screen: Screen,
        *,
        number: int,
        verbose: int = 0,
        alive: bool = False,
        prompt: TerminalPrompt | None = None,
        remaining: Callable[[float, Mapping[WaveKey, float]], Left | None] | None = None,
        state: Path | None = None,
        recap: bool = False,
        diff_context: int = AROUND,
        custom_stats: bool = False,
        go_on: Callable[[Sequence[str]], str] | None = None,
        address: Callable[[str], Any] = lambda _host: None,
    ) -> None:
        """``remaining`` estimates what is left at a time, given the open waves and when each was released.

        ``state`` is the journal's directory if the command line named it. ``recap``: even if nothing failed.
        ``diff_context``: how many lines around a change a diff shows. ``custom_stats``: the end shows what tasks have
        kept for it. ``go_on`` makes the command that continues on some hosts; ``address`` gives the address of a host.
        """
        self._lock = threading.RLock()
        self._tracker = Tracker(plan, verbose=verbose, address=address, diff_context=diff_context)
        self._custom_stats = _custom_stats() if custom_stats else None
        self._failures = FailureReports(self._tracker, self._show_of, self._lock, verbose=verbose)
        self._recap = recap
        self._go_on = go_on
        self._more = show_command(number, state)
        self._screen = screen
        self._number = number
        self._verbose = verbose
        self._alive = alive
        self._prompt = prompt
        self._remaining = remaining
        self._approve = approve_command(number, state)
        self._shown: tuple[int, int] | None = None  # the play and batch whose title was shown last
        self._under: WaveKey | None = None  # the wave whose title was shown last
        self._titled: set[WaveKey] = set()
        self._passed: set[WaveKey] = set()  # waves with open jobs whose barrier has passed, and was shown

    def __enter__(self) -> ConsoleReport:
        if self._alive:
            self._screen.open(self._live_lines)
        if self._prompt is not None:
            self._prompt.redraw = self._screen.redraw
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._failures.close()
        if self._prompt is not None:
            self._prompt.close()
        self._screen.close()

    def __call__(self, event: Event) -> None:
        """Handle one event, and show what it changes."""
        with self._lock:
            self._tracker.handle(event)
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case JobFinished(job=job, result=result):
                if self._custom_stats is not None:
                    self._custom_stats.take(job.host, result)
                self._failures.add(event)
            case JobsStarted():
                self._started(event)
            case BarrierPassed():
                self._barrier_passed(event)
            case WaveEnded():
                self._wave_ended(self._tracker.waves[event.play, event.batch, event.wave])
            case StartCalledOff():
                self._called_off(event)
            case PlayStopped():
                self._screen.show(stop_line(self._tracker.plan, event))
            case ApprovalRequested():
                self._ask(event)
            case JobStaged() | StartReleased():
                self._start_goes_on(event)
            case InterruptRequested():
                self._interrupted()
            case RunFinished():
                self._finished(event)
            case RunStarted() | WaveReleased() | JobsAbandoned() | JobsLate() | JobWaiting() | StartMeasured():
                pass  # shown with something else, or later
            case ApprovalGiven() | TimePassed() | FailuresPending() | FailuresSettled():
                pass
            case PlanGrown():
                if self._prompt is not None:
                    self._prompt.grow(self._tracker.plan)
            case _:
                assert_never(event)

    def _show(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._screen.show(line)

    def _show_of(self, wave: Wave, lines: Iterable[Line]) -> None:
        """Show lines about a wave below its title."""
        if self._under != wave.key:
            self._show_title(wave)
        self._show(lines)

    def _finished(self, event: RunFinished) -> None:
        for wave in self._tracker.waves.values():
            if self._has_something(wave):  # waves whose barrier never passed
                self._show_result(wave)
        self._close()
        if self._recap or event.exit_status:
            from drumline.reporting.recap import recap_lines  # most runs end well, without one

            self._show(recap_lines(self._tracker, self._command_to_go_on()))
        if self._custom_stats is not None:
            self._show(self._custom_stats.lines())
        self._screen.show(verdict(self._tracker, self._number))

    def _command_to_go_on(self) -> str | None:
        from drumline.reporting.recap import hosts_to_go_on

        hosts = hosts_to_go_on(self._tracker)
        return self._go_on(hosts) if hosts and self._go_on is not None else None

    def _started(self, event: JobsStarted) -> None:
        """Without live lines, a wave's title shows that it began; a wave in which nothing runs has no title.

        With ``free``, most waves begin at once, so the title is shown with the first result.
        """
        if self._alive:
            return
        one_of_each_step = {job.step: job for job in event.jobs}.values()
        for wave in dict.fromkeys(map(self._tracker.key_of, one_of_each_step)):
            if wave not in self._titled and self._has_barrier(self._tracker.waves[wave]):
                self._show_title(self._tracker.waves[wave])

    def _wave_ended(self, wave: Wave) -> None:
        """Show the result of a wave without a barrier, or what came after its barrier."""
        if not self._has_barrier(wave) or wave.key in self._passed:
            self._show_result(wave)

    def _barrier_passed(self, event: BarrierPassed) -> None:
        wave = self._tracker.waves[event.play, event.batch, event.wave]
        self._show_result(wave)
        if event.open:
            self._passed.add(wave.key)
            self._under = None  # what comes later gets a title of its own
            wave.barrier = None  # shown; the results of late jobs are still to come

    def _show_title(self, wave: Wave) -> None:
        plan = self._tracker.plan
        if wave.key[:2] != self._shown:
            self._shown = wave.key[:2]
            self._screen.show(batch_title(plan, wave))
        self._under = wave.key
        self._titled.add(wave.key)
        more = "what came after its barrier" if wave.key in self._passed else counted(wave.jobs, "job")
        self._screen.show([*wave_title(plan, wave), Part(f" ({more})", "dim")])

    def _show_result(self, wave: Wave) -> None:
        if not self._verbose and not self._has_something(wave):
            return  # nothing ran: the failures above and the verdict below say why
        told = self._failures.told(wave)
        lines = list(wave_result(self._tracker, wave, verbose=self._verbose, more=self._more, told=told))
        if lines:
            self._show_of(wave, lines)
        self._forget(wave)

    def _has_something(self, wave: Wave) -> bool:
        unclear = any(ending.status is Status.UNCLEAR for ending in wave.abandoned)
        started = any(step in self._tracker.starts for step in self._steps(wave))
        return bool(wave.folds or wave.late or unclear or started)

    def _steps(self, wave: Wave) -> tuple[int, ...]:
        play, batch, number = wave.key
        return self._tracker.plan.plays[play].batches[batch].waves[number]

    def _forget(self, wave: Wave) -> None:
        """Drop what was shown, since the results of ten thousand hosts take memory."""
        tracker, steps = self._tracker, self._steps(wave)
        with tracker.lock:
            wave.folds.clear()
            wave.abandoned.clear()
            wave.late.clear()
            for step in steps:
                start = tracker.starts.get(step)
                if start is not None and not start.left:
                    del tracker.starts[step]
                elif start is not None:
                    start.told = start.called_off is not None
            tracker.questions = [
                item for item in tracker.questions if not item.over or item.asked.job.step not in steps
            ]

    def _has_barrier(self, wave: Wave) -> bool:
        return self._tracker.plan.plays[wave.key[0]].play.strategy is Strategy.WAVES

    def _start_goes_on(self, event: JobStaged | StartReleased) -> None:
        """Without live lines, show when staging begins and ends."""
        index = event.job.step if isinstance(event, JobStaged) else event.jobs[0].step
        start = self._tracker.starts[index]
        if self._alive or (isinstance(event, JobStaged) and len(start.staged) > 1):
            return
        step = self._tracker.plan.steps[index]
        word = "staging" if isinstance(event, JobStaged) else "released"
        text = start_progress(step, start, event.at).removeprefix("released ")
        self._screen.show(headed(word, "cyan", task_name(step), text))

    def _called_off(self, event: StartCalledOff) -> None:
        step, start = self._tracker.plan.steps[event.step], self._tracker.starts[event.step]
        wave = self._tracker.waves.get((step.play, step.batch, step.wave))
        line = called_off_line(step, start)
        if wave is not None and line is not None:
            self._show_of(wave, [line])
            start.told = True

    def _ask(self, event: ApprovalRequested) -> None:
        self._show(question_lines(self._tracker.plan, event, self._how_to_answer()))
        if self._prompt is not None:
            self._prompt.put(event)

    def _how_to_answer(self) -> str:
        if self._prompt:
            return f"answer below, or in another terminal with: {self._approve}"
        return f"answer with: {self._approve} [--reject]"

    def _interrupted(self) -> None:
        if self._tracker.interrupts == 1:
            text = "interrupted: the running wave finishes, then the run stops; press Ctrl-C again to stop now"
        elif self._tracker.interrupts == 2:
            text = "interrupted: stopping the commands on the hosts"
        else:
            text = "interrupted: no longer waiting"
        self._screen.show([Part(text, "bold magenta")])

    def _live_lines(self) -> list[Line]:
        now = SystemClock().now()
        prompt = self._prompt.line() if self._prompt else None
        approve = "see below" if prompt else self._approve
        lines: list[Line] = []
        with self._tracker.lock:
            waves = list(self._tracker.open_waves())
            for wave in waves:
                lines.append(self._live_line(wave, now))
                lines.extend(waiting_lines(self._tracker, wave, now, approve))
        if self._remaining is not None and not self._tracker.interrupts:
            left = self._remaining(now, {wave.key: wave.released for wave in waves})
            lines += [_left_line(left, asked=bool(self._tracker.open_questions()))] if left is not None else []
        return [*lines, prompt] if prompt else lines

    def _live_line(self, wave: Wave, now: float) -> Line:
        """What matters most comes first, since a narrow terminal cuts off the end."""
        plan = self._tracker.plan
        counts = [Part("  "), *count_parts(wave.counts)] if wave.counts else []
        running = running_text(self._tracker, wave, now)
        return [
            Part(f"{_spinner(now)} ", "green"),
            Part(f"{wave_number(plan, wave)}  "),
            Part(f"{wave.finished}/{wave.jobs}", "bold"),
            *counts,
            Part(f"  {running}" if running else "", "cyan"),
            Part("  "),
            *wave_title(plan, wave)[1:],
        ]


def _left_line(left: Left, *, asked: bool) -> Line:
    """``asked``: the run waits for an answer, and no one knows how long that takes."""
    low, middle, high = map(seconds, left.time)
    around = f" ({low} to {high})" if low != high else ""
    then = " after the answer" if asked else ""
    text = f"about {middle} left{then}{around}" if left.time.high > 0 else "taking longer than expected"
    unknown = f", not counting {counted(left.unknown, 'task')} that never ran" if left.unknown else ""
    return [Part(f"  {text}{unknown}", "dim")]


def _spinner(now: float) -> str:
    frames = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
    return frames[int(now * FRAMES_PER_SECOND) % len(frames)]
