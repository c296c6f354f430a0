import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from support.makers import MakePlan, MakePlay, MakeTask

from drumline.diagnostics import Position
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Amount, Barrier, Late, Order, Start, Strategy
from drumline.model.value import Template, text_of
from drumline.planning.views.data import as_json
from drumline.planning.views.dot import as_dot
from drumline.planning.views.text import as_text


@pytest.fixture
def rollout(plan: MakePlan, play: MakePlay, task: MakeTask) -> Plan:
    return plan(
        play(
            "rollout",
            task("drain", hosts="lb"),
            task("stop"),
            task("migrate", ("stop",), hosts="db[0]", delegate_to="app1"),
            task("unpack", ("stop",)),
            task("start", ("migrate", "unpack"), run_once=True),
            hosts="app:db",
        ),
        play("check", task("look", any_errors_fatal=True)),
        play("watch", task("see", ("rollout.stop",)), task("read"), strategy=Strategy.FREE, needs=()),
    )


def test_text_says_who_does_what_and_waits_for_whom(rollout: Plan) -> None:
    assert as_text(rollout).splitlines() == [
        "play 1: rollout",
        "  hosts: app[1-3], db[1-2] (5)",
        "  strategy: waves (each starts when the one before it has ended)",
        "  on failure: abandons dependent tasks; stops after 5 failed hosts of 5",
        "  wave 1: 1 host, 1 job",
        "    drain  on lb1",
        "  wave 2: 5 hosts, 5 jobs",
        "    stop  on app[1-3], db[1-2]; waits for drain",
        "  wave 3: 5 hosts, 6 jobs",
        "    migrate  on db1; delegated to app1; waits for stop",
        "    unpack   on app[1-3], db[1-2]; waits for stop",
        "  wave 4: 5 hosts, 1 job",
        "    start  once, on the first available of app[1-3], db[1-2]; waits for migrate and unpack",
        "",
        "play 2: check",
        "  waits for play 1",
        "  hosts: app[1-3] (3)",
        "  strategy: waves (each starts when the one before it has ended)",
        "  on failure: stops after 1 failed host of 3",
        "  wave 1: 3 hosts, 3 jobs",
        "    look  on app[1-3]; waits for play 1",
        "",
        "play 3: watch",
        "  hosts: app[1-3] (3)",
        "  strategy: free (each task starts on a host as soon as its own needs are satisfied)",
        "  on failure: abandons dependent tasks; stops after 3 failed hosts of 3",
        "  level 1: 3 hosts, 3 jobs",
        "    see  on app[1-3]; waits for rollout.stop",
        "  level 2: 3 hosts, 3 jobs",
        "    read  on app[1-3]; waits for see",
        "",
        "3 plays, 7 waves, 22 jobs",
    ]


NOW = 1_796_000_000.0
DROP = Barrier(quorum=Amount(50, percent=True), deadline=600, late=Late.DROP)
LATE = "late jobs are stopped and their hosts leave the play"
CATCH_UP = "late jobs go on and their hosts catch up"
FLIP = "starts together on 1 host at 2026-12-08 07:53:20 UTC (in 8 d 7 h), within 100 ms or not at all"


@pytest.fixture
def rolling(plan: MakePlan, play: MakePlay, task: MakeTask) -> Plan:
    return plan(
        play(
            "roll",
            task("drain", hosts="lb"),
            task("stop", throttle=1, barrier=DROP),
            task("flip", start=Start(max_skew=0.1, at=NOW + 8 * 86_400 + 7 * 3_600), any_errors_fatal=True),
            hosts="app:db",
            order=Order.REVERSE_INVENTORY,
            canary=Amount(1),
            serial=(Amount(40, percent=True),),
            keep_available={"app": Amount(1), "db": Amount(50, percent=True)},
            max_fail_percentage=30,
        )
    )


def test_text_says_every_batch_and_what_is_special_about_its_waves(rolling: Plan) -> None:
    assert as_text(rolling, now=NOW).splitlines() == [
        "play 1: roll",
        "  hosts: db[1-2], app[1-3] (5)",
        "  order: reverse_inventory",
        "  batches: 3 (canary: 1, serial: 40%)",
        "  app: at least 1 of 3 hosts stay available, or the play stops",
        "  db: at least 1 of 2 hosts stay available, or the play stops",
        "  strategy: waves (each starts when the barrier of the one before it has passed)",
        "  on failure: abandons dependent tasks",
        "  batch 1 of 3, the canary: db2 (1); stops if anything fails",
        "    wave 1: 1 host, 1 job",
        "      drain  on lb1",
        "    wave 2: 1 host, 1 job",
        "      stop  on db2; waits for drain",
        f"      barrier: passes when all jobs have ended, or 10 m after the release; {LATE}",
        "    wave 3: 1 host, 1 job",
        f"      flip  on db2; waits for stop; {FLIP}; a failure stops the play",
        "  batch 2 of 3: db1, app3 (2); stops after 1 failed host of 2",
        "    wave 1: 1 host, 1 job",
        "      drain  on lb1",
        "    wave 2: 2 hosts, 2 jobs",
        "      stop  on db1, app3; waits for drain; at most 1 at once",
        f"      barrier: passes when 1 of 2 jobs have ended, or 10 m after the release; {LATE}",
        "    wave 3: 2 hosts, 2 jobs",
        f"      flip  on db1, app3; waits for stop; {FLIP.replace('1 host', '2 hosts')}; a failure stops the play",
        "  batch 3 of 3: app[1-2] (2); stops after 1 failed host of 2; waves as in batch 2",
        "",
        "1 play, 3 batches, 9 waves, 13 jobs",
    ]


def test_text_says_that_nothing_is_spread(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    made = plan(play("p", task("a"), spread_by="site"), host_scope=lambda _host, _play: {"site": "north"})
    assert "  batches: 1 (spread_by: site has no effect without serial: all hosts go at once)\n" in as_text(made)


def test_a_batch_with_other_tasks_is_told_in_full(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    lines = as_text(
        plan(play("p", task("a"), task("b", hosts="db"), task("c", hosts="app"), hosts="app:db", serial=(Amount(2),)))
    ).splitlines()
    assert "  batch 2 of 3: app3, db1 (2); stops after 2 failed hosts of 2" in lines
    assert "      b  on db1; waits for a" in lines


def test_a_batch_of_which_a_task_takes_some_hosts_is_told_in_full(
    plan: MakePlan, play: MakePlay, task: MakeTask
) -> None:
    lines = as_text(
        plan(play("p", task("a"), task("b", hosts="app1:db1"), hosts="app:db", serial=(Amount(2),)))
    ).splitlines()
    assert "      b  on app1; waits for a" in lines
    assert "  batch 2 of 3: app3, db1 (2); stops after 2 failed hosts of 2" in lines
    assert "      b  on db1; waits for a" in lines


def test_a_batch_of_another_size_is_told_in_full(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    text = as_text(plan(play("p", task("a", start=Start()), serial=(Amount(2),))))
    assert "batch 2 of 2: app3 (1); stops after 1 failed host of 1\n    wave 1: 1 host, 1 job\n" in text
    assert "starts together on 1 host\n" in text


@pytest.mark.parametrize(
    ("barrier", "words"),
    [
        (Barrier(), ""),
        (Barrier(quorum=Amount(90, percent=True)), ""),  # of three, all three
        (
            Barrier(quorum=Amount(2)),
            "passes when 2 of 3 jobs have ended; late jobs are stopped and fail",
        ),
        (
            Barrier(quorum=Amount(60, percent=True), deadline=90, late=Late.CATCH_UP),
            f"passes when 2 of 3 jobs have ended, or 90 s after the release; {CATCH_UP}",
        ),
    ],
)
def test_a_barrier_is_told_where_it_is_not_the_plain_one(
    plan: MakePlan, play: MakePlay, task: MakeTask, barrier: Barrier, words: str
) -> None:
    lines = as_text(plan(play("p", task("a"), barrier=barrier))).splitlines()
    assert [line for line in lines if "barrier:" in line] == ([f"    barrier: {words}"] if words else [])


@pytest.mark.parametrize(
    ("fields", "stops"),
    [
        ({}, "stops after 3 failed hosts of 3"),
        ({"max_fail_percentage": 0}, "stops after 1 failed host of 3"),
        ({"max_fail_percentage": 33}, "stops after 1 failed host of 3"),
        ({"max_fail_percentage": 34}, "stops after 2 failed hosts of 3"),
        ({"max_fail_percentage": 100}, "stops after 3 failed hosts of 3"),
        ({"canary": Amount(3)}, "stops if anything fails"),
    ],
)
def test_text_says_how_many_may_fail(plan: MakePlan, play: MakePlay, task: MakeTask, fields: Any, stops: str) -> None:
    assert f"  on failure: abandons dependent tasks; {stops}\n" in as_text(plan(play("p", task("a"), **fields)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"message": "Go  on?\n"}, 'asks "Go on?", for as long as there is no answer'),
        (
            {"message": "Go?", "timeout": "1h30m"},
            'asks "Go?"; rejected after 1 h 30 m without an answer',
        ),
        (
            {"message": "Go?", "timeout": 90, "default": "approve"},
            'asks "Go?"; approved after 90 s without an answer',
        ),
        (
            {
                "message": "Go?",
                "timeout": Template("{{ x }}", Position("p.yml")),
                "default": Template("{{ y }}", Position("p.yml")),
            },
            'asks "Go?"; after {{ x }} without an answer, default decides',
        ),
    ],
)
def test_text_says_what_people_are_asked(
    plan: MakePlan, play: MakePlay, task: MakeTask, arguments: dict[str, object], words: str
) -> None:
    asks = task("ask", arguments=arguments, run_once=True, action="approve")
    made = plan(play("p", asks))
    assert f"    ask  once, on the first available of app[1-3]; {words}\n" in as_text(made)
    [data] = json.loads(as_json(made))["plays"][0]["batches"][0]["waves"][0]["tasks"]
    shown = {name: text_of(value) if isinstance(value, Template) else value for name, value in arguments.items()}
    assert data["approval"] == {"message": None, "timeout": None, "default": None, **shown}


def test_json_holds_the_same_facts(rolling: Plan) -> None:
    [play] = json.loads(as_json(rolling))["plays"]
    assert {name: play[name] for name in ("order", "serial", "canary", "spread_by", "max_fail_percentage")} == {
        "order": "reverse_inventory",
        "serial": ["40%"],
        "canary": "1",
        "spread_by": None,
        "max_fail_percentage": 30,
    }
    assert play["keep_available"] == [
        {"group": "app", "least": 1, "hosts": 3},
        {"group": "db", "least": 1, "hosts": 2},
    ]
    assert [(batch["canary"], batch["stops_after"]) for batch in play["batches"]] == [(True, 1), (False, 1), (False, 1)]
    _, stop, flip = play["batches"][1]["waves"]
    assert stop["barrier"] == {"quorum": "50%", "jobs": 1, "deadline": 600, "late": "drop"}
    assert flip["barrier"] == {"quorum": "100%", "jobs": 2, "deadline": None, "late": "fail"}
    assert stop["tasks"][0]["throttle"] == 1
    [task] = flip["tasks"]
    assert task["any_errors_fatal"] is True
    assert task["start"] == {"max_skew": 0.1, "at": {"epoch": NOW + 716_400, "utc": "2026-12-08 07:53:20 UTC"}}


def test_dot_holds_the_same_facts(rolling: Plan, rollout: Plan) -> None:
    drawn = as_dot(rolling)
    assert (
        'label="roll\\napp: at least 1 of 3 hosts stay available\\ndb: at least 1 of 2 hosts stay available";' in drawn
    )
    assert 'label="batch 1, the canary: db2\\nstops if anything fails";' in drawn
    assert 'label="wave 2\\nbarrier: passes when all jobs have ended, or 10 m after the release;' in drawn
    assert "flip\\ndb2\\nstarts together on 1 host at " in drawn
    assert "within 100 ms or not at all\\na failure stops the play" in drawn
    assert '    label="check\\nstops after 1 failed host of 3";' in as_dot(rollout).splitlines()


def test_text_says_what_is_left_out(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    text = as_text(plan(play("p", task("a"), task("b", hosts="db")), play("q", task("c"), hosts="db"), limit="app"))
    assert "  left out by tags or limit: b\n" in text
    assert "play 2: q\n  waits for play 1\n  no hosts take part" in text


def test_json_holds_every_job_of_every_wave(rollout: Plan) -> None:
    data = json.loads(as_json(rollout))
    first = data["plays"][0]
    assert (first["name"], first["id"], first["needs"]) == ("rollout", "rollout", [])
    [batch] = first["batches"]
    assert batch["hosts"] == ["app1", "app2", "app3", "db1", "db2"]
    assert batch["waves"][0]["jobs"] == [{"task": "drain", "host": "lb1"}]
    assert batch["waves"][2]["jobs"] == [
        {"task": "migrate", "host": "db1"},
        *({"task": "unpack", "host": host} for host in batch["hosts"]),
    ]
    assert batch["waves"][3]["jobs"] == [{"task": "start", "host": "app1"}]
    assert [task["needs"] for task in batch["waves"][3]["tasks"]] == [["migrate", "unpack"]]
    assert data["plays"][1]["batches"][0]["waves"][0]["tasks"][0]["needs"] == ["rollout"]
    assert data["plays"][2]["batches"][0]["waves"][0]["tasks"][0]["needs"] == ["rollout.stop"]


def test_templates_are_shown_as_written(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    named = task("a", delegate_to=Template("{{ x }}", Position("p.yml")))
    assert "delegated to {{ x }}" in as_text(plan(play("p", named)))


def test_dot_draws_every_need(rollout: Plan) -> None:
    lines = as_dot(rollout).splitlines()
    assert lines[0] == "digraph plan {"
    assert lines[-1] == "}"
    assert '      s0 [label="drain\\nlb1"];' in lines
    edges = {line.strip() for line in lines if "->" in line}
    assert edges == {
        "s0 -> s1;",
        "s1 -> s2;",
        "s1 -> s3;",
        "s2 -> s4;",
        "s3 -> s4;",
        "s4 -> s5 [ltail=cluster_play0];",
        "s1 -> s6;",
        "s6 -> s7;",
    }
    assert sum(line.count("{") for line in lines) == sum(line.count("}") for line in lines)


def test_dot_quotes_names(plan: MakePlan, play: MakePlay, task: MakeTask) -> None:
    assert r'label="say \"hi\" \\ now\nstops after 3 failed hosts of 3";' in as_dot(
        plan(play('say "hi" \\ now', task("a")))
    )


def test_a_large_plan_is_rendered_quickly(
    plan: MakePlan, play: MakePlay, task: MakeTask, inventory_of: Callable[[Mapping[str, Sequence[str]]], Inventory]
) -> None:
    fleet = inventory_of({"app": [f"app{number:05}" for number in range(10_000)]})
    made = plan(play("p", *(task(f"t{number}") for number in range(20))), on=fleet)
    started = time.process_time()
    assert "app[00000-09999]" in as_text(made)
    assert len(as_json(made)) > 1_000_000
    assert time.process_time() - started < 30
