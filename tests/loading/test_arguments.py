"""Types of arguments for times and permissions, as people write them and as they come from templates."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
from support.makers import no_steps

from drumline.diagnostics import Diagnostics, Position
from drumline.errors import FilesError
from drumline.loading.arguments import check_arguments, coerce, coerce_arguments
from drumline.model.value import Template
from drumline.plugin import Action, Argument, Duration, Mode, Moment
from drumline.source.nodes import plain
from drumline.source.yaml import load
from drumline.templating.values import OMIT

PLACE = Position("p.yml", 3)


@pytest.mark.parametrize(
    ("written", "seconds"), [(10, 10), ("10", 10), (1.5, 1.5), ("10m", 600), ("1h30m", 5400), ("250ms", 0.25), (0, 0)]
)
def test_durations(written: Any, seconds: float) -> None:
    assert coerce(written, Duration) == seconds
    assert isinstance(coerce(written, Duration), Duration)


@pytest.mark.parametrize("wrong", ["-4", -1, True, "soon", [1], "10 parsecs", "nan", None])
def test_what_is_no_duration(wrong: Any) -> None:
    with pytest.raises(ValueError, match="takes seconds, or a duration such as 10m, but this is"):
        coerce(wrong, Duration)


@pytest.mark.parametrize(
    ("written", "when"),
    [
        ("02:00", time(2)),
        ("2:00", time(2)),
        ("23:59:30", time(23, 59, 30)),
        (750, time(12, 30)),  # 12:30 without quotes, as YAML 1.1 reads it
        (45015, time(12, 30, 15)),
        ("2026-12-01T02:00:00+01:00", 1_796_086_800.0),
        ("2026-12-01 01:00:00Z", 1_796_086_800.0),
    ],
)
def test_moments(written: Any, when: Any) -> None:
    assert coerce(written, Moment) == Moment(when)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("25:00", "hour must be in 0"),
        ("2026-12-01T02:00:00", "This time has no zone"),
        ("tomorrow", "A time has a date and a zone"),
        (2000, "hour must be in 0"),
        (-3, "A time has"),
        (True, "A time has"),
        ([1], "A time has"),
    ],
)
def test_what_is_no_moment(wrong: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        coerce(wrong, Moment)
    assert str(raised.value).startswith("takes a time of day, such as '02:00', or a date and time. ")


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("0644", "0644"),
        ('"0644"', "0644"),
        ('"644"', "644"),
        ("0o600", "600"),
        ("01777", "1777"),
        ("0", "0000"),
        ("493", "0755"),
        ("u=rwx,g=rx,o=", "u=rwx,g=rx,o="),
        ("'u+x,g-w,a=rX,+t'", "u+x,g-w,a=rX,+t"),
        ("preserve", "preserve"),
    ],
)
def test_permissions(written: str, mode: str) -> None:
    assert coerce(plain(load(f"mode: {written}", "x"))["mode"], Mode) == mode


@pytest.mark.parametrize(
    ("written", "hint"),
    [("755", '"0755"'), ("1777", '"1777"'), ("644", '"0644"'), ("420", '"0420"'), ("70", '"0070"')],
)
def test_a_decimal_number_that_looks_octal_is_no_mode(written: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"decimal number.* Write {hint}, in quotes"):
        coerce(plain(load(f"mode: {written}", "x"))["mode"], Mode)


@pytest.mark.parametrize("value", [True, -1, 7.5, "99", "rwxr-xr-x", "u=q", [], {}])
def test_what_is_no_mode_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="takes permissions, octal or symbolic"):
        coerce(value, Mode)


@pytest.mark.parametrize("name", ["no_such", "not_here"])
def test_what_may_be_omitted_is_refused_only_where_it_is_given(name: str) -> None:
    action = Action(
        name="do", perform=no_steps, help="Do it", arguments=(Argument(name="not_here", refused="Do without."),)
    )
    for value, refused in ((Template("{{ x | d(omit) }}", PLACE), False), (Template("{{ omitted }}", PLACE), True)):
        found = Diagnostics()
        check_arguments(action, {name: value}, lambda _name: PLACE, found)
        assert bool(found) == refused
    assert coerce_arguments(action, {name: OMIT}) == {"not_here": None}
    with pytest.raises(FilesError, match=name):
        coerce_arguments(action, {name: "x"})
