"""Estimates of a run that isn't over: what was prepared, the journal and the forecast wired together."""

from __future__ import annotations

from functools import partial

from drumline.app import Prepared, plan_of, shuffled
from drumline.clock import SystemClock
from drumline.errors import FilesError
from drumline.forecast.costs import costs_of
from drumline.forecast.draws import Scenario, with_inlined
from drumline.forecast.durations import read_past
from drumline.forecast.estimate import Estimate, estimate
from drumline.forecast.remaining import Remaining
from drumline.inventory.scopes import Scopes
from drumline.journal.past import past_runs
from drumline.loading.inlined import inlined
from drumline.model.plan import Plan, as_known, without_later
from drumline.model.playbook import Task
from drumline.planning.tags import selected


def expected_plan(prepared: Prepared) -> Plan:
    """The plan with what its tasks will add, as far as that is known, as if it were imported."""
    plan, selection = prepared.plan, prepared.selection
    playbook = inlined(plan.playbook, prepared.foreseen)
    if playbook is plan.playbook:
        return plan
    scopes = Scopes(prepared.inventory, playbook, prepared.extra_variables, prepared.templating)
    try:
        return plan_of(
            playbook,
            prepared.inventory,
            scopes,
            partial(selected, tags=selection.tags, skip_tags=selection.skip_tags),
            limit=selection.limit,
            tags=selection.tags,
            skip_tags=selection.skip_tags,
            shuffle=shuffled,
            later=[planned.play.id for planned in plan.plays if planned.later],
        )
    except FilesError:  # something in it needs what only the run knows
        return plan


def estimate_of(
    prepared: Prepared,
    scenario: Scenario | None = None,
    *,
    plan: Plan | None = None,
    rounds: int | None = None,
    seed: int = 1,
) -> Estimate:
    """How long a run would take, judging by earlier runs of the playbook. The journal is only read.

    ``plan`` is the expected one, if it is at hand.
    """
    settings, plan = prepared.settings, as_known(plan or expected_plan(prepared))
    return estimate(
        plan,
        read_past(past_runs(settings.state, plan.playbook.path)),
        with_inlined(scenario or Scenario(), plan),
        forks=settings.forks,
        sessions=settings.sessions,
        costs=costs_of(prepared.inventory.hosts.values(), prepared.registry.transports),
        # The start of the run matters only to starts at a given time; otherwise the same question gets the same answer.
        begin=SystemClock().now() if any(_starts_at_a_moment(step.task) for step in plan.steps) else 0.0,
        rounds=rounds,
        seed=seed,
    )


def _starts_at_a_moment(task: Task) -> bool:
    return task.start is not None and task.start.at is not None


def remaining_of(prepared: Prepared, run: int) -> Remaining:
    """Estimates, during the run with this number, how much of it is left."""
    settings = prepared.settings
    costs = costs_of(prepared.inventory.hosts.values(), prepared.registry.transports)
    return Remaining(
        without_later(prepared.plan),
        settings.state,
        run=run,
        forks=settings.forks,
        sessions=settings.sessions,
        costs=costs,
        secrets=prepared.secrets,
    )
