"""``win_reboot``, with the answers of a host that restarts: Wine doesn't."""

from __future__ import annotations

from drumline.plugin import Completed, ConnectionLost, Platform
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]
BEFORE, AFTER = (Completed(code=0, stdout=text) for text in (b"133000000000000000", b"133999999999999999"))
DONE = Completed(code=0)


class TestReboot(ActionCases):
    action = "win_reboot"
    platforms = WINDOWS
    cases = (
        Case(
            "it goes, and comes back",
            {},
            answers=[
                BEFORE,
                DONE,
                None,
                None,
                ConnectionLost("gone"),
                None,
                None,
                BEFORE,
                None,
                None,
                AFTER,
                DONE,
                None,
            ],
            changed=True,
            values={"rebooted": True, "elapsed": ...},
        ),
        Case(
            "it won't",
            {},
            answers=[BEFORE, Completed(code=5, stderr=b"Access is denied.(5)")],
            failed="Access is denied",
        ),
        Case("it doesn't say when it was started", {}, answers=[Completed(code=1, stderr=b"no")], failed="when it was"),
    )
