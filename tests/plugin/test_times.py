"""A time of day is the next one; a date stays what it is."""

from __future__ import annotations

from datetime import UTC, datetime, time

from drumline.plugin import Moment


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_the_next_time_of_day(berlin: None) -> None:
    two = Moment(time(2))
    assert two.after(at("2026-12-01T01:59:00+01:00")) == at("2026-12-01T02:00:00+01:00")
    assert two.after(at("2026-12-01T02:00:00+01:00")) == at("2026-12-01T02:00:00+01:00")
    assert two.after(at("2026-12-01T02:00:01+01:00")) == at("2026-12-02T02:00:00+01:00")
    assert Moment(time(0, 0, 5)).after(at("2026-12-31T23:59:59+01:00")) == at("2027-01-01T00:00:05+01:00")


def test_a_day_on_which_the_clocks_are_changed_has_not_24_hours(berlin: None) -> None:
    noon = Moment(time(12))
    assert noon.after(at("2027-03-27T12:00:01+01:00")) == at("2027-03-28T12:00:00+02:00")
    assert noon.after(at("2026-10-24T12:00:01+02:00")) == at("2026-10-25T12:00:00+01:00")


def test_a_date_stays_what_it_is() -> None:
    moment = datetime(2026, 12, 1, 1, tzinfo=UTC).timestamp()
    assert Moment(moment).after(moment - 5) == Moment(moment).after(moment + 5) == moment
