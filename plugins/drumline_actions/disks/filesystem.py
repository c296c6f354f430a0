"""``filesystem``: a file system on a device."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, HostPath, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_FILESYSTEM = Script.beside(__file__, "filesystem")
_TYPES = (
    "bcachefs",
    "btrfs",
    "ext2",
    "ext3",
    "ext4",
    "ext4dev",
    "f2fs",
    "lvm",
    "ocfs2",
    "reiserfs",
    "swap",
    "vfat",
    "xfs",
)


def perform(call: Call) -> Steps:
    if call["state"] == "present" and not call["fstype"]:
        raise ActionFailed("state is present but all of the following are missing: fstype")
    given = {name: call[name] for name in ("dev", "state", "fstype", "force", "resizefs", "uuid")}
    answer = yield from ask(call, _FILESYSTEM, main=True, opts=call["opts"] or "", **given)
    return result_of(answer)


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    present = "state" not in written.open and written.arguments.get("state", "present") == "present"
    if present and not written.given("fstype"):
        yield "", "'filesystem' needs 'fstype', unless it has state: absent."


ACTIONS = (
    Action(
        name="filesystem",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Make a file system on a device",
        arguments=(
            Argument(name="dev", type=HostPath, required=True, aliases=("device",), help="The device, or a file"),
            Argument(name="fstype", choices=_TYPES, aliases=("type",), help="Type; lvm: for a volume group"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "present"),
                help="absent: whatever is there is wiped",
            ),
            Argument(name="force", type=bool, default=False, help="Destroy a file system of another type"),
            Argument(name="resizefs", type=bool, default=False, help="Let it grow to the size of the device"),
            Argument(name="opts", help="More options of the program that makes it"),
            Argument(name="uuid", help="Identifier of a new one"),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
