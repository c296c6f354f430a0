"""``sysctl`` and ``mount``: settings of the kernel, and file systems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import drumline_actions
from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_REWRITE = Script.beside(drumline_actions.__file__, "rewrite")
_SYSCTL = Script.beside(__file__, "sysctl", needs=(_REWRITE,))
_MOUNT = Script.beside(__file__, "mount", needs=(_REWRITE,))
#: States of a mount that need src and fstype.
_WHOLE = ("ephemeral", "mounted", "present")
_TRUTH = {"yes": "1", "true": "1", "on": "1", "no": "0", "false": "0", "off": "0"}


def perform_sysctl(call: Call) -> Steps:
    if call["state"] == "present" and call["value"] in (None, ""):
        raise ActionFailed("value cannot be None" if call["value"] is None else "value cannot be blank")
    value = str(call["value"] or "").strip()
    answer = yield from ask(
        call,
        _SYSCTL,
        main=True,
        name=call["name"],
        value=_TRUTH.get(value.lower(), value),
        state=call["state"],
        file=call["sysctl_file"],
        set=call["sysctl_set"],
        reload=call["reload"],
        ignoreerrors=call["ignoreerrors"],
        edited="",
    )
    return result_of(answer)


def perform_mount(call: Call) -> Steps:
    state = call["state"]
    if state in _WHOLE and not (call["src"] and call["fstype"]):
        raise ActionFailed(f"state is {state} but all of the following are missing: src, fstype")
    options = call["opts"] or "defaults"
    if not call["boot"] and "noauto" not in options.split(","):
        options = f"{options},noauto"
    if state == "ephemeral" and not call["boot"]:
        options = call["opts"] or "defaults"
    given: dict[str, Any] = {
        "src": call["src"] or "",
        "fstype": call["fstype"] or "",
        "opts": options,
        "dump": call["dump"],
        "passno": call["passno"],
    }
    fstab = call["fstab"] or HostPath("/etc/fstab")
    answer = yield from ask(
        call, _MOUNT, main=True, path=call["path"], state=state, fstab=fstab, backup=call["backup"], **given
    )
    shown = {name: value for name, value in given.items() if value}
    if call["opts_no_log"]:
        shown.pop("opts")
    return result_of(answer, name=call["path"], boot="yes" if call["boot"] else "no", fstab=str(fstab), **shown)


def check_mount(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    state = written.arguments.get("state")
    if state in _WHOLE:
        for name in ("src", "fstype"):
            if not written.given(name):
                yield "", f"'mount' with state: {state} needs '{name}'."


def check_sysctl(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    present = "state" not in written.open and written.arguments.get("state", "present") == "present"
    if present and not written.given("value"):
        yield "", "'sysctl' needs 'value', unless it has state: absent."


ACTIONS = (
    Action(
        name="sysctl",
        perform=perform_sysctl,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Keep a setting of the kernel in sysctl.conf",
        arguments=(
            Argument(name="name", required=True, aliases=("key",), help="Name of the setting: net.ipv4.ip_forward"),
            Argument(name="value", aliases=("val",), help="Its value"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether the file has it"),
            Argument(
                name="sysctl_file", type=HostPath, default=HostPath("/etc/sysctl.conf"), help="File that keeps it"
            ),
            Argument(name="sysctl_set", type=bool, default=False, help="Compare and set it in the kernel, too"),
            Argument(name="reload", type=bool, default=True, help="Have the kernel read the file after a change"),
            Argument(name="ignoreerrors", type=bool, default=False, help="Leave settings alone that it doesn't know"),
        ),
        check=check_sysctl,
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="mount",
        perform=perform_mount,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Keep a file system in fstab, and mounted",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("name",), help="Where it is mounted"),
            Argument(
                name="state",
                required=True,
                choices=(
                    *("absent", "absent_from_fstab", "ephemeral", "mounted", "present", "remounted", "unmounted"),
                ),
                help="present and absent_from_fstab: in fstab alone; ephemeral: mounted alone",
            ),
            Argument(name="src", help="What is mounted: a device, or what the type wants"),
            Argument(name="fstype", help="Type of the file system"),
            Argument(name="opts", help="Options; default: defaults"),
            Argument(name="boot", type=bool, default=True, help="Mount it when the host starts"),
            Argument(name="dump", default="0", help="The field of fstab of this name"),
            Argument(name="passno", default="0", help="The field of fstab of this name"),
            Argument(name="fstab", type=HostPath, help="File instead of /etc/fstab"),
            Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
            Argument(name="opts_no_log", type=bool, default=False, help="Leave opts out of the result"),
        ),
        check=check_mount,
        platforms=(Platform.POSIX,),
    ),
)
