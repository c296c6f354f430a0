"""``service``, ``systemd`` and ``sysvinit``: start, stop and enable services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import HostAnswer, Script, ask, result_of
from drumline_actions.verbs import OnWindows

_SYSTEMD_UNIT = Script.beside(__file__, "systemd_unit")
_SYSTEMD = Script.beside(__file__, "systemd", needs=(_SYSTEMD_UNIT,))
_SERVICE = Script.beside(__file__, "service", needs=(_SYSTEMD_UNIT,))

#: The modes in which a service of Windows starts with the host.
_BY_ITSELF = ("auto", "delayed")
_STATES = ("reloaded", "restarted", "started", "stopped")
_OF_UNITS = ("state", "enabled", "masked")
#: What ``service`` may be asked for alone, where systemd runs the services.
_OF_SYSTEMD = ("masked", "daemon_reload", "daemon_reexec")
_ON_WINDOWS = OnWindows(module="windows.services", name="win_service", common=("name", "state", "enabled"))
_GLOBS = "*?["
_NO_GLOBS = "is no name of a service: patterns aren't taken, and this has one of * ? [."


def perform_systemd(call: Call) -> Steps:
    _refuse_globs(call["name"])
    if call["name"] is None and not all(call[name] is None for name in _OF_UNITS):
        raise ActionFailed(f"name is required for {', '.join(_OF_UNITS)}")
    answer = yield from ask(
        call,
        _SYSTEMD,
        main=True,
        unit=call["name"],
        options=_options(call),
        state=call["state"],
        enabled=_word(call["enabled"]),
        masked=_word(call["masked"]),
        daemon_reload=call["daemon_reload"],
        daemon_reexec=call["daemon_reexec"],
    )
    return result_of(_answer(answer), name=call["name"], status=_shown(answer.pop("status", "")))


def perform_service(call: Call) -> Steps:
    if call["state"] is None and call["enabled"] is None and not any(call.arguments.get(name) for name in _OF_SYSTEMD):
        raise ActionFailed("Neither 'state' nor 'enabled' set")
    _refuse_globs(call["name"])
    answer = yield from ask(
        call,
        _SERVICE,
        main=True,
        unit=call["name"],
        use=call.arguments.get("use", "sysvinit"),
        state=call["state"],
        enabled=_word(call["enabled"]),
        pattern=call["pattern"],
        arguments=call["arguments"],
        runlevel=call.arguments.get("runlevel", "default"),
        runlevels=" ".join(map(str, call.arguments.get("runlevels") or ())),
        sleep=call["sleep"],
        options=_options(call),
        masked=_word(call.arguments.get("masked")),
        daemon_reload=call.arguments.get("daemon_reload", False),
        daemon_reexec=call.arguments.get("daemon_reexec", False),
    )
    status = {"status": _shown(answer.pop("status"))} if "status" in answer else {}
    return result_of(_answer(answer), name=call["name"], **status)


def _on_windows(call: Call) -> Steps:
    if call["state"] is None and call["enabled"] is None:
        raise ActionFailed("Neither 'state' nor 'enabled' set")
    result = yield from _ON_WINDOWS.perform(call, enabled=call["enabled"])
    return replace(result, values={**result.values, "enabled": result.values.get("start_mode") in _BY_ITSELF})


def _options(call: Call) -> str:
    """Those of every ``systemctl``."""
    given = call.arguments
    options = [f"--{given['scope']}"] if given.get("scope", "system") != "system" else []
    options += ["--no-block"] if given.get("no_block") else []
    options += ["--force"] if given.get("force") else []
    return " ".join(options)


def _refuse_globs(name: str | None) -> None:
    if name is not None and any(letter in name for letter in _GLOBS):
        raise ActionFailed(f"'{name}' {_NO_GLOBS}")


def _word(wanted: bool | None) -> str:
    return "" if wanted is None else "yes" if wanted else "no"


def _answer(answer: HostAnswer) -> HostAnswer:
    if "enabled" in answer:
        answer["enabled"] = answer["enabled"] == "yes"
    return answer


def _shown(text: str) -> dict[str, str]:
    """What ``systemctl show`` says, by name; a value in braces may have several lines."""
    shown: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if name and shown[name].startswith("{") and not shown[name].rstrip().endswith("}"):
            shown[name] += f"\n{line}"
        elif "=" in line:
            name, _, value = line.partition("=")
            shown[name] = value
    return {name: value.strip() for name, value in shown.items()}


def check_systemd(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    for name in written.given(*_OF_UNITS):
        if not written.given("name"):
            yield name, f"'{name}' needs 'name'."
    yield from _check_name(written)


def check_service(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given("state", "enabled", *_OF_SYSTEMD):
        yield "", "'service' needs 'state' or 'enabled'."
    yield from _check_name(written)


def _check_name(written: Written) -> Iterable[tuple[str, str]]:
    name: Any = written.arguments.get("name")
    if name is not None and any(letter in name for letter in _GLOBS):
        yield "name", f"'{name}' {_NO_GLOBS}"


_STATE = Argument(
    name="state",
    choices=_STATES,
    only_on={"reloaded": Platform.POSIX},
    help="The wanted state; restarted and reloaded start it if it is stopped",
)
_ENABLED = Argument(name="enabled", type=bool, help="Whether it starts with the host")
_OF_SCRIPTS = (
    Argument(name="arguments", default="", aliases=("args",), help="More words for its init script"),
    Argument(
        name="pattern", help="It runs if a process has this text in its command line (init scripts without status)"
    ),
    Argument(name="sleep", type=int, help="Seconds between stop and start of a restart (init scripts)"),
)

#: For units of systemd.
_OF_UNIT = (
    Argument(name="masked", type=bool, help="Whether it can't be started at all"),
    Argument(
        name="daemon_reload",
        type=bool,
        default=False,
        aliases=("daemon-reload",),
        help="Read units again, before anything else",
    ),
    Argument(
        name="daemon_reexec",
        type=bool,
        default=False,
        aliases=("daemon-reexec",),
        help="Restart systemd itself, before anything else",
    ),
    Argument(
        name="scope",
        default="system",
        choices=("global", "system", "user"),
        help="Whose units: the host's, the user's that the task runs as, all users'",
    ),
    Argument(name="no_block", type=bool, default=False, help="Don't wait until it has started or stopped"),
    Argument(name="force", type=bool, help="Replace links to units that are in the way"),
)

ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="service",
            perform=perform_service,
            checks=Checks.FULLY,
            traits=Traits(removes=("state", "stopped")),
            help="Start, stop or enable a service",
            arguments=(
                Argument(name="name", required=True, help="Name of the service"),
                _STATE,
                _ENABLED,
                Argument(name="use", default="auto", help="What runs services: auto, systemd, openrc, sysvinit"),
                Argument(name="runlevel", default="default", help="In which runlevel it starts (OpenRC)"),
                *_OF_SCRIPTS,
                *_OF_UNIT,
            ),
            check=check_service,
        ),
        _on_windows,
    ),
    Action(
        name="systemd",
        perform=perform_systemd,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "stopped")),
        help="Start, stop, enable or mask a unit of systemd",
        arguments=(
            Argument(name="name", aliases=("service", "unit"), help="Name of the unit"),
            _STATE,
            _ENABLED,
            *_OF_UNIT,
        ),
        check=check_systemd,
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="sysvinit",
        perform=perform_service,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "stopped")),
        help="Start, stop or enable a service by its init script",
        arguments=(
            Argument(name="name", required=True, aliases=("service",), help="Name of the service"),
            _STATE,
            _ENABLED,
            *_OF_SCRIPTS[:2],
            Argument(name="sleep", type=int, default=1, help="Seconds between stop and start of a restart"),
            Argument(name="daemonize", type=object, help="Taken, and of no effect"),
            Argument(
                name="runlevels", type=list, help="In which runlevels it starts; default: those that its script names"
            ),
        ),
        check=check_service,
        platforms=(Platform.POSIX,),
    ),
)
