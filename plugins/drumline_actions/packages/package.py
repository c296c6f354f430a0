"""``package``: packages by whatever manager the host has."""

from __future__ import annotations

from drumline.plugin import Action, Argument, Call, Checks, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of
from drumline_actions.packages.apt import ACTIONS as APT
from drumline_actions.packages.apt import APT_PACKAGES, apt_variables
from drumline_actions.packages.dnf import ACTIONS as DNF
from drumline_actions.packages.dnf import RPM_PACKAGES, rpm_result, rpm_variables
from drumline_actions.verbs import OnWindows

_ON_WINDOWS = OnWindows(module="windows.chocolatey", name="win_chocolatey", common=("name", "state"))
#: Of other managers, which are theirs alone: those of dnf that apt has as well mean the same.
_OF_MANAGERS = {argument.name: argument for argument in (*DNF[0].arguments, *APT[0].arguments)}
_PACKAGE = Script.beside(__file__, "package", needs=(APT_PACKAGES, RPM_PACKAGES))


def perform(call: Call) -> Steps:
    names = [str(name) for name in call["name"]]
    whole = Call(
        host=call.host,
        platform=call.platform,
        arguments={**call.arguments, "name": names},
        environment=call.environment,
        check=call.check,
    )
    variables = rpm_variables(call) | apt_variables(whole, names) | {"use": _MANAGERS.get(call["use"], call["use"])}
    answer = yield from ask(call, _PACKAGE, main=True, most=8 << 20, **variables)
    return rpm_result(answer) if "rc" in answer else result_of(answer)


def _on_windows(call: Call) -> Steps:
    return (yield from _ON_WINDOWS.perform(call, state=_STATES.get(call["state"], call["state"])))


#: Other words for states, which Chocolatey hasn't.
_STATES = {"installed": "present", "removed": "absent"}
_OWN = ("name", "state", "use", "update_cache")
_MANAGERS = {"ansible.builtin.apt": "apt", "ansible.builtin.dnf": "dnf", "ansible.builtin.yum": "yum"}

ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="package",
            perform=perform,
            checks=Checks.FULLY,
            traits=Traits(removes=("state", "absent")),
            help="Install, upgrade or remove packages, by whatever the host has for them",
            arguments=(
                Argument(name="name", type=list, required=True, aliases=("pkg",), help="Packages"),
                Argument(
                    name="state",
                    default="present",
                    choices=("absent", "installed", "latest", "present", "removed"),
                    help="The wanted state",
                ),
                Argument(
                    name="use", default="auto", help="The manager: apt, dnf, apk, …; default: the one that is there"
                ),
                Argument(name="update_cache", type=bool, default=False, help="Read the lists of packages anew, first"),
                *(argument for name, argument in _OF_MANAGERS.items() if name not in _OWN),
            ),
        ),
        _on_windows,
    ),
)
