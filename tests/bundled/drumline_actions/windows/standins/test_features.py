"""``win_feature`` and ``win_optional_feature``, by stand-ins for the cmdlets of ServerManager and Dism."""

from __future__ import annotations

import pytest

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, Some, here

WINDOWS = [Platform.WINDOWS]
DONE = {"error_code": 0, "message_type": "Information", "text": "done"}


class TestFeature(ActionCases):
    action = "win_feature"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "one is installed",
            {"name": ["Web-Server"]},
            changed=True,
            values={
                "exitcode": "Success",
                "reboot_required": False,
                "feature_result": [Some(id=2, display_name="The Web-Server", message=[DONE], success=True)],
            },
        ),
        Case(
            "with all that belongs to it",
            {"name": ["Web-Server"], "include_sub_features": True, "include_management_tools": True},
            changed=True,
            values={"feature_result": [Some(id=2), Some(id=355), Some(id=175)]},
        ),
        Case(
            "a restart is needed",
            {"name": ["NET-Framework-45", "Telnet-Client"]},
            changed=True,
            values={"exitcode": "SuccessRestartRequired", "reboot_required": True},
        ),
        Case("it is there", {"name": ["Telnet-Client"]}, changed=False, values={"exitcode": "NoChangeNeeded"}),
        Case("it is gone", {"name": ["Telnet-Client"], "state": "absent"}, changed=True),
        Case("from a source", {"name": ["Web-Server"], "source": here()}, changed=True),
        Case("no such feature", {"name": ["Nope"]}, failed="not valid: 'Nope'"),
        Case("it can't be installed", {"name": ["Broken"]}, failed="Failed to add the feature Broken: Failed"),
    )


class TestOptionalFeature(ActionCases):
    action = "win_optional_feature"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("enabled", {"name": ["TelnetClient", "TFTP"]}, changed=True, values={"reboot_required": False}),
        Case("enabled already", {"name": ["TFTP"]}, changed=False),
        Case("disabled", {"name": ["TFTP"], "state": "absent"}, changed=True),
        Case("with its parent", {"name": ["Child"], "include_parent": True}, changed=True),
        Case("from a source", {"name": ["Hyper"], "source": "D:\\s"}, changed=True, values={"reboot_required": True}),
        Case("no such feature", {"name": ["Nope"]}, failed="Feature name Nope is unknown"),
    )


def test_a_windows_that_is_no_server(plain: ActionHost) -> None:
    with pytest.raises(ActionFailed, match="no Windows Server; see win_optional_feature"):
        plain("win_feature", name=["Web-Server"])
