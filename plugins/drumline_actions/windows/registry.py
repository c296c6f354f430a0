"""``win_regedit`` and ``win_reg_stat``: keys and values of the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import Script, ask, result_of

_SHARED = Script.beside(__file__, "registry")
_EDIT = Script.beside(__file__, "regedit", needs=(_SHARED,))
_STAT = Script.beside(__file__, "reg_stat", needs=(_SHARED,))

_WINDOWS = (Platform.WINDOWS,)
_TYPES = ("none", "binary", "dword", "expandstring", "multistring", "string", "qword")
_NUMBERS = {"dword": 32, "qword": 64}


def perform_regedit(call: Call) -> Steps:
    kind, present = call["type"], call["state"] == "present"
    answer = yield from ask(
        call,
        _EDIT,
        main=True,
        path=call["path"],
        name=call["name"],
        kind=kind,
        data=_data(call["data"], kind) if present else None,
        present=present,
        key_alone=call["name"] is None and call["data"] is None,
        delete_key=call["delete_key"],
        hive=call["hive"],
    )
    type_changed = {"data_type_changed": bool(answer.pop("type_changed", False))}
    return result_of(answer, **type_changed, data_changed=bool(answer.pop("data_changed", False)))


def _data(data: Any, kind: str) -> Any:
    """The value as the script takes it: text, a list of texts, a number as text, bytes in hexadecimal."""
    if data is None:
        return {"multistring": [], "binary": "", "none": "", "dword": "0", "qword": "0"}.get(kind, "")
    if kind == "multistring":
        return [str(item) for item in data] if isinstance(data, list) else [str(data)]
    if kind in ("binary", "none"):
        return _bytes(data).hex()
    if kind in _NUMBERS:
        return str(_number(data, _NUMBERS[kind]))
    return str(data)


def _bytes(data: Any) -> bytes:
    if isinstance(data, list):
        return bytes(int(str(item), 0) if not isinstance(item, int) else item for item in data)
    text = str(data).lower().removeprefix("hex:").replace(",", "").replace(" ", "")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ActionFailed(f"data of type binary is hexadecimal, such as hex:be,ef; this isn't: {data!r}") from None


def _number(data: Any, bits: int) -> int:
    """As the registry keeps it: without a sign."""
    try:
        number = int(data, 0) if isinstance(data, str) else int(data)
    except (TypeError, ValueError):
        kind = "dword" if bits == 32 else "qword"
        raise ActionFailed(f"data of type {kind} is a number; this isn't: {data!r}") from None
    if not -(1 << (bits - 1)) <= number < 1 << bits:
        raise ActionFailed(f"data {number} needs more than {bits} bits")
    return number % (1 << bits)


def perform_stat(call: Call) -> Steps:
    answer = yield from ask(call, _STAT, main=True, path=call["path"], name=call["name"])
    return result_of(answer)


def check_regedit(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    known = written.arguments
    if "path" not in written.open and isinstance(known.get("path"), str):
        hive = known["path"].replace("/", "\\").split("\\")[0].rstrip(":").upper()
        if hive not in _HIVES:
            yield "path", f"A path begins with one of {', '.join(f'{name}:' for name in _HIVES)}."


_HIVES = ("HKLM", "HKCU", "HKCR", "HKCC", "HKU")

ACTIONS = (
    Action(
        name="win_regedit",
        perform=perform_regedit,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=_WINDOWS,
        help="Make, change or delete a key or a value of the registry",
        arguments=(
            Argument(name="path", required=True, aliases=("key",), help="The key, such as HKLM:\\Software\\Flagship"),
            Argument(name="name", aliases=("entry", "value"), help="The value; default: the key's own"),
            Argument(name="data", type=object, help="What the value holds"),
            Argument(name="type", default="string", aliases=("datatype",), choices=_TYPES, help="Type of the data"),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(
                name="delete_key",
                type=bool,
                default=True,
                help="With state absent and without name: delete the key, not only its own value",
            ),
            Argument(name="hive", help="A file with a hive, such as NTUSER.DAT, which is loaded as HKLM:\\ANSIBLE"),
        ),
        check=check_regedit,
    ),
    Action(
        name="win_reg_stat",
        perform=perform_stat,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        platforms=_WINDOWS,
        help="Describe a key or a value of the registry",
        arguments=(
            Argument(name="path", required=True, aliases=("key",), help="The key, such as HKLM:\\Software\\Flagship"),
            Argument(name="name", aliases=("entry", "value", "property"), help="The value; default: the key itself"),
        ),
    ),
)
