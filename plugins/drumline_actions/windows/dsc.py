"""``win_dsc``: resources of PowerShell's Desired State Configuration."""

from __future__ import annotations

from drumline.plugin import Action, Argument, Call, Checks, Platform, Steps
from drumline.plugin.kit import Script, ask, result_of

_DSC = Script.beside(__file__, "dsc")
_OWN = ("resource_name", "module_version")


def perform(call: Call) -> Steps:
    """Test the resource and, where need be, set it, in one round trip."""
    options = {name: value for name, value in call.arguments.items() if name not in _OWN}
    answer = yield from ask(call, _DSC, resource=call["resource_name"], version=call["module_version"], options=options)
    return result_of(answer)


ACTIONS = (
    Action(
        name="win_dsc",
        perform=perform,
        checks=Checks.FULLY,
        platforms=(Platform.WINDOWS,),
        help="Bring a resource of PowerShell DSC into the state that its properties describe",
        arguments=(
            Argument(name="resource_name", required=True, help="The resource; its properties are arguments too"),
            Argument(name="module_version", default="latest", help="The version of the resource's module"),
        ),
        open_arguments=True,
    ),
)
