"""``win_dsc`` and ``win_psmodule``, by stand-ins for the cmdlets of DSC and PowerShellGet."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]
THING = {"resource_name": "Thing", "Key": "a"}


class TestDsc(ActionCases):
    action = "win_dsc"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "properties of all types",
            THING
            | {"ensure": "Present", "Count": "3", "Enabled": "yes", "Names": "x, y", "When": "2027-01-31T10:00:00Z"}
            | {"Map": {"b": 1}, "PsDscRunAsCredential_username": "u", "PsDscRunAsCredential_password": "p"},
            changed=True,
            values={"module_version": "1.10.0", "reboot_required": False},
        ),
        Case(
            "another version",
            THING | {"module_version": "1.9.0"},
            changed=True,
            values={"module_version": "1.9.0", "reboot_required": True},
        ),
        Case("no such version", THING | {"module_version": "7"}, failed="Versions installed: 1.9.0, 1.10.0."),
        Case("no such resource", {"resource_name": "Nope"}, failed="Resource 'Nope' not found."),
        Case("no such property", THING | {"Nope": 1}, failed="Unsupported arguments of the resource Thing: Nope."),
        Case("no key", {"resource_name": "Thing"}, failed="missing required arguments: Key"),
        Case("no such value", THING | {"Ensure": "Here"}, failed="value of Ensure must be one of: Absent, Present"),
        Case("no number", THING | {"Count": "many"}, failed="value of Count can't be converted to UInt16: many"),
        Case("it fails", THING | {"Key": "broken"}, failed="with error message: it is broken"),
    )


def test_values_have_the_types_of_the_properties(windows: ActionHost) -> None:
    given = {"Count": 3, "Enabled": False, "Names": ["x"], "When": "2027-01-31T10:00:00Z", "Map": {"b": 1}}
    login = {"PsDscRunAsCredential_username": "u", "PsDscRunAsCredential_password": "p"}
    windows("win_dsc", **THING, **given, **login)
    wanted = (
        "Count(UInt16)=3 Enabled(Boolean)=False Key(String)=a Map(Hashtable)=b=1 Names(String[])=x"
        " PsDscRunAsCredential(PSCredential)=u:p When(DateTime)=2027-01-31T10:00:00"
    )
    windows.run(
        f"$is = [AppDomain]::CurrentDomain.GetData('Dsc').state.a; if ($is -ne '{wanted}') {{ throw \"it is $is\" }}"
    )


class TestPsModule(ActionCases):
    action = "win_psmodule"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {"name": "Carbon"},
            changed=True,
            values={"nuget_changed": True, "output": "Module Carbon installed"},
        ),
        Case("any version will do", {"name": "Pester"}, changed=False),
        Case("this version is there", {"name": "Pester", "required_version": "3.4.0"}, changed=False),
        Case("another version", {"name": "Pester", "required_version": "4.0.0"}, changed=True),
        Case("a later one", {"name": "Pester", "minimum_version": "5.2"}, changed=True),
        Case("the latest", {"name": "Pester", "state": "latest"}, changed=True),
        Case(
            "not released yet",
            {"name": "Flagship", "repository": "Own", "allow_prerelease": True, "username": "u", "password": "p"},
            changed=True,
        ),
        Case("its commands are there", {"name": "Clash"}, failed="may override the existing commands"),
        Case("they may be hidden", {"name": "Clash", "allow_clobber": True}, changed=True),
        Case("PowerShellGet is old", {"name": "Carbon", "accept_license": True}, failed="too old for: AcceptLicense"),
        Case("gone", {"name": "Pester", "state": "absent"}, changed=True),
        Case("one version is gone", {"name": "Pester", "required_version": "3.4.0", "state": "absent"}, changed=True),
        Case("no such module", {"name": "Nope"}, failed="No match was found"),
    )
