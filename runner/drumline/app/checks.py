"""Mistakes that only a plan shows, and further ones in files that have one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from graphlib import CycleError

from drumline.app.prepared import Prepared, plan_of
from drumline.app.project import Project
from drumline.clock import SystemClock
from drumline.diagnostics import Diagnostic, Diagnostics
from drumline.errors import FilesError
from drumline.execution.preflight import Preflight
from drumline.inventory.scopes import Scopes
from drumline.loading.connection import check_connections
from drumline.loading.handlers import with_handlers
from drumline.loading.names import RESULTS, check_names, references
from drumline.loading.prompts import with_prompts
from drumline.loading.typos import check_typos
from drumline.loading.vars_files import with_vars_files
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Debugger, Playbook
from drumline.planning.expand import check_patterns
from drumline.planning.start_times import check_start_times
from drumline.source.mistakes import Mistakes


def look_further(
    project: Project, playbook: Playbook, inventory: Inventory | None, mistakes: Mistakes, *, undefined: bool
) -> None:
    """Find further mistakes in files that have one, so that one mistake doesn't hide another.

    ``inventory`` is None if it can't be read. With ``undefined``, undefined variables are mistakes.
    """
    known = inventory or Inventory()
    extra, actions, transports = project.extra, project.plugins.actions, project.plugins.transports
    scopes = Scopes(known, playbook, extra, project.templating)
    playbook = with_prompts(playbook, extra, False, mistakes.found)
    playbook = with_vars_files(playbook, scopes.render, mistakes.found, actions)
    hidden = any(mistake.hides_names for mistake in mistakes.found)  # what can't be read may define handlers, too
    noted = Diagnostics() if hidden else mistakes.found
    playbook = with_handlers(playbook, scopes.render, lambda _task: True, noted, Diagnostics(), actions=actions)
    undefined = undefined and inventory is not None and not any(mistake.hides_names for mistake in mistakes.found)
    mistakes.found.extend(check_names(playbook, known, extra, project.templating, undefined=undefined))
    if inventory is None or not inventory.hosts:
        return
    mistakes.of(lambda: check_patterns(playbook, known, scopes.render_pattern))
    mistakes.found.extend(check_connections(known.hosts.values(), transports))
    with suppress(FilesError, CycleError):  # the rest of the playbook may need a missing task, or itself
        plan = plan_of(playbook, inventory, scopes, shuffle=tuple)
        preflight = Preflight(plan, inventory, extra, actions=actions, transports=transports)
        preflight.check()
        mistakes.add_apart(preflight.mistakes, (task.position for play in playbook.plays for task in play.tasks))


def check_plan(
    prepared: Prepared, mentioned: Callable[[str], bool], mistakes: Diagnostics, warnings: Diagnostics
) -> None:
    """Add the mistakes that only the plan shows. ``mentioned`` says whether any template contains a word."""
    plan, extra, plugins = prepared.plan, prepared.extra_variables, prepared.registry
    if mentioned(RESULTS):  # few playbooks do
        from drumline.planning.references import check_results

        mistakes.extend(check_results(plan, references(plan.playbook, extra, prepared.templating)))
    mistakes.extend(check_start_times(plan, SystemClock().now()))
    preflight = _checked(prepared, plan)
    check_typos(preflight.names(), preflight.having, plugins.transports, mentioned, mistakes, warnings)
    if prepared.foreseen.added:
        _check_foreseen(prepared, preflight, mistakes)
    mistakes.extend(preflight.mistakes)
    warnings.extend(preflight.warnings)


def _checked(prepared: Prepared, plan: Plan) -> Preflight:
    plugins = prepared.registry
    preflight = Preflight(
        plan, prepared.inventory, prepared.extra_variables, actions=plugins.actions, transports=plugins.transports
    )
    preflight.check()
    return preflight


def _check_foreseen(prepared: Prepared, preflight: Preflight, mistakes: Diagnostics) -> None:
    """The same for what tasks will add; what the preflight finds of it is added to that of the plan."""
    from drumline.execution.growing import foreseen_parts  # imported late: few plans grow

    plan, inventory = prepared.plan, prepared.inventory
    scopes = Scopes(inventory, plan.playbook, prepared.extra_variables, prepared.templating)
    for part in foreseen_parts(plan, prepared.foreseen, inventory, scopes, prepared.selection, mistakes):
        check = _checked(prepared, part)
        preflight.mistakes.extend(check.mistakes)
        preflight.warnings.extend(check.warnings)


def unasked(plan: Plan) -> Iterable[Diagnostic]:
    """Debuggers that would ask at a terminal where there is none."""
    if all(step.task.debugger in (Debugger.NEVER, Debugger.ENABLED) for step in plan.steps):
        return ()
    from drumline.execution import debugging  # few tasks have a debugger

    return debugging.unasked(plan)
