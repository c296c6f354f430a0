"""Actions that add tasks to the plan: what they name is read and added by drumline itself."""

from __future__ import annotations

from drumline.plugin import Action, AddArguments, Argument, Call, Checks, Effect, Result, Steps, Traits


def perform_include_tasks(call: Call) -> Steps:
    return Result(values={"include": call["file"], "include_args": {}})
    yield  # a generator, like every action


ACTIONS = (
    Action(
        name="include_tasks",
        perform=perform_include_tasks,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, adds=AddArguments()),
        help="Add the tasks of a file to the plan, on the hosts for which it is named",
        arguments=(
            Argument(name="file", required=True, help="The file, beside this one or in the playbook's directory"),
            Argument(name="apply", type=dict, help="Keywords that hold for the tasks that are added"),
        ),
        free_form="file",
    ),
)
