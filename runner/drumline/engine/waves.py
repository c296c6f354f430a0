"""How a run goes on: plays open, their batches follow one another, waves are released, barriers pass, plays stop."""

from __future__ import annotations

from collections.abc import Iterable

from drumline.engine import barriers, limits
from drumline.engine.board import Jobs
from drumline.engine.instructions import PlanPlay
from drumline.engine.limits import Stopping
from drumline.engine.readiness import Judge
from drumline.engine.records import BatchState, Chain, PlayState, StepState, WaveState
from drumline.engine.starts import Starts
from drumline.engine.transitions import Lateness, PlayPhase, WavePhase
from drumline.model.cause import Because, Cause
from drumline.model.event import JobFinished, JobsLate, PlanGrown, PlayStopped, Urgency, WaveReleased
from drumline.model.outcome import Status
from drumline.model.plan import Growth, Job, Plan
from drumline.model.playbook import Late, MetaTask


class Waves:
    """Plays, batches and waves of a run."""

    def __init__(self, plan: Plan, jobs: Jobs, judge: Judge, starts: Starts) -> None:
        self._plan = plan
        self._jobs = jobs
        self._ledger = jobs.ledger
        self._judge = judge
        self._starts = starts
        self._timed: list[WaveState] = []  # released, with a deadline
        self.planning: dict[int, None] = {}  # plays that open as soon as they are planned

    def open_plays(self, cause: Cause) -> None:
        """Open the plays whose needs have ended."""
        for index, play in enumerate(self._ledger.plays):
            waiting = play.phase is PlayPhase.WAITING
            if not waiting or not all(self._ledger.plays[need].over for need in self._plan.plays[index].needs):
                continue
            play.after = cause
            if self._plan.plays[index].later:
                if index not in self.planning:
                    self.planning[index] = None
                    self._jobs.out.append(PlanPlay(index))
            else:
                play.move_to(PlayPhase.OPEN)

    def advance(self) -> bool:
        """Take open plays one step further where they can go; returns whether one did."""
        for play in self._ledger.plays:  # noqa: SIM110 - a generator would cost each event as much as the rest of this
            if play.under_way and self._advance(play):
                return True
        return False

    def _advance(self, play: PlayState) -> bool:
        if play.batch == len(play.batches):
            play.move_to(PlayPhase.STOPPED if play.halted else PlayPhase.COMPLETED)
            self.open_plays(Cause(Because.PLAY, place=(play.number,)))
            return True
        batch = play.batches[play.batch]
        for chain in reversed(batch.chains):  # inner ones first
            if self._advance_chain(play, batch, chain):
                return True
        planned = batch.chains[0]
        if planned.passed < len(planned.waves) or any(chain.passed < len(chain.waves) for chain in batch.chains):
            return False
        if any(wave.open for wave in batch.waves):
            return False  # of hosts that are behind
        self._leave_batch(play, batch)
        return True

    def _advance_chain(self, play: PlayState, batch: BatchState, chain: Chain) -> bool:
        if chain.passed < chain.released:
            return self._come_to_barrier(play, batch, chain.waves[chain.passed])
        return chain.released < len(chain.waves) and self._go_on(play, batch, chain)

    def _leave_batch(self, play: PlayState, batch: BatchState) -> None:
        play.batch += 1
        for step in (step for wave in batch.waves for step in wave.steps):
            if self._ledger.steps[step].step.task.throttle:
                self._jobs.dispatch.lift(step, self._jobs.trigger)
        if play.halted:
            return
        stopping = limits.broken_limit(self._plan, batch, batch.failures)  # by who was behind at the last barrier
        if stopping is None and play.batch < len(play.batches) and not play.batches[play.batch].ended:
            stopping = limits.whole_batch_failed(batch, play.failed | play.dropped.keys())
        if stopping is not None:
            self._stop_play(play, batch, stopping)

    def _go_on(self, play: PlayState, batch: BatchState, chain: Chain) -> bool:
        """Release the next wave, or stop before it. Of a play that was stopped only handlers are left, if any."""
        if chain.waves[chain.released].phase is WavePhase.ENDED:
            chain.released += 1
            return True
        if play.halted:
            self._release(play, batch, chain)
            return True
        stopping = limits.not_available(play, batch, self._ledger.lost)
        if stopping is not None:
            self._stop_play(play, batch, stopping)
        elif play.keep and limits.has_to_wait(play, batch, self._away(play, batch)):
            play.waited = True
            return False
        else:
            self._release(play, batch, chain)
        return True

    def _away(self, play: PlayState, batch: BatchState) -> set[str]:
        """The hosts that are lost, or being stopped as failed, and those that other plays took out before this batch.

        Once the batch is open it waits for no other play: the two could wait for each other.
        """
        away = {job.host for job, status in self._jobs.stopping.items() if status is Status.FAILED}
        others = [other for other in self._ledger.plays if other is not play] if not batch.begun else []
        return away.union(self._ledger.lost, *(other.taken_out() for other in others))

    def end_standstill(self) -> bool:
        """Nothing can happen any more: stop a play that waits for hosts of another, which waits for it in turn."""
        for play in self._ledger.plays:
            batch = play.batches[play.batch] if play.under_way and play.batch < len(play.batches) else None
            if batch is not None and not batch.begun:
                text = "too few hosts would be left, since a play that took some out waits for this one"
                self._stop_play(play, batch, Stopping(text, Cause(Because.STANDSTILL)))
                return True
        return False

    def _release(self, play: PlayState, batch: BatchState, chain: Chain) -> None:
        """Release the next wave, or all of them where the strategy is ``free``."""
        cause = self._why_now(play, batch, chain)
        until = len(chain.waves) if play.free else chain.released + 1
        waves = [wave for wave in chain.waves[chain.released : until] if wave.phase is WavePhase.HELD]
        chain.released = until
        for wave in waves:
            wave.move_to(WavePhase.RELEASED)
            jobs = sum(self._ledger.open_step(step) for step in wave.steps)
            barriers.begin(self._ledger, wave, self._jobs.at)
            if wave.lateness is Lateness.AT_DEADLINE:
                self._timed = [other for other in self._timed if other.open] + [wave]
            if not jobs:
                self._ledger.emptied.append(wave)
            at = {"play": batch.play, "batch": batch.number, "wave": wave.number}
            self._jobs.announce(WaveReleased(at=self._jobs.at, **at, jobs=jobs, cause=cause))
        for wave in waves:
            opened = Cause(Because.WAVE, place=wave.place)
            for step in wave.steps:
                self._open(step, opened)

    def _why_now(self, play: PlayState, batch: BatchState, chain: Chain) -> Cause:
        """What the next wave waited for last."""
        if play.waited:
            play.waited = False
            return Cause(Because.AVAILABLE, self._jobs.trigger.job)
        if chain.released:
            before = chain.waves[chain.released - 1]
            return self._jobs.trigger if before.phase is WavePhase.ENDED else Cause(Because.BARRIER, place=before.place)
        if chain.added_by is not None:
            return Cause(Because.GROWTH, chain.added_by)
        return Cause(Because.BATCH, place=(play.number, batch.number - 1)) if batch.number else play.after

    def _open(self, index: int, cause: Cause) -> None:
        state = self._ledger.steps[index]
        if state.step.task.throttle:
            self._jobs.dispatch.limit(index, state.step.task.throttle)
        if state.step.task.start is not None:
            self._starts.open(state.step)
        self._judge.judge(state, cause)

    def open_planned(self, plan: Plan, growth: Growth) -> None:
        """A play is planned, and opens."""
        self._plan = plan
        play = self._ledger.open_play(plan, growth)
        play.move_to(PlayPhase.OPEN)
        del self.planning[play.number]

    def grow(self, plan: Plan, event: PlanGrown) -> None:
        """Running jobs have added to the plan, which ``plan`` is from here on."""
        self._plan = plan
        self._ledger.grow(plan, event.growth, event.jobs)
        play = self._ledger.plays[self._ledger.waves[event.jobs[0].step].batch.play]
        if play.halted:
            self._end_unreleased(play, Status.ABANDONED, self._jobs.trigger, "the play was stopped")

    def end_grown(self, event: PlanGrown, cause: Cause) -> None:
        """It was added after the run was interrupted: it isn't released."""
        play = self._ledger.plays[self._ledger.waves[event.jobs[0].step].batch.play]
        self._end_unreleased(play, Status.CANCELLED, cause)

    # Barriers.

    def _come_to_barrier(self, play: PlayState, batch: BatchState, wave: WaveState) -> bool:
        if not barriers.is_enough(wave):
            return False
        if wave.open and wave.lateness is Lateness.AT_QUORUM:
            self._tell_late(wave)
            return True
        stopping = limits.broken_limit(self._plan, batch, batch.failures)
        if stopping is None and self._may_still_break(batch):
            return False
        self._pass(play, batch, wave)
        if stopping is not None and not play.halted:
            self._stop_play(play, batch, stopping)
        return True

    def _may_still_break(self, batch: BatchState) -> bool:
        """Whether a limit is broken if the jobs that are being stopped as failed end so."""
        stopping = [job for job, status in self._jobs.stopping.items() if status is Status.FAILED]
        if not stopping:
            return False
        failures = batch.failures.copy()
        for job in stopping:
            if self._ledger.waves[job.step].batch is batch:
                failures.add(job, self._ledger.steps[job.step].step, batch)
        return limits.broken_limit(self._plan, batch, failures) is not None

    def _pass(self, play: PlayState, batch: BatchState, wave: WaveState) -> None:
        if wave.phase is WavePhase.RELEASED:
            wave.move_to(WavePhase.PASSED)
        wave.chain.passed += 1
        if wave.open:
            barriers.leave_behind(self._ledger, wave)
        batch.excused &= batch.behind.keys()  # the others were late, but came through before the barrier did
        if not play.free and wave.phase is WavePhase.PASSED:
            self._jobs.announce(barriers.passed(wave, self._jobs.at, self._jobs.trigger))

    def note_end(self, job: Job) -> None:
        """A job that was run has ended: who came first and last at the barrier that is next."""
        wave = self._ledger.waves[job.step]
        if wave.place_in_chain == wave.chain.passed:
            wave.note_end(job, self._jobs.at)

    def come_further(self, job: Job) -> None:
        """A job has ended: its host may have been behind."""
        wave = self._ledger.waves[job.step]
        if wave.batch.behind and job.host in wave.batch.behind and barriers.come_further(wave, job.host):
            self._judge.look_at_host(wave.batch, job)

    # Time.

    def wake_at(self) -> float | None:
        """The next deadline of a wave with open jobs."""
        if not self._timed:
            return None
        return min((deadline for deadline in map(_deadline, self._timed) if deadline is not None), default=None)

    def time_passed(self) -> None:
        """Tell who is late."""
        for wave in self._timed:
            deadline = _deadline(wave)
            if deadline is not None and deadline <= self._jobs.at:
                self._tell_late(wave)
        self._timed = [wave for wave in self._timed if _deadline(wave) is not None]

    def _tell_late(self, wave: WaveState) -> None:
        """Declare what is open of the wave late, and do what ``late`` says."""
        by_quorum = wave.lateness is Lateness.AT_QUORUM
        wave.become(Lateness.DECLARED)
        late, reason = wave.barrier.late, barriers.why_late(wave)
        kind, last = (Because.QUORUM, wave.last) if by_quorum else (Because.DEADLINE, None)
        cause = Cause(kind, last, wave.place)
        jobs = barriers.late_jobs(self._ledger, wave)
        homeless = [] if late is Late.CATCH_UP else self._choose_hosts(wave)
        if not jobs and not homeless:
            return
        at = {"play": wave.batch.play, "batch": wave.batch.number, "wave": wave.number}
        named = (*jobs, *homeless)
        self._jobs.announce(JobsLate(at=self._jobs.at, **at, jobs=named, late=late, reason=reason, cause=cause))
        reason = f"late at the barrier: {reason}"
        if late is Late.CATCH_UP:
            wave.batch.excused.update(job.host for job in jobs)
        elif late is Late.DROP:
            self._jobs.end(homeless, Status.SKIPPED, cause, reason)
            self._drop(wave, dict.fromkeys(job.host for job in jobs), cause, reason)
        else:
            self._fail(wave, named, cause, reason)

    def _choose_hosts(self, wave: WaveState) -> list[Job]:
        """The jobs of late ``run_once`` steps for which no host was chosen yet: they end on the first one."""
        states = (self._ledger.steps[index] for index in wave.steps)
        late = [state.step for state in states if state.step.task.run_once and not state.statuses and state.step.hosts]
        return [self._ledger.choose_host(step.index, step.hosts[0]) for step in late]

    def _fail(self, wave: WaveState, jobs: Iterable[Job], cause: Cause, reason: str) -> None:
        added = [job for job in barriers.holding(self._ledger, wave) if job.host not in wave.batch.excused]
        self._ledger.late.update(added)
        running = self._jobs.running
        self._jobs.stop((job for job in jobs if job in running), Status.FAILED, reason, cause)
        waiting = [job for job in jobs if job not in running]
        steps = frozenset(job.step for job in waiting)
        for host in dict.fromkeys(job.host for job in waiting):
            self._jobs.withdraw(steps, host)
        self._jobs.end(waiting, Status.FAILED, cause, reason)
        for index in dict.fromkeys(under for job in added for under in self._ledger.added_under(job.step)):
            self._judge.judge_released(self._ledger.steps[index], cause)

    def _drop(self, wave: WaveState, hosts: Iterable[str], cause: Cause, reason: str) -> None:
        play = self._ledger.plays[wave.batch.play]
        running: dict[str, list[Job]] = {host: [] for host in hosts}
        for job in self._jobs.running:
            if job.host in running and job.step in play.steps:
                running[job.host].append(job)
        for host in running:
            play.dropped[host] = (cause, reason)
            self._ledger.lost.setdefault(host, cause)
            self._end_on_host(play, host, Status.SKIPPED, cause, reason)
        self._jobs.stop((job for jobs in running.values() for job in jobs), Status.SKIPPED, reason, cause)

    # What failed, and stops.

    def note_failure(self, job: Job, status: Status) -> None:
        """A job failed by itself, and that isn't ignored."""
        step = self._ledger.steps[job.step].step
        play, batch = self._ledger.plays[step.play], self._ledger.waves[job.step].batch
        batch.failures.add(job, step, batch)
        failure = Cause(Because.FAILURE, job)
        self._ledger.lost.setdefault(job.host, failure)
        if status is Status.UNREACHABLE and job.host not in play.unreachable:
            play.unreachable[job.host] = job
            self._starts.lose(self._end_on_host(play, job.host, Status.ABANDONED, failure), job)
        if play.free and not play.halted:
            stopping = limits.broken_limit(self._plan, batch, batch.failures)
            if stopping is not None:
                self._stop_play(play, batch, stopping)

    def obey(self, event: JobFinished) -> None:
        """A task with ``meta`` has run: do what it asks of the run."""
        job = event.job
        state = self._ledger.steps[job.step]
        batch = self._ledger.waves[job.step].batch
        play = self._ledger.plays[batch.play]
        match state.step.task.meta:
            case MetaTask.END_HOST:
                self._leave(play, [job.host])
            case MetaTask.END_BATCH:
                self._leave(play, batch.batch.hosts)
            case MetaTask.END_PLAY:
                self._leave(play, sorted(play.hosts))
            case MetaTask.END_ROLE:
                self._leave_role(state, job)
            case MetaTask.CLEAR_HOST_ERRORS:
                self._clear_errors()
            case MetaTask.REFRESH_INVENTORY:
                for each in self._ledger.plays:
                    if each.phase is PlayPhase.OPEN:
                        self._leave(each, [host for host in event.gone if host in each.hosts])

    def _leave(self, play: PlayState, hosts: Iterable[str]) -> None:
        """The play ends for these hosts, without having failed."""
        for host in hosts:
            if host not in play.left:
                play.left.add(host)
                self._end_on_host(play, host, Status.UNNEEDED, self._jobs.trigger)

    def _leave_role(self, state: StepState, job: Job) -> None:
        """The innermost role around a step ends for a job's host."""
        block = next(
            (found for place in state.around if (found := self._ledger.blocks[place.block]).block.is_role), None
        )
        if block is None:
            return
        block.left.add(job.host)
        self._jobs.end(self._jobs.withdraw(frozenset(block.steps), job.host), Status.UNNEEDED, self._jobs.trigger)
        for index in block.steps:
            self._judge.judge_on(self._ledger.steps[index], job.host, self._jobs.trigger)

    def _clear_errors(self) -> None:
        """What has failed so far counts neither for later plays nor for the exit status."""
        for play in self._ledger.plays:
            play.cleared |= play.failed
            play.failed.clear()
        dropped = {host for play in self._ledger.plays for host in play.dropped}
        for host in self._ledger.lost.keys() - dropped:
            del self._ledger.lost[host]
        failed = (Job(state.step.index, host) for state in self._ledger.steps for host in state.failures)
        self._ledger.cleared.update(job for job in failed if job not in self._ledger.unsettled)

    def _stop_play(self, play: PlayState, batch: BatchState, stopping: Stopping) -> None:
        reason, cause = stopping
        self._jobs.announce_ends()  # a failure is announced before what follows from it
        play.move_to(PlayPhase.STOPPING)
        stopped = PlayStopped(at=self._jobs.at, play=batch.play, batch=batch.number, reason=reason, cause=cause)
        self._jobs.announce(stopped)
        self._starts.call_off_play(batch.play, reason, cause)
        self._end_play(play, Status.ABANDONED, cause, reason)

    def interrupt(self, urgency: Urgency) -> None:
        """Nothing more is released. Released jobs run to the barrier, except with ``NOW`` or without barriers."""
        self._jobs.out = [item for item in self._jobs.out if not isinstance(item, PlanPlay)]
        self.planning.clear()
        for play in self._ledger.plays:
            if play.phase is PlayPhase.WAITING:
                play.move_to(PlayPhase.OPEN)
            if urgency is Urgency.NOW or play.free:
                self._end_play(play, Status.CANCELLED, self._jobs.trigger)
            else:
                self._end_unreleased(play, Status.CANCELLED, self._jobs.trigger)

    def _end_play(self, play: PlayState, status: Status, cause: Cause, reason: str = "") -> None:
        """End everything of the play that isn't running, but handlers that have to run all the same."""
        steps = play.steps - {index for index in play.steps if self._goes_on(play, index, status)}
        self._jobs.end(self._jobs.withdraw(steps), status, cause, reason)
        self._end_unreleased(play, status, cause, reason)
        for index in sorted(steps):
            self._jobs.end_waiting(index, status, cause, reason)

    def _goes_on(self, play: PlayState, index: int, status: Status) -> bool:
        """Whether a step is a handler of the open batch that runs although the play was stopped."""
        if not play.forces_handlers or status is not Status.ABANDONED or play.batch == len(play.batches):
            return False
        if not play.batches[play.batch].begun:
            return False
        step = self._ledger.steps[index].step
        return step.task.handler is not None and step.batch == play.batch

    def _end_unreleased(self, play: PlayState, status: Status, cause: Cause, reason: str = "") -> None:
        """End the waves that were not released; they count as released from here on, but are never announced so."""
        for batch in play.batches:
            for chain in batch.chains:
                left = [wave for wave in chain.waves[chain.released :] if wave.phase is WavePhase.HELD]
                kept = [all(self._goes_on(play, index, status) for index in wave.steps) for wave in left]
                for wave in (wave for wave, goes_on in zip(left, kept, strict=True) if not goes_on):
                    wave.move_to(WavePhase.ENDED)
                    for index in wave.steps:
                        self._ledger.open_step(index)
                        self._jobs.end_waiting(index, status, cause, reason)
                if not any(kept):
                    chain.released = len(chain.waves)

    def _end_on_host(self, play: PlayState, host: str, status: Status, cause: Cause, reason: str = "") -> list[Job]:
        """A host drops out of the play: what waits there ends. Returns the jobs that were ready."""
        ready = self._jobs.withdraw(play.steps, host)
        self._jobs.end(ready, status, cause, reason)
        batch = play.batches[play.batch]  # in the others nothing waits for its needs
        waiting = [step for wave in batch.released() for step in wave.steps if wave.open]
        pending = [step for step in waiting if self._ledger.steps[step].statuses.get(host) is Status.PENDING]
        self._jobs.end((Job(step, host) for step in pending), status, cause, reason)
        for state in (self._ledger.steps[step] for step in waiting):
            if state.step.task.run_once and not state.statuses:  # it may have waited for this host alone
                self._judge.judge(state, cause)
        return ready


def _deadline(wave: WaveState) -> float | None:
    """When the wave's open jobs are late, if they are at a time that is still to come."""
    return wave.deadline if wave.open and wave.lateness is Lateness.AT_DEADLINE else None
