"""``win_chocolatey`` and what sets Chocolatey up, by a stand-in for ``choco.exe``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.standins import PLACE

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case
from drumline_actions.windows import chocolatey

WINDOWS = [Platform.WINDOWS]


class TestChocolatey(ActionCases):
    action = "win_chocolatey"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("a package is there", {"name": ["git"]}, changed=False, values={"rc": 0}),
        Case(
            "a package is installed",
            {"name": ["git", "curl"], "package_params": "/x", "install_args": "/y /z"},
            changed=True,
            values={
                "rc": 0,
                "command": "choco.exe install curl --yes --limit-output --install-arguments /y /z"
                " --package-parameters /x --execution-timeout 2700",
            },
        ),
        Case("a restart is needed", {"name": ["nano"]}, changed=True, values={"rc": 3010, "reboot_required": True}),
        Case("no such package", {"name": ["nope"]}, failed="exit code 1: nope not installed"),
        Case("a version", {"name": ["curl"], "version": "8.0.0"}, changed=True),
        Case("another version", {"name": ["git"], "version": "2.45.1"}, failed="was expecting '2.45.1'"),
        Case("the same version", {"name": ["git"], "version": "2.40.0"}, changed=False),
        Case("by force", {"name": ["git"], "force": True}, changed=True, repeats=False),
        Case("the latest", {"name": ["git", "curl"], "state": "latest"}, changed=True),
        Case("all of them", {"name": ["all"], "state": "latest"}, changed=True),
        Case("an older one", {"name": ["git"], "version": "2.39.0", "state": "downgrade"}, changed=True),
        Case("gone", {"name": ["git"], "state": "absent", "remove_dependencies": True}, changed=True),
        Case("gone already", {"name": ["curl"], "state": "absent"}, changed=False),
        Case("again", {"name": ["git"], "state": "reinstalled"}, changed=True, repeats=False),
        Case("kept as it is", {"name": ["git"], "pinned": True}, changed=True),
        Case(
            "no longer kept",
            {"name": ["git"], "pinned": False},
            setup="choco.exe pin add --name git",
            changed=True,
        ),
    )


class TestPackage(ActionCases):
    action = "package"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("it is there", {"name": ["git"], "state": "installed"}, changed=False),
        Case("it is installed", {"name": ["git", "curl"]}, changed=True),
        Case("it is removed", {"name": ["git"], "state": "removed"}, changed=True),
        Case("an argument of POSIX", {"name": ["git"], "use": "apt"}, failed="no such thing as use"),
    )


class TestConfig(ActionCases):
    action = "win_chocolatey_config"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("it is set", {"name": "proxy", "value": "http://p:1"}, changed=True),
        Case(
            "it is unset",
            {"name": "proxy", "state": "absent"},
            setup="(Get-Chocolatey).config.proxy = 'x'",
            changed=True,
        ),
        Case("it is unset already", {"name": "proxy", "state": "absent"}, changed=False),
    )


class TestFeature(ActionCases):
    action = "win_chocolatey_feature"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("on", {"name": "allowGlobalConfirmation"}, changed=True),
        Case("off", {"name": "checksumFiles", "state": "disabled"}, changed=True),
        Case("no such feature", {"name": "nope"}, failed="Invalid feature name 'nope'"),
    )


class TestSource(ActionCases):
    action = "win_chocolatey_source"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one", {"name": "own", "source": "https://own/api", "priority": 1, "admin_only": True}, changed=True
        ),
        Case("nothing to make it of", {"name": "own"}, failed="must be set"),
        Case("one that is there", {"name": "chocolatey"}, changed=False),
        Case("another priority", {"name": "chocolatey", "priority": 5}, changed=True),
        Case("not asked any more", {"name": "chocolatey", "state": "disabled"}, changed=True),
        Case("a new one that isn't asked", {"name": "b", "source": "C:\\p", "state": "disabled"}, changed=True),
        Case("gone", {"name": "chocolatey", "state": "absent"}, changed=True),
    )


def test_what_isnt_meant_to_change_is_kept(windows: ActionHost) -> None:
    windows("win_chocolatey_source", name="chocolatey", priority=7, bypass_proxy=True)
    windows("win_chocolatey_source", name="chocolatey", priority=8)
    windows.run(
        "$row = (Get-Chocolatey).sources.chocolatey; if ($row.source -notmatch 'community' -or $row.priority -ne '8'"
        " -or $row.'bypass-proxy' -ne 'True') { throw ($row | Out-String) }"
    )


def test_chocolatey_itself_is_installed_first(windows: ActionHost, plain: ActionHost) -> None:
    with windows.directory() as there:
        there.fill({"install.ps1": f"$env:PSModulePath += ';{PLACE}'"})
        result = plain("win_chocolatey", name=["curl"], bootstrap_script=there.at("install.ps1"))
    assert result.changed
    assert result.values["command"].startswith("choco.exe install curl")


def test_a_script_that_installs_nothing(windows: ActionHost, plain: ActionHost) -> None:
    with windows.directory() as there:
        there.fill({"install.ps1": "1"})
        with pytest.raises(ActionFailed, match="still isn't there"):
            plain("win_chocolatey", name=["curl"], bootstrap_script=there.at("install.ps1"))


def test_passwords_are_not_in_the_result(windows: ActionHost) -> None:
    given: dict[str, Any] = {"source_username": "u", "source_password": "s3cret", "proxy_password": "pr0xy"}
    result = windows("win_chocolatey", name=["curl"], **given)
    assert result.changed
    assert "s3cret" not in str(result.values)
    assert "pr0xy" not in str(result.values)


def test_words_reach_a_program_as_they_are_by_any_powershell(windows: ActionHost) -> None:
    """Until 7.3 a PowerShell loses quotes and empty words of what it passes on; this one can do so, too."""
    script = Path(chocolatey.__file__).with_name("choco.ps1").read_text(encoding="utf-8")
    words = ["install", "", 'a "b c" d', 'x="y"', "C:\\end of\\", 'back\\"slash']
    quoted = ", ".join(f"'{word}'" for word in words)
    with windows.directory() as there:
        there.fill({"say.ps1": "[Console]::Out.Write((ConvertTo-Json -Compress -InputObject @($args)))"})
        windows.run(
            f"""{script}
$answer, $words = @{{}}, @({quoted})
$choco = (Get-Process -Id $PID).Path
$ours = '-NoProfile', '-NonInteractive', '-File', '{there.at("say.ps1")}'
$version = $PSVersionTable.PSVersion
try {{
    foreach ($other in $version, [version]'7.2', [version]'5.1') {{
        $PSNativeCommandArgumentPassing = if ($other -eq $version) {{ 'Standard' }} else {{ 'Legacy' }}
        $PSVersionTable.PSVersion = $other
        # 7.4 alone doubles the last backslash as 7.2 does and 5.1 doesn't.
        $passed = @($words | Where-Object {{ $other.Major -gt 5 -or -not $_.EndsWith('\\') }})
        $said = Invoke-Choco ($ours + $passed)
        $wanted = ConvertTo-Json -Compress -InputObject $passed
        if ($said -cne $wanted) {{ throw "$other`: $said instead of $wanted" }}
    }}
}}
finally {{ $PSVersionTable.PSVersion = $version }}"""
        )
