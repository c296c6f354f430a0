"""A run that is read back from its journal stands where the one stood that wrote it: state, variables and all."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.pictures import picture
from support.program import running, wait_until
from support.worlds import P, World, build, chain, worlds

from drumline.app import Prepared, prepare
from drumline.clock import SystemClock
from drumline.config import Settings
from drumline.diagnostics import Position
from drumline.engine.state import RunState
from drumline.errors import UsageError
from drumline.execution.approvals import Approvals
from drumline.execution.context import RunContext
from drumline.execution.driver import Driver
from drumline.execution.executors import ThreadExecutor
from drumline.execution.gained import Gained
from drumline.execution.runner import JobRunner
from drumline.journal.keys import RunKey
from drumline.journal.reopening import Reopened, read_back
from drumline.journal.store import Journal
from drumline.journal.writer import RunWriter
from drumline.masking import Secrets
from drumline.model.event import Event, JobFinished, JobsStarted, PlanGrown, RunFinished, RunStarted
from drumline.model.outcome import Completed, Status
from drumline.model.plan import Growth, Job, Plan, Step
from drumline.model.playbook import Barrier, Task
from drumline.model.request import Request
from drumline.plugin.history import RunInfo
from drumline.plugin.runs import JobReport
from drumline.plugin.transports import Transport
from drumline.secret_forms import forms
from drumline.testing.fakes import Answer, FakeTransport

_NUMBERS = itertools.count()
CANARY = "canary-7f3Q!x"
PLAN = build(P(chain(["a", "b"], ["a", "b"])))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds())
def test_at_every_event_of_a_run_its_state_can_be_read_back(world: World, tmp_path: Path) -> None:
    journal = Journal(tmp_path / str(next(_NUMBERS)))
    writer = journal.begin(world.plan, command="test", forks=world.forks, sessions=world.sessions)
    [run] = journal.runs()

    told: list[Event] = []

    def compare(events: list[Event]) -> None:
        writer.append(events)
        told.extend(events)
        reopened = read_back(journal, run, RunKey(tmp_path, run.id), Secrets())
        assert picture(reopened.state) == picture(world.state)
        assert set(reopened.lost or ()) == {*world.state.running, *world.state.awaited}

    world.turned = compare
    world.run()
    assert list(journal.events(run)) == told
    journal.close()
    shutil.rmtree(journal.path.parent)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), turns=st.integers(1, 15))
def test_a_run_that_died_after_any_turn_goes_on_to_its_end(world: World, turns: int, tmp_path: Path) -> None:
    journal = Journal(tmp_path / str(next(_NUMBERS)))
    writer = journal.begin(world.plan, command="test", forks=world.forks, sessions=world.sessions)
    [run] = journal.runs()
    left = iter(range(turns))

    def die(events: list[Event]) -> None:
        writer.append(events)
        if world.exit_status is None and next(left, None) is None:
            raise Died

    world.turned = die
    lost: set[Job] = set()
    try:
        world.run()
    except Died:
        reopened = read_back(journal, run, RunKey(tmp_path, run.id), Secrets())
        lost = set(reopened.lost or ())
        world.turned = writer.append
        world.take_over(reopened.state)
    assert world.state.finished
    assert len(world.started) == len(set(world.started))
    # The rescue of a block makes up for a job whose end no one knows, too.
    assert all(world.state.status(job) in (Status.UNKNOWN, Status.RESCUED) for job in lost)
    assert picture(read_back(journal, run, RunKey(tmp_path, run.id), Secrets()).state) == picture(world.state)
    journal.close()
    shutil.rmtree(journal.path.parent)


class Died(Exception):
    """The process of a run is gone."""


# Real jobs.

INVENTORY = f"[all:vars]\nansible_connection=ssh\ndb_password={CANARY}\n[web]\na\nb\nc\n"
#: Tasks that leave something, each in its way. N is the task's number.
TASKS = (
    "command: say N\n      register: rN",
    "command: say N\n      register: rN\n      no_log: true",
    "command: say N\n      register: rN\n      run_once: true",
    "command: say {{ item }}\n      register: rN\n      loop: [1, {b: 2}, '{{ db_password }}']",
    "command: say {{ db_password }}\n      register: rN\n      ignore_errors: true",
    "command: say N\n      when: inventory_hostname != 'b'",
    "set_fact: {fN: \"{{ r0 | default(none) }}\", last: N, text: '0644', mode: 0644}",
    "set_fact: {fN: [1, 2.5, null, {a: {b: [true]}}], api_token: 'token {{ db_password }}'}",
    'set_fact: {fN: "{{ now().date() }}", big: "{{ 2 ** 70 }}"}\n      run_once: true',
    "set_fact: {fN: 'unnamed {{ last | default(0) }}'}\n      no_log: true",
    "set_fact: {fN: '{{ item }}', last: '{{ item }}'}\n      loop: [x, y]",
    "debug: {msg: \"{{ results['t0'] | default({}) }} {{ play_hosts }}\"}",
    "fail: {msg: 'no {{ db_password }}'}\n      ignore_errors: true\n      register: rN",
    "fail: {msg: 'no'}\n      when: inventory_hostname == 'c'",
)
#: What hosts say.
SAID = (b"plain\n", b"", b"\xff\xfe half", "ü 世界\n".encode(), f"it is {CANARY}\n".encode(), b"0" * 70_000)


def text_of(tasks: Sequence[str]) -> str:
    """A playbook of these tasks."""
    written = (f"    - id: t{number}\n      {task}".replace("N", str(number)) for number, task in enumerate(tasks))
    return "- hosts: all\n  tasks:\n" + "\n".join(written) + "\n"


class Run:
    """A run of a playbook that ``look`` is called for after every turn of the driver."""

    def __init__(
        self,
        directory: Path,
        playbook: str,
        *,
        seed: int = 0,
        transport: Transport | None = None,
        inventory: str = INVENTORY,
        real: bool = False,
    ) -> None:
        """``real``: with the transports that drumline has, not with one that only answers."""
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "hosts").write_text(inventory)
        (directory / "site.yml").write_text(playbook)
        self._random = random.Random(seed)
        self.directory = directory
        settings = Settings(inventory=(str(directory / "hosts"),), state=directory / "state")
        self.prepared: Prepared = prepare([directory / "site.yml"], settings)
        self.transports = self.prepared.registry.transports
        if not real:
            self.transports = {"ssh": transport or FakeTransport(name="ssh", answering=self._answer)}
        self.journal = Journal(directory / "state")

    def _answer(self, host: str, request: Request) -> Answer:
        return Completed(code=self._random.choice([0, 0, 0, 1]), stdout=self._random.choice(SAID))

    def context(self) -> RunContext:
        made = self.prepared
        return RunContext(
            plan=made.plan,
            inventory=made.inventory,
            actions=made.registry.actions,
            transports=self.transports,
            templating=made.templating,
            extra_variables={},
            secrets=made.secrets,
            keep_output=lambda *_piece: True,
        )

    def begin(self, context: RunContext) -> RunWriter:
        return self.journal.begin(self.prepared.plan, command="test", secrets=self.prepared.secrets)

    def run(self, look: Callable[[RunContext, RunInfo], None]) -> int:
        context = self.context()
        writer = self.begin(context)
        info = self.journal.find(writer.id)
        return drive(context, RunState(context.plan), writer, lambda: look(context, info))

    def close(self) -> None:
        self.journal.close()


class Turns:
    """What the driver needs of a journal and of listeners; knows when a turn is complete."""

    def __init__(self, writer: RunWriter, look: Callable[[], None]) -> None:
        self._writer, self._look = writer, look
        self._left = 0

    def append(self, events: Sequence[Event], reports: Sequence[JobReport] = ()) -> None:
        self._writer.append(events, reports)
        self._left = len(events)

    def heard(self, _event: Event) -> None:
        self._left -= 1
        if self._left == 0:
            self._look()


def drive(
    context: RunContext,
    state: RunState,
    writer: RunWriter,
    look: Callable[[], None] = lambda: None,
    lost: dict[Job, float] | None = None,
) -> int:
    turns = Turns(writer, look)
    driver = Driver(
        state,
        run=writer.id,
        record=turns,
        listeners=[context.gained.follow, turns.heard],
        clock=SystemClock(),
        remember=context.remember,
        lost=lost,
    )
    executor = ThreadExecutor(
        JobRunner(context, note=driver.note, approvals=Approvals(note=driver.note)), driver.report
    )
    try:
        return driver.run(executor)
    finally:
        executor.close()
        context.sessions.close()


def gained_of(reopened: Reopened, kept: frozenset[int]) -> Gained:
    gained = Gained(reopened.plan, kept)
    for item in reopened.happened:
        gained.take(item)
    return gained


def leaks(directory: Path) -> list[bytes]:
    """The forms of the canary in what a thief of the journal has: the database and its log."""
    paths = [path for path in directory.iterdir() if path.name.startswith("journal.sqlite3")]
    assert any(path.name.endswith("-wal") and path.stat().st_size for path in paths)
    data = b"".join(path.read_bytes() for path in paths)
    return [form for form in forms(CANARY) if form in data]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tasks=st.lists(st.sampled_from(TASKS), min_size=1, max_size=6), seed=st.integers(0, 1000))
def test_at_every_event_of_real_jobs_variables_can_be_read_back(tasks: list[str], seed: int, tmp_path: Path) -> None:
    run = Run(tmp_path / str(next(_NUMBERS)), text_of([TASKS[0], *tasks]), seed=seed)
    looks = 0

    def compare(context: RunContext, info: RunInfo) -> None:
        nonlocal looks
        looks += 1
        if run.journal.find(info.id).finished:  # the key is gone, and no one goes on with it
            return
        reopened = read_back(run.journal, info, RunKey(run.journal.path.parent, info.id), secrets := Secrets())
        assert set(secrets.after(0)) <= set(context.secrets.after(0))
        assert reopened.plan == context.plan
        assert picture(gained_of(reopened, context.gained.results.kept)) == picture(context.gained)

    run.run(compare)
    assert looks >= 2
    assert leaks(run.directory / "state") == []
    run.close()
    shutil.rmtree(run.directory)


#: What a real host does, in the place of one that only answers.
REALLY = [task.replace("say", "echo") for task in TASKS]
LOCAL = f"[all:vars]\nansible_connection=local\ndb_password={CANARY}\n[web]\na\nb\n"


def test_at_every_event_on_a_real_host_variables_can_be_read_back(tmp_path: Path) -> None:
    run = Run(tmp_path, text_of(REALLY), inventory=LOCAL, real=True)
    steps: set[int] = set()

    def compare(context: RunContext, info: RunInfo) -> None:
        if run.journal.find(info.id).finished:
            return
        reopened = read_back(run.journal, info, RunKey(run.journal.path.parent, info.id), Secrets())
        assert picture(gained_of(reopened, context.gained.results.kept)) == picture(context.gained)
        steps.update(item.event.job.step for item in reopened.happened if isinstance(item, JobReport))
        assert leaks(run.directory / "state") == []

    run.run(compare)
    assert len(steps) > 10
    run.close()


KEEPS = (
    "command: say N\n      register: rN\n      no_log: true",
    "command: say {{ db_password }}\n      register: rN",
    "set_fact: {fN: 'x{{ db_password }}x', plain: 1}",
    "fail: {msg: stop}",
)


def test_a_secret_is_nowhere_in_the_journal_and_comes_back_with_the_key(tmp_path: Path) -> None:
    said = iter([f"first {CANARY}"] * 3 + [f"second {CANARY}"] * 3)
    transport = FakeTransport(
        name="ssh", answering=lambda _host, _request: Completed(code=0, stdout=next(said).encode())
    )
    run = Run(tmp_path, text_of(KEEPS), transport=transport)
    infos: list[RunInfo] = []

    def look(_context: RunContext, info: RunInfo) -> None:
        infos.append(info)
        assert leaks(tmp_path / "state") == []

    assert run.run(look) == 2
    key = RunKey(tmp_path / "state", infos[-1].id)
    facts = gained_of(read_back(run.journal, infos[-1], key, secrets := Secrets()), frozenset(range(10))).facts["a"]
    assert facts["r0"]["stdout"] == f"first {CANARY}"
    assert facts["r1"]["stdout_lines"] == [f"second {CANARY}"]
    assert facts["f2"] == f"x{CANARY}x"
    assert secrets.after(0) == [CANARY]  # whatever shows it from here on masks it
    (tmp_path / "state" / "keys" / infos[-1].id).unlink()
    with pytest.raises(UsageError, match="The secrets of this run can't be read"):
        read_back(run.journal, infos[-1], RunKey(tmp_path / "state", infos[-1].id), Secrets())
    run.close()


def test_what_an_event_shows_is_not_kept_twice_and_nothing_is_encrypted_for_it(tmp_path: Path) -> None:
    tasks = text_of(["command: say N\n      register: rN", "debug: {msg: hello}", "set_fact: {plain: 1}"])
    transport = FakeTransport(name="ssh", answering=lambda _host, _request: Completed(code=0, stdout=b"well"))
    run = Run(tmp_path / "run", tasks, transport=transport, inventory="a ansible_connection=ssh\n")
    run.run(lambda _context, _info: None)
    rows = run.journal._database.execute("SELECT data IS NULL, secret FROM registered ORDER BY seq").fetchall()
    assert rows == [(1, 0), (0, 0)]
    assert not (tmp_path / "run" / "state" / "keys").exists()
    run.close()


def test_what_became_known_as_secret_while_it_ran_is_known_to_who_goes_on(tmp_path: Path) -> None:
    transport = FakeTransport(name="ssh", answering=lambda _host, _request: Completed(code=0, stdout=b"unheard-of"))
    tasks = ["command: say N\n      register: rN", "set_fact: {api_token: '{{ r0.stdout }}'}", "fail: {msg: stop}"]
    run = Run(tmp_path, text_of(tasks), transport=transport, inventory="a ansible_connection=ssh\n")
    infos: list[RunInfo] = []
    assert run.run(lambda _context, info: infos.append(info)) == 2
    run.journal._database.execute("UPDATE runs SET finished = NULL, pid = ?", (2**22 + 1,))
    run.close()
    with closing(Journal(tmp_path / "state")) as journal:
        secrets = Secrets()
        assert not secrets
        journal.reopen(journal.find(None), secrets=secrets)
        assert secrets.after(0) == ["unheard-of"]


def test_a_secret_of_a_job_that_leaves_nothing_is_known_to_who_goes_on(tmp_path: Path) -> None:
    """What a job before it said stands in the journal in clear: it became secret only now."""
    transport = FakeTransport(name="ssh", answering=lambda _host, _request: Completed(code=0, stdout=b"unheard-of"))
    tasks = [
        "command: say N\n      register: rN",
        "command: say {{ api_token }}\n      vars: {api_token: '{{ r0.stdout }}'}",
        "fail: {msg: stop}",
    ]
    run = Run(tmp_path, text_of(tasks), transport=transport, inventory="a ansible_connection=ssh\n")
    infos: list[RunInfo] = []
    assert run.run(lambda _context, info: infos.append(info)) == 2
    read_back(run.journal, infos[0], RunKey(tmp_path / "state", infos[0].id), secrets := Secrets())
    assert secrets.after(0) == ["unheard-of"]
    run.close()


# A run that goes on.

SLOW = """
- hosts: all
  tasks:
    - {id: first, command: say first, register: said}
    - {id: second, set_fact: {mine: "{{ said.stdout }} {{ db_password }}"}}
    - {id: third, command: say third, hosts: a}
    - {id: fourth, trigger_rule: all_done, debug: {msg: "{{ mine }} {{ hostvars['b'].mine }} {{ play_hosts }}"}}
"""


def test_a_run_goes_on_where_it_died(tmp_path: Path) -> None:
    """What was running is unknown, what was done isn't done again, and the rest has all variables."""
    asked: list[tuple[str, str]] = []

    def answer(host: str, request: Request) -> Answer:
        text = getattr(request, "text", "")
        asked.append((host, text))
        return Completed(code=0, stdout=f"{host} said".encode())

    run = Run(tmp_path, SLOW, transport=FakeTransport(name="ssh", answering=answer))

    def die(context: RunContext, info: RunInfo) -> None:
        if any(job.step == 2 for job in context_state.running):
            raise Died

    context = run.context()
    writer = run.begin(context)
    context_state = RunState(context.plan)
    info = run.journal.find(writer.id)
    with pytest.raises(Died):
        drive(context, context_state, writer, lambda: die(context, info))
    run.close()
    before = len(asked)

    again = Run(tmp_path, SLOW, transport=FakeTransport(name="ssh", answering=answer))
    change(again.journal, pid=2**22 + 1)  # it was this process
    info = again.journal.find(writer.id)
    assert not info.alive
    fresh = again.context()
    record, reopened = again.journal.reopen(info, secrets=again.prepared.secrets)
    assert reopened.lost
    assert {job.step for job in reopened.lost} == {2}
    assert min(reopened.lost.values()) >= info.started
    fresh.take_up(reopened.happened)
    assert picture(fresh.gained) == picture(context.gained)
    assert again.journal.find(writer.id).alive
    assert drive(fresh, reopened.state, record, lost=reopened.lost) == 2

    events = list(again.journal.events(info))
    ends = {event.job: event for event in events if isinstance(event, JobFinished)}
    assert sum(isinstance(event, RunStarted) for event in events) == 1
    lost = set(reopened.lost)
    assert {job for job, end in ends.items() if end.status is Status.UNKNOWN} == lost
    assert "drumline died before it learned the outcome" in ends[next(iter(lost))].result["msg"]
    assert all(ends[job].started == sent for job, sent in reopened.lost.items())
    told = {job.host: end.result["msg"] for job, end in ends.items() if job.step == 3}
    assert told["b"] == "b said ******** b said ******** ['b', 'c']"
    assert isinstance(events[-1], RunFinished)
    assert [text for _, text in asked[before:] if "first" in text] == []
    again.close()


def change(journal: Journal, **values: object) -> None:
    for name, value in values.items():
        journal._database.execute(f"UPDATE runs SET {name} = ?", (value,))


@pytest.fixture
def died(tmp_path: Path) -> Iterator[tuple[Journal, RunInfo]]:
    """A journal, and a run in it whose process was killed while a job ran."""
    script = (
        "import os, sys; from pathlib import Path; from drumline.journal.store import Journal\n"
        "from drumline.model.event import JobsStarted, RunStarted; from drumline.model.plan import Job\n"
        "from support.worlds import P, build, chain\n"
        "writer = Journal(Path(sys.argv[1])).begin(build(P(chain(['a', 'b'], ['a', 'b']))), command='x')\n"
        "jobs = (Job(0, 'a'), Job(0, 'b'))\n"
        "writer.append([RunStarted(at=5.0, run=writer.id), JobsStarted(at=6.0, jobs=jobs)])\n"
        "os.kill(os.getpid(), 9)"
    )
    where = {"PYTHONPATH": str(Path(__file__).parent.parent)}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=where, check=False)
    journal = Journal(tmp_path)
    yield journal, journal.find(None)
    journal.close()


def test_a_run_that_died_before_anything_happened_begins(tmp_path: Path) -> None:
    transport = FakeTransport(name="ssh", answering=lambda _host, _request: Completed(code=0, stdout=b"well"))
    run = Run(tmp_path, text_of(["command: say N\n      register: rN"]), transport=transport)
    run.begin(run.context())
    run.close()
    again = Run(tmp_path, (tmp_path / "site.yml").read_text(), transport=transport)
    change(again.journal, pid=2**22 + 1)
    record, reopened = again.journal.reopen(again.journal.find(None))
    assert reopened.lost is None
    assert drive(again.context(), reopened.state, record, lost=reopened.lost) == 0
    assert isinstance(next(again.journal.events(again.journal.find(None))), RunStarted)
    again.close()


GOES_ON = f"The run goes on. Process {os.getpid()} goes on with run 1"


def test_a_run_is_taken_over_once(died: tuple[Journal, RunInfo]) -> None:
    journal, run = died
    assert not run.alive
    record, reopened = journal.reopen(run)
    assert reopened.lost == {Job(0, "a"): 6.0, Job(0, "b"): 6.0}
    assert journal.find(run.id).alive
    with closing(Journal(journal.path.parent)) as other, pytest.raises(UsageError, match=GOES_ON):
        other.reopen(run)
    record.append([JobFinished(at=7.0, job=Job(0, "a"), status=Status.OK)])
    assert [type(event) for event in journal.events(run)] == [RunStarted, JobsStarted, JobFinished]


def growth_of(plan: Plan, **fields: Any) -> PlanGrown:
    """Host a's job of the first task adds one with these fields."""
    number, wave = len(plan.steps), len(plan.plays[0].batches[0].waves)
    task = Task(id=f"g{number}", name="added", action="command", position=Position("more.yml"), **fields)
    step = Step(index=number, task=task, play=0, batch=0, wave=wave, hosts=("a",), added_by=0)
    return PlanGrown(at=7.0, jobs=(Job(0, "a"),), growth=Growth(steps=(step,), barriers=(Barrier(),)))


def test_what_a_task_that_was_added_with_no_log_is_given_is_hidden_by_who_goes_on(
    died: tuple[Journal, RunInfo],
) -> None:
    journal, run = died
    record, reopened = journal.reopen(run)
    grown = growth_of(reopened.state.plan, no_log=True)
    record.append([grown])
    change(journal, pid=2**22 + 1)
    journal.close()
    with closing(Journal(journal.path.parent)) as again:
        record, reopened = again.reopen(again.find(None))
        record.append([growth_of(reopened.state.plan, variables={"pin": "unnamed"})])
        rows = again._database.execute("SELECT body FROM events WHERE kind = 'PlanGrown'").fetchall()
    assert [b"unnamed" in data for (data,) in rows] == [False, False]


def test_a_run_that_holds_no_lock_is_known_by_its_process(died: tuple[Journal, RunInfo]) -> None:
    """On a file system without locks, or when both look at the same moment."""
    journal, run = died
    journal.reopen(run)
    shutil.rmtree(journal.path.parent / "running")
    with closing(Journal(journal.path.parent)) as other, pytest.raises(UsageError, match=GOES_ON):
        other.reopen(run)


def test_times_of_a_run_that_was_taken_over_are_those_of_its_new_process(died: tuple[Journal, RunInfo]) -> None:
    journal, run = died
    change(journal, started=1000.0)
    journal.reopen(run)
    now = journal.find(run.id).now
    assert now is not None
    assert abs(now - SystemClock().now()) < 60


def test_a_run_that_has_ended_is_not_opened(died: tuple[Journal, RunInfo]) -> None:
    journal, run = died
    record, _ = journal.reopen(run)
    record.append([RunFinished(at=9.0, counts={}, exit_status=2)])
    for known in (run, journal.find(run.id)):
        with pytest.raises(UsageError, match="The run has ended"):
            journal.reopen(known)


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM events WHERE seq = 0",
        "UPDATE events SET body = x'00' WHERE seq = 1",
        "UPDATE runs SET plan = x'00'",
    ],
)
def test_a_damaged_run_does_not_go_on_and_is_free_again(died: tuple[Journal, RunInfo], harm: str) -> None:
    journal, run = died
    journal._database.execute(harm)
    with pytest.raises(UsageError, match=r"The run can't go on|The plan of this run can't be read"):
        journal.reopen(run)
    assert list((journal.path.parent / "running").iterdir()) == []
    assert not journal.runs()[0].alive


KILLED = """
- hosts: all
  vars: {x_password: canary-7f3Q!x}
  tasks:
    - {id: one, command: "echo one {{ inventory_hostname }}", register: one}
    - {id: two, set_fact: {mine: "{{ one.stdout }} {{ x_password }}"}}
    - {id: three, hosts: a, no_log: true, shell: "touch began; while [ ! -e end ]; do sleep 0.1; done"}
    - {id: four, trigger_rule: all_done, debug: {msg: "{{ mine }}, {{ results.one.a.stdout }}, {{ play_hosts }}"}}
"""


def test_a_program_that_was_killed_leaves_a_run_with_which_another_goes_on(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text(LOCAL)
    (tmp_path / "site.yml").write_text(KILLED)
    with running(tmp_path, "run", "site.yml", "-i", "hosts") as program:
        wait_until((tmp_path / "began").exists)
        with (
            closing(Journal(tmp_path / "state")) as journal,
            pytest.raises(UsageError, match=f"Process {program.pid} goes on with run 1"),
        ):
            journal.reopen(journal.find(None))
        program.send(signal.SIGKILL)
        assert program.wait() == -signal.SIGKILL

    again = Run(tmp_path, KILLED, inventory=LOCAL, real=True)
    info = again.journal.find(None)
    assert not info.alive
    record, reopened = again.journal.reopen(info, secrets=again.prepared.secrets)
    assert reopened.lost is not None
    assert reopened.lost.keys() == {Job(2, "a")}
    context = again.context()
    context.take_up(reopened.happened)
    assert drive(context, reopened.state, record, lost=reopened.lost) == 2
    (tmp_path / "end").touch()
    ends = [event for event in again.journal.events(info) if isinstance(event, JobFinished)]
    assert len(ends) == len({event.job for event in ends}) == 7
    assert {event.job: event.status for event in ends}[Job(2, "a")] is Status.UNKNOWN
    told = {event.job.host: event.result["msg"] for event in ends if event.job.step == 3}
    assert told["b"] == "one b ********, one a, ['b']"
    assert leaks(tmp_path / "state") == []
    again.close()


LOGGED = "- hosts: all\n  tasks:\n" + "".join(
    f"    - {{shell: 'echo {number} {{{{ inventory_hostname }}}} >> log; sleep 0.05', register: r{number}}}\n"
    for number in range(6)
)


@pytest.mark.parametrize("lines", [1, 4, 9])
def test_whenever_a_program_is_killed_no_job_is_lost_and_none_is_repeated(tmp_path: Path, lines: int) -> None:
    (tmp_path / "hosts").write_text(LOCAL)
    (tmp_path / "site.yml").write_text(LOGGED)
    log = tmp_path / "log"
    with running(tmp_path, "run", "site.yml", "-i", "hosts") as program:
        wait_until(lambda: log.exists() and len(log.read_text().splitlines()) >= lines)
        program.send(signal.SIGKILL)
        assert program.wait() == -signal.SIGKILL

    again = Run(tmp_path, LOGGED, inventory=LOCAL, real=True)
    info = again.journal.find(None)
    record, reopened = again.journal.reopen(info, secrets=again.prepared.secrets)
    context = again.context()
    context.take_up(reopened.happened)
    drive(context, reopened.state, record, lost=reopened.lost)
    events = list(again.journal.events(info))
    ends = [event for event in events if isinstance(event, JobFinished)]
    sent = [job for event in events if isinstance(event, JobsStarted) for job in event.jobs]
    assert sorted(event.job for event in ends) == sorted(sent)
    assert len(sent) == len(set(sent))
    said = [Job(int(step), host) for step, host in (line.split() for line in log.read_text().splitlines())]
    assert len(said) == len(set(said))
    changed = {event.job for event in ends if event.status is Status.CHANGED}
    assert changed <= set(said) <= changed | set(reopened.lost or ())
    again.close()
