"""``lvg`` and ``lvol``: groups of volumes, and volumes in them."""

from __future__ import annotations

import re

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits
from drumline.plugin.kit import Script, ask, result_of

_GROUP = Script.beside(__file__, "lvg")
_VOLUME = Script.beside(__file__, "lvol")
_SIZE = re.compile(r"(?P<sign>[+-]?)(?P<number>\d+(?:\.\d+)?)(?P<unit>[bBsSkKmMgGtTpPeE]?)")
_SHARE = re.compile(r"(?P<sign>[+-]?)(?P<number>\d+)%(?P<of>VG|PVS|FREE|ORIGIN)")
_BYTES = {"b": 1, "s": 512} | {unit: 1024**power for power, unit in enumerate("kmgtpe", 1)}


def perform_group(call: Call) -> Steps:
    pvs = [str(one) for one in call["pvs"] or ()]
    flags = ("vg", "state", "pesize", "force", "pvresize", "remove_extra_pvs", "reset_pv_uuid", "reset_vg_uuid")
    given = {name: call[name] for name in flags}
    answer = yield from ask(
        call, _GROUP, main=True, pvs=pvs, pv_options=call["pv_options"], vg_options=call["vg_options"], **given
    )
    return result_of(answer)


def perform_volume(call: Call) -> Steps:
    lv, snapshot, pool = call["lv"], call["snapshot"], call["thinpool"]
    if not lv and not pool:
        raise ActionFailed("one of the following is required: lv, thinpool")
    name = snapshot or lv or pool
    size, share, sign = _size(call["size"])
    answer = yield from ask(
        call,
        _VOLUME,
        main=True,
        vg=call["vg"],
        name=name,
        kind="snapshot" if snapshot else "volume" if lv and not pool else "thin" if lv else "pool",
        origin=lv or "",
        pool=pool or "",
        state=call["state"],
        size=size,
        share=share,
        sign=sign,
        force=call["force"],
        shrink=call["shrink"],
        resizefs="--resizefs" if call["resizefs"] else "",
        active=call["active"],
        opts=call["opts"] or "",
        pvs=[str(one) for one in call["pvs"] or ()],
    )
    return result_of(answer)


def _size(written: str | None) -> tuple[str, str, str]:
    """Bytes, or a share as lvcreate takes it; and whether it is added or taken away."""
    if written is None:
        return "", "", ""
    text = written.strip()
    if share := _SHARE.fullmatch(text):
        if share["of"] != "ORIGIN" and int(share["number"]) > 100:
            raise ActionFailed("Size percentage cannot be larger than 100%")
        return "", f"{share['number']}%{share['of']}", share["sign"]
    if not (size := _SIZE.fullmatch(text)):
        raise ActionFailed(f"Bad size specification of '{written}': a number with a unit of bskmgtpe, or 50%FREE")
    number = float(size["number"]) * _BYTES[size["unit"].lower() or "m"]
    return str(int(number)), "", size["sign"]


_REMOVES = Traits(removes=("state", "absent"))

ACTIONS = (
    Action(
        name="lvg",
        perform=perform_group,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Keep a group of volumes (LVM)",
        arguments=(
            Argument(name="vg", required=True, help="Name of the group"),
            Argument(name="pvs", type=list, help="Devices that it is made of; needed to make it"),
            Argument(
                name="state",
                default="present",
                choices=("absent", "active", "inactive", "present"),
                help="active and inactive: its volumes can, or can't, be used",
            ),
            Argument(name="pesize", default="4", help="Size of its extents, in MiB or with a unit"),
            Argument(name="pv_options", default="", help="More options of pvcreate"),
            Argument(name="vg_options", default="", help="More options of vgcreate"),
            Argument(name="pvresize", type=bool, default=False, help="Use devices as far as they have grown"),
            Argument(name="remove_extra_pvs", type=bool, default=True, help="Take away devices that aren't named"),
            Argument(name="force", type=bool, default=False, help="Remove it with the volumes in it"),
            Argument(name="reset_pv_uuid", type=bool, default=False, help="Give its devices new identifiers"),
            Argument(name="reset_vg_uuid", type=bool, default=False, help="Give it a new identifier"),
        ),
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="lvol",
        perform=perform_volume,
        checks=Checks.FULLY,
        traits=_REMOVES,
        help="Keep a volume in a group (LVM)",
        arguments=(
            Argument(name="vg", required=True, help="Name of the group"),
            Argument(name="lv", help="Name of the volume; with snapshot, of which it is one"),
            Argument(name="size", help="Its size, in MiB or with a unit, or as 50%VG; with + or -, a change of it"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="active", type=bool, default=True, help="Whether it can be used"),
            Argument(name="force", type=bool, default=False, help="Remove or shrink it, whatever is in it"),
            Argument(name="shrink", type=bool, default=True, help="Shrink it where it is larger"),
            Argument(name="resizefs", type=bool, default=False, help="Resize the file system in it, too"),
            Argument(name="snapshot", help="Name of a snapshot of the volume"),
            Argument(name="thinpool", help="Name of a pool of thin volumes, in which it is"),
            Argument(name="pvs", type=list, help="Devices of the group to use"),
            Argument(name="opts", help="More options of lvcreate"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
