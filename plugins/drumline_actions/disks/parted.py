"""``parted``: partitions of a disk."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Platform,
    Result,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Answered, Script, ask, readable_text

_PARTED = Script.beside(__file__, "parted")
_LABELS = ("aix", "amiga", "bsd", "dvh", "gpt", "loop", "mac", "msdos", "pc98", "sun")
_UNITS = ("%", "B", "GB", "GiB", "KB", "KiB", "MB", "MiB", "TB", "TiB", "chs", "compact", "cyl", "s")

_BYTES: dict[str, int] = {"b": 1, "s": 512} | {f"{unit}b": 1000**power for power, unit in enumerate("kmgt", 1)}
_BYTES |= {f"{unit}ib": 1024**power for power, unit in enumerate("kmgt", 1)}


def perform(call: Call) -> Steps:
    if call["state"] != "info" and (fault := _fault(call.arguments)):
        raise ActionFailed(fault)
    found = yield from _parted(call, ())
    made, flags = _plan(call, found)
    script: list[str] = []
    for step in (made, flags):
        if not step:
            continue
        words = ["unit", call["unit"], *step]
        script += words
        if not call.check:
            found = yield from _parted(call, words)
    if call["state"] == "info":
        script = ["unit", call["unit"], "print"]
    return Result(changed=bool(made or flags), values={**found, "script": script})


def _parted(call: Call, words: Sequence[str]) -> Answered:
    """The disk and its partitions, after these words of parted are carried out."""
    align = "" if call["align"] == "undefined" else f"-a {call['align']}"
    answer = yield from ask(
        call, _PARTED, device=call["device"], words=shlex.join(words), align=align, unit=call["unit"]
    )
    return _described(readable_text(answer["shown"]), call["unit"])


def _described(shown: str, unit: str) -> dict[str, Any]:
    """What ``parted -m print`` says, line by line: the disk, and each partition."""
    lines = [line.rstrip(";").split(":") for line in shown.splitlines() if line.endswith(";")]
    lines = [line for line in lines if len(line) > 2]
    if not lines:
        raise ActionFailed(f"parted doesn't describe the device: {shown.strip()}")
    disk, *others = lines
    size, known_as = _number(disk[1])
    described = {
        "dev": disk[0],
        "size": size,
        "unit": known_as.lower() or unit.lower(),
        "table": disk[5],
        "model": disk[6],
        "logical_block": int(disk[3]),
        "physical_block": int(disk[4]),
    }
    return {"disk": described, "partitions": [_partition(line) for line in others]}


def _partition(line: Sequence[str]) -> dict[str, Any]:
    begin, unit = _number(line[1])
    flags = [flag.strip() for flag in line[6].split(",") if flag.strip()]
    return {
        "num": int(line[0]),
        "begin": begin,
        "end": _number(line[2])[0],
        "size": _number(line[3])[0],
        "fstype": line[4],
        "name": line[5],
        "flags": flags,
        "unit": unit.lower(),
    }


def _number(text: str) -> tuple[float, str]:
    """``10.5MiB`` in two parts."""
    digits = text.rstrip("%").rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    try:
        return float(digits), text[len(digits) :]
    except ValueError:  # cylinders, heads and sectors
        return 0.0, "chs"


def _plan(call: Call, found: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Words of parted that make, resize or remove the partition, and those that set its name and flags."""
    number = call["number"]
    here = next((one for one in found["partitions"] if one["num"] == number), None)
    if call["state"] == "info" or (call["state"] == "absent" and here is None):
        return [], []
    if call["state"] == "absent":
        return ["rm", str(number)], []
    made = []
    if found["disk"]["table"] != call["label"]:
        made, here = ["mklabel", call["label"]], None
    if here is None:
        kind = call["part_type"] if call["label"] in ("msdos", "dvh") or not call["name"] else "primary"
        made += ["mkpart", kind, *([call["fs_type"]] if call["fs_type"] else []), call["part_start"], call["part_end"]]
    elif call["resize"] and not _is_size(here["end"], here["unit"], call["part_end"]):
        made += ["resizepart", str(number), call["part_end"]]
    return made, _named(call, here or {"name": "", "flags": []})


def _is_size(end: float, unit: str, wanted: str) -> bool:
    """Whether a partition ends there already, but for what alignment adds; of a share of the disk that isn't known."""
    value, wanted_unit = _number(wanted)
    if unit not in _BYTES or (wanted_unit or unit).lower() not in _BYTES:
        return False
    return bool(abs(value * _BYTES[(wanted_unit or unit).lower()] - end * _BYTES[unit]) <= _BYTES["mib"])


def _named(call: Call, here: dict[str, Any]) -> list[str]:
    words: list[str] = []
    number = str(call["number"])
    if call["name"] is not None and call["name"] != here["name"]:
        words += ["name", number, f'"{call["name"]}"']
    if call["flags"] is not None:
        wanted = [str(flag) for flag in call["flags"]]
        if "esp" in wanted and "boot" not in wanted:  # parted turns both on, and both off
            wanted.append("boot")
        for flag in wanted:
            words += [] if flag in here["flags"] else ["set", number, flag, "on"]
        for flag in here["flags"]:
            words += [] if flag in wanted else ["set", number, flag, "off"]
    return words


def _fault(given: Any) -> str:
    if given.get("number") is None:
        return "'parted' needs 'number', unless it has state: info"
    if given.get("number", 1) < 1:
        return "'number' is 1 or more"
    if given.get("state") == "present" and given.get("label") == "gpt" and not given.get("name"):
        return "'name' is needed for partitions of gpt"
    return ""


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    changes = not written.open and written.arguments.get("state", "info") != "info"
    if changes and (fault := _fault(written.arguments)):
        yield "", f"{fault}."


ACTIONS = (
    Action(
        name="parted",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Make, resize or remove a partition of a disk",
        arguments=(
            Argument(name="device", required=True, help="The disk: /dev/sdb"),
            Argument(name="number", type=int, help="Which partition"),
            Argument(
                name="state", default="info", choices=("absent", "info", "present"), help="info: only say what there is"
            ),
            Argument(name="label", default="msdos", choices=_LABELS, help="Kind of the table; another one is replaced"),
            Argument(name="part_start", default="0%", help="Where it begins"),
            Argument(name="part_end", default="100%", help="Where it ends"),
            Argument(
                name="part_type",
                default="primary",
                choices=("extended", "logical", "primary"),
                help="Of which kind it is (msdos, dvh)",
            ),
            Argument(name="name", help="Its name (gpt, mac)"),
            Argument(name="fs_type", help="For which file system"),
            Argument(name="flags", type=list, help="All flags that it has: boot, lvm, …"),
            Argument(name="resize", type=bool, default=False, help="Make it end at part_end where it is there"),
            Argument(
                name="align",
                default="optimal",
                choices=("cylinder", "minimal", "none", "optimal", "undefined"),
                help="How it is aligned",
            ),
            Argument(name="unit", default="KiB", choices=_UNITS, help="Unit of numbers"),
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
