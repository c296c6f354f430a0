"""How variables of one name are combined: the stronger one replaces the weaker one.

With the setting ``hash_behaviour = merge``, dictionaries are merged instead, at any depth, as in Ansible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from drumline.model.value import Variables

_ABSENT = object()


class _Behaviour:
    """Of this process, as of its settings: everything that combines variables asks for it."""

    merges = False


def merge_dictionaries(merges: bool) -> None:
    """Say whether dictionaries are merged from here on."""
    _Behaviour.merges = merges


def are_merged() -> bool:
    """Whether dictionaries are merged."""
    return _Behaviour.merges


def combined(layers: Iterable[Variables]) -> dict[str, Any]:
    """The variables of all layers, the weakest first."""
    found: dict[str, Any] = {}
    for layer in layers:
        if _Behaviour.merges and found:
            layer = {name: merged(found.get(name), value) for name, value in layer.items()}
        found.update(layer)
    return found


def merged(weak: Any, strong: Any) -> Any:
    """The stronger of two values; of two dictionaries one with the keys of both."""
    if not isinstance(weak, Mapping) or not isinstance(strong, Mapping):
        return strong
    return {**weak, **{key: merged(weak.get(key), value) for key, value in strong.items()}}


def merged_in(layers: Iterable[Variables], name: str) -> Any:
    """The value of a name in these layers, the strongest first, whose dictionaries are merged. Raises ``KeyError``."""
    found: Any = _ABSENT
    for layer in layers:
        value = layer.get(name, _ABSENT)
        if value is _ABSENT:
            continue
        if found is _ABSENT:
            found = value
        elif isinstance(value, Mapping):
            found = merged(value, found)
        if not isinstance(value, Mapping):
            break
    if found is _ABSENT:
        raise KeyError(name)
    return found
