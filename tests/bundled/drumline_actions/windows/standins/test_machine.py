"""``win_timezone``, ``win_hostname`` and ``win_power_plan``, by stand-ins for programs; the registry is Wine's."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]


class TestTimezone(ActionCases):
    action = "win_timezone"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "another one",
            {"timezone": "W. Europe Standard Time_dstoff"},
            changed=True,
            values={"previous_timezone": "UTC", "timezone": "W. Europe Standard Time_dstoff"},
        ),
        Case("as it is", {"timezone": "UTC"}, changed=False, values={"timezone": "UTC"}),
        Case("no such zone", {"timezone": "Nope"}, failed="Nope isn't supported on the machine"),
    )


class TestHostname(ActionCases):
    action = "win_hostname"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("another one", {"name": "flagship-1"}, changed=True, values={"old_name": ..., "reboot_required": True}),
        Case("it is refused", {"name": "refused"}, failed="Access is denied"),
    )


class TestPowerPlan(ActionCases):
    action = "win_power_plan"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "another one",
            {"name": "high performance"},
            changed=True,
            values={"power_plan_enabled": True, "all_available_plans": {"Balanced": False, "High performance": True}},
        ),
        Case("as it is", {"guid": "381B4222-f694-41f0-9685-ff5bb260df2e"}, changed=False),
        Case("no such plan", {"name": "Nope"}, failed="It has: Balanced, High performance"),
    )
