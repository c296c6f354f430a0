"""Where every job of a run stands, and what its needs say: the bookkeeping under :mod:`.state`.

Nothing here decides what happens next. Sizes: one dict entry per released job, one small record per step, batch and
play; a question about one job never costs more than its number of needs.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from drumline.engine.blocks import blocks_of, failure_behind
from drumline.engine.policy import FAILURE, FAULT, Tally, verdict
from drumline.engine.transitions import (
    LATENESS,
    LEGAL,
    PLAYS,
    WAVES,
    Lateness,
    PlayPhase,
    WavePhase,
    illegal_move,
    moved,
)
from drumline.model.cause import THE_RUN, Cause
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Batch, Growth, Inside, Job, Keep, Need, Plan, Step, places_of
from drumline.model.playbook import Barrier, Strategy

#: How many moves are remembered for the message of an illegal one.
_STORY = 2000


class StepState(Struct):
    """One step: where each of its jobs stands, and how many stand where."""

    step: Step
    released: bool = False
    statuses: dict[str, Status] = {}
    tally: Tally = field(default_factory=Tally)
    ignored: set[str] = set()
    failures: dict[str, None] = {}  # hosts that failed by themselves, first one first
    causes: dict[str, Job] = {}  # hosts that were abandoned, and the failure behind it
    dependents: list[int] = []  # steps that need this one
    around: Sequence[Inside] = ()  # the parts of blocks that it stands in, the innermost first
    counts_as: dict[str, Status] = {}  # hosts whose end counts as another one for those that need it


class Chain(Struct):
    """Waves that follow one another: *released* one after the other, their barriers *passed* in the same order.

    So ``waves[:passed]`` have passed or were ended without being released, and ``waves[released:]`` are held.
    """

    waves: list[WaveState] = []
    released: int = 0
    passed: int = 0
    added_by: Job | None = None  # one of the jobs that added it; None: it was planned


class BatchState(Struct):
    """One batch: the waves that were planned are one chain, and what was added at once is one more."""

    batch: Batch
    play: int
    number: int
    hosts: frozenset[str]
    failures: Failures
    waves: list[WaveState] = []  # of all chains, by number
    chains: list[Chain] = field(default_factory=lambda: [Chain()])
    #: Hosts with open jobs in waves whose barrier has passed: how many they have in each released wave, by its level.
    behind: dict[str, dict[tuple[int, ...], int]] = {}
    excused: set[str] = set()  # of these, the ones that were late, and may catch up

    @property
    def ended(self) -> bool:
        """Whether some of its waves were ended without being released."""
        planned = self.chains[0].waves
        return bool(planned) and planned[-1].phase is WavePhase.ENDED

    @property
    def begun(self) -> bool:
        """Whether a wave of it was released."""
        return self.chains[0].released > 0

    def released(self) -> list[WaveState]:
        """Its waves that aren't held any more."""
        return [wave for wave in self.waves if wave.phase is not WavePhase.HELD]

    def count_behind(self, host: str, level: tuple[int, ...]) -> None:
        """A host that is behind has one more open job in this wave."""
        held = self.behind.setdefault(host, {})
        held[level] = held.get(level, 0) + 1

    def is_behind(self, host: str, level: tuple[int, ...]) -> bool:
        """Whether a host has open jobs in earlier waves; what was added to a wave comes within it."""
        return any(other < level and other != level[: len(other)] for other in self.behind.get(host, ()))


class WaveState(Struct):
    """One wave of a batch: how many of its jobs are open, and who came first and last."""

    batch: BatchState
    chain: Chain
    number: int
    place_in_chain: int
    level: tuple[int, ...]  # where it stands among the other waves of its batch
    steps: tuple[int, ...]
    barrier: Barrier
    phase: WavePhase = WavePhase.HELD
    lateness: Lateness = Lateness.NEVER
    open: int = 0  # jobs that are not over
    aside: frozenset[str] = frozenset()  # hosts that were behind at the release: the barrier doesn't count them
    open_aside: int = 0
    spare: int = 0  # so many of the jobs that count may be open when the barrier passes
    deadline: float | None = None  # when what is open is late, if it is at a given time
    released_at: float = 0.0
    ended: int = 0  # jobs that were run and have ended
    ended_after: float = 0.0  # seconds from the release to the end, over all of them
    first_end: float = 0.0
    last: Job | None = None

    @property
    def place(self) -> tuple[int, int, int]:
        """Play, batch and wave, as events name them."""
        return self.batch.play, self.batch.number, self.number

    def move_to(self, phase: WavePhase) -> None:
        """Change how far it is; raises ``IllegalMove``."""
        self.phase = moved(str(self), WAVES, self.phase, phase)

    def become(self, lateness: Lateness) -> None:
        """Change when its open jobs are late; raises ``IllegalMove``."""
        self.lateness = moved(str(self), LATENESS, self.lateness, lateness)

    def __str__(self) -> str:
        return f"wave {self.number} of batch {self.batch.number} of play {self.batch.play}"

    def note_end(self, job: Job, at: float) -> None:
        """A job that was run has ended, before the barrier has passed."""
        if not self.ended:
            self.first_end = at
        self.ended += 1
        self.ended_after += at - self.released_at
        self.last = job


class Failures(Struct):
    """What failed by itself in one batch, and isn't ignored; each host with its first such job."""

    hosts: dict[str, Job] = {}  # the batch's own
    first: Job | None = None  # of all, hosts outside the batch too
    fatal: Job | None = None  # the first one of a task with any_errors_fatal

    def add(self, job: Job, step: Step, batch: BatchState) -> None:
        """Note one more; ``step`` is the job's, in this batch."""
        self.first = self.first or job
        if step.task.any_errors_fatal:
            self.fatal = self.fatal or job
        if job.host in batch.hosts:
            self.hosts.setdefault(job.host, job)

    def copy(self) -> Failures:
        """One that can be added to without changing this one."""
        return Failures(dict(self.hosts), self.first, self.fatal)


class PlayState(Struct):
    """One play: its batches, the hosts that dropped out, and how far it is."""

    number: int
    steps: frozenset[int]
    hosts: frozenset[str]
    batches: list[BatchState]
    free: bool
    keep: tuple[tuple[Keep, frozenset[str]], ...]  # with the group's hosts as a set
    batch: int = 0  # the one that is open
    after: Cause = THE_RUN  # what it was opened after
    waited: bool = False  # the next wave was held back for hosts to be available again
    phase: PlayPhase = PlayPhase.WAITING
    failed: set[str] = set()
    unreachable: dict[str, Job] = {}
    dropped: dict[str, tuple[Cause, str]] = {}  # hosts that left it without having failed, and why

    @property
    def under_way(self) -> bool:
        """It was opened, and is not over."""
        return self.phase in (PlayPhase.OPEN, PlayPhase.STOPPING)

    @property
    def over(self) -> bool:
        """Nothing of it is to come."""
        return self.phase in (PlayPhase.COMPLETED, PlayPhase.STOPPED)

    @property
    def halted(self) -> bool:
        """Too much failed: nothing of it starts any more."""
        return self.phase in (PlayPhase.STOPPING, PlayPhase.STOPPED)

    def move_to(self, phase: PlayPhase) -> None:
        """Change how far it is; raises ``IllegalMove``."""
        self.phase = moved(f"play {self.number}", PLAYS, self.phase, phase)

    def taken_out(self) -> set[str]:
        """The hosts of the open batch that are in groups of which others are to stay available meanwhile."""
        if self.batch == len(self.batches) or not self.batches[self.batch].begun:
            return set()
        return {host for _, members in self.keep for host in members & self.batches[self.batch].hosts}


class Ledger:
    """The statuses of all jobs of a plan. ``move`` is the only way to change one."""

    def __init__(self, plan: Plan) -> None:
        self.steps = [StepState(step) for step in plan.steps]
        self.plays = [_play_state(plan, index) for index in range(len(plan.plays))]
        self.waves = _waves_of_steps(self.plays, len(self.steps))  # by step
        self.added: defaultdict[int, list[int]] = defaultdict(list)  # by step, the steps that its jobs added
        self.adders: dict[int, dict[str, Job]] = {}  # by step, the jobs that added it, by host
        self.blocks = blocks_of(plan)
        self.unsettled: dict[Job, int] = {}  # jobs that count for nothing yet, and the block whose rescue is awaited
        self.lost: dict[str, Cause] = {}  # hosts that failed, were unreachable or dropped in any play, and why
        self.emptied: list[WaveState] = []  # waves whose last open job has ended, and that were not announced yet
        self._story: deque[tuple[Job, Status]] = deque(maxlen=_STORY)
        self.late: set[Job] = set()  # jobs that added something, of which nothing more starts: they were late
        for state in self.steps:
            self._enter(plan, state)

    def grow(self, plan: Plan, growth: Growth, jobs: Sequence[Job]) -> Chain:
        """Take in what was added to the plan, of which ``plan`` knows already; returns its waves, none released yet."""
        parent = self.waves[jobs[0].step]
        play, batch = self.plays[parent.batch.play], parent.batch
        self.blocks += blocks_of(plan, self.blocks)
        chain = Chain(added_by=jobs[0])
        batch.chains.append(chain)
        batch.batch = plan.plays[play.number].batches[batch.number]
        _add_waves(batch, chain, range(len(batch.waves), len(batch.batch.waves)), play.free)
        number = {wave.number: wave for wave in chain.waves}
        adders = {job.host: job for job in jobs}
        for step in growth.steps:
            self.steps.append(StepState(step))
            self.waves.append(number[step.wave])
            self.added[jobs[0].step].append(step.index)
            self.adders[step.index] = adders
        for step in growth.steps:
            self._enter(plan, self.steps[step.index])
        play.steps |= {step.index for step in growth.steps}
        play.hosts |= {host for step in growth.steps for host in step.hosts}
        return chain

    def _enter(self, plan: Plan, state: StepState) -> None:
        """Note who needs what, and in which blocks it stands."""
        step = state.step
        for need in step.needs:
            if need.step is not None:
                self.steps[need.step].dependents.append(step.index)
            elif need.block is not None:
                self.blocks[need.block].dependents.append(step.index)
        state.around = places_of(plan, step.inside) if step.inside is not None else ()
        for place in state.around:
            self.blocks[place.block].enter(step, place.part)

    def status(self, job: Job) -> Status:
        """Where the job stands; ``pending`` before its wave."""
        return self.steps[job.step].statuses.get(job.host, Status.PENDING)

    def counts(self) -> Mapping[str, int]:
        """Number of jobs per status, of all steps that were released, but for those that were not needed."""
        counter: Counter[str] = Counter()
        for state in self.steps:
            counter.update(status.value for status in state.statuses.values())
        counter.pop(Status.UNNEEDED, None)
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
        self.waves[index].open += len(hosts)
        return len(hosts)

    def choose_host(self, index: int, host: str) -> Job:
        """The host on which a ``run_once`` step has its one job."""
        self.steps[index].statuses[host] = Status.PENDING
        wave = self.waves[index]
        if host in wave.batch.behind or wave.phase is WavePhase.PASSED:
            wave.batch.count_behind(host, wave.level)
        return Job(index, host)

    def move(self, job: Job, new: Status, *, ignored: bool = False) -> None:
        """Change where a job stands; raises ``IllegalMove`` for what the table doesn't allow."""
        state = self._change(job, new)
        if new in FINAL:
            self._count_end(state, job, new, ignored)

    def _change(self, job: Job, new: Status) -> StepState:
        state = self.steps[job.step]
        current = state.statuses.get(job.host)
        if current is None or new not in LEGAL[current]:
            story = [Status.PENDING, *(status for moved, status in self._story if moved == job)]
            raise illegal_move(job, current or Status.PENDING, new, story)
        self._story.append((job, new))
        state.statuses[job.host] = new
        return state

    def added_under(self, index: int) -> Iterator[int]:
        """The steps that the jobs of a step added, and what was added by these."""
        for step in self.added.get(index, ()):
            yield step
            yield from self.added_under(step)

    def pending(self, index: int) -> list[Job]:
        """The step's jobs that wait for their needs."""
        return [Job(index, host) for host, held in self.steps[index].statuses.items() if held is Status.PENDING]

    def running(self, index: int) -> list[Job]:
        """The step's jobs that were sent and are not over."""
        return [Job(index, host) for host, held in self.steps[index].statuses.items() if held is Status.RUNNING]

    def rescue(self, job: Job) -> None:
        """A rescue has made up for what became of a job: it counts as if nothing had failed."""
        state, host = self.steps[job.step], job.host
        if state.statuses[host] in FAULT:
            self._change(job, Status.RESCUED)
            state.failures.pop(host, None)
            state.tally.recount(Status.FAILED, Status.RESCUED)
        elif state.counts_as.pop(host, None) is not None:  # what it added failed
            state.causes.pop(host, None)
            state.tally.recount(Status.FAILED, Status.OK)
        else:
            state.counts_as[host] = Status.SKIPPED
            state.causes.pop(host, None)
            state.tally.recount(Status.ABANDONED, Status.SKIPPED)

    # Needs.

    def needs_of(self, step: Step, host: str) -> Tally:
        """The needs of one job: its own host's job where the need has that host, else all of the need's jobs."""
        total = Tally()
        for need in step.needs:
            status = self._status_on(need, host, step)
            if status is None:
                total.add(self._tally_of(need, step))
                total.failed += self._dropped_out_before(need, host)
            else:
                total.count(status)
        return total

    def _dropped_out_before(self, need: Need, host: str) -> bool:
        """Whether the host failed before a ``run_once`` task whose one job another host did for it, and has ended."""
        if need.step is None:
            return False
        needed, step = self.steps[need.step], self.steps[need.step].step
        if needed.tally.open or not step.task.run_once or host not in step.hosts:
            return False
        return verdict(step.task.trigger_rule, self.needs_of(step, host)) is Status.ABANDONED

    def _status_on(self, need: Need, host: str, asker: Step) -> Status | None:
        """How a need stands on this host; None when it has no job there."""
        if need.step is not None:
            needed = self.steps[need.step]
            status = needed.statuses.get(host)  # None before its wave: then the tally says that it is open
            if status is not None and (needed.around or needed.counts_as):
                return self._seen(needed, host, status, asker)
            return Status.OK if status in FAILURE and host in needed.ignored else status
        return self._play_on(need, host) if need.block is None else self._block_on(need.block, host, asker)

    def _play_on(self, need: Need, host: str) -> Status | None:
        assert need.play is not None
        play = self.plays[need.play]
        if host not in play.hosts:
            return None
        if not play.over:
            return Status.PENDING
        if play.halted or host in play.failed:
            return Status.FAILED
        return Status.SKIPPED if host in play.dropped else Status.OK

    def _seen(self, needed: StepState, host: str, status: Status, asker: Step) -> Status:
        """How a job in a block stands for those that need it: outside the block its failure may still be pending."""
        if self._awaits(self.unsettled.get(Job(needed.step.index, host)), asker):
            return Status.PENDING
        return needed.counts_as.get(host) or (Status.OK if host in needed.ignored else status)

    def _awaits(self, block: int | None, asker: Step) -> bool:
        """Whether what waits for the rescue of this block is open for a step: it is for those outside."""
        return block is not None and all(place.block != block for place in self.steps[asker.index].around)

    def _block_on(self, index: int, host: str, asker: Step) -> Status | None:
        block = self.blocks[index]
        if not block.has(host):
            return None
        awaited = (place.block for place in block.around if host in self.blocks[place.block].pending)
        if not block.is_over(host) or any(self._awaits(other, asker) for other in awaited):
            return Status.PENDING
        if host in block.failed:
            return Status.FAILED
        play = self.plays[self.steps[next(iter(block.steps))].step.play]
        return Status.SKIPPED if host in play.dropped else Status.OK

    def _tally_of(self, need: Need, asker: Step) -> Tally:
        if need.step is not None:
            needed = self.steps[need.step]
            if not needed.released:
                return Tally(open=1)
            return self._seen_tally(needed, asker) if needed.around and self.unsettled else needed.tally
        if need.block is not None:
            total = Tally()
            for host in self.blocks[need.block].hosts():
                total.count(self._block_on(need.block, host, asker) or Status.OK)
            return total
        assert need.play is not None
        play = self.plays[need.play]
        failed = len(play.hosts) if play.halted else len(play.failed)
        skipped = 0 if play.halted else sum(host not in play.failed for host in play.dropped)
        success = len(play.hosts) - failed - skipped
        return Tally(open=0 if play.over else 1, success=success, skipped=skipped, failed=failed)

    def _seen_tally(self, needed: StepState, asker: Step) -> Tally:
        total = Tally()
        total.add(needed.tally)
        for host in needed.statuses:
            if self._awaits(self.unsettled.get(Job(needed.step.index, host)), asker):
                total.add(Tally(open=1, failed=-1))
        return total

    def parents(self, step: Step, host: str) -> Iterable[Job]:
        """Of a step that was added: the job of this host that added it, or else all that did."""
        adders = self.adders[step.index]
        return [adders[host]] if host in adders else adders.values()

    def cause_of(self, job: Job) -> Job | None:
        """The failure that keeps a job from running: on its own host if there is one, else anywhere that it needs."""
        step = self.steps[job.step].step
        if step.added_by is not None:
            for parent in self.parents(step, job.host):
                if parent.host in self.steps[parent.step].failures:
                    return parent
        elsewhere = failure_behind(self.blocks, self.steps[job.step].around, job.host)
        if elsewhere is not None:
            return elsewhere
        for need in self.steps[job.step].step.needs:
            for index in self._steps_of(need):
                cause = self._cause_in(index, job.host)
                if cause is not None and cause.host == job.host:
                    return cause
                elsewhere = elsewhere or cause
        return elsewhere

    def _steps_of(self, need: Need) -> Iterable[int]:
        if need.step is not None:
            return (need.step,)
        return self.blocks[need.block].steps if need.block is not None else sorted(self.plays[need.play or 0].steps)

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
        wave = self.waves[job.step]
        wave.open -= 1
        if not wave.open:
            self.emptied.append(wave)
        if wave.aside and job.host in wave.aside and not state.step.task.run_once:
            wave.open_aside -= 1
        if ignored:
            state.ignored.add(job.host)
        elif status in FAILURE:
            if not state.around:  # else the failure may be pending
                self.plays[state.step.play].failed.add(job.host)
            if status in FAULT:
                state.failures[job.host] = None


def _play_state(plan: Plan, index: int) -> PlayState:
    steps = [step for step in plan.steps if step.play == index]
    free = plan.plays[index].play.strategy is Strategy.FREE
    batches = [_batch_state(batch, index, number, free) for number, batch in enumerate(plan.plays[index].batches)]
    # Steps of one batch share one tuple of hosts: gathering the distinct tuples first keeps this linear.
    distinct = {id(step.hosts): step.hosts for step in steps}
    hosts = frozenset().union(*distinct.values())
    keep = tuple((kept, frozenset(kept.hosts)) for kept in plan.plays[index].keep)
    numbers = frozenset(step.index for step in steps)
    return PlayState(number=index, steps=numbers, hosts=hosts, batches=batches, free=free, keep=keep)


def _batch_state(batch: Batch, play: int, number: int, free: bool) -> BatchState:
    """The batch with its waves; no barriers in the plan, or ``free``: each waits for all of its wave."""
    state = BatchState(batch, play, number, frozenset(batch.hosts), Failures())
    _add_waves(state, state.chains[0], range(len(batch.waves)), free)
    return state


def _add_waves(state: BatchState, chain: Chain, numbers: range, free: bool) -> None:
    batch = state.batch
    for place, number in enumerate(numbers):
        barrier = batch.barriers[number] if batch.barriers and not free else Barrier()
        wave = WaveState(state, chain, number, place, batch.level(number), batch.waves[number], barrier)
        chain.waves.append(wave)
        state.waves.append(wave)


def _waves_of_steps(plays: Iterable[PlayState], count: int) -> list[WaveState]:
    found = {step: wave for play in plays for batch in play.batches for wave in batch.waves for step in wave.steps}
    return [found[index] for index in range(count)]
