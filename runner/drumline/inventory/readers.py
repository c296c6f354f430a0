"""Drumline's own inventory sources: files of YAML, JSON and INI, and lists of hosts.

They are asked after those of plugins.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from drumline.inventory.draft import UNGROUPED
from drumline.plugin.sources import InventorySource, SourceCall
from drumline.source.text import read_text
from drumline.source.vault import VAULT, Decrypted

_YAML_ENDINGS = (".yml", ".yaml", ".json")
_YAML_START = r"---|\{|[^\[\]\s=]+:(?:\s|\Z)"
#: Bytes of a file that are looked at to see what is in it.
_HEAD = 4096


def _is_yaml(source: str) -> bool:
    path = Path(source)
    if not os.path.isfile(source):
        return False
    return path.suffix in _YAML_ENDINGS or (path.suffix != ".ini" and _looks_like_yaml(_head(path)))


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return ""
    return read_text(path) if head.startswith(VAULT) else head.decode("utf-8-sig", "replace")


def _looks_like_yaml(text: str) -> bool:
    """Judged by its first significant line; in doubt, it is INI."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";")))
    return bool(re.match(_YAML_START, next(lines, "")))


def _read_yaml(call: SourceCall) -> None:
    from drumline.inventory.yaml_source import plugin_named, read_yaml
    from drumline.source.yaml import load

    document = load(read_text(Path(call.source)), call.source)
    plugin = plugin_named(document)
    if plugin is not None:
        call.configure(str(plugin.value), plugin.position)
    else:
        read_yaml(document, call.draft)


def _read_ini(call: SourceCall) -> None:
    from drumline.inventory.ini_source import read_ini

    text = read_text(Path(call.source))
    read_ini(text, call.source, call.draft)
    if isinstance(text, Decrypted):
        call.draft.hide()


def _is_list(source: str) -> bool:
    return "," in source and not os.path.exists(source)


def _read_list(call: SourceCall) -> None:
    for name in filter(None, map(str.strip, call.source.split(","))):
        call.draft.add_hosts(name, {}, UNGROUPED, None)


#: All of them, in the order in which they are asked.
BUILT_IN = (
    InventorySource(name="yaml", claims=_is_yaml, read=_read_yaml),
    InventorySource(name="ini", claims=os.path.exists, read=_read_ini),
    InventorySource(name="list", claims=_is_list, read=_read_list),
)
