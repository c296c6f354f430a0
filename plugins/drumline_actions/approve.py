"""``approve``: whatever needs this task waits until someone approves it."""

from __future__ import annotations

from datetime import UTC, datetime

from drumline.plugin import (
    Action,
    ActionFailed,
    Approval,
    ApprovalArguments,
    Argument,
    Ask,
    Call,
    Duration,
    Effect,
    Result,
    Steps,
    Traits,
)


def perform(call: Call) -> Steps:
    timeout, default = call["timeout"], call["default"]
    if not call["message"].strip():
        raise ActionFailed("approve needs a message that people can decide on")
    if default is not None and timeout is None:
        raise ActionFailed("default has no meaning without timeout, since there is no time limit")
    approval: Approval = yield Ask(message=call["message"].strip(), timeout=timeout, default=default == "approve")
    at = datetime.fromtimestamp(approval.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if approval.by == "nobody":
        said = f"since no one answered in {timeout:g} seconds"
    else:
        said = f"by {approval.by}{f': {approval.comment}' if approval.comment else ''}"
    if not approval.approved:
        raise ActionFailed(f"rejected {said}", rejected_by=approval.by, rejected_at=at)
    return Result(
        message=f"approved {said}",
        values={"approved_by": approval.by, "approved_at": at, "comment": approval.comment},
    )


ACTIONS = (
    Action(
        name="approve",
        foreground=True,
        perform=perform,
        traits=Traits(effect=Effect.NOTHING, asks=ApprovalArguments()),
        help="Ask people whether the run may go on",
        arguments=(
            Argument(name="message", required=True, help="The question to ask"),
            Argument(name="timeout", type=Duration, help="How long to wait for an answer; default: forever"),
            Argument(
                name="default",
                choices=("approve", "reject"),
                help="The decision if the time is up; default: `reject`",
            ),
        ),
        once=True,
    ),
)
