"""``win_service`` and ``win_service_info`` on real services."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing.cases import ActionCases, Case, Some

WINDOWS = [Platform.WINDOWS]
NAME = "drumlinetest"
GONE = f"Stop-Service {NAME} -ErrorAction SilentlyContinue; $null = sc.exe delete {NAME}; $null = 1"
#: A program of Windows that stays, and that may be started as a service.
MADE = (
    f"{GONE}; $null = New-Service -Name {NAME} -BinaryPathName 'C:\\windows\\system32\\spoolsv.exe' -StartupType Manual"
)
PATH = "C:\\windows\\system32\\spoolsv.exe"


class TestService(ActionCases):
    action = "win_service"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a service is made",
            {"name": NAME, "path": PATH, "start_mode": "manual", "display_name": "Drumline's test"},
            setup=GONE,
            changed=True,
            values={"exists": True, "state": "stopped", "start_mode": "manual", "display_name": "Drumline's test"},
        ),
        Case("no path", {"name": NAME, "state": "started"}, setup=GONE, failed="can't be made"),
        Case(
            "when it starts",
            {"name": NAME, "start_mode": "disabled"},
            setup=MADE,
            changed=True,
            values={"start_mode": "disabled"},
        ),
        Case(
            "it is as it should be",
            {"name": NAME, "start_mode": "manual", "state": "stopped"},
            setup=MADE,
            changed=False,
        ),
        Case(
            "it is started",
            {"name": NAME, "state": "started"},
            setup=MADE,
            changed=True,
            values={"state": "started"},
        ),
        Case(
            "it is stopped",
            {"name": NAME, "state": "stopped"},
            setup=f"{MADE}; Start-Service {NAME}",
            changed=True,
            values={"state": "stopped"},
        ),
        Case("it is deleted", {"name": NAME, "state": "absent"}, setup=MADE, changed=True, values={"exists": False}),
        Case("what isn't there is gone", {"name": NAME, "state": "absent"}, setup=GONE, changed=False),
    )


class TestInfo(ActionCases):
    action = "win_service_info"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "one service",
            {"name": NAME},
            setup=MADE,
            changed=False,
            values={"exists": True, "services": [Some(name=NAME, path=PATH, start_mode="manual", state="stopped")]},
        ),
        Case("none", {"name": "no such service"}, values={"exists": False, "services": []}),
    )
