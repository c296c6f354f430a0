"""``win_share`` and ``win_dns_client``, by stand-ins for cmdlets; the registry is Wine's."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing.cases import ActionCases, Case, here

WINDOWS = [Platform.WINDOWS]


class TestShare(ActionCases):
    action = "win_share"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "a new one",
            {
                "name": "new",
                "path": here(),
                "description": "It",
                "full": "Administrators",
                "read": "Users, Guests",
                "deny": "Guests",
                "list": True,
            },
            changed=True,
        ),
        Case("as it is", {"name": "data", "path": "C:\\Windows\\", "list": True, "read": "Everyone"}, changed=False),
        Case(
            "its settings",
            {"name": "data", "path": "C:\\windows", "read": "Everyone", "encrypt": True, "caching_mode": "None"},
            changed=True,
            values={
                "actions": [
                    "Set-SmbShare -Name data -CachingMode None -EncryptData True -FolderEnumerationMode AccessBased"
                ]
            },
        ),
        Case(
            "someone else too",
            {"name": "data", "path": "C:\\windows", "list": True, "change": "Users", "rule_action": "add"},
            changed=True,
            values={"actions": ["Grant-SmbShareAccess -Name data -AccountName BUILTIN\\Users -AccessRight Change"]},
        ),
        Case("no one", {"name": "data", "path": "C:\\windows", "list": True}, changed=True),
        Case("another directory", {"name": "data", "path": here()}, changed=True),
        Case("no more", {"name": "data", "path": "C:\\windows", "state": "absent"}, changed=True),
        Case("no such directory", {"name": "x", "path": here("x")}, failed="directory does not exist on the host"),
    )


class TestDnsClient(ActionCases):
    action = "win_dns_client"
    platforms = WINDOWS
    round_trips = 1
    #: The stand-in's registry is to begin anew.
    LOADED = "$null = Get-NetAdapter; $null = Get-DnsClientGlobalSetting"
    cases = (
        Case(
            "both families",
            {
                "adapter_names": ["Ethernet"],
                "dns_servers": ["10.0.0.9", "fd00::9"],
                "suffix_search_list": ["a.example"],
            },
            setup=LOADED,
            changed=True,
        ),
        Case(
            "as it is",
            {"adapter_names": ["Ethernet 2"], "dns_servers": ["10.0.0.1", "10.0.0.2"]},
            setup=LOADED,
            changed=False,
        ),
        Case(
            "another order, everywhere",
            {"adapter_names": ["*"], "dns_servers": ["10.0.0.2", "10.0.0.1"]},
            setup=LOADED,
            changed=True,
        ),
        Case("by DHCP", {"adapter_names": ["Ethernet 2"], "dns_servers": []}, setup=LOADED, changed=True),
        Case("no such adapter", {"adapter_names": ["Nope"], "dns_servers": []}, failed="name: Nope. The host has: Eth"),
        Case("no address", {"adapter_names": ["*"], "dns_servers": ["nope"]}, failed="Invalid IP address: nope"),
    )
