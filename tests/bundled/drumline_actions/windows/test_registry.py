"""``win_regedit`` and ``win_reg_stat`` on a real registry."""

from __future__ import annotations

from typing import Any

import pytest

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, Some

WINDOWS = [Platform.WINDOWS]
KEY = "HKCU:\\Software\\drumline test"


def clean(then: str = "") -> str:
    return f"Remove-Item -Recurse -Force -ErrorAction SilentlyContinue '{KEY}'; {then or '$null = 1'}"


def made(value: str = "") -> str:
    return clean(f"$null = New-Item -Force '{KEY}'; {value}")


def with_value(name: str, data: str, kind: str) -> str:
    return made(f"$null = New-ItemProperty -Path '{KEY}' -Name '{name}' -Value {data} -PropertyType {kind}")


class TestRegedit(ActionCases):
    action = "win_regedit"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("a key", {"path": KEY}, setup=clean(), changed=True),
        Case("a key that is there", {"path": KEY}, setup=made(), changed=False),
        Case(
            "a text, in a key that is made for it",
            {"path": KEY, "name": "where", "data": "C:\\Flagship ü"},
            setup=clean(),
            changed=True,
        ),
        Case(
            "a number in place of another",
            {"path": KEY, "name": "n", "data": 0xFFFFFFFF, "type": "dword"},
            setup=with_value("n", "1", "DWord"),
            changed=True,
            values={"data_changed": True, "data_type_changed": False},
        ),
        Case(
            "another type",
            {"path": KEY, "name": "n", "data": "1", "type": "qword"},
            setup=with_value("n", "1", "DWord"),
            changed=True,
            values={"data_type_changed": True},
        ),
        Case(
            "bytes", {"path": KEY, "name": "b", "data": "hex:be,ef,00", "type": "binary"}, setup=clean(), changed=True
        ),
        Case(
            "bytes as numbers",
            {"path": KEY, "name": "b", "data": [190, "0xef"], "type": "binary"},
            setup=clean(),
            changed=True,
        ),
        Case(
            "lines", {"path": KEY, "name": "m", "data": ["a", "b"], "type": "multistring"}, setup=clean(), changed=True
        ),
        Case(
            "text with the name of a variable",
            {"path": KEY, "name": "e", "data": "%TEMP%\\x", "type": "expandstring"},
            setup=clean(),
            changed=True,
        ),
        Case("the key's own value", {"path": KEY, "data": "x"}, setup=made(), changed=True),
        Case(
            "a value is deleted, and the key stays",
            {"path": KEY, "name": "n", "state": "absent"},
            setup=with_value("n", "1", "DWord"),
            changed=True,
        ),
        Case("a key is deleted", {"path": KEY, "state": "absent"}, setup=with_value("n", "1", "DWord"), changed=True),
        Case("what isn't there is gone", {"path": KEY, "state": "absent"}, setup=clean(), changed=False),
        Case("a number that isn't one", {"path": KEY, "name": "n", "data": "x", "type": "dword"}, failed="is a number"),
        Case("no hexadecimal", {"path": KEY, "name": "n", "data": "xyz", "type": "binary"}, failed="is hexadecimal"),
        Case("too large", {"path": KEY, "name": "n", "data": 1 << 32, "type": "dword"}, failed="more than 32 bits"),
    )


class TestStat(ActionCases):
    action = "win_reg_stat"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("no key", {"path": KEY}, setup=clean(), changed=False, values={"exists": False}),
        Case(
            "a key with its values",
            {"path": KEY},
            setup=with_value("n", "7", "DWord"),
            values={"exists": True, "sub_keys": [], "properties": {"n": Some(raw_value=7, type="DWord")}},
        ),
        Case(
            "a value",
            {"path": KEY, "name": "e"},
            setup=with_value("e", "'%TEMP%'", "ExpandString"),
            values={"exists": True, "type": "REG_EXPAND_SZ", "raw_value": "%TEMP%", "value": ...},
        ),
        Case("no value", {"path": KEY, "name": "x"}, setup=made(), values={"exists": False}),
    )


@pytest.mark.windows
@pytest.mark.parametrize(
    ("kind", "data", "raw"),
    [
        ("string", "x", "x"),
        ("dword", -1, -1),
        ("qword", "0x10", 16),
        ("binary", "be,ef", "beef"),
        ("multistring", ["a", "b"], ["a", "b"]),
        ("expandstring", "%TEMP%", "%TEMP%"),
    ],
)
def test_what_was_written_is_read(windows: ActionHost, kind: str, data: Any, raw: Any) -> None:
    windows("win_regedit", path=KEY, name="value", data=data, type=kind)
    assert windows("win_reg_stat", path=KEY, name="value").values["raw_value"] == raw
    windows("win_regedit", path=KEY, state="absent")


@pytest.mark.windows
def test_a_wrong_hive(windows: ActionHost) -> None:
    with pytest.raises(Exception, match="it begins with HKLM:"):
        windows("win_reg_stat", path="HKXX:\\x")
