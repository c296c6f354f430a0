"""The codec: everything comes back as it was, whatever it holds, and what is secret stands nowhere in clear."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, msgpack
from msgspec.structs import replace
from support.worlds import P, T, build, plans

from drumline.diagnostics import Position
from drumline.journal.codec import Damaged, Hiding, decode, decode_event, encode, encode_event
from drumline.journal.lines import describe
from drumline.journal.places import check_event, read_plan
from drumline.masking import Secrets
from drumline.model.cause import Because, Cause
from drumline.model.event import BarrierPassed, JobFinished, JobsStarted, JobWaiting, StartCalledOff
from drumline.model.outcome import Status
from drumline.model.plan import Job, Keep, Plan
from drumline.model.playbook import Amount, Barrier, Late, Loop, Play, Playbook, Retries, Start, Task
from drumline.model.value import Octal, SecretTemplate, Template
from drumline.secret import MASK, Secret
from drumline.secret_forms import forms

HERE = Position("site.yml", 3, 7)
CANARY = "canary-7f3Q!x"


def timed() -> Plan:
    barriers = [Barrier(), Barrier(quorum=Amount(90, percent=True), deadline=600, late=Late.DROP)]
    tasks = [T(["a", "b"], barrier=barriers[1], throttle=3), T(["a"], needs=[0], start=Start(max_skew=0.1, at=5.0))]
    keep = [Keep(group="app", least=1, hosts=("a", "b", "x"))]
    return build(P(tasks, batches=2, canary=True, max_fail_percentage=12.5, keep=keep, any_errors_fatal=True))


def task(**fields: Any) -> Task:
    return Task(**{"id": "t", "name": "t", "action": "command", "position": HERE, **fields})


def of(*tasks: Task, **fields: Any) -> Playbook:
    play = Play(**{"id": "p", "name": "p", "hosts": "all", "position": HERE, "tasks": tasks, **fields})
    return Playbook(path="site.yml", plays=(play,))


_TEXTS = st.one_of(st.text(), st.text(st.characters(categories=["Cs"])), st.just("{{ x }}"))
_ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.binary(),
    st.integers(0, 511).map(Octal),
    _TEXTS,
    *(
        st.builds(kind, _TEXTS, st.builds(Position, _TEXTS, st.integers(1), st.integers(1)), st.booleans())
        for kind in (Template, SecretTemplate)
    ),
)
VALUES = st.recursive(
    _ATOMS,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXTS | st.integers() | st.none(), inner),
    max_leaves=15,
)


@settings(max_examples=50, deadline=None)
@given(plans())
def test_any_plan_comes_back(plan: Plan) -> None:
    assert read_plan(encode(plan)) == plan


def test_all_that_has_to_do_with_timing_comes_back() -> None:
    assert read_plan(encode(timed())) == timed()


@settings(max_examples=50, deadline=None)
@given(arguments=st.dictionaries(_TEXTS, VALUES), when=st.lists(st.booleans()), value=VALUES)
def test_any_value_of_an_author_comes_back(arguments: dict[str, Any], when: list[bool], value: Any) -> None:
    conditions: tuple[Template | bool, ...] = (*when, Template("a == b", HERE, bare=True))
    whole = task(
        arguments=arguments,
        when=conditions,
        loop=Loop(items=[value], label=value),
        retries=Retries(until=conditions, count=value),
        timeout=value,
        tags=frozenset({"a"}),
        needs=("x", "y"),
        positions={"when": HERE},
    )
    playbook = of(whole, variables={"v": value})
    read = decode(Playbook, encode(playbook))
    assert repr(read) == repr(playbook)  # templates are equal wherever they stand, numbers whatever their type
    assert read == playbook


@pytest.mark.parametrize(
    "value",
    [
        (1, (2, "x")),
        {1, "a"},
        {(1, 2): "pair", "b": {3: None}},
        datetime(2024, 2, 29, 12, 30, 1, 5, timezone(timedelta(hours=2))),
        datetime(2024, 2, 29),
        date(2024, 2, 29),
        time(1, 2, 3),
        timedelta(days=-1, seconds=2, microseconds=3),
        Secret("text"),
        2**64,
        -(2**63),
        -(2**63) - 1,
        -0.0,
    ],
)
def test_what_jobs_may_give_beside_that_comes_back(value: Any) -> None:
    read = decode(Playbook, encode(of(task(arguments={"v": value})))).plays[0].tasks[0].arguments["v"]
    assert read == value
    assert type(read) is type(value)


def test_numbers_and_texts_of_other_classes_come_back_as_such() -> None:
    class Mode(str):
        __slots__ = ()

    class Duration(float):
        __slots__ = ()

    read = decode(Playbook, encode(of(task(arguments={"m": Mode("u=rw"), "d": Duration(1.5), "o": object}))))
    assert read.plays[0].tasks[0].arguments == {"m": "u=rw", "d": 1.5, "o": str(object)}


def test_a_value_within_itself_and_one_that_is_nested_for_ever_end_in_words() -> None:
    deep: list[Any] = []
    deep.append(deep)
    wide: list[Any] = [1]
    wide += [wide, wide]
    endless: list[Any] = []
    for _ in range(5000):
        endless = [endless]
    read = decode(Playbook, encode(of(task(arguments={"deep": deep, "wide": wide, "endless": endless}))))
    arguments = read.plays[0].tasks[0].arguments
    assert arguments["deep"] == ["(nested too deeply)"]
    assert arguments["wide"] == [1, "(nested too deeply)", "(nested too deeply)"]
    assert "(nested too deeply)" in repr(arguments["endless"])


def test_what_a_host_said_never_comes_back_as_a_template() -> None:
    """Promise 7: whatever shape it takes, also that of the bytes by which a template is written."""
    template = Template("{{ lookup('pipe', 'id') }}", HERE)
    written = encode(of(task(arguments={"x": template})))
    said = {"text": template.text, "position": list(HERE), "bare": False, "bytes": written}
    for values in (said, {"x": written.decode("latin-1")}, {"x": [written]}):
        event = JobFinished(at=1.0, job=Job(0, "a"), status=Status.OK, result=values)
        assert decode_event("JobFinished", encode_event(event)) == event
        assert decode(Playbook, encode(of(task(arguments=values)))).plays[0].tasks[0].arguments == values


def test_what_an_encrypted_template_gives_stays_secret() -> None:
    whole = task(arguments={"msg": SecretTemplate("pw-{{ x }}", HERE)})
    assert type(decode(Task, encode(whole)).arguments["msg"]) is SecretTemplate


def test_hosts_and_tasks_are_written_once() -> None:
    """Ten thousand hosts cost one tuple, and a task of a hundred batches is one task."""
    hosts = tuple(f"host{number}" for number in range(1000))
    one = build(P([T(hosts)]))
    many = replace(one, steps=tuple(replace(one.steps[0], index=index) for index in range(100)))
    assert len(encode(many)) < len(encode(one)) + 100 * 60
    steps = read_plan(encode(many)).steps
    assert steps[0].task is steps[99].task


# Events.


@pytest.mark.parametrize(
    "value",
    ["\udcff half \ud800", 2**70, {"deep": {"\ud800": 2**200}}, None, [1.5, True, b"\xff"], float("inf")],
    ids=["surrogates", "many bits", "both", "nothing", "plain", "infinite"],
)
def test_whatever_a_job_says_comes_back(value: Any) -> None:
    event = JobFinished(at=1.0, job=Job(0, "a"), status=Status.OK, result={"x": value, "stdout": "said"})
    assert decode_event("JobFinished", encode_event(event)) == event


def test_text_of_events_that_is_no_unicode_comes_back() -> None:
    event = JobWaiting(at=1.0, job=Job(0, "a"), reason="for \udcff")
    assert decode_event("JobWaiting", encode_event(event)) == event


def test_what_a_result_holds_and_nothing_can_write_is_told_in_words() -> None:
    endless: list[Any] = []
    endless.append(endless)
    values = {"set": {1}, "kind": int, "secret": Secret("x"), "endless": endless}
    event = JobFinished(at=1.0, job=Job(0, "a"), status=Status.OK, result=values)
    read = decode_event("JobFinished", encode_event(event))
    assert isinstance(read, JobFinished)
    assert read.result["kind"] == "<class 'int'>"
    assert read.result["endless"] == ["(nested too deeply)"]
    assert "x" not in repr(read.result["secret"]) or MASK in repr(read.result["secret"])


def test_an_event_that_lacks_a_field_gets_its_default() -> None:
    body = msgpack.encode({"at": 5.0, "play": 0, "batch": 0, "wave": 0, "last": [0, "a"], "waited": 2.0})
    assert decode_event("BarrierPassed", body) == BarrierPassed(
        at=5.0, play=0, batch=0, wave=0, last=Job(0, "a"), waited=2.0
    )


def test_events_of_a_step_name_its_task() -> None:
    described = describe(
        StartCalledOff(at=1.0, step=1, reason="why", cause=Cause(Because.FAILURE, Job(0, "a"))), timed()
    )
    assert (described["step"], described["task"]) == (1, "t1")
    assert described["cause"]["host"] == "a"


class Grown(Struct, frozen=True, kw_only=True):
    """A struct that the codec has never heard of, with tasks in it."""

    at: float
    tasks: tuple[Task, ...]
    more: Any = None


def test_a_new_struct_needs_nothing_of_the_codec() -> None:
    tasks = (task(arguments={"x": Template("{{ x }}", HERE)}), task(id="u", variables={"db_password": CANARY}))
    grown = Grown(at=1.0, tasks=tasks * 3, more=[tasks[0].arguments])
    assert repr(decode(Grown, encode_event(grown))) == repr(grown)  # type: ignore[arg-type]  # an event of the test's own
    secrets = Secrets()
    secrets.add(CANARY)
    hidden = encode_event(grown, Hiding(secrets))  # type: ignore[arg-type]  # an event of the test's own
    assert leaks(hidden) == []
    assert decode(Grown, hidden).tasks[1].variables == {"db_password": MASK}


# What is secret.


def leaks(data: bytes) -> list[bytes]:
    """The forms in which the canary stands there."""
    return [form for form in forms(CANARY) if form in data]


def turned(data: bytes) -> bytes:
    """No encryption, but it hides what is to be hidden, and can be turned back."""
    return bytes(byte ^ 0x5A for byte in data)


SECRETIVE = of(
    task(arguments={"cmd": f"mysql -p{CANARY}", "plain": "x"}),
    task(id="u", name=Template(f"Give it {CANARY}", HERE), when=(Template(f"x == '{CANARY}'", HERE, bare=True),)),
    task(id="v", no_log=True, arguments={"cmd": "echo unnamed", "pin": 1234}, loop=Loop(items=["unnamed", 7])),
    task(id="w", no_log=Template("{{ quiet }}", HERE), environment={"A": "unnamed"}, register="w"),
    task(id="x", arguments={"cmd": "curl --password=unregistered"}, environment={"API_TOKEN": "unregistered"}),
    name=f"Deploy {CANARY}",
    variables={"db_password": CANARY, "list": [{CANARY: 1}], "pin_secret": 123456, "ok": "{{ data }}"},
)


def test_what_is_secret_comes_back_with_the_key_alone() -> None:
    secrets = Secrets()
    secrets.add(CANARY)
    written = encode(SECRETIVE, Hiding(secrets, turned))
    assert leaks(written) == []
    assert b"unnamed" not in written
    assert b"unregistered" not in written
    assert repr(decode(Playbook, written, turned)) == repr(SECRETIVE)

    def gone(_token: bytes) -> bytes:
        raise LookupError

    for masked in (decode(Playbook, written), decode(Playbook, written, gone)):
        play, tasks = masked.plays[0], masked.plays[0].tasks
        assert play.name == f"Deploy {MASK}"
        assert play.variables == {"db_password": MASK, "list": [{MASK: 1}], "pin_secret": MASK, "ok": "{{ data }}"}
        assert tasks[0].arguments == {"cmd": f"mysql -p{MASK}", "plain": "x"}
        assert tasks[1].when == (Template(f"x == '{MASK}'", HERE, bare=True),)
        assert tasks[2].arguments == {"cmd": MASK, "pin": MASK}
        assert tasks[2].loop == Loop(items=[MASK, MASK])
        assert [each.id for each in tasks] == ["t", "u", "v", "w", "x"]
        assert tasks[3].register == "w"
        assert tasks[4].arguments == {"cmd": f"curl --password={MASK}"}


def test_without_a_key_only_what_is_shown_is_written() -> None:
    secrets = Secrets()
    secrets.add(CANARY)
    written = encode(SECRETIVE, Hiding(secrets))
    assert leaks(written) == []
    assert decode(Playbook, written, turned).plays[0].variables["db_password"] == MASK


@pytest.mark.parametrize(
    "text", ["curl --password={{ vault }}", "token: {{ a.b }}", "{{ {'password': x} }}"], ids=["sh", "YAML", "a dict"]
)
def test_a_template_that_looks_a_secret_up_needs_no_key(text: str) -> None:
    def no(_data: bytes) -> bytes:
        raise AssertionError("nothing here is secret")

    playbook = of(
        task(arguments={"cmd": Template(text, HERE)}), variables={"db_password": Template("{{ vault.db }}", HERE)}
    )
    assert decode(Playbook, encode(playbook, Hiding(Secrets(), no))) == playbook


# Damage.


@settings(max_examples=80, deadline=None)
@given(place=st.integers(0), bit=st.integers(0, 7), cut=st.booleans())
def test_damaged_bytes_are_called_so(place: int, bit: int, cut: bool) -> None:
    secrets = Secrets()
    secrets.add(CANARY)
    plan = replace(timed(), playbook=SECRETIVE)
    data = bytearray(encode(plan, Hiding(secrets, turned)))
    place %= len(data)
    data[place] ^= 1 << bit
    made = bytes(data[:place] if cut else data)
    with suppress(Damaged):
        assert isinstance(read_plan(made, turned), Plan)


@pytest.mark.parametrize(
    "event",
    [
        JobsStarted(at=1.0, jobs=(Job(99, "a"),)),
        JobsStarted(at=1.0, jobs=(Job(-1, "a"),)),
        StartCalledOff(at=1.0, step=99, reason=""),
        BarrierPassed(at=1.0, play=9, batch=0, wave=0),
        BarrierPassed(at=1.0, play=0, batch=9, wave=0),
        BarrierPassed(at=1.0, play=0, batch=0, wave=9),
        BarrierPassed(at=1.0, play=0, batch=-1, wave=0),
    ],
)
def test_an_event_of_what_the_plan_has_not_is_damaged(event: Any) -> None:
    with pytest.raises(Damaged):
        check_event(event, timed())


@pytest.mark.parametrize(
    "plan",
    [
        replace(timed(), steps=timed().steps[:1]),
        replace(timed(), plays=()),
        replace(timed(), steps=(replace(timed().steps[0], batch=7),)),
        replace(timed(), plays=(replace(timed().plays[0], needs=(3,)),)),
    ],
)
def test_a_plan_that_refers_to_what_it_has_not_is_damaged(plan: Plan) -> None:
    with pytest.raises(Damaged):
        read_plan(encode(plan))
