"""Copies on disk of what inventory sources gave, one file for each source and its options.

They may hold passwords: only their owner may read them. What is damaged isn't there.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from time import time as now
from typing import Any

from drumline.diagnostics import Position
from drumline.plugin.sources import SourceCall, SourceData
from drumline.secret import Secret


class SourceCache:
    """Used by :mod:`drumline.inventory.reading`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def read(self, call: SourceCall) -> tuple[SourceData, float] | None:
        """The copy and its age in seconds; None if there is none. One from the future is as old as can be."""
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            kept = json.loads(self._path(call).read_text(encoding="utf-8"))
            age = now() - kept["at"]
            return _data(kept["data"]), age if age >= 0 else float("inf")
        return None

    def write(self, call: SourceCall, data: SourceData) -> None:
        """Keep it; without room for it nothing is kept, and the run goes on."""
        with suppress(OSError, TypeError, ValueError):
            text = json.dumps({"at": now(), "data": _plain(data)}, default=_as_text)
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._directory)  # only its owner may read it
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                Path(name).replace(self._path(call))
            except OSError:
                Path(name).unlink()
                raise

    def _path(self, call: SourceCall) -> Path:
        said = [os.path.abspath(call.source), call.plugin, call.options]
        text = json.dumps(said, sort_keys=True, default=_as_text)
        return self._directory / hashlib.sha256(text.encode()).hexdigest()[:40]


def _as_text(value: object) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)


def _plain(data: SourceData) -> dict[str, Any]:
    return {
        "groups": {name: dict(variables) for name, variables in data.groups.items()},
        "members": {name: list(hosts) for name, hosts in data.members.items()},
        "children": {name: list(groups) for name, groups in data.children.items()},
        "hosts": {name: dict(variables) for name, variables in data.hosts.items()},
        "places": {name: list(place) for name, place in data.places.items()},
        "trusted": data.trusted,
        "mark": data.mark,
        "warnings": list(data.warnings),
    }


def _data(kept: dict[str, Any]) -> SourceData:
    return SourceData(**{**kept, "places": {name: Position(*place) for name, place in kept["places"].items()}})
