"""What hosts have said of themselves in earlier runs, kept on disk for a while.

There is a file for each host and way to ask it, below the directory of the journal. What is damaged isn't there.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drumline.clock import Clock
from drumline.model.request import Become
from drumline.model.target import Target
from drumline.secret import Secret


class FactCache:
    """Used by the threads of all jobs. ``age`` is for how many seconds facts are kept."""

    def __init__(self, directory: Path, age: float, clock: Clock) -> None:
        self._directory = directory
        self._age = age
        self._clock = clock

    def get(self, key: str) -> Mapping[str, Any] | None:
        """The facts that were put there lately enough."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            kept = json.loads((self._directory / key).read_text(encoding="utf-8"))
            if 0 <= self._clock.now() - kept["at"] <= self._age and isinstance(kept["facts"], dict):
                facts: dict[str, Any] = kept["facts"]
                return facts
        return None

    def put(self, key: str, facts: Mapping[str, Any]) -> None:
        """Keep them; without room for them nothing is kept, and the run goes on."""
        with suppress(OSError, TypeError, ValueError):
            text = json.dumps({"at": self._clock.now(), "facts": facts})
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._directory)  # only its owner may read it
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                Path(name).replace(self._directory / key)
            except OSError:
                Path(name).unlink()
                raise


def key_of(target: Target, become: Become | None, arguments: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """The name of the file for a host: another for another way to it, another user, or other facts of it."""
    options = {name: str(value) for name, value in target.options.items() if not isinstance(value, Secret)}
    asked = {name: repr(value) for name, value in arguments.items()}
    user = become.user if become else None
    said = [target.host, target.transport, options, user, asked, dict(environment)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:40]
