"""Hosts of Terraform or OpenTofu: of a state file, of version 3 or 4, or of what ``terraform show -json`` prints.

A host is a managed resource that has an address on a network; which attributes say what is tried in the order of the
tables below. Attributes that are marked as sensitive are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData
from drumline_inventory.constructed import OPTIONS, safe_name
from drumline_inventory.rows import with_constructed

#: Types of resources that are machines, by the ends of their names.
_MACHINES = re.compile(
    r"(?:_instance|_virtual_machine|_server|_droplet|_machine|_vm|_vm_qemu|_domain|_instance_v2|_linode|_host)\Z"
)
#: Those that end like machines and are none.
_OTHERS = re.compile(r"(?:_db_instance|_rds_\w+|_dns_\w+|_placement_\w+|_dedicated_host|_database_\w+|_sql_\w+)\Z")
#: Where the name of a host stands, and its address.
_NAMES = (("tags", "Name"), ("name",), ("hostname",), ("display_name",), ("computer_name",), ("label",))
_ADDRESSES = (
    *(("public_ip",), ("public_ip_address",), ("ipv4_address",), ("access_ip_v4",), ("default_ip_address",)),
    *(("network_interface", 0, "access_config", 0, "nat_ip"), ("network_interface", 0, "network_ip")),
    *(("private_ip",), ("private_ip_address",), ("ip_address",), ("network_interface", 0, "addresses", 0)),
    *(("default_ipv4_address",), ("ipv6_address",)),
)


class _Resource(Struct, frozen=True):
    """One instance of a managed resource."""

    address: str  #: ``module.web.aws_instance.app[0]``
    kind: str
    name: str
    modules: tuple[str, ...]
    attributes: Mapping[str, Any]


def _read(call: SourceCall) -> SourceData:
    path = call.file()
    state = _parsed(call, str(path))
    resources = [one for one in _resources(call, state) if _is_host(one, call["resources"])]
    hosts: dict[str, dict[str, Any]] = {}
    members: dict[str, dict[str, None]] = {}
    places: dict[str, Position] = {}
    taken = _names(resources)
    for resource, name in zip(resources, taken, strict=True):
        hosts[name] = _variables(resource)
        places[name] = Position(f"{path}: {resource.address}", 0)
        for group in _groups(resource):
            members.setdefault(group, {})[name] = None
    data = SourceData(hosts=hosts, members=dict(members.items()), places=places, trusted=False)
    return with_constructed(call, data)


def _parsed(call: SourceCall, path: str) -> Mapping[str, Any]:
    try:
        state = json.loads(call.read_text(call.file()))
    except (ValueError, RecursionError) as error:
        call.refuse("This isn't a Terraform state", f"{path} isn't JSON: {error}.", "path")
    if not isinstance(state, dict):
        call.refuse("This isn't a Terraform state", f"{path} has to hold a JSON object.", "path")
    if "encrypted_data" in state or "encryption_version" in state:
        detail = f"{path} is encrypted. Let the program decrypt it: tofu show -json > state.json, and name that file."
        call.refuse("The Terraform state is encrypted", detail, "path")
    if "backend" in state and not state.get("resources") and not state.get("modules"):
        kind = state["backend"].get("type", "remote") if isinstance(state["backend"], dict) else "remote"
        detail = (
            f"{path} only says where the state is: in a backend '{kind}'. Fetch it: terraform state pull > state.json, "
            "and name that file."
        )
        call.refuse("The Terraform state is remote", detail, "path")
    return state


def _resources(call: SourceCall, state: Mapping[str, Any]) -> Iterator[_Resource]:
    """All managed resources. Which form it is says what it has."""
    read: Callable[[Mapping[str, Any]], Iterable[_Resource]]
    if "values" in state or "planned_values" in state:
        read = _of_show
    elif state.get("version") == 4:
        read = _of_version_4
    elif state.get("version") == 3:
        read = _of_version_3
    elif "format_version" in state:  # of a state without any resource
        return
    else:
        detail = f"It has the version {state.get('version')!r}. It can be 3, 4, or that of 'terraform show -json'."
        call.refuse("This isn't a Terraform state", f"{call.file()}: {detail}", "path")
    try:
        yield from read(state)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        detail = f"{call.file()} is damaged: {type(error).__name__}: {error}."
        call.refuse("This isn't a Terraform state", detail, "path")


def _of_version_4(state: Mapping[str, Any]) -> Iterator[_Resource]:
    for resource in state.get("resources", ()):
        if resource.get("mode") != "managed":
            continue
        module = resource.get("module", "")
        base = f"{module}.{resource['type']}.{resource['name']}".lstrip(".")
        for instance in resource.get("instances", ()):
            if instance.get("deposed"):
                continue
            hidden = {_first_step(path) for path in instance.get("sensitive_attributes") or ()}
            attributes = {name: value for name, value in instance.get("attributes", {}).items() if name not in hidden}
            address = base + (_index(instance["index_key"]) if "index_key" in instance else "")
            yield _Resource(address, resource["type"], resource["name"], _modules(module), attributes)


def _first_step(path: Any) -> Any:
    """The attribute of a path such as ``[{"type": "get_attr", "value": "password"}]``."""
    return path[0].get("value") if isinstance(path, list) and path and isinstance(path[0], dict) else None


def _index(key: Any) -> str:
    return f"[{json.dumps(key)}]"


def _modules(address: str) -> tuple[str, ...]:
    """``module.a["x"].module.b`` is in a and b."""
    return tuple(re.findall(r"module\.([\w-]+)", re.sub(r"\[[^\]]*\]", "", address)))


def _of_show(state: Mapping[str, Any]) -> Iterator[_Resource]:
    values = state.get("values") or state.get("planned_values") or {}

    def of_module(module: Mapping[str, Any]) -> Iterator[_Resource]:
        for resource in module.get("resources", ()):
            if resource.get("mode") == "managed":
                hidden = resource.get("sensitive_values") or {}
                attributes = {
                    name: value
                    for name, value in resource.get("values", {}).items()
                    if not _is_hidden(hidden.get(name))
                }
                modules = _modules(module.get("address", ""))
                yield _Resource(resource["address"], resource["type"], resource["name"], modules, attributes)
        for child in module.get("child_modules", ()):
            yield from of_module(child)

    yield from of_module(values.get("root_module") or {})


def _is_hidden(mark: Any) -> bool:
    """Whether anything of a value is sensitive."""
    if isinstance(mark, dict):
        return any(map(_is_hidden, mark.values()))
    return any(map(_is_hidden, mark)) if isinstance(mark, list) else bool(mark)


def _of_version_3(state: Mapping[str, Any]) -> Iterator[_Resource]:
    for module in state.get("modules", ()):
        path = tuple(name for name in module.get("path", ()) if name != "root")
        prefix = "".join(f"module.{name}." for name in path)
        for key, resource in module.get("resources", {}).items():
            if key.startswith("data."):
                continue
            kind, name, *index = key.split(".")
            flat = (resource.get("primary") or {}).get("attributes") or {}
            address = f"{prefix}{kind}.{name}" + (f"[{index[0]}]" if index else "")
            yield _Resource(address, kind, name, path, _unflattened(flat))


def _unflattened(flat: Mapping[str, str]) -> dict[str, Any]:
    """``tags.% = 1``, ``tags.Name = web1``, ``list.# = 1``, ``list.0 = a`` as nested values."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *parents, last = key.split(".")
        if last in ("#", "%"):
            continue
        level = tree
        for parent in parents:
            found = level.setdefault(parent, {})
            level = found if isinstance(found, dict) else level.setdefault(f"{parent}.", {})
        level[last] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdecimal() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(item) for key, item in value.items()}


def _is_host(resource: _Resource, wanted: list[str]) -> bool:
    if wanted:
        return resource.kind in wanted
    if resource.kind == "ansible_host":
        return True
    machine = _MACHINES.search(resource.kind) and not _OTHERS.search(resource.kind)
    return bool(machine) and _first(resource.attributes, _ADDRESSES) is not None


def _first(attributes: Mapping[str, Any], paths: Iterable[tuple[Any, ...]]) -> str | None:
    """The first of these attributes with a text."""
    for path in paths:
        value: Any = attributes
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                value = None
                break
        if isinstance(value, str) and value:
            return value
    return None


def _names(resources: list[_Resource]) -> list[str]:
    """The name of each host: its own if no other has it, else the address of the resource."""
    wished = [re.sub(r"[^\w.-]", "-", _first(one.attributes, _NAMES) or _plain(one.address)) for one in resources]
    return [
        name if wished.count(name) == 1 else _plain(resource.address)
        for name, resource in zip(wished, resources, strict=True)
    ]


def _plain(address: str) -> str:
    """The address as a host's name: ``aws_instance.web[0]`` is ``aws_instance.web-0``."""
    return re.sub(r"\[\"?([^\]\"]*)\"?\]", r"-\1", address)


def _variables(resource: _Resource) -> dict[str, Any]:
    address = _first(resource.attributes, _ADDRESSES)
    own = resource.attributes.get("variables") if resource.kind == "ansible_host" else None
    return {
        **({"ansible_host": address} if address else {}),
        "terraform_address": resource.address,
        "terraform_type": resource.kind,
        "terraform": dict(resource.attributes),
        **(own if isinstance(own, dict) else {}),
    }


def _groups(resource: _Resource) -> Iterator[str]:
    yield safe_name(resource.kind)
    yield from (safe_name(f"module_{name}") for name in resource.modules)
    if resource.kind == "ansible_host":
        yield from map(safe_name, resource.attributes.get("groups") or ())


SOURCE = InventorySource(
    name="terraform",
    read=_read,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(
            name="path",
            required=True,
            help="A state file, or a file with what `terraform show -json` prints.",
        ),
        Argument(
            name="resources",
            type=list,
            default=[],
            help="The types of resources that are hosts; by default all machines that have an address.",
        ),
        *OPTIONS,
    ),
)
