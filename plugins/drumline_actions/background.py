"""``async_status``: what becomes of a task that was left to run in the background."""

from __future__ import annotations

from drumline.plugin import Action, Argument, Call, Checks, Steps
from drumline.plugin.kit import state_in_background


def perform(call: Call) -> Steps:
    return (yield from state_in_background(call, call["jid"], erase=call["mode"] == "cleanup"))


ACTIONS = (
    Action(
        name="async_status",
        foreground=True,
        perform=perform,
        help="See to a task that was left to run in the background",
        checks=Checks.FULLY,
        arguments=(
            Argument(name="jid", required=True, help="ansible_job_id of the task that started it"),
            Argument(
                name="mode",
                choices=("status", "cleanup"),
                default="status",
                help="Say how far it has come, or remove what it left on the host",
            ),
        ),
    ),
)
