"""``selinux``, ``seboolean`` and ``sefcontext``: what SELinux allows on the host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

import drumline_actions
from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of, state_diff

_REWRITE = Script.beside(drumline_actions.__file__, "rewrite")
_SELINUX = Script.beside(__file__, "selinux", needs=(_REWRITE,))
_BOOLEAN = Script.beside(__file__, "seboolean")
_CONTEXT = Script.beside(__file__, "sefcontext")
_POSIX = (Platform.POSIX,)
#: Kinds of files, as semanage lists them.
_KINDS = {
    "a": "all files",
    "b": "block device",
    "c": "character device",
    "d": "directory",
    "f": "regular file",
    "l": "symbolic link",
    "p": "named pipe",
    "s": "socket",
}


def perform_selinux(call: Call) -> Steps:
    if call["state"] != "disabled" and not call["policy"]:
        raise ActionFailed("Policy is required if state is not 'disabled'")
    given = {name: call[name] for name in ("state", "policy", "configfile", "update_kernel_param")}
    answer = yield from ask(call, _SELINUX, main=True, **given)
    reboot = bool(answer.pop("reboot", ""))
    said: list[Any] = answer.pop("done", [])
    result = result_of({**answer, "msg": ", ".join(said)}, configfile=str(call["configfile"]))
    return replace(result, values={**result.values, "state": call["state"], "reboot_required": reboot})


def perform_boolean(call: Call) -> Steps:
    answer = yield from ask(
        call,
        _BOOLEAN,
        main=True,
        name=call["name"],
        wanted="on" if call["state"] else "off",
        persistent=call["persistent"],
        offline=call["ignore_selinux_state"],
    )
    diff = state_diff(answer)
    values = {"name": call["name"], "state": call["state"], "persistent": call["persistent"]}
    return replace(result_of(answer, **values), diff=diff)


def perform_context(call: Call) -> Steps:
    if call["state"] == "present" and not call["substitute"] and not call["setype"]:
        raise ActionFailed("one of the following is required: setype, substitute")
    given = {name: call[name] for name in ("target", "state", "setype", "seuser", "selevel", "ftype")}
    answer = yield from ask(
        call,
        _CONTEXT,
        main=True,
        kind=_KINDS[call["ftype"]],
        substitute=call["substitute"] or "",
        offline=call["ignore_selinux_state"],
        no_reload="" if call["reload"] else "--noreload",
        **given,
    )
    diff = state_diff(answer, target=call["target"])
    return replace(result_of(answer, **given), diff=diff)


def check_selinux(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if written.arguments.get("state", "disabled") != "disabled" and not written.given("policy"):
        yield "", "'selinux' needs 'policy', unless it has state: disabled."


_OFFLINE = Argument(
    name="ignore_selinux_state", type=bool, default=False, help="Go on though SELinux is off, as in a chroot"
)
_STATE = Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there")

ACTIONS = (
    Action(
        name="selinux",
        perform=perform_selinux,
        checks=Checks.FULLY,
        help="Turn SELinux on or off, now and at the next start",
        arguments=(
            Argument(
                name="state", required=True, choices=("disabled", "enforcing", "permissive"), help="The wanted state"
            ),
            Argument(name="policy", help="Name of the policy: targeted"),
            Argument(
                name="configfile",
                type=HostPath,
                default=HostPath("/etc/selinux/config"),
                aliases=("conf", "file"),
                help="File that keeps it",
            ),
            Argument(
                name="update_kernel_param",
                type=bool,
                default=False,
                help="Have grubby turn it on or off for the kernel, too",
            ),
        ),
        check=check_selinux,
        platforms=_POSIX,
    ),
    Action(
        name="seboolean",
        perform=perform_boolean,
        checks=Checks.FULLY,
        help="Turn a switch of SELinux's policy on or off",
        arguments=(
            Argument(name="name", required=True, help="The switch: httpd_can_network_connect"),
            Argument(name="state", type=bool, required=True, help="Whether it is on"),
            Argument(name="persistent", type=bool, default=False, help="After the next start, too"),
            _OFFLINE,
        ),
        platforms=_POSIX,
    ),
    Action(
        name="sefcontext",
        perform=perform_context,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Say which SELinux context files get, by semanage fcontext",
        arguments=(
            Argument(name="target", required=True, aliases=("path",), help="Paths, as a regular expression"),
            Argument(name="setype", help="Their type"),
            Argument(name="substitute", aliases=("equal",), help="They are as those below this path, instead"),
            Argument(name="seuser", help="Their user; default for new ones: system_u"),
            Argument(name="selevel", aliases=("serange",), help="Their level; default for new ones: s0"),
            Argument(name="ftype", default="a", choices=tuple(_KINDS), help="Of which kind; a: of any"),
            _STATE,
            Argument(name="reload", type=bool, default=True, help="Have the policy in force read it"),
            _OFFLINE,
        ),
        exclusive=(("setype", "substitute"),),
        platforms=_POSIX,
    ),
)
