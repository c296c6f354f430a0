"""``iptables``, ``ufw`` and ``firewalld``: real programs, with the filters of a network of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.checking import checked
from support.compared import Reference, run_ansible
from support.needs import need

from drumline.plugin import ActionFailed, Platform, Run, Session
from drumline.testing import ActionHost

PROGRAMS = Path(__file__).with_name("programs")
WEB = {"chain": "INPUT", "protocol": "tcp", "destination_port": "80", "jump": "ACCEPT"}


@pytest.fixture
def walled(disposable_session: Session) -> ActionHost:
    """A disposable host whose commands see filters that aren't this machine's."""
    host = ActionHost(platform=Platform.POSIX, session=disposable_session)
    for line in (
        "[ -e /opt/net ] || { : >/opt/net && unshare --net=/opt/net true; }",
        "printf '#!/bin/sh\\nexec nsenter --net=/opt/net sh \"$@\"\\n' >/opt/walled && chmod 755 /opt/walled",
    ):
        host.run(line)
    return ActionHost(
        platform=Platform.POSIX,
        session=disposable_session,
        adapt=lambda run: replace(run, executable="/opt/walled") if isinstance(run, Run) else run,
    )


def test_rules_of_iptables(walled: ActionHost) -> None:
    need("iptables", "nsenter")
    assert checked(walled, "iptables", **WEB)
    walled.run("! iptables -S | grep -q -- '--dport 80'")
    made = walled.twice("iptables", **WEB, comment="the web")
    assert made.values["rule"] == "-p tcp -j ACCEPT --destination-port 80 -m comment --comment the web"
    walled.run("iptables -S INPUT | grep -q -- '--dport 80 .*the web.* -j ACCEPT'")
    walled.twice("iptables", chain="INPUT", ctstate=["ESTABLISHED", "RELATED"], jump="ACCEPT", action="insert")
    walled.run("iptables -S INPUT | sed -n 2p | grep -q ESTABLISHED")
    walled.twice("iptables", chain="INPUT", source="!10.0.0.0/8", jump="DROP", ip_version="ipv4", wait="5")
    logged = walled.twice("iptables", chain="INPUT", log_prefix="dropped: ", limit="2/minute")
    assert logged.values["rule"].count("-j LOG") == 1
    walled.twice("iptables", chain="INPUT", protocol="tcp", tcp_flags={"flags": "ALL", "flags_set": ["ACK", "RST"]})
    walled.run("iptables -S INPUT | grep -q -- '--tcp-flags FIN,SYN,RST,PSH,ACK,URG RST,ACK'")
    walled.twice("iptables", **WEB, comment="the web", state="absent")
    walled.twice("iptables", chain="INPUT", policy="DROP")
    walled.run("iptables -S | grep -qx -- '-P INPUT DROP'")
    walled.twice("iptables", chain="SHOP", chain_management=True)
    walled.twice("iptables", chain="SHOP", jump="RETURN", limit="5/min", limit_burst="7")
    assert walled("iptables", chain="SHOP", flush=True).changed
    walled.twice("iptables", chain="SHOP", chain_management=True, state="absent")
    walled.twice("iptables", chain="OUTPUT", jump="ACCEPT", icmp_type="8", protocol="icmp")
    walled.twice(
        "iptables", chain="INPUT", destination_ports=["80", "443"], protocol="tcp", jump="DROP", ip_version="both"
    )
    walled.run("ip6tables -S INPUT | grep -q 80,443")
    assert walled("iptables", flush=True).changed
    with pytest.raises(ActionFailed, match="chain"):
        walled("iptables", chain="NOWHERE", jump="ACCEPT")
    with pytest.raises(ActionFailed, match="Either chain or flush"):
        walled("iptables", jump="ACCEPT")


#: Arguments of rules, which Ansible writes in this order.
RULES: tuple[dict[str, Any], ...] = (
    {"source": "10.0.0.1", "destination": "!10.0.0.2", "in_interface": "eth0", "out_interface": "!eth1", "jump": "LOG"},
    {"log_prefix": "x: ", "log_level": "info", "protocol": "tcp", "syn": "match", "jump": "LOG"},
    {"tcp_flags": {"flags": ["SYN", "ACK"], "flags_set": ["SYN"]}, "protocol": "tcp", "reject_with": "tcp-reset"},
    {"match": ["conntrack"], "ctstate": ["NEW"], "uid_owner": "root", "gid_owner": "root", "jump": "ACCEPT"},
    {"src_range": "10.0.0.1-10.0.0.9", "dst_range": "10.0.0.1-10.0.0.2", "limit": "2/m", "limit_burst": "9"},
    {"protocol": "tcp", "destination_ports": ["80", "81:89"], "source_port": "9", "comment": "c d", "goto": "X"},
    {"table": "nat", "protocol": "tcp", "jump": "DNAT", "to_destination": "10.0.0.1", "destination_port": "8"},
    {
        "table": "nat",
        "protocol": "tcp",
        "jump": "REDIRECT",
        "to_ports": "9",
        "match_set": "s",
        "match_set_flags": "src",
    },
    {
        "table": "mangle",
        "set_dscp_mark": "8",
        "jump": "DSCP",
        "icmp_type": "8",
        "protocol": "icmp",
        "set_counters": "1 2",
    },
)


@pytest.mark.ansible
def test_rules_as_the_reference_writes_them(disposable_reference: Reference, walled: ActionHost) -> None:
    tasks = [
        {"iptables": {"chain": "INPUT", **rule}, "check_mode": True, "register": f"r{number}"}
        for number, rule in enumerate(RULES)
    ]
    theirs = run_ansible(disposable_reference.server, disposable_reference.place, tasks)
    walled.settings = {"check": True}
    ours = [walled("iptables", chain="INPUT", **rule).values for rule in RULES]
    wanted = [{name: theirs[f"r{number}"][name] for name in our} for number, our in enumerate(ours)]
    assert "\n".join(one["rule"] for one in ours) == "\n".join(one["rule"] for one in wanted)
    assert ours == wanted


def test_rules_of_ufw(walled: ActionHost) -> None:
    need("ufw", "nsenter")
    ssh = {"rule": "allow", "to_port": "22", "proto": "tcp"}
    assert checked(walled, "ufw", **ssh)
    walled.run("! grep -q '22/tcp\\|dport 22' /etc/ufw/user.rules")
    walled.twice("ufw", **ssh, comment="log in")
    assert not checked(walled, "ufw", **ssh, comment="log in")
    assert checked(walled, "ufw", state="enabled", default="deny")
    enabled = walled.twice("ufw", state="enabled", default="reject")
    assert "Status: active" in enabled.message
    assert "Default: reject (incoming)" in enabled.message
    walled.twice("ufw", default="deny", direction="outgoing")
    walled.twice("ufw", logging="high")
    walled.twice("ufw", rule="deny", from_ip="10.0.0.0/8", to_port="80", proto="tcp", insert=1)
    walled.run("ufw status numbered | grep -q '^\\[ 1\\] 80/tcp *DENY'")
    walled.twice(
        "ufw", rule="allow", to_port="81", proto="tcp", insert=0, insert_relative_to="first-ipv6", from_ip="fe80::/10"
    )
    walled.twice("ufw", rule="allow", route=True, interface_in="lo", interface_out="lo")
    walled.twice("ufw", rule="limit", direction="in", interface="lo", to_port="99", log=True)
    walled.twice("ufw", **ssh, delete=True)
    assert walled("ufw", state="reloaded").changed
    walled.twice("ufw", state="disabled")
    assert walled("ufw", state="reset").changed
    with pytest.raises(ActionFailed, match="ERROR"):
        walled("ufw", rule="allow", to_port="no-port")
    with pytest.raises(ActionFailed, match="'interface' needs 'direction'"):
        walled("ufw", rule="allow", interface="lo")


def test_zones_of_firewalld(walled: ActionHost) -> None:
    need("firewall-offline-cmd")
    common = {"permanent": True, "zone": "dmz"}
    assert checked(walled, "firewalld", **common, service="http", state="enabled")
    made = walled.twice("firewalld", **common, service="http", state="enabled")
    assert made.message == "Permanent operation, Changed service http to enabled"
    walled.run("firewall-offline-cmd --zone=dmz --query-service=http")
    walled.twice("firewalld", **common, service="http", state="disabled")
    for thing in (
        {"port": "8080/tcp"},
        {"protocol": "ah"},
        {"source": "10.0.0.0/8"},
        {"interface": "eth7"},
        {"masquerade": True},
        {"icmp_block": "echo-request"},
        {"icmp_block_inversion": True},
        {"rich_rule": 'rule family="ipv4" source address="10.1.0.0/16" accept'},
        {"port_forward": [{"port": 80, "proto": "tcp", "toport": 8080}]},
    ):
        walled.twice("firewalld", **common, **thing, state="enabled")
        walled.twice("firewalld", **common, **thing, state="disabled")
    walled.twice("firewalld", zone="shop", permanent=True, state="present")
    walled.twice("firewalld", zone="shop", permanent=True, target="DROP", state="present")
    walled.twice("firewalld", zone="shop", permanent=True, state="absent")
    walled.twice("firewalld", **common, service="http", state="enabled", immediate=True, offline=True)
    with pytest.raises(ActionFailed, match="not currently running"):
        walled("firewalld", service="http", state="enabled")
    with pytest.raises(ActionFailed, match="INVALID_SERVICE"):
        walled("firewalld", **common, service="nosuch", state="enabled")
    with pytest.raises(ActionFailed, match="one thing at once"):
        walled("firewalld", **common, service="http", port="80/tcp", state="enabled")


def test_a_running_firewalld(walled: ActionHost) -> None:
    """A program answers as ``firewall-cmd`` does; what lasts is kept by the real one for a daemon that is off."""
    need("firewall-offline-cmd")
    walled.settings = {"environment": {"PATH": f"{PROGRAMS / 'firewalld'}:/usr/sbin:/usr/bin:/sbin:/bin"}}
    walled.run("rm -rf /opt/now && mkdir /opt/now")
    both = {"service": "ftp", "state": "enabled", "permanent": True, "immediate": True, "zone": "work"}
    assert checked(walled, "firewalld", **both)
    made = walled.twice("firewalld", **both)
    assert made.message == "Permanent and Non-Permanent(immediate) operation, Changed service ftp to enabled"
    walled.run("test -e '/opt/now/--zone=work service=ftp'")
    walled.twice("firewalld", service="ftp", zone="work", state="disabled")
    assert not walled("firewalld", service="ftp", zone="work", permanent=True, state="enabled").changed
    walled.twice("firewalld", port="1/udp", state="enabled", timeout=60)
    walled.run("grep -qx -- --timeout=60 /opt/now/asked")
