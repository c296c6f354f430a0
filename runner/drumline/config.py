"""Settings: defaults for whatever the command line doesn't say.

From weak to strong: drumline's defaults, ``drumline.toml`` in the working directory, ``DRUMLINE_*`` in the environment.
The command line overrides them all. A complete ``drumline.toml``::

    inventory = ["inventory", "cloud.yml"]   # DRUMLINE_INVENTORY=inventory:cloud.yml
    forks = 50                               # DRUMLINE_FORKS
    sessions = 4                             # DRUMLINE_SESSIONS
    state = "~/.local/state/drumline"        # DRUMLINE_STATE
    output_limit = "16 MiB"                  # DRUMLINE_OUTPUT_LIMIT
    journal_limit = "4 GiB"                  # DRUMLINE_JOURNAL_LIMIT
    slow_reports = "drop"                    # DRUMLINE_SLOW_REPORTS
    template_timeout = 20                    # DRUMLINE_TEMPLATE_TIMEOUT
    fact_cache = "1h"                        # DRUMLINE_FACT_CACHE

Tables hold settings of plugins, which :mod:`drumline.plugin_settings` reads.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from drumline.diagnostics import Diagnostic, Diagnostics, Position, did_you_mean
from drumline.errors import FilesError, UsageError

FILE_NAME = "drumline.toml"
_PREFIX = "DRUMLINE_"
_SIZE = r"([0-9]+(?:\.[0-9]+)?)\s*(B|[kMGT]i?B)?"
_UNITS = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}
_TOML_PLACE = r"\s*\(at line (\d+), column (\d+)\)\Z"


class Table(Struct, frozen=True, kw_only=True):
    """One table of ``drumline.toml``, and its place."""

    values: Mapping[str, Any]
    position: Position
    positions: Mapping[str, Position]  #: The places of its keys.


class ForPlugins(Struct, frozen=True, kw_only=True):
    """The settings of plugins, not yet parsed."""

    tables: Mapping[str, Table] = {}  #: The tables of ``drumline.toml``, by name.
    environment: Mapping[str, str] = {}  #: Variables that start with ``DRUMLINE_`` and aren't drumline's own.


class Settings(Struct, frozen=True, kw_only=True):
    """drumline's own settings, and the unparsed ones of plugins."""

    #: Inventory sources, as for ``-i``. If empty: ``./inventory``, if it exists.
    inventory: tuple[str, ...] = ()
    #: The most hosts that are worked on at once.
    forks: int = 50
    #: The most sessions per host at once.
    sessions: int = 4
    #: Directory of the journal.
    state: Path = field(default_factory=lambda: state_directory(os.environ))
    #: The most bytes of one command's output that are kept.
    output_limit: float = 16.0 * 1024**2
    #: The most bytes of the journal: beyond that, the oldest runs are removed when a run begins.
    journal_limit: float = 4.0 * 1024**3
    #: What happens if the reader of a report is too slow: ``drop`` or ``wait`` (:mod:`drumline.reporting.relay`).
    slow_reports: str = "drop"
    #: Seconds that one template may take (:mod:`drumline.templating.budget`).
    template_timeout: float = 20.0
    #: For how many seconds facts that a play gathers are kept for later runs; 0: not at all.
    fact_cache: float = 0.0
    for_plugins: ForPlugins = ForPlugins()


def load_settings(directory: Path, environment: Mapping[str, str]) -> Settings:
    """The settings in a working directory.

    Raises ``FilesError`` with every mistake in ``drumline.toml``, and ``UsageError`` for an invalid variable.
    """
    found = {"state": state_directory(environment)}
    written, tables = _from_file(directory / FILE_NAME)
    for_plugins = ForPlugins(tables=tables, environment=_of_plugins(environment))
    return Settings(**(found | written | _from_environment(environment)), for_plugins=for_plugins)


def state_directory(environment: Mapping[str, str]) -> Path:
    """Where a user's runs are kept by default. As XDG demands, a relative ``XDG_STATE_HOME`` is ignored."""
    base = Path(environment.get("XDG_STATE_HOME", ""))
    home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
    return (base if base.is_absolute() else home / ".local" / "state") / "drumline"


def _from_file(path: Path) -> tuple[dict[str, Any], dict[str, Table]]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}, {}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it isn't UTF-8 text"
        raise FilesError([_mistake("The settings can't be read", f"{path}: {reason}.")]) from None
    import tomllib  # imported late: most projects have no such file

    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FilesError([_syntax_mistake(str(error), path)]) from None
    return _checked(written, text, path)


def _syntax_mistake(message: str, path: Path) -> Diagnostic:
    place = re.search(_TOML_PLACE, message)
    position = Position(str(path), int(place[1]), int(place[2])) if place else Position(str(path))
    return _mistake("This isn't valid TOML", f"{re.sub(_TOML_PLACE, '', message)}.", position)


def _checked(written: Mapping[str, Any], text: str, path: Path) -> tuple[dict[str, Any], dict[str, Table]]:
    mistakes = Diagnostics()
    settings, tables = {}, {}
    for name, value in written.items():
        line = _line_of(name, text)
        position = Position(str(path), line)
        if name not in _READERS and isinstance(value, dict):
            tables[name] = _table(value, text, position)
            continue
        if name not in _READERS:
            detail = f"There is no setting '{name}'.{did_you_mean(name, _READERS)}"
            mistakes.add("Unknown setting", detail=detail, position=position)
            continue
        try:
            settings[name] = _READERS[name](value)
        except ValueError as error:
            mistakes.add("This setting has an invalid value", detail=f"'{name}' {error}.", position=position)
    if mistakes:
        raise FilesError(mistakes)
    return settings, tables


def _table(values: Mapping[str, Any], text: str, position: Position) -> Table:
    before = position.line - 1
    below = "\n".join(text.splitlines()[before:])
    positions = {key: position._replace(line=before + _line_of(key, below)) for key in values}
    return Table(values=values, position=position, positions=positions)


def _line_of(name: str, text: str) -> int:
    """The first line with a key or table, else the first line: tomllib doesn't tell positions."""
    key = rf"[\"']?{re.escape(name)}[\"']?"
    match = re.search(rf"^[ \t]*(?:\[+\s*{key}\s*[].]|(?:[\w\"'-]+\.)*{key}\s*[.=])", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _of_plugins(environment: Mapping[str, str]) -> dict[str, str]:
    own = {variable_of(name) for name in _READERS}
    return {name: text for name, text in environment.items() if name.startswith(_PREFIX) and name not in own}


def variable_of(name: str) -> str:
    """The environment variable of a setting, as ``DRUMLINE_FORKS``, or of a plugin's, as ``DRUMLINE_LAB_WINDOWS``."""
    return _PREFIX + re.sub(r"\W", "_", name).upper()


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for name, read in _READERS.items():
        variable = variable_of(name)
        text = environment.get(variable, "")
        if not text:
            continue
        try:
            settings[name] = read(_typed(name, text))
        except ValueError as error:
            raise UsageError("An environment variable has an invalid value", f"{variable} {error}.") from None
    return settings


def _typed(name: str, text: str) -> Any:
    """The value of an environment variable, typed as it would be in the file."""
    if name == "inventory":
        return text.split(os.pathsep)
    if _READERS[name] is _count:
        return int(text) if re.fullmatch(r"-?[0-9]+", text) else text
    if _READERS[name] is _seconds:
        return float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else text
    return text


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"has to be a whole number from 1 up, not {value!r}")
    return value


def _seconds(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise ValueError(f"has to be a number of seconds above 0, not {value!r}")
    return float(value)


def _age(value: Any) -> float:
    found = re.fullmatch(r"([0-9]{1,9})\s*([smhd])", str(value).strip())
    if found is not None:
        return float(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]
    if str(value).strip() in ("0", "off"):
        return 0.0
    raise ValueError(f'has to be a time such as "90s", "30m", "12h" or "2d", or "off", not {value!r}')


def _sources(value: Any) -> tuple[str, ...]:
    sources = [value] if isinstance(value, str) else value
    if not isinstance(sources, list) or not all(isinstance(source, str) and source for source in sources):
        raise ValueError(f"has to be the name of a source or a list of them, not {value!r}")
    return tuple(os.path.expanduser(source) for source in sources)


def _directory(value: Any) -> Path:
    if not isinstance(value, str) or not value:
        raise ValueError(f"has to be the name of a directory, not {value!r}")
    return Path(value).expanduser()


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


def _slow_reports(value: Any) -> str:
    if value not in ("drop", "wait"):
        raise ValueError(f'has to be "drop" or "wait", not {value!r}')
    return str(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "inventory": _sources,
    "forks": _count,
    "sessions": _count,
    "state": _directory,
    "output_limit": size_of,
    "journal_limit": size_of,
    "slow_reports": _slow_reports,
    "template_timeout": _seconds,
    "fact_cache": _age,
}


#: The names of drumline's own settings.
NAMES = frozenset(_READERS)


def _mistake(summary: str, detail: str, position: Position | None = None) -> Diagnostic:
    return Diagnostic(summary=summary, detail=detail, position=position)
