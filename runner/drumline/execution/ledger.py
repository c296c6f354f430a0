"""Where every job of a run stands, and what its needs say: the bookkeeping under :mod:`.state`.

Nothing here decides what happens next. Sizes: one dict entry per released job, one small record per step, batch and
play; a question about one job never costs more than its number of needs.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from drumline.execution.policy import FAILURE, Tally, verdict
from drumline.execution.transitions import LEGAL, IllegalMove
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Batch, Job, Need, Plan, Step

#: How many moves are remembered for the message of an illegal one.
_STORY = 2000


@dataclass(slots=True)
class StepState:
    """One step: where each of its jobs stands, and how many stand where."""

    step: Step
    released: bool = False
    statuses: dict[str, Status] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    ignored: set[str] = field(default_factory=set)
    failures: dict[str, None] = field(default_factory=dict)  # hosts that failed by themselves, first one first
    causes: dict[str, Job] = field(default_factory=dict)  # hosts that were abandoned, and the failure behind it
    dependents: list[int] = field(default_factory=list)  # steps that need this one


@dataclass(slots=True)
class BatchState:
    """One batch: its waves are *released* one after the other, and their barriers *passed* in the same order."""

    batch: Batch
    open: list[int]  # jobs of each released wave that are not over
    released: int = 0
    passed: int = 0
    stopped_at: int | None = None  # the first wave that was ended without being released
    first_end: float | None = None  # of the jobs of the wave whose barrier is next
    last: Job | None = None


@dataclass(slots=True)
class PlayState:
    """One play: its batches, the hosts that dropped out, and whether it was stopped."""

    steps: frozenset[int]
    hosts: frozenset[str]
    batches: list[BatchState]
    batch: int = 0  # the one that is open
    opened: bool = False
    over: bool = False
    failed: set[str] = field(default_factory=set)
    unreachable: dict[str, Job] = field(default_factory=dict)
    halted_by: Job | None = None


class Ledger:
    """The statuses of all jobs of a plan. ``move`` is the only way to change one."""

    def __init__(self, plan: Plan) -> None:
        self.steps = [StepState(step) for step in plan.steps]
        self.plays = [_play_state(plan, index) for index in range(len(plan.plays))]
        self._story: deque[tuple[Job, Status]] = deque(maxlen=_STORY)
        for step in plan.steps:
            for need in step.needs:
                if need.step is not None:
                    self.steps[need.step].dependents.append(step.index)

    def status(self, job: Job) -> Status:
        """Where the job stands; ``pending`` before its wave."""
        return self.steps[job.step].statuses.get(job.host, Status.PENDING)

    def counts(self) -> Mapping[str, int]:
        """Number of jobs per status, of all steps that were released."""
        counter: Counter[str] = Counter()
        for state in self.steps:
            counter.update(status.value for status in state.statuses.values())
        return counter

    def open_step(self, index: int) -> int:
        """Enter the step's jobs as pending; returns how many. With ``run_once`` the one job's host comes later."""
        state = self.steps[index]
        state.released = True
        hosts = state.step.hosts
        if state.step.task.run_once:
            hosts = hosts[:1]
        else:
            state.statuses = dict.fromkeys(hosts, Status.PENDING)
        state.tally.open = len(hosts)
        self.batch_of(state.step).open[state.step.wave] += len(hosts)
        return len(hosts)

    def choose_host(self, index: int, host: str) -> Job:
        """The host on which a ``run_once`` step has its one job."""
        self.steps[index].statuses[host] = Status.PENDING
        return Job(index, host)

    def move(self, job: Job, new: Status, *, ignored: bool = False) -> None:
        """Change where a job stands; raises ``IllegalMove`` for what the table doesn't allow."""
        state = self.steps[job.step]
        current = state.statuses.get(job.host)
        if current is None or new not in LEGAL[current]:
            story = [Status.PENDING, *(status for moved, status in self._story if moved == job)]
            raise IllegalMove(job, current or Status.PENDING, new, story)
        self._story.append((job, new))
        state.statuses[job.host] = new
        if new in FINAL:
            self._count_end(state, job, new, ignored)

    def batch_of(self, step: Step) -> BatchState:
        """The batch that the step belongs to."""
        return self.plays[step.play].batches[step.batch]

    def pending(self, index: int) -> list[Job]:
        """The step's jobs that wait for their needs."""
        return [Job(index, host) for host, held in self.steps[index].statuses.items() if held is Status.PENDING]

    # Needs.

    def needs_of(self, step: Step, host: str) -> Tally:
        """The needs of one job: its own host's job where the need has that host, else all of the need's jobs."""
        total = Tally()
        for need in step.needs:
            status = self._status_on(need, host)
            if status is None:
                total.add(self._tally_of(need))
                total.failed += self._dropped_out_before(need, host)
            else:
                total.count(status)
        return total

    def _dropped_out_before(self, need: Need, host: str) -> bool:
        """Whether the host failed before a ``run_once`` task whose one job another host did for it."""
        if need.step is None:
            return False
        step = self.steps[need.step].step
        if not step.task.run_once or host not in step.hosts:
            return False
        return verdict(step.task.trigger_rule, self.needs_of(step, host)) is Status.ABANDONED

    def _status_on(self, need: Need, host: str) -> Status | None:
        """How a need stands on this host; None when it has no job there."""
        if need.step is not None:
            needed = self.steps[need.step]
            status = needed.statuses.get(host)  # None before its wave: then the tally says that it is open
            return Status.OK if status in FAILURE and host in needed.ignored else status
        assert need.play is not None
        play = self.plays[need.play]
        if host not in play.hosts:
            return None
        if not play.over:
            return Status.PENDING
        return Status.FAILED if play.halted_by is not None or host in play.failed else Status.OK

    def _tally_of(self, need: Need) -> Tally:
        if need.step is not None:
            needed = self.steps[need.step]
            return needed.tally if needed.released else Tally(open=1)
        assert need.play is not None
        play = self.plays[need.play]
        failed = len(play.hosts) if play.halted_by is not None else len(play.failed)
        return Tally(open=0 if play.over else 1, success=len(play.hosts) - failed, failed=failed)

    def cause_of(self, job: Job) -> Job | None:
        """The failure that keeps a job from running: on its own host if there is one, else anywhere that it needs."""
        elsewhere: Job | None = None
        for need in self.steps[job.step].step.needs:
            for index in self._steps_of(need):
                cause = self._cause_in(index, job.host)
                if cause is not None and cause.host == job.host:
                    return cause
                elsewhere = elsewhere or cause
        return elsewhere

    def _steps_of(self, need: Need) -> Iterable[int]:
        return (need.step,) if need.step is not None else sorted(self.plays[need.play or 0].steps)

    def _cause_in(self, index: int, host: str) -> Job | None:
        """A failure of this step, or the one that kept it from running; of this host if it can be."""
        state = self.steps[index]
        if host in state.failures:
            return Job(index, host)
        own = state.causes.get(host)
        if own is not None and own.host == host:
            return own
        if state.failures:
            return Job(index, next(iter(state.failures)))
        return own or next(iter(state.causes.values()), None)

    def _count_end(self, state: StepState, job: Job, status: Status, ignored: bool) -> None:
        state.tally.open -= 1
        state.tally.count(Status.OK if ignored else status)
        self.batch_of(state.step).open[state.step.wave] -= 1
        if ignored:
            state.ignored.add(job.host)
        elif status in FAILURE:
            self.plays[state.step.play].failed.add(job.host)
            if status in (Status.FAILED, Status.UNREACHABLE):
                state.failures[job.host] = None


def _play_state(plan: Plan, index: int) -> PlayState:
    steps = [step for step in plan.steps if step.play == index]
    batches = [BatchState(batch, [0] * len(batch.waves)) for batch in plan.plays[index].batches]
    # Steps of one batch share one tuple of hosts: gathering the distinct tuples first keeps this linear.
    distinct = {id(step.hosts): step.hosts for step in steps}
    hosts = frozenset().union(*distinct.values())
    return PlayState(steps=frozenset(step.index for step in steps), hosts=hosts, batches=batches)
