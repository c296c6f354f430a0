"""``drumline approve``: answer what a run asks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drumline.cli.options import completes, settings_with, state_option
from drumline.diagnostics import did_you_mean
from drumline.errors import UsageError

if TYPE_CHECKING:
    from drumline.execution.approvals import Reply
    from drumline.journal.store import Journal
    from drumline.model.event import ApprovalGiven, ApprovalRequested
    from drumline.model.plan import Plan
    from drumline.plugin.history import RunInfo

#: Seconds that a run has to take its answer, and between two checks whether it has.
_PATIENCE = 15.0
_INTERVAL = 0.1


@click.command("approve")
@click.argument("run", shell_complete=completes("runs"))
@click.option("--reject", is_flag=True, help="Reject: the task that asks fails.")
@click.option(
    "--task",
    metavar="ID",
    shell_complete=completes("tasks of a run"),
    help="Which task's question to answer, if several ask: its id, or play.id.",
)
@click.option("--comment", metavar="TEXT", default="", help="A comment to keep with the answer.")
@state_option
def command(run: str, reject: bool, task: str | None, comment: str, state: Path | None) -> None:
    """Approve or reject what a run asks, from any terminal.

    RUN is a number or id from 'drumline runs list'. The question is shown and answered in your name; then the
    command waits until the run has taken the answer. The first answer counts.

    Exit status: 0 if the answer was taken, otherwise 5.
    """
    from drumline.execution.approvals import Reply, whoami
    from drumline.journal.store import Journal
    from drumline.reporting.lines import printable

    journal = Journal(settings_with(state=state).state)
    found = journal.find(run)
    plan = journal.grown_plan(found)
    question = _question(journal, found, plan, task)
    click.echo(f"run {found.number}, {_name(plan, question)}: {printable(question.message)}")
    answer = Reply(approved=not reject, by=whoami(), comment=comment)
    if journal.answer(found, question, answer):
        decision = _taken(journal, found, question)
        if (decision.approved, decision.by, decision.comment) == (answer.approved, answer.by, answer.comment):
            click.echo(f"{_word(decision)} by {decision.by}")
            return
    else:
        decision = _taken(journal, found, question)
    raise UsageError("Already answered", f"{decision.by} has already {_word(decision)} it.")


def _question(journal: Journal, run: RunInfo, plan: Plan, task: str | None) -> ApprovalRequested:
    """The question to answer; ``UsageError`` if no question waits, or several do."""
    from drumline.reporting.lines import printable

    _require_alive(run)
    questions = {_name(plan, question): question for question in journal.questions(run)}
    chosen = {name: question for name, question in questions.items() if task in (None, name, name.partition(".")[2])}
    if len(chosen) == 1:
        return next(iter(chosen.values()))
    if not questions:
        raise UsageError("The run isn't asking anything", f"'drumline runs show {run.number}' shows what it is doing.")
    listed = "\n".join(
        f"--task {name}: {printable(question.message.splitlines()[0])}" for name, question in sorted(questions.items())
    )
    if not chosen:
        raise UsageError(
            "No task of this name is asking anything", f"'{task}'.{did_you_mean(str(task), questions)}\n{listed}"
        )
    raise UsageError("Several tasks are asking: say which one you mean", listed)


def _taken(journal: Journal, run: RunInfo, question: ApprovalRequested) -> ApprovalGiven:
    """The decision that the run has taken; ``UsageError`` if it takes none in time."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        now, is_open = journal.find(run.id), question in journal.questions(run)
        decision = journal.decision(run, question)  # read last: it may be what closed the question, or ended the run
        if decision is not None:
            return decision
        _require_alive(now)
        if not is_open:
            raise UsageError("The run is no longer asking", "It was interrupted before it took the answer.")
        if time.monotonic() > deadline:
            raise UsageError(
                "The run has not taken the answer yet",
                f"The answer is kept for it. Is its process suspended? See 'drumline runs show {run.number}'.",
            )
        time.sleep(_INTERVAL)


def _require_alive(run: RunInfo) -> None:
    if not run.alive:
        what = "finished" if run.finished else "gone: its process died"
        raise UsageError("The run is no longer asking anything", f"Run {run.number} is {what}.")


def _name(plan: Plan, question: ApprovalRequested) -> str:
    """``play.task`` of the task that asks."""
    step = plan.steps[question.job.step]
    return f"{plan.plays[step.play].play.id}.{step.task.id}"


def _word(answer: Reply | ApprovalGiven) -> str:
    return "approved" if answer.approved else "rejected"
