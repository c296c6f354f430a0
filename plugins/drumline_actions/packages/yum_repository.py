"""``yum_repository``: a section of a file in which dnf and yum look for sources of packages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    HostPath,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import ATTRIBUTES, Edit, Script, ask, labelled, read_original, write_edit

_DIRECTORY = Script(sh='[ -d "$path" ] || fail "Repo directory \'$path\' does not exist."; say path "$path"')
_REMOVE = Script(sh='change rm -f -- "$path"; say changed "$changed"')
#: What a source needs one of.
_PLACES = ("baseurl", "metalink", "mirrorlist")
_LISTS = {
    "baseurl": "URLs of the source",
    "exclude": "Packages to leave out; * works",
    "gpgkey": "URLs of keys",
    "includepkgs": "The only packages to use",
}
_TRUTHS = (
    *("async", "countme", "enabled", "enablegroups", "gpgcheck", "keepalive", "module_hotfixes", "protect"),
    *("repo_gpgcheck", "s3_enabled", "skip_if_unavailable", "ssl_check_cert_permissions", "sslverify"),
)
_TEXTS = (
    *("bandwidth", "cost", "deltarpm_metadata_percentage", "deltarpm_percentage", "gpgcakey", "include"),
    *("metadata_expire", "metalink", "mirrorlist", "mirrorlist_expire", "password", "priority", "proxy"),
    *("proxy_password", "proxy_username", "retries", "sslcacert", "sslclientcert", "sslclientkey", "throttle"),
    *("timeout", "ui_repoid_vars", "username"),
)
_CHOICES = {
    "failovermethod": ("priority", "roundrobin"),
    "http_caching": ("all", "none", "packages"),
    "ip_resolve": ("4", "6", "IPv4", "IPv6", "whatever"),
    "keepcache": ("0", "1"),
    "metadata_expire_filter": ("never", "read-only:future", "read-only:past", "read-only:present"),
}
_ALIASES = {
    "exclude": ("excludepkgs",),
    "sslcacert": ("ca_cert",),
    "sslclientcert": ("client_cert",),
    "sslclientkey": ("client_key",),
    "sslverify": ("validate_certs",),
}
#: Lists that are written one a line; the others are words.
_BY_LINE = ("baseurl", "gpgkey")
_OPTIONS = sorted((*_LISTS, *_TRUTHS, *_TEXTS, *_CHOICES))


def perform(call: Call) -> Steps:
    name, directory = call["name"], call["reposdir"]
    present = call["state"] == "present"
    if present and (fault := _fault(call.arguments)):
        raise ActionFailed(fault)
    original = yield from read_original(call, HostPath(f"{directory}/{call['file'] or name}.repo"))
    if not original.exists:
        yield from ask(call, _DIRECTORY, path=directory)
    try:
        text = original.content.decode()
    except UnicodeDecodeError as error:
        raise ActionFailed(f"{original.path} isn't UTF-8: {error}") from None
    new = _edited(text, name, _section(call) if present else "")
    values = {"repo": name, "state": call["state"]}
    if not new.strip():
        result = yield from write_edit(call, original, Edit(values=values))
        if not original.exists:
            return result
        yield from ask(call, _REMOVE, main=True, path=HostPath("", original.path))
        return replace(result, changed=True)
    return (yield from write_edit(call, original, Edit(content=new.encode(), values=values)))


def _fault(given: Any) -> str:
    if not any(given.get(name) for name in _PLACES):
        return f"'yum_repository' needs one of {', '.join(_PLACES)}, unless it has state: absent."
    return "" if given.get("description") else "'yum_repository' needs 'description', unless it has state: absent."


def _section(call: Call) -> str:
    said = {"name": call["description"]}
    for name in _OPTIONS:
        value = call[name]
        if value is None or value == []:
            continue
        if isinstance(value, bool):
            said[name] = "1" if value else "0"
        elif isinstance(value, list):
            said[name] = ("\n\t" if name in _BY_LINE else " ").join(map(str, value))
        else:
            said[name] = str(value)
    return "".join([f"[{call['name']}]\n", *(f"{name} = {said[name]}\n" for name in sorted(said)), "\n"])


def _edited(text: str, name: str, section: str) -> str:
    """The file with the section in the place of the one of that name, or at its end; an empty one takes it away."""
    found = re.search(rf"^\[{re.escape(name)}\][^\n]*\n(?:(?!\[)[^\n]*\n?)*", text, re.MULTILINE)
    if found:
        same = found[0].strip() == section.strip()
        return text if same else text[: found.start()] + section + text[found.end() :]
    if not section:
        return text
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{section}"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    present = not written.open and written.arguments.get("state", "present") == "present"
    if present and (fault := _fault(written.arguments)):
        yield "", fault


def _option(name: str) -> Argument:
    aliases = _ALIASES.get(name, ())
    if name in _LISTS:
        return Argument(name=name, type=list, aliases=aliases, help=_LISTS[name])
    kind = bool if name in _TRUTHS else str
    return Argument(
        name=name, type=kind, choices=_CHOICES.get(name, ()), aliases=aliases, help="The setting of this name"
    )


ACTIONS = (
    Action(
        name="yum_repository",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Keep a source of packages for dnf and yum",
        arguments=(
            Argument(name="name", required=True, help="Its name in the file"),
            Argument(name="description", help="Its name for people"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="file", help="Name of the file, without .repo; default: name"),
            Argument(
                name="reposdir", type=HostPath, default=HostPath("/etc/yum.repos.d"), help="Where these files are"
            ),
            *(_option(name) for name in _OPTIONS),
            *ATTRIBUTES,
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
