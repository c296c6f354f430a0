"""Actions that add tasks to the plan: what they name is read and added by drumline itself."""

from __future__ import annotations

from drumline.plugin import Action, AddArguments, Argument, Call, Checks, Effect, Result, RoleArguments, Steps, Traits


def perform_include_tasks(call: Call) -> Steps:
    return Result(values={"include": call["file"], "include_args": {}})
    yield  # a generator, like every action


def perform_include_role(call: Call) -> Steps:
    return Result(values={"include_args": {name: call[name] for name in _SHOWN if call[name] is not None}})
    yield


_SHOWN = ("name", "tasks_from", "vars_from", "defaults_from", "handlers_from")


def _file(kind: str) -> Argument:
    return Argument(name=f"{kind}_from", help=f"File of the role's {kind} to use in the place of main")


ACTIONS = (
    Action(
        name="include_role",
        foreground=True,
        perform=perform_include_role,
        checks=Checks.FULLY,
        traits=Traits(
            effect=Effect.NOTHING,
            adds=AddArguments(
                name="name",
                role=RoleArguments(files=tuple((kind, f"{kind}_from") for kind in ("tasks", "vars", "defaults"))),
            ),
        ),
        help="Add the tasks of a role to the plan, on the hosts for which it is named",
        arguments=(
            Argument(name="name", required=True, aliases=("role",), help="The role"),
            Argument(name="apply", type=dict, help="Keywords that hold for its tasks"),
            *map(_file, ("tasks", "vars", "defaults", "handlers")),
            Argument(name="public", type=bool, default=False, help="Its variables hold for later tasks of the play"),
            Argument(name="allow_duplicates", type=bool, default=True, help="Accepted: it is always added"),
            Argument(name="rolespec_validate", type=bool, default=True, help="Check its arguments as it declares them"),
        ),
    ),
    Action(
        name="include_tasks",
        foreground=True,
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
