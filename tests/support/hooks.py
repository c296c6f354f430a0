"""The hooks of drumline, and what their docstrings say of them."""

from __future__ import annotations

import inspect
import re
import textwrap

from drumline.plugin import spec
from support.narrowing import expect

HOOKS = {name: hook for name, hook in vars(spec).items() if hasattr(hook, f"{spec.PROJECT}_spec")}
#: What a hook's docstring has below its summary, in this order.
PARTS = ("Called", "Parameters", "None", "Which answer wins", "Who may implement it", "Bundled user")


def summary(name: str) -> str:
    """The first line of a hook's docstring."""
    return expect(str, inspect.getdoc(HOOKS[name])).splitlines()[0]


def parts(name: str) -> dict[str, str]:
    """The parts of a hook's docstring: label to text, whose further lines are indented."""
    below = expect(str, inspect.getdoc(HOOKS[name])).partition("\n\n")[2].rpartition("\n\n")[2]
    assert not below.startswith(" ")
    return {
        label: text.strip("\n") for label, text in re.findall(r"^([A-Z][^:\n]*):(.*(?:\n +.*)*)", below, re.MULTILINE)
    }


def parameters(name: str) -> dict[str, str]:
    """What the docstring says of each parameter."""
    text = textwrap.dedent(parts(name)["Parameters"])
    return {found: " ".join(says.split()) for found, says in re.findall(r"^(\w+): (.*(?:\n +.*)*)", text, re.MULTILINE)}
