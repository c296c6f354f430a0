"""Canonical host names (``CanonicalizeHostname``), as OpenSSH finds them."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import time
from collections.abc import Mapping, Sequence

from drumline.plugin.resolving import resolve_name
from drumline_ssh import patterns

_DOTS = "1"
_DIRECT = ["none"]


def find(host: str, values: Mapping[str, Sequence[str]], timeout: float) -> str:
    """The canonical name of a host. Raises ``ValueError`` when it is required and can't be found.

    Raises ``TimeoutError`` when name servers have been silent for ``timeout`` seconds in total.
    """
    if not _is_wanted(host, values):
        return host
    deadline = time.monotonic() + timeout
    dots = int(values.get("canonicalizemaxdots", [_DOTS])[0])
    absolute = host.endswith(".")
    domains = [] if absolute or host.count(".") > dots else values.get("canonicaldomains", [])
    for candidate in (f"{host}.{domain}" for domain in domains if domain.lower() != "none"):
        # The dot keeps the resolver from trying the domains of this machine.
        if (name := _resolve(f"{candidate}.", deadline)) is not None:
            return _followed(candidate, name, values)
    if domains and values.get("canonicalizefallbacklocal", ["yes"]) == ["no"]:
        raise ValueError(f"{host} is in none of the domains {', '.join(domains)}")
    if not domains and values.get("canonicalizepermittedcnames"):
        return _followed(host, _resolve(host, deadline) or host, values)
    return host.removesuffix(".")


def _is_wanted(host: str, values: Mapping[str, Sequence[str]]) -> bool:
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return False
    proxies = [values[keyword] for keyword in ("proxyjump", "proxycommand") if keyword in values]
    direct = all(proxy == _DIRECT for proxy in proxies)
    return direct or values.get("canonicalizehostname") == ["always"]


def _resolve(name: str, deadline: float) -> str | None:
    """The name that a name stands for (its CNAME), or None where there is no such name."""
    try:
        found = resolve_name(name, 0, max(0.0, deadline - time.monotonic()), flags=socket.AI_CANONNAME)
    except socket.gaierror:
        return None
    return (found[0][3] or name).removesuffix(".")


def _followed(name: str, alias_of: str, values: Mapping[str, Sequence[str]]) -> str:
    for rule in values.get("canonicalizepermittedcnames", ()):
        source, _, target = rule.partition(":")
        if patterns.matches_list(name, source.split(",")) and patterns.matches_list(alias_of, target.split(",")):
            return alias_of
    return name
