"""Data and documents as YAML text."""

from __future__ import annotations

from typing import Any

import yaml

from drumline.model.value import Octal
from drumline.secret import MASK
from drumline.source.nodes import BRACES, Node
from drumline.source.yaml_scalars import STANDARD


def dump(value: Any, *, flow: bool | None = None, sort_keys: bool = True, **options: Any) -> str:
    """Plain data as YAML text. ``flow`` is PyYAML's ``default_flow_style``; options: indent, width, explicit_start…"""
    return str(
        yaml.dump(value, Dumper=_Dumper, allow_unicode=True, default_flow_style=flow, sort_keys=sort_keys, **options)
    )


def dump_node(node: Node) -> str:
    """A tree as YAML text that means the same. What was encrypted is masked."""
    return str(yaml.dump(_as_written(node), Dumper=_NodeDumper, allow_unicode=True, sort_keys=False, width=120))


class _Unsafe(str):
    """Text with braces that isn't a template."""


class _OctalDigits(str):
    """A number as it was written in octal."""


def _as_written(node: Node) -> Any:
    value = node.value
    if isinstance(value, dict):
        return {key: _as_written(entry.node) for key, entry in value.items()}
    if isinstance(value, list):
        return [_as_written(item) for item in value]
    if node.secret:
        return MASK
    if isinstance(value, Octal):
        return _OctalDigits(f"0{value:o}")
    return _Unsafe(value) if isinstance(value, str) and node.unsafe and BRACES.search(value) else value


class _Dumper(yaml.SafeDumper):
    """Writes every value in full, since anchors would surprise readers of the file."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


class _NodeDumper(_Dumper):
    """Writes what stands in a file."""


_Dumper.add_representer(Octal, yaml.representer.SafeRepresenter.represent_int)
_NodeDumper.add_representer(_Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))
_NodeDumper.add_representer(_OctalDigits, lambda dumper, text: dumper.represent_scalar(f"{STANDARD}int", str(text)))
