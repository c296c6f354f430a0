"""``win_acl`` on Wine's own files and registry; what changes owners, ``icacls.exe``, is a stand-in."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here

WINDOWS = [Platform.WINDOWS]
KEY = "HKLM:\\Software\\DrumlineAcl"
MADE = f"Remove-Item '{KEY}' -Recurse -ErrorAction SilentlyContinue; $null = New-Item '{KEY}'"
#: Who owns what the tests make.
OWNER = "[Security.Principal.WindowsIdentity]::GetCurrent().User"


def has(rights: str, type: str = "Allow") -> str:
    """Gives Guests these rights on the key."""
    sid = "[Security.Principal.SecurityIdentifier]'S-1-5-32-546'"
    rule = f"({sid}), '{rights}', 'ContainerInherit', 'None', '{type}'"
    return (
        f"{MADE}; $root = [Microsoft.Win32.Registry]::LocalMachine;"
        " $key = $root.OpenSubKey('Software\\DrumlineAcl', 'ReadWriteSubTree', 'FullControl');"
        " $acl = $key.GetAccessControl('Access');"
        f" $acl.AddAccessRule([Security.AccessControl.RegistryAccessRule]::new({rule})); $key.SetAccessControl($acl)"
    )


class TestAcl(ActionCases):
    action = "win_acl"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a key",
            {"path": KEY, "user": "Guests", "rights": "ReadKey", "type": "allow"},
            setup=MADE,
            changed=True,
        ),
        Case(
            "denied, and for itself alone",
            {"path": KEY, "user": "BUILTIN\\Guests", "rights": "SetValue, Delete", "type": "deny", "inherit": "None"},
            setup=MADE,
            changed=True,
        ),
        Case(
            "less than it has",
            {"path": KEY, "user": "S-1-5-32-546", "rights": "ReadKey", "type": "allow"},
            setup=has("FullControl"),
            changed=False,
        ),
        Case(
            "it is taken away",
            {"path": KEY, "user": "Guests", "rights": "ReadKey", "type": "allow", "state": "absent"},
            setup=has("ReadKey"),
            changed=True,
        ),
        Case(
            "it isn't there",
            {"path": KEY, "user": "Guests", "rights": "ReadKey", "type": "allow", "state": "absent"},
            setup=has("ReadKey", "Deny"),
            changed=False,
        ),
        Case(
            "a directory",
            {"path": here("d"), "user": "Everyone", "rights": "Modify", "type": "allow"},
            before={"d/x": ""},
            changed=True,
            repeats=False,  # Wine keeps what the modes of files can say
        ),
        Case(
            "no such right",
            {"path": here("f"), "user": "Everyone", "rights": "ReadKey", "type": "allow"},
            before={"f": ""},
            failed="'ReadKey' is no right of a file: ",
        ),
        Case(
            "no such file",
            {"path": here("none"), "user": "Everyone", "rights": "Read", "type": "allow"},
            failed="does not exist",
        ),
        Case(
            "no such user",
            {"path": KEY, "user": "nope", "rights": "ReadKey", "type": "allow"},
            setup=MADE,
            failed="'nope' isn't known on this host",
        ),
    )


class TestOwner(ActionCases):
    action = "win_owner"
    platforms = WINDOWS
    cases = (
        Case(
            "another one, of all below",
            {"path": here("d"), "user": "Administrators", "recurse": True},
            before={"d/a/x": ""},
            changed=True,
            repeats=False,  # the stand-in sets nothing
        ),
        Case("no such file", {"path": here("none"), "user": "Administrators"}, failed="does not exist"),
    )


def test_who_owns_it_already(windows: ActionHost) -> None:
    windows.run(f"[AppDomain]::CurrentDomain.SetData('me', {OWNER}.Value)")
    with windows.directory() as there:
        there.fill({"d/x": ""})
        windows.settings = {"diff": True}
        given = windows("win_owner", path=there.at("d"), user="Administrators", recurse=True)
        assert isinstance(given.diff, dict)
        mine = given.diff["before"]["owner"]
        assert not windows("win_owner", path=there.at("d"), user=mine, recurse=True).changed
    windows.run(
        "$words = [AppDomain]::CurrentDomain.GetData('Icacls').words;"
        " if ($words -ne '/setowner *S-1-5-32-544 /C /Q /T') { throw $words }"
    )
