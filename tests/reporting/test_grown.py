"""A plan that grew while its run went on, in what reports and jobs keep of it."""

from __future__ import annotations

import io
import json
import random

from support.worlds import P, World, any_growth, build, chain

from drumline.engine.instructions import Announce
from drumline.execution.gained import Gained
from drumline.journal.lines import describe
from drumline.model.event import Event, JobFinished, PlanGrown
from drumline.model.outcome import Status
from drumline.model.plan import Job
from drumline.plugin.runs import JobReport
from drumline.reporting.events_file import _EventLines
from drumline.reporting.lines import wave_number
from drumline.reporting.tracker import Tracker

PLAN = build(P(chain(["h0", "h1"], ["h0", "h1"])))
GROWTH = any_growth(PLAN, (Job(0, "h0"),), random.Random(3))
GROWN = PlanGrown(at=1.0, jobs=(Job(0, "h0"),), growth=GROWTH)


def grown_run() -> tuple[World, list[Event]]:
    world = World(PLAN, growing=0.8, seed=2).run()
    entries = [entry.event if isinstance(entry, Announce) else entry for entry in world.log]
    events = [entry for entry in entries if isinstance(entry, Event)]
    assert any(isinstance(event, PlanGrown) for event in events)
    return world, events


def test_a_report_knows_the_waves_that_were_added() -> None:
    world, events = grown_run()
    tracker = Tracker(world.first)
    for event in events:
        tracker.handle(event)
    assert tracker.plan.steps == world.plan.steps
    assert not list(tracker.open_waves())
    numbers = [wave_number(tracker.plan, wave) for wave in tracker.waves.values()]
    assert numbers[:2] == ["wave 1 of 2", "wave 1.1 of 2"]
    assert numbers[-1] == "wave 2 of 2" or numbers[-1].startswith("wave 2.")


def test_the_stream_of_events_says_what_was_added_and_names_it_later() -> None:
    world, events = grown_run()
    file = io.StringIO()
    lines = _EventLines(file, world.first)
    for event in events:
        lines(event)
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    grown = next(line for line in told if line["event"] == "PlanGrown")
    first = len(world.first.steps)
    assert grown["steps"][0]["step"] == first
    assert grown["steps"][0]["task"] == f"g{first}"
    assert any(job["task"] == f"g{first}" for line in told if line["event"] == "JobsStarted" for job in line["jobs"])


def test_what_was_added_is_described_without_its_arguments() -> None:
    [step, *_] = describe(GROWN, PLAN)["steps"]
    assert set(step) == {"step", "task", "wave", "hosts"}


def test_results_of_what_was_added_are_there_for_others() -> None:
    gained = Gained(PLAN, ())
    gained.follow(GROWN)
    step = next(step for step in GROWTH.steps if "h0" in step.hosts)
    event = JobFinished(at=2.0, job=Job(step.index, "h0"), status=Status.OK)
    gained.remember(JobReport(event=event, values={"rc": 7}))
    assert gained.plan.steps[step.index] == step
    assert gained.results.of_play(0)[step.task.id]["h0"]["rc"] == 7
