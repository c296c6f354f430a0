"""What scalars of YAML mean that have no quotes, or a standard tag."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

from drumline.model.value import Octal
from drumline.source.nodes import Scalar

#: What standard tags begin with.
STANDARD = "tag:yaml.org,2002:"
_OCTAL = re.compile(r"\+?0[0-7_]+")
#: Represents a scalar that looks like a number but isn't one.
INVALID = object()
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()


@lru_cache(maxsize=8192)
def plain_scalar(text: str) -> Scalar | object:
    """What unquoted text means."""
    return construct(_RESOLVER.resolve(yaml.ScalarNode, text, (True, False)), text)


def construct(tag: str, text: str) -> Scalar | object:
    kind = tag.removeprefix(STANDARD)
    if kind not in ("int", "float", "bool", "null"):
        return text
    try:
        value: Scalar = _CONSTRUCTOR.yaml_constructors[tag](_CONSTRUCTOR, yaml.ScalarNode(tag, text))
    except (ValueError, KeyError, IndexError):
        return INVALID
    return Octal(value) if kind == "int" and isinstance(value, int) and _OCTAL.fullmatch(text) else value
