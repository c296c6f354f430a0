"""``iptables``: one rule, the policy or the existence of a chain of the kernel's filters."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of

_IPTABLES = Script.beside(__file__, "iptables")
_PROGRAMS = {"ipv4": "iptables", "ipv6": "ip6tables", "both": "iptables ip6tables"}
_SAID = ("ip_version", "table", "chain", "flush", "state", "chain_management", "wait")
#: Arguments with their options, in the order in which a rule has them; ``None``: made below.
_OPTIONS: Mapping[str, str | None] = {
    "protocol": "-p",
    "source": "-s",
    "destination": "-d",
    "match": None,
    "tcp_flags": None,
    "jump": "-j",
    "gateway": "--gateway",
    "log_prefix": "--log-prefix",
    "log_level": "--log-level",
    "to_destination": "--to-destination",
    "destination_ports": None,
    "to_source": "--to-source",
    "goto": "-g",
    "in_interface": "-i",
    "out_interface": "-o",
    "fragment": "-f",
    "set_counters": "-c",
    "source_port": "--source-port",
    "destination_port": "--destination-port",
    "to_ports": "--to-ports",
    "set_dscp_mark": "--set-dscp",
    "set_dscp_mark_class": "--set-dscp-class",
    "syn": None,
    "ctstate": None,
    "src_range": None,
    "dst_range": None,
    "match_set": None,
    "limit": None,
    "limit_burst": "--limit-burst",
    "uid_owner": None,
    "gid_owner": None,
    "reject_with": "--reject-with",
    "icmp_type": None,
    "comment": None,
}
#: Those of an extension of the same words: its name, and the option.
_MATCHED = {
    "limit": ("limit", "--limit"),
    "comment": ("comment", "--comment"),
    "uid_owner": ("owner", "--uid-owner"),
    "gid_owner": ("owner", "--gid-owner"),
    "src_range": ("iprange", "--src-range"),
    "dst_range": ("iprange", "--dst-range"),
}


def perform(call: Call) -> Steps:
    if not call["chain"] and not call["flush"]:
        raise ActionFailed("Either chain or flush parameter must be specified.")
    if call["policy"] and not call["chain"]:
        raise ActionFailed("'policy' needs 'chain'")
    given = dict(call.arguments)
    if given["log_prefix"] or given["log_level"]:
        given["jump"] = given["jump"] or "LOG"
        if given["jump"] != "LOG":
            raise ActionFailed("Logging options can only be used with the LOG jump target.")
    if given["reject_with"] is not None:
        given["jump"] = given["jump"] or "REJECT"
    if given["set_dscp_mark"] is not None or given["set_dscp_mark_class"] is not None:
        given["jump"] = "DSCP"
    rules = {version: _rule(given, version) for version in ("ipv4", "ipv6")}
    answer = yield from ask(
        call,
        _IPTABLES,
        main=True,
        programs=_PROGRAMS[call["ip_version"]],
        rule4=shlex.join(rules["ipv4"]),
        rule6=shlex.join(rules["ipv6"]),
        table=call["table"],
        chain=call["chain"],
        flush=call["flush"],
        policy=call["policy"],
        state=call["state"],
        insert=call["action"] == "insert",
        number=call["rule_num"],
        manage=call["chain_management"],
        wait="" if call["wait"] is None else f"-w {int(call['wait'])}",
    )
    rule = rules["ipv6" if call["ip_version"] == "ipv6" else "ipv4"]
    return result_of(answer, rule=" ".join(rule), **{name: call[name] for name in _SAID})


def _rule(given: Mapping[str, Any], version: str) -> list[str]:
    words: list[str] = []
    for name, option in _OPTIONS.items():
        value = given[name]
        if value in (None, "", []) or (name == "limit_burst" and not value):
            continue
        if option is not None:
            words += _negated(option, str(value))
        elif name in _MATCHED:
            module, flag = _MATCHED[name]
            words += [] if module in words and name != "gid_owner" else ["-m", module]  # as Ansible has it
            words += _negated(flag, str(value)) if name != "comment" else [flag, str(value)]
        else:
            words += _special(name, value, given, version)
    return words


def _negated(option: str, value: str) -> list[str]:
    return ["!", option, value[1:].strip()] if value.startswith("!") else [option, value]


def _special(name: str, value: Any, given: Mapping[str, Any], version: str) -> list[str]:
    match name:
        case "match":
            return [word for one in value for word in ("-m", str(one))]
        case "tcp_flags":
            parts = (value.get(part) or [] for part in ("flags", "flags_set"))
            flags, wanted = (",".join(map(str, one if isinstance(one, list) else [one])) for one in parts)
            return ["--tcp-flags", flags, wanted] if flags and wanted else []
        case "destination_ports":
            return ["-m", "multiport", "--dports", ",".join(map(str, value))]
        case "syn":
            return {"match": ["--syn"], "negate": ["!", "--syn"]}.get(value, [])
        case "ctstate":
            states, matches = ",".join(map(str, value)), given["match"] or ()
            if "conntrack" in matches:
                return ["--ctstate", states]
            return ["--state", states] if "state" in matches else ["-m", "conntrack", "--ctstate", states]
        case "match_set":
            module = [] if "set" in (given["match"] or ()) else ["-m", "set"]
            return [*module, *_negated("--match-set", str(value)), str(given["match_set_flags"])]
        case _:
            return ["--icmp-type" if version == "ipv4" else "--icmpv6-type", str(value)]


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given("chain") and not written.arguments.get("flush") and "flush" not in written.open:
        yield "", "'iptables' needs 'chain', or flush: true."
    if len(written.given("match_set", "match_set_flags")) == 1:
        yield "", "'match_set' and 'match_set_flags' go together."


_LEVELS = (*map(str, range(8)), "alert", "crit", "debug", "emerg", "error", "info", "notice", "warning")
_TEXTS = {
    "protocol": "tcp, udp, icmp, …; ! in front: any other",
    "source": "Where packets come from: an address, perhaps with a mask",
    "destination": "Where they go to",
    "source_port": "Port that they come from, or first:last",
    "destination_port": "Port that they go to, or first:last",
    "in_interface": "Interface that they come in by",
    "out_interface": "Interface that they go out by",
    "jump": "What becomes of them: ACCEPT, DROP, …, or a chain",
    "goto": "Chain that takes over",
    "gateway": "Host that gets a copy (jump: TEE)",
    "to_destination": "New address of the destination (jump: DNAT)",
    "to_source": "New address of the source (jump: SNAT)",
    "to_ports": "New ports (jump: REDIRECT, MASQUERADE)",
    "fragment": "Later fragments only",
    "set_counters": "Counts that the rule begins with",
    "set_dscp_mark": "Mark them with this number (jump: DSCP)",
    "set_dscp_mark_class": "Mark them with this class (jump: DSCP)",
    "src_range": "First and last address of sources",
    "dst_range": "First and last address of destinations",
    "match_set": "Set of ipset that they are in",
    "limit": "How often at most: 5/minute",
    "limit_burst": "How many before that",
    "uid_owner": "User that sends them",
    "gid_owner": "Group that sends them",
    "reject_with": "Answer to those that are refused (jump: REJECT)",
    "icmp_type": "Kind of ICMP",
    "comment": "What the rule is for; shown with it",
    "log_prefix": "What a line of the log begins with (jump: LOG)",
    "wait": "Seconds to wait for others that change rules",
    "rule_num": "Where it is inserted (action: insert)",
}

ACTIONS = (
    Action(
        name="iptables",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Keep a rule, a chain or its policy in the kernel's filters of packets",
        arguments=(
            Argument(name="chain", help="INPUT, FORWARD, OUTPUT, …, or one of your own"),
            Argument(
                name="table",
                default="filter",
                choices=("filter", "mangle", "nat", "raw", "security"),
                help="The table that it is in",
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether the rule is there"),
            Argument(
                name="action", default="append", choices=("append", "insert"), help="A new rule comes last, or first"
            ),
            Argument(name="ip_version", default="ipv4", choices=("both", "ipv4", "ipv6"), help="Of which protocol"),
            Argument(
                name="policy",
                choices=("ACCEPT", "DROP", "QUEUE", "RETURN"),
                help="What becomes of packets that no rule of the chain takes; nothing else is done",
            ),
            Argument(name="flush", type=bool, default=False, help="Remove all rules of the chain, or the table"),
            Argument(
                name="chain_management",
                type=bool,
                default=False,
                help="Make a chain that is missing; with absent and no rule, remove it",
            ),
            Argument(name="match", type=list, default=[], help="Extensions that the rule uses"),
            Argument(name="ctstate", type=list, default=[], help="States of the connection: NEW, ESTABLISHED, …"),
            Argument(name="destination_ports", type=list, default=[], help="Several ports that they go to"),
            Argument(
                name="tcp_flags", type=dict, help="flags that are looked at, and flags_set: which of them are set"
            ),
            Argument(
                name="syn",
                default="ignore",
                choices=("ignore", "match", "negate"),
                help="Whether they open a connection",
            ),
            Argument(
                name="match_set_flags",
                choices=("dst", "dst,dst", "dst,src", "src", "src,dst", "src,src"),
                help="What of them is looked up in the set",
            ),
            Argument(name="log_level", choices=_LEVELS, help="Level of lines of the log (jump: LOG)"),
            Argument(name="numeric", type=bool, default=False, help="Taken: addresses aren't looked up anyway"),
            *(Argument(name=name, help=text) for name, text in _TEXTS.items()),
        ),
        exclusive=(("set_dscp_mark", "set_dscp_mark_class"),),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
