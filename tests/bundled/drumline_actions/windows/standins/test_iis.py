"""Actions for IIS, by stand-ins for the cmdlets of WebAdministration."""

from __future__ import annotations

import pytest

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, Some, here

WINDOWS = [Platform.WINDOWS]
OWN_USER = {"connect_as": "specific_user", "username": "u", "password": "p"}


class TestWebsite(ActionCases):
    action = "win_iis_website"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {
                "name": "Flagship",
                "physical_path": here(),
                "port": 8080,
                "hostname": "flagship.example",
                "application_pool": "Own",
                "site_id": 7,
                "state": "started",
                "parameters": "logfile.directory:D:\\logs|logfile.period:Hourly",
            },
            changed=True,
            values={"site": Some(name="Flagship", state="Started", id="7", application_pool="Own")},
        ),
        Case("as it is", {"name": "Default", "physical_path": "C:\\Windows\\", "state": "started"}, changed=False),
        Case("another directory", {"name": "Default", "physical_path": here()}, changed=True),
        Case(
            "it is stopped",
            {"name": "Default", "state": "stopped"},
            changed=True,
            values={"site": Some(state="Stopped")},
        ),
        Case("it is restarted", {"name": "Default", "state": "restarted"}, changed=True, repeats=False),
        Case("it is removed", {"name": "Default", "state": "absent"}, changed=True),
        Case("no directory", {"name": "New"}, failed="The site 'New' is new: 'physical_path' is needed"),
        Case("no such directory", {"name": "New", "physical_path": here("x")}, failed="does not exist"),
        Case("a quote", {"name": "it's"}, failed="Names in IIS can't have a quote"),
    )


class TestPool(ActionCases):
    action = "win_iis_webapppool"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {
                "name": "Own",
                "attributes": {
                    "managedRuntimeVersion": "",
                    "enable32BitAppOnWin64": True,
                    "processModel.identityType": "SpecificUser",
                    "processModel.password": "Secret",
                    "processModel.idleTimeout": "00:00:00",
                },
            },
            changed=True,
            values={"info": {"name": "Own", "state": "Started"}},
        ),
        Case(
            "as it is",
            {
                "name": "DefaultAppPool",
                "state": "started",
                "attributes": {"enable32BitAppOnWin64": False, "processModel.idleTimeout": "00:20:00"},
            },
            changed=False,
        ),
        Case("it is stopped", {"name": "DefaultAppPool", "state": "stopped"}, changed=True),
        Case(
            "one that is stopped is restarted",
            {"name": "DefaultAppPool", "state": "restarted"},
            setup="Stop-WebAppPool -Name DefaultAppPool",
            changed=True,
            repeats=False,
            values={"info": {"name": "DefaultAppPool", "state": "Started"}},
        ),
        Case("it is removed", {"name": "DefaultAppPool", "state": "absent"}, changed=True),
        Case("no such setting", {"name": "DefaultAppPool", "attributes": {"nope": 1}}, failed="has no property 'nope'"),
    )


class TestApplication(ActionCases):
    action = "win_iis_webapplication"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {"site": "Default", "name": "api/v1", "physical_path": here()} | OWN_USER,
            changed=True,
            values={"application_pool": "DefaultAppPool", "connect_as": "specific_user"},
        ),
        Case(
            "another pool",
            {"site": "Default", "name": "api", "application_pool": "Own", "connect_as": "pass_through"},
            setup="New-WebApplication -Site Default -Name api -PhysicalPath C:\\windows -ApplicationPool x",
            changed=True,
            values={"application_pool": "Own", "physical_path": "C:\\windows", "connect_as": "pass_through"},
        ),
        Case(
            "it is removed",
            {"site": "Default", "name": "api", "state": "absent"},
            setup="New-WebApplication -Site Default -Name api -PhysicalPath C:\\windows -ApplicationPool x",
            changed=True,
        ),
        Case("no such site", {"site": "Nope", "name": "api"}, failed="Website 'Nope' was not found"),
    )


class TestVirtualDirectory(ActionCases):
    action = "win_iis_virtualdirectory"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("a new one", {"site": "Default", "name": "files", "physical_path": here()} | OWN_USER, changed=True),
        Case(
            "it is removed",
            {"site": "Default", "name": "files", "state": "absent"},
            setup="New-WebVirtualDirectory -Site Default -Name files -Application '' -PhysicalPath C:\\windows",
            changed=True,
        ),
        Case(
            "no such application",
            {"site": "Default", "name": "f", "application": "a", "physical_path": here()},
            failed="The application 'a' of the site 'Default' was not found",
        ),
    )


class TestBinding(ActionCases):
    action = "win_iis_webbinding"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {"name": "Default", "port": 8443, "protocol": "https", "host_header": "h", "ssl_flags": "1"},
            changed=True,
            values={
                "operation_type": "added",
                "website_state": "Started",
                "binding_info": Some(bindingInformation="*:8443:h", sslFlags="1"),
            },
        ),
        Case("as it is", {"name": "Default"}, changed=False, values={"operation_type": "matched"}),
        Case("another flag", {"name": "Default", "ssl_flags": "1"}, changed=True, values={"operation_type": "updated"}),
        Case(
            "it is removed",
            {"name": "Default", "state": "absent"},
            changed=True,
            values={"operation_type": "removed"},
        ),
        Case(
            "no such certificate",
            {"name": "Default", "protocol": "https", "port": 443, "certificate_hash": "AB"},
            failed="Unable to locate certificate with the hash AB in the store my",
        ),
    )


def test_a_host_without_iis(plain: ActionHost) -> None:
    with pytest.raises(ActionFailed, match="win_feature installs Web-Server"):
        plain("win_iis_webapppool", name="x")


def test_a_diff_shows_no_password(windows: ActionHost) -> None:
    windows.settings = {"check": True, "diff": True}
    diff = windows("win_iis_webapppool", name="DefaultAppPool", attributes={"processModel.password": "Secret"}).diff
    assert diff == {
        "before": {"name": "DefaultAppPool", "processModel.password": "OLD_PASSWORD"},
        "after": {"name": "DefaultAppPool", "processModel.password": "NEW_PASSWORD"},
    }
