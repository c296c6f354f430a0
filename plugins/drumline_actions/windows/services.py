"""``win_service`` and ``win_service_info``: services of Windows."""

from __future__ import annotations

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_SHARED = Script.beside(__file__, "services")
_SERVICE = Script.beside(__file__, "service", needs=(_SHARED,))
_INFO = Script.beside(__file__, "service_info", needs=(_SHARED,))

_WINDOWS = (Platform.WINDOWS,)
_MODES = ("auto", "delayed", "disabled", "manual")
_STATES = ("absent", "paused", "started", "stopped", "restarted")


def perform_service(call: Call) -> Steps:
    keys = (
        "name",
        "path",
        "display_name",
        "description",
        "start_mode",
        "state",
        "username",
        "force_dependent_services",
    )
    wanted = {key: call[key] for key in keys}
    wanted["enabled"] = call.arguments.get("enabled")  # as `service` has it
    wanted["dependencies"], wanted["dependency_action"] = call["dependencies"], call["dependency_action"]
    password = call["password"]
    answer = yield from ask(
        call, _SERVICE, main=True, **wanted, password=password, update_password=call["update_password"]
    )
    return result_of(answer)


def perform_info(call: Call) -> Steps:
    answer = yield from ask(call, _INFO, main=True, name=call["name"])
    return result_of({"changed": False, **answer})


ACTIONS = (
    Action(
        name="win_service",
        perform=perform_service,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.ANYTHING, removes=("state", "absent")),
        platforms=_WINDOWS,
        help="Start, stop, make, change or delete a service",
        arguments=(
            Argument(name="name", required=True, help="Its short name or display name"),
            Argument(name="state", choices=_STATES, help="The wanted state; default: as it is"),
            Argument(name="start_mode", choices=_MODES, help="When it starts"),
            Argument(name="path", help="The command line of its program; needed for a new one"),
            Argument(name="display_name", help="The name that people see"),
            Argument(name="description", help="What is said about it"),
            Argument(name="username", help="Who it runs as, such as LocalSystem or DOMAIN\\user"),
            Argument(name="password", help="The password of that user"),
            Argument(
                name="update_password",
                default="always",
                choices=("always", "on_create"),
                help="Whether to set the password of one that is there",
            ),
            Argument(name="dependencies", type=list, help="Services that it needs"),
            Argument(
                name="dependency_action",
                default="set",
                choices=("set", "add", "remove"),
                help="What to do with the services that it needs",
            ),
            Argument(
                name="force_dependent_services",
                type=bool,
                default=False,
                help="Stop services that need it too, when it is stopped",
            ),
        ),
    ),
    Action(
        name="win_service_info",
        perform=perform_info,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        platforms=_WINDOWS,
        help="Describe services",
        arguments=(Argument(name="name", help="A name or pattern; default: all"),),
    ),
)
