"""``timezone``, ``locale_gen``, ``modprobe`` and ``alternatives``: what the host is set to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

import drumline_actions
from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of, state_diff

_REWRITE = Script.beside(drumline_actions.__file__, "rewrite")
_TIMEZONE = Script.beside(__file__, "timezone")
_LOCALES = Script.beside(__file__, "locale_gen", needs=(_REWRITE,))
_MODPROBE = Script.beside(__file__, "modprobe", needs=(_REWRITE,))
_ALTERNATIVES = Script.beside(__file__, "alternatives")
_POSIX = (Platform.POSIX,)
_REMOVES = Traits(removes=("state", "absent"))


def perform_timezone(call: Call) -> Steps:
    answer = yield from ask(call, _TIMEZONE, main=True, name=call["name"], hwclock=call["hwclock"])
    diff = state_diff(answer)
    return replace(result_of(answer), diff=diff)


def perform_locales(call: Call) -> Steps:
    names = [str(name) for name in call["name"]]
    answer = yield from ask(call, _LOCALES, main=True, names=names, state=call["state"])
    ubuntu = bool(answer.pop("ubuntu", ""))
    mechanism = "ubuntu_legacy" if ubuntu else "glibc"
    return result_of(answer, name=names, ubuntu_mode=ubuntu, mechanism=mechanism)


def perform_modprobe(call: Call) -> Steps:
    given = {name: call[name] for name in ("name", "params", "state", "persistent")}
    answer = yield from ask(call, _MODPROBE, main=True, **given)
    return result_of(answer, **{name: call[name] for name in ("name", "params", "state")})


def perform_alternatives(call: Call) -> Steps:
    if call["state"] != "auto" and not call["path"]:
        raise ActionFailed(f"state is {call['state']} but all of the following are missing: path")
    others: list[str] = []
    for other in call["subcommands"] or ():
        if not isinstance(other, dict) or not {"name", "link", "path"} <= other.keys():
            raise ActionFailed("Each of 'subcommands' needs name, link and path")
        others += [str(other[part]) for part in ("link", "name", "path")]
    answer = yield from ask(
        call,
        _ALTERNATIVES,
        main=True,
        others=others,
        name=call["name"],
        path=call["path"] or "",
        link=call["link"] or "",
        priority=call["priority"],
        family=call["family"],
        state=call["state"],
    )
    said: list[Any] = answer.pop("done", [])
    return result_of({**answer, "msg": " ".join(said)})


def check_timezone(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given("name", "hwclock"):
        yield "", "'timezone' needs 'name' or 'hwclock'."


_STATE = Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there")

ACTIONS = (
    Action(
        name="timezone",
        perform=perform_timezone,
        checks=Checks.FULLY,
        help="Set the host's time zone",
        arguments=(
            Argument(name="name", help="The zone: Europe/Berlin"),
            Argument(name="hwclock", choices=("UTC", "local"), aliases=("rtc",), help="In which zone its clock is"),
        ),
        check=check_timezone,
        platforms=_POSIX,
    ),
    Action(
        name="locale_gen",
        perform=perform_locales,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Make languages available",
        arguments=(Argument(name="name", type=list, required=True, help="Locales: de_DE.UTF-8"), _STATE),
        platforms=_POSIX,
    ),
    Action(
        name="modprobe",
        perform=perform_modprobe,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Load or unload a module of the kernel",
        arguments=(
            Argument(name="name", required=True, help="The module"),
            _STATE,
            Argument(name="params", default="", help="Its parameters, where it is loaded"),
            Argument(
                name="persistent",
                default="disabled",
                choices=("absent", "disabled", "present"),
                help="Whether it is loaded when the host starts; disabled: leave that as it is",
            ),
        ),
        platforms=_POSIX,
    ),
    Action(
        name="alternatives",
        perform=perform_alternatives,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Choose among programs that do the same, by update-alternatives",
        arguments=(
            Argument(name="name", required=True, help="What they are called together: editor"),
            Argument(name="path", type=HostPath, help="The program"),
            Argument(name="link", type=HostPath, help="The link to it, for a name that isn't known yet"),
            Argument(name="priority", type=int, help="How much it is preferred; default for a new one: 50"),
            Argument(
                name="state",
                default="selected",
                choices=("absent", "auto", "present", "selected"),
                help="present: known; selected: known and chosen; auto: the best is chosen",
            ),
            Argument(
                name="subcommands", type=list, aliases=("slaves",), help="Links that follow it: name, link and path"
            ),
            Argument(name="family", help="What belongs together, on hosts of Red Hat's kind"),
        ),
        platforms=_POSIX,
    ),
)
