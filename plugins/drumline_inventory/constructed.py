"""Variables and groups made of what earlier sources gave, as Ansible's ``constructed`` inventory plugin makes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from drumline.plugin import Argument, InventorySource, SourceCall, SourceData

#: What Ansible replaces in the name of a group that is made of values.
_FORBIDDEN = re.compile(r"^[\d\W]|\W")
#: Values of a key in whose place ``default_value`` stands.
_EMPTY = (None, "")
_KEYS = ("key", "prefix", "separator", "parent_group", "default_value", "trailing_separator")


class _Failed(Exception):
    """Something can't be made for a host; the message is a sentence."""


def _read(call: SourceCall) -> SourceData:
    return construct(call, _known(call))


def _known(call: SourceCall) -> Mapping[str, Mapping[str, Any]]:
    """What earlier sources say of each host, with its magic variables."""
    inventory = call.earlier(bool(call["use_vars_plugins"]))
    return {
        name: {
            **host.variables,
            "inventory_hostname": name,
            "inventory_hostname_short": name.partition(".")[0],
            "group_names": [group for group in host.groups if group != "ungrouped"] or list(host.groups),
        }
        for name, host in inventory.hosts.items()
    }


def construct(call: SourceCall, hosts: Mapping[str, Mapping[str, Any]]) -> SourceData:
    """What the options make of these hosts and their variables. Raises ``FilesError`` if that is strict."""
    making = _Making(call)
    for name, variables in hosts.items():
        making.host(name, variables)
    return SourceData(
        hosts=making.hosts,
        members={group: tuple(members) for group, members in making.members.items()},
        children={group: tuple(children) for group, children in making.children.items()},
        trusted=False,
    )


class _Making:
    """What was made so far."""

    def __init__(self, call: SourceCall) -> None:
        self.hosts: dict[str, dict[str, Any]] = {}
        self.members: dict[str, dict[str, None]] = {}
        self.children: dict[str, dict[str, None]] = {}
        self._call = call
        self._templates = call.templates()
        self._extra = call.extra if call["use_extra_vars"] else {}

    def host(self, name: str, variables: Mapping[str, Any]) -> None:
        """Add what is made for a host."""
        made = dict(self._composed(name, variables))
        self.hosts[name] = made
        variables = {**variables, **made}
        for group, condition in self._call["groups"].items():
            try:
                holds = self._templates.holds(str(condition), variables)
            except ValueError as error:
                self._fail("groups", f"'{group}' can't be decided for host '{name}': {error}")
                continue
            if holds:
                self.members.setdefault(safe_name(group), {})[name] = None
        for keyed in self._call["keyed_groups"]:
            self._keyed(name, keyed, variables)

    def _composed(self, host: str, variables: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, expression in self._call["compose"].items():
            try:
                yield name, self._evaluate(expression, variables)
            except ValueError as error:
                self._fail("compose", f"'{name}' can't be set for host '{host}': {error}")

    def _evaluate(self, expression: Any, variables: Mapping[str, Any]) -> Any:
        return self._templates.evaluate(str(expression), {**variables, **self._extra})

    def _keyed(self, host: str, keyed: Any, variables: Mapping[str, Any]) -> None:
        if not isinstance(keyed, Mapping) or not isinstance(keyed.get("key"), str):
            self._refuse("Each of 'keyed_groups' is a dictionary with a 'key', which is an expression.")
        unknown = [name for name in keyed if name not in _KEYS]
        if unknown:
            self._refuse(f"'keyed_groups' has {', '.join(_KEYS)}, not '{unknown[0]}'.")
        if keyed.get("default_value") is not None and keyed.get("trailing_separator") is not None:
            self._refuse("Of 'default_value' and 'trailing_separator' only one may be given.")
        try:
            key = self._evaluate(keyed["key"], variables)
        except ValueError as error:
            self._fail("keyed_groups", f"'{keyed['key']}' can't be evaluated for host '{host}': {error}")
            return
        default = keyed.get("default_value")
        if not key and not (default is not None and key in _EMPTY):
            if key not in ([], {}):
                self._fail("keyed_groups", f"'{keyed['key']}' gives nothing for host '{host}'.")
            return
        try:
            parent = self._parent(keyed, variables)
        except ValueError as error:
            self._fail("keyed_groups", f"'parent_group' can't be rendered for host '{host}': {error}")
            return
        for name in self._names(host, keyed, key):
            group = self._full(keyed, name)
            self.members.setdefault(group, {})[host] = None
            if parent:
                self.children.setdefault(safe_name(str(parent)), {})[group] = None

    def _parent(self, keyed: Mapping[str, Any], variables: Mapping[str, Any]) -> Any:
        parent = keyed.get("parent_group")
        if not isinstance(parent, str) or "{" not in parent:
            return parent
        return self._templates.render(parent, variables)

    def _names(self, host: str, keyed: Mapping[str, Any], key: Any) -> Iterable[str]:
        default = keyed.get("default_value")
        if key in _EMPTY:
            return [str(default)]
        if isinstance(key, str):
            return [key]
        if isinstance(key, Mapping):
            return [self._of_pair(keyed, name, value) for name, value in key.items()]
        if isinstance(key, list | tuple):
            return [str(default if item in _EMPTY and default is not None else item) for item in key]
        kind = type(key).__name__
        gives = f"'{keyed['key']}' gives {key!r} ({kind}) for host '{host}'."
        return self._refuse(f"{gives} It has to be text, a list or a dictionary.")

    def _of_pair(self, keyed: Mapping[str, Any], name: Any, value: Any) -> str:
        separator, default = keyed.get("separator", "_"), keyed.get("default_value")
        if value in _EMPTY:
            if default is not None:
                value = default
            elif keyed.get("trailing_separator") is False:
                return str(name)
        return f"{name}{separator}{value}"

    def _full(self, keyed: Mapping[str, Any], name: str) -> str:
        prefix, separator = keyed.get("prefix", ""), keyed.get("separator", "_")
        if prefix == "" and self._call["leading_separator"] is False:
            separator = ""
        return safe_name(f"{prefix}{separator}{name}")

    def _fail(self, option: str, detail: str) -> None:
        """What can't be made is left out, unless that is strict."""
        if self._call["strict"]:
            self._call.refuse("A constructed inventory can't be made", detail, option)

    def _refuse(self, detail: str) -> NoReturn:
        self._call.refuse("A constructed inventory can't be made", detail, "keyed_groups")


def safe_name(name: str) -> str:
    """A name that a group may have: all but letters, digits and ``_`` becomes ``_``, and so does a digit in front."""
    return _FORBIDDEN.sub("_", name)


#: What every source takes that makes groups and variables of what it gives.
OPTIONS = (
    Argument(name="compose", type=dict, default={}, help="Variables, each with an expression that gives its value."),
    Argument(name="groups", type=dict, default={}, help="Groups, each with a condition for being in it."),
    Argument(
        name="keyed_groups",
        type=list,
        default=[],
        help="Groups named by a value: `key`, `prefix`, `separator`, `parent_group`, `default_value`, "
        "`trailing_separator`.",
    ),
    Argument(name="strict", type=bool, default=False, help="Whether what can't be evaluated is an error."),
    Argument(name="leading_separator", type=bool, default=True, help="Whether names without a prefix begin with it."),
    Argument(name="use_extra_vars", type=bool, default=False, help="Whether the variables of `-e` are seen."),
)
#: Those of them that are evaluated later.
RAW = ("compose", "groups", "keyed_groups")

SOURCE = InventorySource(
    name="constructed",
    aliases=("ansible.builtin.constructed",),
    read=_read,
    sees_earlier=True,
    raw=RAW,
    options=(
        *OPTIONS,
        Argument(
            name="use_vars_plugins", type=bool, default=False, help="Whether `group_vars` and the like are seen, too."
        ),
    ),
)
