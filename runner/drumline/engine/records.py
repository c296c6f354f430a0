"""What is known of each step, wave, batch and play of a run: the records that :mod:`.ledger` keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from drumline.engine.policy import FAULT, Tally
from drumline.engine.transitions import LATENESS, PLAYS, WAVES, Lateness, PlayPhase, WavePhase, moved
from drumline.model.cause import THE_RUN, Cause
from drumline.model.outcome import Status
from drumline.model.plan import Batch, Inside, Job, Keep, Plan, Step
from drumline.model.playbook import Barrier, Strategy


class StepState(Struct):
    """One step: where each of its jobs stands, and how many stand where."""

    step: Step
    released: bool = False
    statuses: dict[str, Status] = {}
    tally: Tally = field(default_factory=Tally)
    under_way: int = 0  # jobs that are ready or running
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
    spare: int = 0  # how many of the jobs that count may be open when the barrier passes
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
    forces_handlers: bool = False
    batch: int = 0  # the one that is open
    after: Cause = THE_RUN  # what it was opened after
    waited: bool = False  # the next wave was held back for hosts to be available again
    phase: PlayPhase = PlayPhase.WAITING
    failed: set[str] = set()
    unreachable: dict[str, Job] = {}
    dropped: dict[str, tuple[Cause, str]] = {}  # hosts that left it without having failed, and why
    left: set[str] = set()  # hosts for which it has ended, as a task asked
    cleared: set[str] = set()  # hosts whose failures so far don't count for later plays

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

    def note_failure(self, host: str, status: Status) -> None:
        """A job ended so on a host, which counts for whoever needs the play."""
        if status in FAULT or host not in self.cleared:
            self.failed.add(host)

    def taken_out(self) -> set[str]:
        """The hosts of the open batch that are in groups of which others are to stay available meanwhile."""
        if self.batch == len(self.batches) or not self.batches[self.batch].begun:
            return set()
        return {host for _, members in self.keep for host in members & self.batches[self.batch].hosts}


def play_state(plan: Plan, index: int) -> PlayState:
    """The play with its batches, of which nothing has begun."""
    steps = [step for step in plan.steps if step.play == index]
    free = plan.plays[index].play.strategy is Strategy.FREE
    batches = [_batch_state(batch, index, number, free) for number, batch in enumerate(plan.plays[index].batches)]
    # Steps of one batch share one tuple of hosts: gathering the distinct tuples first keeps this linear.
    distinct = {id(step.hosts): step.hosts for step in steps}
    hosts = frozenset().union(*distinct.values())
    keep = tuple((kept, frozenset(kept.hosts)) for kept in plan.plays[index].keep)
    numbers = frozenset(step.index for step in steps)
    forces = plan.plays[index].play.force_handlers
    return PlayState(index, numbers, hosts, batches, free, keep, forces)


def _batch_state(batch: Batch, play: int, number: int, free: bool) -> BatchState:
    """The batch with its waves; no barriers in the plan, or ``free``: each waits for all of its wave."""
    state = BatchState(batch, play, number, frozenset(batch.hosts), Failures())
    add_waves(state, state.chains[0], range(len(batch.waves)), free)
    return state


def add_waves(state: BatchState, chain: Chain, numbers: range, free: bool) -> None:
    """Enter waves of the batch, by their numbers, in a chain."""
    batch = state.batch
    for place, number in enumerate(numbers):
        barrier = batch.barriers[number] if batch.barriers and not free else Barrier()
        wave = WaveState(state, chain, number, place, batch.level(number), batch.waves[number], barrier)
        chain.waves.append(wave)
        state.waves.append(wave)


def waves_of_steps(plays: Iterable[PlayState], count: int) -> list[WaveState]:
    """The wave of each step."""
    found = {step: wave for play in plays for batch in play.batches for wave in batch.waves for step in wave.steps}
    return [found[index] for index in range(count)]
