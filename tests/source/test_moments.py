"""Durations and points in time as people write them."""

import os
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.source.moments import duration, instant


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("100ms", 0.1),
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1d 2h 3m 4s 5ms", 93_784.005),
        ("1.5s", 1.5),
        ("0s", 0),
        (" 10 m ", 600),
    ],
)
def test_a_duration_in_seconds(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", " ", "m", "10 min", "30m1h", "1m1m", "-5s", "1e3s", "1:30", "10M", "\u0661s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="A duration is written as 100ms, 90s, 10m, 1h30m or 2d"):
        duration(text)


@pytest.mark.parametrize("text", ["10", "0", "1.5"])
def test_a_duration_without_a_unit_is_told_the_units(text: str) -> None:
    with pytest.raises(ValueError, match=f"has a unit: write {text}m for minutes, {text}s for seconds, or {text}ms"):
        duration(text)


@given(st.integers(0, 99), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(
    days: int, hours: int, minutes: int, seconds: int, milliseconds: int
) -> None:
    text = f"{days}d{hours}h{minutes}m{seconds}s{milliseconds}ms"
    assert duration(text) == pytest.approx(((days * 24 + hours) * 60 + minutes) * 60 + seconds + milliseconds / 1000)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T02:00:00Z",
        "2026-12-01T02:00:00+00:00",
        "2026-12-01T03:00:00+01:00",
        "2026-12-01T03:00+01:00",
        "2026-12-01 03:00 +01:00",
        "2026-12-01t02:00:00.000Z",
        "2026-11-30 21:00:00 -05",
        "20261201T030000+0100",
        " 2026-12-01 02:00 Z ",
    ],
)
def test_an_instant(text: str) -> None:
    assert instant(text) == datetime(2026, 12, 1, 2, tzinfo=UTC).timestamp()


def test_an_instant_has_fractions() -> None:
    assert instant("1970-01-01T00:00:01.25Z") == 1.25


@pytest.mark.parametrize(
    ("text", "proposed"),
    [
        ("2026-12-01T02:00:00", "2026-12-01T02:00:00+01:00"),
        ("2026-07-01 02:00", "2026-07-01T02:00:00+02:00"),
        ("2026-12-01", "2026-12-01T00:00:00+01:00"),
    ],
)
def test_an_instant_without_a_zone_is_proposed_that_of_this_machine(berlin: None, text: str, proposed: str) -> None:
    with pytest.raises(ValueError, match="no zone") as error:
        instant(text)
    assert str(error.value).endswith(f"write {proposed}.")
    assert instant(proposed) == time.mktime(datetime.fromisoformat(text).timetuple())


@pytest.mark.skipif(os.name == "nt", reason="the limits of a POSIX platform")
@pytest.mark.parametrize("text", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_an_instant_at_the_end_of_all_calendars_is_a_mistake_like_any_other(text: str) -> None:
    with pytest.raises(ValueError, match="no zone"):
        instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59-12:00"])
def test_an_instant_that_utc_cannot_say(text: str) -> None:
    with pytest.raises(ValueError, match="In UTC its year isn't one from 1 to 9999"):
        instant(text)


@pytest.mark.parametrize(
    "text", ["", "02:00", "tomorrow", "1796090400", "7200", "2026-13-01T02:00Z", "2026-12-01 02:00 UTC"]
)
def test_what_is_no_instant(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-12-01T02:00:00\\+01:00"):
        instant(text)
