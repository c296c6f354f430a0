"""``pam_limits``: what users may use at most."""

from __future__ import annotations

from collections.abc import Iterator

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Edit, read_original, write_edit

_ITEMS = (
    *("as", "chroot", "core", "cpu", "data", "fsize", "locks", "maxlogins", "maxsyslogins", "memlock", "msgqueue"),
    *("nice", "nofile", "nproc", "priority", "rss", "rtprio", "sigpending", "stack"),
)
#: Values that mean that there is no limit.
_NONE = ("-1", "infinity", "unlimited")


def perform(call: Call) -> Steps:
    if fault := _fault(call["value"], call["limit_item"]):
        raise ActionFailed(fault)
    original = yield from read_original(call, call["dest"])
    lines = original.content.decode("utf-8", "surrogateescape").splitlines()
    key = (call["domain"], call["limit_type"], call["limit_item"])
    comment = f"\t#{call['comment']}" if call["comment"] else ""
    done: list[str] = []
    said = ""
    for line in lines:
        words = line.partition("#")[0].split()
        if tuple(words[:3]) != key or len(words) != 4:
            done.append(line)
        elif not said:  # one line is enough
            value = _value(call, words[3])
            said = line if value == words[3] else "\t".join([*key, value]) + comment
            done.append(said)
    if not said:
        said = "\t".join([*key, call["value"]]) + comment
        done.append(said)
    content = "".join(f"{line}\n" for line in done).encode("utf-8", "surrogateescape")
    if done == lines:
        content = original.content
    return (yield from write_edit(call, original, Edit(content=content, message=f"{said}\n")))


def _value(call: Call, has: str) -> str:
    """What is to be written where a line has this."""
    wanted: str = call["value"]
    if not (call["use_max"] or call["use_min"]) or has == wanted:
        return wanted
    choose = max if call["use_max"] else min
    return choose((has, wanted), key=_number)


def _number(value: str) -> float:
    if value in _NONE:
        return float("inf")
    try:
        return int(value)
    except ValueError:
        return float("-inf")


def _fault(value: str, item: str) -> str:
    if value in _NONE:
        return ""
    number = _number(value)
    if item in ("nice", "priority"):
        return "" if -20 <= number <= 19 else f"Value of {item!r} is a whole number of -20 to 19, not {value!r}"
    return "" if number >= 0 else f"Value must be unlimited, or a whole number of 0 or more, not {value!r}"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    value, item = written.arguments.get("value"), written.arguments.get("limit_item")
    if isinstance(value, str) and isinstance(item, str) and (fault := _fault(value, item)):
        yield "value", f"{fault}."


ACTIONS = (
    Action(
        name="pam_limits",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Keep a limit of a user or group in limits.conf",
        arguments=(
            Argument(name="domain", required=True, help="A user, @GROUP, or *"),
            Argument(name="limit_type", required=True, choices=("-", "hard", "soft"), help="-: both"),
            Argument(name="limit_item", required=True, choices=_ITEMS, help="What is limited"),
            Argument(name="value", required=True, help="How much: a number, or unlimited"),
            Argument(
                name="dest", type=HostPath, default=HostPath("/etc/security/limits.conf"), help="File on the host"
            ),
            Argument(name="comment", default="", help="What is written behind it"),
            Argument(name="use_max", type=bool, help="Leave a greater value"),
            Argument(name="use_min", type=bool, help="Leave a smaller value"),
            Argument(name="backup", type=bool, default=False, help="Keep the old file under another name"),
        ),
        exclusive=(("use_max", "use_min"),),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
