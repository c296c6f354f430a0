"""How inventories and their variables are shown: formats, and what is masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import click

from drumline.cli.messages import show_warnings
from drumline.cli.options import settings_with
from drumline.inventory.listing import IsSecret
from drumline.model.host import Inventory
from drumline.secret import is_secret_name

#: Text that YAML reads as text without quotes, and words that it reads as something else.
_PLAIN = re.compile(r"[A-Za-z/][\w./*@+\\-]*\Z")
_WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")

reveal_option = click.option("--reveal", is_flag=True, help="Show passwords and other secrets instead of masking them.")


def format_option(*forms: str) -> Callable[[Any], Any]:
    """``form: str``, one of these; the first is the default."""
    return click.option(
        "--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="Output format."
    )


def is_secret_unless(reveal: bool) -> IsSecret:
    """Which values are masked: none where they are to be revealed."""
    return (lambda _name: False) if reveal else lambda name: not name or is_secret_name(name)


def one_line(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def as_json(value: Any, *, sort_keys: bool = False) -> str:
    """JSON for people and programs."""
    return json.dumps(value, indent=4, sort_keys=sort_keys, ensure_ascii=False)


def as_yaml(value: Any) -> str:
    """YAML without the last end of a line."""
    from drumline.source.yaml_writing import dump

    return dump(value, flow=False, sort_keys=False).rstrip("\n")


def read_shown(sources: tuple[str, ...]) -> Inventory:
    """The inventory of these sources, with its warnings printed."""
    from drumline import app  # not needed for --help, and it imports everything

    settings = settings_with(inventory=sources)
    inventory = app.inventory_of(settings, app.registry(settings))
    show_warnings(inventory.warnings)
    return inventory
