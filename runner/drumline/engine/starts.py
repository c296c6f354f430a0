"""Synchronised starts: commands are staged on all hosts, then released together, or called off everywhere.

A start *gathers* until each open job of its step is staged. It is then *released*, in a burst or by each host's own
clock, or *called off*: when a job fails before that, when the hosts' clocks are known too badly, when its time has
passed, when someone interrupts the run. Rules: ``docs/semantics.md`` section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from drumline.engine import skew
from drumline.engine.board import Jobs
from drumline.engine.instructions import Release
from drumline.engine.limits import folded
from drumline.engine.policy import FAULT
from drumline.engine.transitions import STARTS, StartPhase, moved
from drumline.model.cause import Because, Cause
from drumline.model.event import JobStaged, StartCalledOff, StartReleased
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Job, Step
from drumline.model.playbook import Start
from drumline.times import in_words, moment

#: Jobs are staged at most this many seconds before the moment, so that their sessions aren't held for longer.
_AHEAD = 60.0
_AHEAD_PER_JOB = 0.1


_GATHERING = frozenset({StartPhase.HELD, StartPhase.GATHERING, StartPhase.STAGED})
_BEFORE_RELEASE = _GATHERING | {StartPhase.RELEASING}


class StartState(Struct):
    """One step whose jobs start at the same moment."""

    step: Step
    start: Start
    phase: StartPhase = StartPhase.GATHERING
    staged: dict[Job, JobStaged] = {}
    round_trip: float = 0.0  # the longest one of all that were staged
    began: dict[Job, float] = {}
    cause: Job | None = None  # it failed before the release

    def move_to(self, phase: StartPhase) -> None:
        """Change how far it is; raises ``IllegalMove``."""
        self.phase = moved(f"the start of step {self.step.index}", STARTS, self.phase, phase)


class Starts:
    """All starts of a run that are under way."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._ledger = jobs.ledger
        self.active: dict[int, StartState] = {}  # by step
        self.touched: dict[int, None] = {}  # the ones of which something has changed
        self._ahead = 0.0  # seconds by which the clock was set forward, to which a time of day belongs

    # What happens.

    def open(self, step: Step) -> None:
        """The step was released; its jobs become ready next."""
        assert step.task.start is not None
        state = self.active[step.index] = StartState(step, step.task.start)
        at = self._moment(state)
        if at is not None and self._jobs.at < self._stage_at(state, at):
            state.phase = StartPhase.HELD
            self._jobs.dispatch.limit(step.index, 0)
        self.touched[step.index] = None

    def staged(self, event: JobStaged) -> None:
        """A job's command waits for the go signal."""
        if event.job not in self._jobs.running:
            return
        self._jobs.give_place_back(event.job)
        state = self.active.get(event.job.step)
        if state is not None:
            state.staged[event.job] = event
            state.round_trip = max(state.round_trip, event.round_trip)
            self.touched[event.job.step] = None

    def released(self, event: StartReleased) -> None:
        """The word to start was sent."""
        state = self.active.get(event.jobs[0].step)
        if state is not None and state.phase is StartPhase.RELEASING:
            state.move_to(StartPhase.RELEASED)

    def began(self, job: Job, at: float) -> None:
        """When a job's command began, by this machine's clock."""
        state = self.active.get(job.step)
        if state is not None:
            state.began[job] = at

    def over(self, job: Job, status: Status) -> None:
        """A job has ended, whether it ran or not."""
        state = self.active.get(job.step)
        if state is None:
            return
        self.touched[job.step] = None
        held = self._ledger.steps[job.step]
        if state.phase is StartPhase.CALLED_OFF and status is Status.CANCELLED and state.cause is not None:
            held.causes[job.host] = state.cause
        if state.phase in _BEFORE_RELEASE and job not in state.began:
            state.staged.pop(job, None)
            if status in FAULT and job.host not in held.ignored:
                state.cause = state.cause or job
            if state.phase is StartPhase.RELEASING:  # it was lost in that moment: the word was given to no one
                self._jobs.take_release_back(job.step)
                state.move_to(StartPhase.GATHERING if state.start.at is None else StartPhase.STAGED)

    def lose(self, jobs: Iterable[Job], cause: Job) -> None:
        """These jobs would have run, but their host was lost in another step."""
        for job in jobs:
            state = self.active.get(job.step)
            if state is not None:
                state.cause = state.cause or cause
                self.touched[job.step] = None

    def interrupt(self) -> None:
        """Someone interrupted the run: what was not released starts nowhere."""
        for state in self._unreleased():
            self._announce(state, "the run was interrupted", self._jobs.trigger)
            self._end_waiting(state, Status.CANCELLED, self._jobs.trigger)
            self._jobs.stop(self._ledger.running(state.step.index), Status.CANCELLED, "", self._jobs.trigger)

    def call_off_play(self, play: int, reason: str, cause: Cause) -> None:
        """The play stops: what was not released starts nowhere."""
        for state in self._unreleased():
            if state.step.play == play:
                self._call_off(state, f"the play was stopped: {reason}", cause)

    def _unreleased(self) -> list[StartState]:
        return [state for state in self.active.values() if state.phase in _BEFORE_RELEASE]

    # Time.

    def wake_at(self) -> float | None:
        """When the next start at a given time has to be staged, or released."""
        if not self.active:
            return None
        dues = (self._due(state) for state in self.active.values())
        return min((due for due in dues if due is not None), default=None)

    def time_passed(self, ahead: float) -> None:
        """Look at the starts whose time has come, by the clock as it is set now."""
        self._ahead = ahead
        for index, state in self.active.items():
            due = self._due(state)
            if due is not None and due <= self._jobs.at:
                self.touched[index] = None

    def _due(self, state: StartState) -> float | None:
        at = self._moment(state)
        if at is None or state.phase not in _GATHERING:
            return None
        return self._stage_at(state, at) if state.phase is StartPhase.HELD else at - self._lead(state)

    def _moment(self, state: StartState) -> float | None:
        """When it is to start, by the run's own time; None: as soon as all are staged."""
        return None if state.start.at is None else state.start.at - self._ahead

    def _stage_at(self, state: StartState, at: float) -> float:
        return at - max(_AHEAD, _AHEAD_PER_JOB * len(state.step.hosts))

    def _lead(self, state: StartState) -> float:
        return skew.lead(self._open(state), state.round_trip)

    def _open(self, state: StartState) -> int:
        return self._ledger.steps[state.step.index].tally.open

    # What follows.

    def settle(self) -> None:
        """Release, call off and measure what can be by now."""
        touched, self.touched = self.touched, {}
        for index in touched:
            if index in self.active:
                self._look_at(self.active[index])

    def _look_at(self, state: StartState) -> None:
        if state.phase in _GATHERING:
            self._gather(state)
        if not self._open(state):
            self._close(state)

    def _gather(self, state: StartState) -> None:
        if state.cause is not None:
            lost = f"{state.cause.host} was lost"
            failed = f"'{state.step.task.id}' failed on {state.cause.host}"
            who = failed if state.cause.step == state.step.index else lost
            self._call_off(state, f"{who} before the start", Cause(Because.FAILURE, state.cause))
        elif not self._open(state):
            return
        elif (at := self._moment(state)) is not None:
            self._gather_until(state, at)
        elif self._is_complete(state):
            instant = self._jobs.at + self._lead(state) if state.start.max_skew is not None else None
            if instant is None or self._are_clocks_known(state, instant):
                self._release(state, instant)

    def _gather_until(self, state: StartState, at: float) -> None:
        now, lead = self._jobs.at, self._lead(state)
        if state.phase is StartPhase.HELD:
            if now < self._stage_at(state, at):
                return
            state.move_to(StartPhase.GATHERING)
            self._jobs.dispatch.lift(state.step.index, self._jobs.trigger)
        if state.phase is StartPhase.GATHERING and self._is_complete(state) and now <= at - lead:
            if not self._are_clocks_known(state, at):
                return
            state.move_to(StartPhase.STAGED)
        if now < at - lead:
            return
        if state.phase is StartPhase.STAGED and now <= at - lead / 2:
            self._release(state, at)
        else:
            self._miss(state, at, lead)

    def _is_complete(self, state: StartState) -> bool:
        """Whether each open job of the step waits for the go signal, and none was asked to stop."""
        waiting = len(state.staged) == self._open(state)
        return waiting and not any(job in self._jobs.stopping for job in state.staged)

    def _are_clocks_known(self, state: StartState, instant: float) -> bool:
        """Whether ``max_skew`` can be promised; if not, the start is called off."""
        known = skew.uncertainties(state.staged, instant)
        if state.start.max_skew is None or skew.between_any_two(known) <= state.start.max_skew:
            return True
        self._call_off_for(state, _unknown_clocks(known, state.start.max_skew), next(iter(known)))
        return False

    def _release(self, state: StartState, instant: float | None) -> None:
        state.move_to(StartPhase.RELEASING)
        self._jobs.out.append(Release(tuple(state.staged), instant, self._jobs.trigger))

    def _miss(self, state: StartState, at: float, lead: float) -> None:
        """The moment is too near, or past."""
        missing = self._not_staged(state)
        if missing:
            count = f"{len(missing)} of {self._open(state)} hosts were not ready {in_words(round(lead, 1))} before"
            late = f"{count}: {folded(job.host for job in missing)}"
        elif state.phase is StartPhase.STAGED:
            late = "the go signal would have come too late"
        else:
            late = f"{next(reversed(state.staged)).host} was ready too late"
        at_fault = missing[0] if missing else next(reversed(state.staged))
        self._call_off_for(state, f"it was to start at {moment(at + self._ahead)}, and {late}", at_fault)

    def _not_staged(self, state: StartState) -> list[Job]:
        index, statuses = state.step.index, self._ledger.steps[state.step.index].statuses
        if not statuses:  # run_once, and no host was chosen yet
            return [self._ledger.choose_host(index, state.step.hosts[0])]
        jobs = (Job(index, host) for host, status in statuses.items() if status not in FINAL)
        return [job for job in jobs if job not in state.staged]

    # Called off.

    def _call_off_for(self, state: StartState, reason: str, at_fault: Job) -> None:
        """No job failed; the one that is at fault fails for it."""
        failure = Cause(Because.FAILURE, at_fault)
        self._announce(state, reason, failure)
        if at_fault in self._jobs.running:
            self._jobs.stop([at_fault], Status.FAILED, reason, self._jobs.trigger)
        else:
            ready = self._jobs.withdraw(frozenset({state.step.index}))
            self._jobs.end([at_fault], Status.FAILED, self._jobs.trigger, reason)
            self._jobs.end([job for job in ready if job != at_fault], Status.ABANDONED, failure)
        self._end(state, failure)

    def _call_off(self, state: StartState, reason: str, cause: Cause) -> None:
        self._announce(state, reason, cause)
        self._end(state, cause)

    def _announce(self, state: StartState, reason: str, cause: Cause) -> None:
        state.move_to(StartPhase.CALLED_OFF)
        state.cause = cause.job if cause.kind is Because.FAILURE else None
        self._jobs.take_release_back(state.step.index)
        self._jobs.announce(StartCalledOff(at=self._jobs.at, step=state.step.index, reason=reason, cause=cause))

    def _end(self, state: StartState, cause: Cause) -> None:
        reason = "" if cause.job is not None else "the start was called off"
        self._end_waiting(state, Status.ABANDONED, cause, reason)
        running = self._ledger.running(state.step.index)
        self._jobs.stop(running, Status.CANCELLED, "the start was called off", cause)

    def _end_waiting(self, state: StartState, status: Status, cause: Cause, reason: str = "") -> None:
        index = state.step.index
        self._jobs.end(self._jobs.withdraw(frozenset({index})), status, cause, reason)
        self._jobs.end_waiting(index, status, cause, reason)

    # Over.

    def _close(self, state: StartState) -> None:
        """All jobs of the step have ended."""
        del self.active[state.step.index]
        self._jobs.dispatch.lift(state.step.index, self._jobs.trigger)
        if state.began:
            self._jobs.announce(skew.measure(state.began, state.staged, self._jobs.at, self._jobs.trigger))


def _unknown_clocks(known: Mapping[Job, float], max_skew: float) -> str:
    """Why clocks that are known so well don't do; the worst one comes first."""
    (worst, most), *others = known.items()
    between = skew.between_any_two(known)
    other = f", and that of {others[0][0].host} to ±{in_words(round(others[0][1], 4))}" if others else ""
    return (
        f"the clock of {worst.host} is known to ±{in_words(round(most, 4))}{other}: "
        f"{in_words(round(between - max_skew, 4))} more than the max_skew of {in_words(max_skew)}"
    )
