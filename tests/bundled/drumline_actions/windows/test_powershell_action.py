"""``win_powershell`` in a real PowerShell."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing.cases import ActionCases, Case, Some, here

WINDOWS = [Platform.WINDOWS]


class TestPowerShell(ActionCases):
    action = "win_powershell"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "typed output",
            {"script": "1; 'a'; @{ n = 2; l = @(1, 2) }; [pscustomobject]@{ x = $true }; $null"},
            changed=True,
            values={"output": [1, "a", {"n": 2, "l": [1, 2]}, {"x": True}, None], "error": []},
            repeats=False,
        ),
        Case(
            "parameters of any type",
            {
                "script": 'param([string]$Name, [int[]]$Numbers, $Map) "$Name $($Numbers.Count) $($Map.a)"',
                "parameters": {"Name": "it's ü", "Numbers": [1, 2], "Map": {"a": "b"}},
            },
            values={"output": ["it's ü 2 b"]},
            repeats=False,
        ),
        Case(
            "a secret",
            {
                "script": 'param($Word, $User) "$($Word.GetType().Name) $($User.UserName)"',
                "sensitive_parameters": [
                    {"name": "Word", "value": "s3cret"},
                    {"name": "User", "username": "me", "password": "s3cret"},
                ],
            },
            values={"output": ["SecureString me"]},
            repeats=False,
        ),
        Case(
            "it says itself that nothing changed, and what the result is",
            {"script": "$Ansible.Changed = $false; $Ansible.Result = @{ count = 3 }"},
            changed=False,
            values={"result": {"count": 3}},
        ),
        Case(
            "an error that doesn't end it",
            {"script": "Write-Error 'oh'; Write-Warning 'careful'; Write-Output 'on'"},
            changed=True,
            values={"output": ["on"], "error": [Some(output="oh")], "warning": ["careful"]},
            repeats=False,
        ),
        Case("an error that ends it", {"script": "throw 'no way'"}, failed="no way"),
        Case("an error that is to end it", {"script": "Write-Error 'oh'", "error_action": "stop"}, failed="oh"),
        Case("it fails by itself", {"script": "$Ansible.Failed = $true"}, failed=""),
        Case("it is there", {"script": "throw 'x'", "creates": here()}, skipped=True),
    )
