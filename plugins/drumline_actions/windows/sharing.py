"""``win_share`` and ``win_dns_client``: what the host offers to the network, and what it asks there."""

from __future__ import annotations

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits
from drumline.plugin.kit import Answered, HostAnswer, Script, ask, result_of, state_diff
from drumline_actions.windows.policies import ACCOUNTS

_SHARE = Script.beside(__file__, "share", needs=(ACCOUNTS,))
_DNS = Script.beside(__file__, "dns_client")

_WINDOWS = (Platform.WINDOWS,)
_RIGHTS = ("full", "change", "read", "deny")
_CACHING = ("BranchCache", "Documents", "Manual", "None", "Programs", "Unknown")


def perform_share(call: Call) -> Steps:
    same = ("name", "path", "state", "description", "list", "encrypt", "caching_mode")
    rules = {right.capitalize(): _accounts(call[right]) for right in _RIGHTS}
    only = call["rule_action"] == "set"
    return (yield from _done(call, ask(call, _SHARE, **{name: call[name] for name in same}, rules=rules, only=only)))


def _accounts(text: str | None) -> list[str]:
    return [account.strip() for account in (text or "").split(",") if account.strip()]


def perform_dns(call: Call) -> Steps:
    suffixes = call["suffix_search_list"]
    asked = ask(
        call,
        _DNS,
        adapters=[str(name) for name in call["adapter_names"]],
        servers=[str(server) for server in call["dns_servers"] if str(server)],
        suffixes=None if suffixes is None else [str(suffix) for suffix in suffixes],
    )
    return (yield from _done(call, asked))


def _done(call: Call, asked: Answered) -> Steps:
    answer: HostAnswer = yield from asked
    diff = state_diff(answer)
    result = result_of(answer)
    return replace(result, diff=diff) if call.diff and result.changed else result


def _rule(name: str, text: str) -> Argument:
    return Argument(name=name, help=f"Users and groups that {text}, with commas")


ACTIONS = (
    Action(
        name="win_share",
        perform=perform_share,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        platforms=_WINDOWS,
        help="Share a directory with the network, or end that",
        arguments=(
            Argument(name="name", required=True, help="The share"),
            Argument(
                name="path", required=True, help="The directory on the host; another one than now: it is made anew"
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(name="description", help="What is said about it"),
            Argument(name="list", type=bool, default=False, help="Show names too that a user may not open"),
            Argument(name="encrypt", type=bool, default=False, help="Encrypt what is sent"),
            Argument(name="caching_mode", default="Manual", choices=_CACHING, help="What others keep of it offline"),
            _rule("full", "may do all"),
            _rule("change", "may read and write"),
            _rule("read", "may read"),
            _rule("deny", "may do nothing, whatever else is said of them"),
            Argument(
                name="rule_action", default="set", choices=("add", "set"), help="set: no one else may do anything"
            ),
            Argument(name="scope_name", refused="Shares of a cluster aren't supported yet: win_shell: New-SmbShare"),
        ),
    ),
    Action(
        name="win_dns_client",
        perform=perform_dns,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING),
        platforms=_WINDOWS,
        help="Choose the DNS servers that the host asks",
        arguments=(
            Argument(name="adapter_names", type=list, required=True, help="Network adapters; *: all"),
            Argument(
                name="dns_servers",
                type=list,
                required=True,
                aliases=("addresses", "ip_addresses", "ipv4_addresses"),
                help="Addresses of the servers in their order; none: those that DHCP names",
            ),
            Argument(name="suffix_search_list", type=list, help="Suffixes that names are tried with, in their order"),
        ),
    ),
)
