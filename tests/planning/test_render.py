import json
import time

import pytest

from drumline.diagnostics import Position
from drumline.model.playbook import Strategy
from drumline.model.value import Template
from drumline.planning.render import as_dot, as_json, as_text


@pytest.fixture
def rollout(plan, play, task):
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


def test_text_says_who_does_what_and_waits_for_whom(rollout):
    assert as_text(rollout).splitlines() == [
        "play 1: rollout",
        "  hosts: app[1-3], db[1-2] (5)",
        "  strategy: waves (each starts when the one before it is over)",
        "  on failure: leaves out what depends on it; stops after 5 failed of 5",
        "  wave 1: 1 host, 1 job",
        "    drain  on lb1",
        "  wave 2: 5 hosts, 5 jobs",
        "    stop  on app[1-3], db[1-2]; waits for drain",
        "  wave 3: 5 hosts, 6 jobs",
        "    migrate  on db1; carried out on app1; waits for stop",
        "    unpack   on app[1-3], db[1-2]; waits for stop",
        "  wave 4: 5 hosts, 1 job",
        "    start  on the first of app[1-3], db[1-2] that may; waits for migrate and unpack",
        "",
        "play 2: check",
        "  waits for play 1",
        "  hosts: app[1-3] (3)",
        "  strategy: waves (each starts when the one before it is over)",
        "  on failure: stops after 1 failed of 3",
        "  wave 1: 3 hosts, 3 jobs",
        "    look  on app[1-3]; waits for play 1",
        "",
        "play 3: watch",
        "  hosts: app[1-3] (3)",
        "  strategy: free (each task starts on a host as soon as its own needs are satisfied)",
        "  on failure: leaves out what depends on it; stops after 3 failed of 3",
        "  level 1: 3 hosts, 3 jobs",
        "    see  on app[1-3]; waits for rollout.stop",
        "  level 2: 3 hosts, 3 jobs",
        "    read  on app[1-3]; waits for see",
        "",
        "3 plays, 7 waves, 22 jobs",
    ]


def test_text_says_what_is_left_out(plan, play, task):
    text = as_text(plan(play("p", task("a"), task("b", hosts="db")), play("q", task("c"), hosts="db"), limit="app"))
    assert "  left out by tags or limit: b\n" in text
    assert "play 2: q\n  waits for play 1\n  none of its hosts take part" in text


def test_json_holds_every_job_of_every_wave(rollout):
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


def test_templates_are_shown_as_written(plan, play, task):
    named = task("a", delegate_to=Template("{{ x }}", Position("p.yml")))
    assert "carried out on {{ x }}" in as_text(plan(play("p", named)))


def test_dot_draws_every_need(rollout):
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


def test_dot_quotes_names(plan, play, task):
    assert r'label="say \"hi\" \\ now";' in as_dot(plan(play('say "hi" \\ now', task("a"))))


def test_a_large_plan_is_rendered_quickly(plan, play, task, inventory_of):
    fleet = inventory_of({"app": [f"app{number:05}" for number in range(10_000)]})
    made = plan(play("p", *(task(f"t{number}") for number in range(20))), on=fleet)
    started = time.perf_counter()
    assert "app[00000-09999]" in as_text(made)
    assert len(as_json(made)) > 1_000_000
    assert time.perf_counter() - started < 30
