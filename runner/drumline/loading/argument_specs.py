"""Argument specs of roles: the task at a role's start that holds the variables that it is given against them."""

from __future__ import annotations

from typing import Any

from drumline.loading.deferred import as_node
from drumline.model.playbook import Role
from drumline.source.nodes import Entry, Node


def validation_task(spec: Entry, name: str, role: Role) -> Node:
    """The task as if it had been written where the spec stands; ``name`` is the one of the file of tasks."""
    entries = spec.node.value if isinstance(spec.node.value, dict) else {}
    title = f"Validating arguments against arg spec '{name}'"
    described = entries.get("short_description")
    if described is not None and described.node.value:
        title = f"{title} - {described.node.value}"
    options = entries.get("options")
    context = {"type": "role", "name": role.name, "argument_spec_name": name, "path": role.path}
    arguments: dict[str, Any] = {
        "argument_spec": options.node if options is not None else as_node({}, spec.key_position),
        "provided_arguments": as_node(role.parameters, spec.key_position),
        "validate_args_context": as_node(context, spec.key_position),
    }
    return Node(
        {
            "name": Entry(spec.key_position, as_node(title, spec.key_position)),
            "ansible.builtin.validate_argument_spec": Entry(
                spec.key_position,
                Node({key: Entry(spec.key_position, node) for key, node in arguments.items()}, spec.key_position),
            ),
            "tags": Entry(spec.key_position, as_node(["always"], spec.key_position)),
        },
        spec.key_position,
    )
