"""Where every job of a run stands, and what its needs say: the bookkeeping under :mod:`.state`.

Nothing here decides what happens next. Sizes: one dict entry per released job, one small record per step, batch and
play; a question about one job never costs more than its number of needs.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from drumline.engine.blocks import blocks_of, failure_behind
from drumline.engine.handlers import Handlers
from drumline.engine.policy import FAILURE, FAULT, Tally, verdict
from drumline.engine.records import Chain, PlayState, StepState, WaveState, add_waves, play_state, waves_of_steps
from drumline.engine.transitions import LEGAL, UNDER_WAY, WavePhase, illegal_move
from drumline.model.cause import Cause
from drumline.model.outcome import FINAL, Status
from drumline.model.plan import Growth, Job, Need, Plan, Step, places_of

#: How many moves are remembered for the message of an illegal one.
_STORY = 2000


class Ledger:
    """The statuses of all jobs of a plan. ``move`` is the only way to change one."""

    def __init__(self, plan: Plan) -> None:
        self.steps = [StepState(step) for step in plan.steps]
        self.plays = [play_state(plan, index) for index in range(len(plan.plays))]
        self.waves = waves_of_steps(self.plays, len(self.steps))  # by step
        self.added: defaultdict[int, list[int]] = defaultdict(list)  # by step, the steps that its jobs added
        self.adders: dict[int, dict[str, Job]] = {}  # by step, the jobs that added it, by host
        self.blocks = blocks_of(plan)
        self.unsettled: dict[Job, int] = {}  # jobs that count for nothing yet, and the block whose rescue is awaited
        self.handlers = Handlers(plan)
        self.cleared: set[Job] = set()  # failures that don't count any more
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
        self.handlers.grow(play.number, plan.plays[play.number].play)
        self.blocks += blocks_of(plan, self.blocks)
        chain = Chain(added_by=jobs[0])
        batch.chains.append(chain)
        batch.batch = plan.plays[play.number].batches[batch.number]
        add_waves(batch, chain, range(len(batch.waves), len(batch.batch.waves)), play.free)
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

    def open_play(self, plan: Plan, growth: Growth) -> PlayState:
        """Take in a play that is planned as it opens, of which ``plan`` knows already."""
        assert growth.opened is not None
        waiting = self.plays[growth.opened]
        play = self.plays[growth.opened] = play_state(plan, growth.opened)
        play.after = waiting.after
        self.blocks += blocks_of(plan, self.blocks)
        waves = {step: wave for batch in play.batches for wave in batch.waves for step in wave.steps}
        for step in growth.steps:
            self.steps.append(StepState(step))
            self.waves.append(waves[step.index])
        for step in growth.steps:
            self._enter(plan, self.steps[step.index])
        return play

    def _enter(self, plan: Plan, state: StepState) -> None:
        """Note who needs what, and in which blocks it stands."""
        step = state.step
        for need in step.needs:
            if need.step is not None:
                self.steps[need.step].dependents.append(step.index)
            elif need.block is not None:
                self.blocks[need.block].dependents.append(step.index)
        self.handlers.enter(step)
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
        if new is not Status.RUNNING:  # else it was ready before
            state.under_way += (new in UNDER_WAY) - (current in UNDER_WAY)
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

    # Handlers.

    def is_unneeded(self, job: Job, status: Status) -> bool:
        """Whether a job that is to end so is a handler's, and the host hasn't notified it, or not since it ran there.

        What is under way when the run is interrupted may still do that.
        """
        state = self.steps[job.step]
        if state.step.task.handler is None or state.statuses.get(job.host) is not Status.PENDING:
            return False
        hosts = state.step.hosts if state.step.task.run_once else (job.host,)
        if status is Status.UNCLEAR or (status is Status.CANCELLED and self.needs_of(state.step, job.host).open):
            return False
        return not any(self.needs_handler(state, host) for host in hosts)

    def needs_handler(self, state: StepState, host: str) -> bool:
        """Whether a handler is to run on a host, as far as is known."""
        return self.handlers.is_needed(self.steps, state.step, host)

    def use_up(self, job: Job) -> None:
        """If it is a handler's job: what was notified so far is done with by it."""
        state = self.steps[job.step]
        if state.step.task.handler is not None:
            self.handlers.use_up(state.step, job.host)

    def may_be_rescued(self, job: Job) -> bool:
        """Whether a rescue of a block around it is still to end on its host, which may run the handler later."""
        return any(job.host in self.blocks[place.block].pending for place in self.steps[job.step].around)

    def failed_in_flush(self, state: StepState, host: str) -> bool:
        """Whether a handler before this one failed on the host at the same flush point."""
        inside = state.step.inside
        return inside is not None and host in self.blocks[inside.block].failed

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
                self.plays[state.step.play].note_failure(job.host, status)
            if status in FAULT:
                state.failures[job.host] = None
