"""``drumline generate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drumline.cli.options import playbook_options, prepared_with, settings_with, state_option, working_directory
from drumline.errors import UsageError

if TYPE_CHECKING:
    from drumline.app import Prepared
    from drumline.model.plan import Plan

#: The exit status where two plans differ.
_CHANGES = 3


@click.command("generate")
@playbook_options
@click.option("--show", is_flag=True, help="Write the plays as a playbook, which runs by itself.")
@click.option(
    "--diff",
    "other",
    type=click.Path(path_type=Path, readable=False),
    metavar="OTHER",
    help="Show what differs from the plan of another file: an earlier version, or what --show wrote.",
)
@click.option("--diff-run", "run", metavar="RUN", help="Show what differs from the plan of an earlier run.")
@click.option(
    "--diff-revision", "revision", metavar="REVISION", help="Show what differs from the plan at a revision of git."
)
@state_option
def command(
    playbooks: tuple[Path, ...],
    show: bool,
    other: Path | None,
    run: str | None,
    revision: str | None,
    state: Path | None,
    **given: Any,
) -> None:
    """Show the plays that tables and rules give: from which rows they are, where they run, and what they need.

    PLAYBOOK is a generator file, or a playbook with 'generate'. Nothing is sent to any host.

    Exit status: 0, 3 when a comparison finds a difference, or 5 when the command line or the files are wrong.
    """
    if sum((show, other is not None, run is not None, revision is not None)) > 1:
        names = "--show, --diff, --diff-run and --diff-revision"
        raise UsageError(f"{names} exclude each other", "Give one of them.")
    prepared = prepared_with(playbooks, given)
    if show:
        click.echo(_written(playbooks, prepared), nl=False)
    elif other is not None:
        raise SystemExit(_diff(prepared_with([other], given).plan, prepared.plan))
    elif run is not None:
        from drumline.model.titles import titled

        raise SystemExit(_diff(_plan_of_run(run, state), titled(prepared.plan, str)))  # as the journal has it
    elif revision is not None:
        raise SystemExit(_diff(_plan_at(revision, playbooks, given), prepared.plan))
    else:
        click.echo("\n".join(_listed(prepared.plan)))


def _written(playbooks: tuple[Path, ...], prepared: Prepared) -> str:
    from drumline.app import written_plays
    from drumline.source.nodes import Node
    from drumline.source.yaml_writing import dump_node

    nodes = written_plays(playbooks, prepared)
    return "\n".join(dump_node(Node([node], node.position)) for node in nodes)


def _plan_of_run(run: str, state: Path | None) -> Plan:
    from drumline.cli.surroundings import surroundings

    with closing(surroundings().history_in(settings_with(state=state).state)) as history:
        return history.plan(history.find(run))


def _plan_at(revision: str, playbooks: tuple[Path, ...], given: dict[str, Any]) -> Plan:
    """The plan of the same files as they were, of those that are in the repository."""
    from drumline.cli.revisions import at_revision

    with at_revision(revision, working_directory()) as then:
        was = dict(given, inventory=tuple(map(then, given["inventory"])))  # keys and passwords are no part of a plan
        was["extra_vars"] = tuple(_file_then(text, then) for text in given["extra_vars"])
        was["limit"] = given["limit"] and _file_then(given["limit"], then)
        return prepared_with([Path(then(str(path))) for path in playbooks], was).plan


def _file_then(text: str, then: Callable[[str], str]) -> str:
    """``@FILE`` as it was."""
    return f"@{then(text[1:])}" if text.startswith("@") else text


def _diff(before: Plan, after: Plan) -> int:
    """Show what differs; returns the exit status."""
    from drumline.planning.views.changes import changes

    lines = changes(before, after)
    click.echo("\n".join(lines) if lines else "The plans are the same.")
    return _CHANGES if lines else 0


def _listed(plan: Plan) -> Iterator[str]:
    from drumline.diagnostics import counted
    from drumline.model.hostnames import fold_hosts
    from drumline.model.titles import origin_text

    rows = 0
    for planned in plan.plays:
        play = planned.play
        yield f"{play.id}: {counted(len(play.tasks), 'task')} on {fold_hosts(planned.hosts)}"
        if play.origin is not None:
            rows += len(play.origin.rows)
            yield f"  from {origin_text(play.origin)}"
        if planned.needs:
            yield f"  needs {', '.join(plan.plays[need].play.id for need in planned.needs)}"
    yield f"{counted(len(plan.plays), 'play')} from {counted(rows, 'row')}"
