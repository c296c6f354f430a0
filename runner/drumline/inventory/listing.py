"""The inventory with the structure of ``ansible-inventory --list``, which inventory programs also print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from drumline.inventory.magic_names import MAGIC_NAMES
from drumline.model.host import Group, Inventory
from drumline.model.value import Template, Value, Variables
from drumline.secret import MASK, Secret
from drumline.source.nodes import BRACES
from drumline.source.vault import VAULT

#: How Ansible's JSON marks text that is never a template.
UNSAFE = "__ansible_unsafe"

#: Magic variables: defining them in an inventory has no effect, and Ansible doesn't list them.
_INTERNAL = MAGIC_NAMES | {"ansible_facts", "ansible_inventory_sources", "ansible_limit"}

#: Whether to mask a variable of this name; an empty name stands for a value that was encrypted.
IsSecret = Callable[[str], object]


def listing(
    inventory: Inventory, hosts: Iterable[str], is_secret: IsSecret, *, own: Mapping[str, Variables] | None = None
) -> dict[str, Any]:
    """Groups by name with their hosts among ``hosts``, and ``_meta`` with the hosts' variables.

    With the variables that hosts have of their ``own``, those of groups stand at the groups, as with ``--export``.
    """
    chosen = dict.fromkeys(hosts)
    if own is None:
        variables = {host: inventory.hosts[host].variables for host in chosen}
    else:
        variables = {host: own.get(host, {}) for host in chosen}
    shown = {host: {name: own[name] for name in own if name not in _INTERNAL} for host, own in variables.items()}
    hostvars = {host: as_json(own, is_secret) for host, own in shown.items() if own}
    result: dict[str, Any] = {"_meta": {"hostvars": hostvars, "profile": "inventory_legacy"}}
    for name, group in inventory.groups.items():
        members = [] if name == "all" else [host for host in group.hosts if host in chosen]
        content: dict[str, Any] = {"hosts": members, "children": list(group.children)}
        if own is not None:
            content["vars"] = _of_group(group, is_secret)
        if any(content.values()):
            result[name] = {key: value for key, value in content.items() if value}
    return result


def _of_group(group: Group, is_secret: IsSecret) -> dict[str, Any]:
    priority = {"ansible_group_priority": group.priority} if group.priority != 1 else {}
    return {**as_json(group.variables, is_secret), **priority}


def as_json(variables: Variables, is_secret: IsSecret) -> dict[str, Any]:
    """Variables as JSON: templates as written, text that only looks like one marked, secrets masked."""
    return {name: _masked(value) if is_secret(name) else _json(value, is_secret) for name, value in variables.items()}


def _json(value: Value, is_secret: IsSecret) -> Any:
    if isinstance(value, Template):
        return value.text
    if isinstance(value, str):
        return {UNSAFE: value} if BRACES.search(value) else value
    if isinstance(value, Mapping):
        return as_json(value, is_secret)
    if isinstance(value, list):
        return [_json(item, is_secret) for item in value]
    return _secret(value.reveal(), is_secret) if isinstance(value, Secret) else value


def _secret(text: str, is_secret: IsSecret) -> Any:
    """A value that was encrypted. One that still is looks as in ``ansible-inventory``."""
    return {"__ansible_vault": text} if text.startswith(VAULT.decode()) else MASK if is_secret("") else text


def _masked(value: Value) -> Any:
    return value if value is None else MASK
