"""How values of settings are read. Each reader raises ``ValueError`` that says how the value has to be.

``drumline.toml`` gives values with types; what comes from the environment or ``ansible.cfg`` is text, which
:func:`typed` turns into such a value first.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from drumline.booleans import FALSE, TRUE

#: Reads a value as ``drumline.toml`` gives it.
Read: TypeAlias = Callable[[Any], Any]

_SIZE = r"([0-9]+(?:\.[0-9]+)?)\s*(B|[kMGT]i?B)?"
_UNITS = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}


def typed(read: Read, text: str, separator: str = os.pathsep) -> Any:
    """A text as this reader takes it: a list is one with separators."""
    if read in (sources, paths, names):
        return [part.strip() for part in text.split("," if read is names else separator) if part.strip()]
    if read in (count, lines):
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text
    if read in (seconds, limit):
        return float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else text
    if read is boolean:
        word = text.strip().lower()
        return word in TRUE if word in TRUE | FALSE else text
    return text


def count(value: Any) -> int:
    """A whole number from 1 up."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"has to be a whole number from 1 up, not {value!r}")
    return value


def lines(value: Any) -> int:
    """A whole number from 0 up."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"has to be a whole number from 0 up, not {value!r}")
    return value


def seconds(value: Any) -> float:
    """A number of seconds above 0."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise ValueError(f"has to be a number of seconds above 0, not {value!r}")
    return float(value)


def limit(value: Any) -> float | None:
    """A number of seconds, or 0 for no limit."""
    return None if value == 0 and not isinstance(value, bool) else seconds(value)


def boolean(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"has to be true or false, not {value!r}")
    return value


def age(value: Any) -> float:
    """``90s``, ``30m``, ``12h``, ``2d``, ``unlimited`` or ``off``, as seconds."""
    found = re.fullmatch(r"([0-9]{1,9})\s*([smhd])", str(value).strip())
    if found is not None:
        return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    if str(value).strip() in ("0", "off"):
        return 0.0
    if value == "unlimited":
        return math.inf
    raise ValueError(f'has to be a time such as "90s", "30m", "12h" or "2d", or "off", not {value!r}')


def sources(value: Any) -> tuple[str, ...]:
    """Inventory sources: one or a list."""
    return _texts(value, "the name of a source or a list of them")


def paths(value: Any) -> tuple[str, ...]:
    """Directories to search: one or a list."""
    return _texts(value, "the name of a directory or a list of them")


def names(value: Any) -> tuple[str, ...]:
    """One name or a list of them."""
    return _texts(value, "a name or a list of them", expand=False)


def _texts(value: Any, wanted: str, *, expand: bool = True) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"has to be {wanted}, not {value!r}")
    return tuple(os.path.expanduser(text) if expand else text for text in texts)


def text(value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError(f"has to be text, not {value!r}")
    return value


def file(value: Any) -> str:
    """The name of a file."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"has to be the name of a file, not {value!r}")
    return os.path.expanduser(value)


def directory(value: Any) -> Path:
    """The name of a directory."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"has to be the name of a directory, not {value!r}")
    return Path(value).expanduser()


def strategy(value: Any) -> str:
    """The strategy of plays; those of the extension mitogen differ from Ansible's in nothing but speed."""
    name = str(value).removeprefix("ansible.builtin.").removeprefix("mitogen_")
    if name not in ("waves", "linear", "debug", "free"):
        raise ValueError(f'has to be "waves", "linear" (the same), "debug" or "free", not {value!r}')
    return name


def one_of(*choices: str) -> Read:
    """A reader for one of these words."""

    def read(value: Any) -> str:
        if value not in choices:
            said = [f'"{choice}"' for choice in choices]
            raise ValueError(f"has to be {', '.join(said[:-1])} or {said[-1]}, not {value!r}")
        return str(value)

    return read


def size_of(value: Any) -> float:
    """Bytes, as a number or as ``"16 MiB"``; ``"unlimited"`` is infinity. Raises ``ValueError``."""
    if isinstance(value, str):
        if value.strip().lower() == "unlimited":
            return math.inf
        if (found := re.fullmatch(_SIZE, value.strip(), flags=re.IGNORECASE)) is not None:
            return float(int(float(found[1]) * _UNITS[(found[2] or "B").lower()]))
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise ValueError(f'has to be a size such as "16 MiB", a number of bytes, or "unlimited", not {value!r}')


def size_text(size: float) -> str:
    """A size for people, as written in settings: ``16 MiB``."""
    if math.isinf(size):
        return "unlimited"
    power = next((power for power in (4, 3, 2, 1) if size >= 1024**power and size % 1024**power == 0), 0)
    return f"{size / 1024**power:g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}"


def age_text(age: float) -> str:
    """A time for people, as written in settings: ``12h``, ``off``."""
    if not age:
        return "off"
    if math.isinf(age):
        return "unlimited"
    unit, length = next((unit, length) for unit, length in _LENGTHS if age % length == 0)
    return f"{age / length:g}{unit}"


_LENGTHS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
