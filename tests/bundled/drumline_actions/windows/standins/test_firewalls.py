"""``win_firewall`` and ``win_firewall_rule``, by stand-ins for the cmdlets of NetSecurity."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case

WINDOWS = [Platform.WINDOWS]


class TestFirewall(ActionCases):
    action = "win_firewall"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "on everywhere",
            {"state": "enabled"},
            changed=True,
            values={"enabled": True, "state": "enabled", "profiles": ["Domain", "Private", "Public"]},
        ),
        Case("off already", {"state": "disabled", "profiles": ["Public"]}, changed=False),
        Case(
            "what comes in",
            {"state": "enabled", "profiles": ["Domain"], "inbound_action": "block", "outbound_action": "allow"},
            changed=True,
        ),
        Case("no such profile", {"state": "enabled", "profiles": ["Nope"]}, failed="equal to 'Nope'"),
    )


class TestFirewallRule(ActionCases):
    action = "win_firewall_rule"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {
                "name": "App",
                "protocol": "tcp",
                "localport": "8443,9000-9010",
                "remoteip": "10.1.0.0/16, 192.168.1.7, localsubnet",
                "action": "allow",
                "direction": "in",
                "profiles": ["domain", "private", "public"],
                "program": "C:\\app.exe",
                "description": "What it is for",
                "group": "Apps",
            },
            changed=True,
            message="Firewall rule 'App' created.",
        ),
        Case(
            "ICMP",
            {"name": "Ping", "protocol": "icmpv4", "icmp_type_code": ["8:*"], "action": "block"},
            changed=True,
        ),
        Case(
            "one as it is",
            {
                "name": "Web",
                "protocol": "6",
                "localport": "443, 80",
                "remoteip": "10.0.0.0/255.0.0.0",
                "profiles": ["private", "domain"],
                "enabled": True,
                "localip": "any",
                "service": "any",
            },
            changed=False,
        ),
        Case(
            "other ports",
            {"name": "Web", "protocol": "tcp", "localport": "80", "remoteip": "any", "group": "Others"},
            changed=True,
            message="Firewall rule 'Web' changed.",
        ),
        Case("a whole group is turned off", {"group": "Servers", "enabled": False}, changed=True),
        Case("no such group", {"group": "Nope", "enabled": False}, failed="No firewall rule belongs to the group"),
        Case("it is removed", {"name": "Web", "state": "absent"}, changed=True, message="Firewall rule 'Web' removed."),
        Case("it isn't there", {"name": "Nope", "state": "absent"}, changed=False),
    )


def test_a_diff_shows_what_changes(windows: ActionHost) -> None:
    windows.settings = {"check": True, "diff": True}
    diff = windows("win_firewall_rule", name="Web", action="block", remoteip="10.0.0.1/32").diff
    assert diff == {
        "before": {"Web Action": "Allow", "Web RemoteAddress": "10.0.0.0/255.0.0.0"},
        "after": {"Web Action": "Block", "Web RemoteAddress": "10.0.0.1/32"},
    }
