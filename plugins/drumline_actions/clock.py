"""``clock``: how far a host's clock is off."""

from __future__ import annotations

from drumline.plugin import (
    Action,
    Call,
    Checks,
    ClockReading,
    Effect,
    ReadClock,
    Result,
    Shows,
    Steps,
    Traits,
)


def perform(call: Call) -> Steps:
    reading: ClockReading = yield ReadClock()
    values = {"offset": reading.offset, "uncertainty": reading.uncertainty, "round_trip": reading.round_trip}
    return Result(values=values)


ACTIONS = (
    Action(
        name="clock",
        foreground=True,
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, shows=Shows.CLOCK),
        help="Compare the host's clock with this machine's",
    ),
)
