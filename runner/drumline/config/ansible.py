"""``ansible.cfg`` and ``ANSIBLE_*``: what a project that comes from Ansible has set already.

The file is searched for as Ansible does: ``ANSIBLE_CONFIG``, ``./ansible.cfg`` (but not where anyone may write),
``~/.ansible.cfg``, ``/etc/ansible/ansible.cfg``. The first one counts alone.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from drumline.config.known import KNOWN, REFUSED, SECTIONS_WITHOUT_EFFECT, WITHOUT_EFFECT, Known, facts_are_kept
from drumline.config.values import typed
from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError, UsageError

FILE_NAME = "ansible.cfg"
_SYSTEM = Path("/etc/ansible") / FILE_NAME
_SECTION = re.compile(r"\[([^\]]+)\]\s*(?:[#;].*)?\Z")
_SETTING = re.compile(r"([^=:\s][^=:]*?)\s*[=:]\s*(.*)\Z")
_COMMENT = re.compile(r"(?:^|\s);.*")
_CACHE = ("fact_caching", "fact_caching_timeout")


class SettingSaid(NamedTuple):
    """What one setting was given."""

    value: object
    source: str  #: ``ansible.cfg:3``, or the name of a variable.


class Ignored(NamedTuple):
    """A setting of the file that isn't one of ours."""

    name: str
    source: str
    is_known: bool  #: Whether it is known to have no effect here.


class WrittenSetting(NamedTuple):
    """A setting as it stands in the file."""

    text: str
    position: Position


#: What stands in a file, by section and key.
Lines = Mapping[tuple[str, str], WrittenSetting]


def find_file(directory: Path, environment: Mapping[str, str], warnings: Diagnostics) -> Path | None:
    """The file that counts, or None. Raises ``UsageError`` if the variable names a file that doesn't exist."""
    named = environment.get("ANSIBLE_CONFIG")
    if named:
        path = directory / Path(named).expanduser()
        path = path / FILE_NAME if path.is_dir() else path
        if path.is_file():
            return path
        detail = f"ANSIBLE_CONFIG is {named!r}, and there is no such file."
        warnings.add("The file of settings isn't there", detail=detail)
    beside = directory / FILE_NAME
    if beside.is_file():
        if not directory.stat().st_mode & stat.S_IWOTH:
            return beside
        detail = "Anyone may write in this directory, so the file in it may be anyone's. Take the right from others."
        warnings.add("ansible.cfg is ignored", detail=detail, position=Position(str(beside)))
    home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
    return next((path for path in (home / f".{FILE_NAME}", _SYSTEM) if path.is_file()), None)


def read_lines(path: Path) -> Lines:
    """What stands in the file. Raises ``FilesError`` with every line that can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it isn't UTF-8 text"
        diagnostic = Diagnostic(summary="The settings can't be read", detail=f"{path}: {reason}.")
        raise FilesError([diagnostic]) from None
    mistakes = Diagnostics()
    found: dict[tuple[str, str], WrittenSetting] = {}
    section, last = "", None
    for number, line in enumerate(text.splitlines(), 1):
        words = _COMMENT.sub("", line).strip()
        position = Position(str(path), number)
        if not words or words.startswith("#"):
            continue
        if line[0].isspace() and last is not None:
            found[last] = found[last]._replace(text=f"{found[last].text}\n{words}".strip())
        elif header := _SECTION.match(words):
            section, last = header[1].strip(), None
        elif (setting := _SETTING.match(words)) and section:
            last = section, setting[1].lower()
            found[last] = WrittenSetting(setting[2], position)
        elif not section:
            detail = "A section comes before the first setting: [defaults]."
            mistakes.add("A setting outside of a section", detail=detail, position=position)
        else:
            mistakes.add("Not a setting", detail="A setting is written 'name = value'.", position=position)
    if mistakes:
        raise FilesError(mistakes)
    return found


def from_file(path: Path, directory: Path) -> tuple[dict[str, SettingSaid], list[Ignored]]:
    """The values of our settings, as seen from a working directory, and the file's other ones.

    Raises ``FilesError`` with every mistake.
    """
    lines = read_lines(path)
    mistakes = Diagnostics()
    found: dict[str, SettingSaid] = {}
    used: set[tuple[str, str]] = {*(("defaults", key) for key in _CACHE), *REFUSED}
    for name, known in KNOWN.items():
        used.update(known.keys)
        line = next((lines[key] for key in known.keys if lines.get(key, WrittenSetting("", Position(""))).text), None)
        if line is None:
            continue
        try:
            value = known.read(typed(known.read, _unquoted(line.text), known.separator))
        except ValueError as error:
            detail = f"'{name}' {error}."
            mistakes.add("This setting has an invalid value", detail=detail, position=line.position)
            continue
        found[name] = SettingSaid(_beside(value, known, path, directory), _source(line))
    found |= _fact_cache(lines, mistakes)
    for (section, name), refused in REFUSED.items():
        line = lines.get((section, name))
        if line is not None and refused.says(_unquoted(line.text)):
            detail = f"'{name}' is not supported. {refused.instead}"
            mistakes.add("Setting not supported", detail=detail, position=line.position)
    if mistakes:
        raise FilesError(mistakes)
    return found, [_ignored(*key, line) for key, line in lines.items() if key not in used]


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _ignored(section: str, key: str, line: WrittenSetting) -> Ignored:
    known = section.startswith(SECTIONS_WITHOUT_EFFECT) or key in WITHOUT_EFFECT or key.endswith("_plugins")
    return Ignored(f"[{section}] {key}", _source(line), known)


def _source(line: WrittenSetting) -> str:
    return f"{line.position.path}:{line.position.line}"


def _fact_cache(lines: Lines, mistakes: Diagnostics) -> dict[str, SettingSaid]:
    plugin, timeout = (lines.get(("defaults", key)) for key in _CACHE)
    if plugin is None:
        return {}
    try:
        kept = KNOWN["fact_cache"].read(facts_are_kept(plugin.text, timeout and timeout.text))
    except ValueError:
        detail = f"'fact_caching_timeout' is a number of seconds, not {timeout.text if timeout else ''!r}."
        mistakes.add("This setting has an invalid value", detail=detail, position=timeout and timeout.position)
        return {}
    return {"fact_cache": SettingSaid(kept, _source(plugin))}


def from_environment(environment: Mapping[str, str]) -> dict[str, SettingSaid]:
    """The values of our settings in Ansible's variables. Raises ``UsageError`` for an invalid one."""
    for refused in REFUSED.values():
        if refused.variable and refused.says(environment.get(refused.variable)):
            raise UsageError("Setting not supported", f"{refused.variable}: {refused.instead}")
    found: dict[str, SettingSaid] = {}
    for name, variable, text in _given(environment):
        known = KNOWN[name]
        try:
            value = known.read(typed(known.read, text, known.separator))
        except ValueError as error:
            raise UsageError("An environment variable has an invalid value", f"{variable} {error}.") from None
        found[name] = SettingSaid(value, variable)
    return found


def _given(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, known in KNOWN.items():
        variable = next((variable for variable in known.variables if environment.get(variable)), None)
        if variable is not None:
            yield name, variable, environment[variable]
    plugin = environment.get("ANSIBLE_CACHE_PLUGIN")
    if plugin:
        yield (
            "fact_cache",
            "ANSIBLE_CACHE_PLUGIN",
            facts_are_kept(plugin, environment.get("ANSIBLE_CACHE_PLUGIN_TIMEOUT")),
        )


def _beside(value: object, known: Known, path: Path, directory: Path) -> object:
    """Names of files as they are from here: in the file they are relative to its directory."""
    if not known.is_path:
        return value
    base = Path() if path.absolute().parent == directory.absolute() else path.parent
    values = value if isinstance(value, tuple) else (value,)
    placed = tuple(str(base / os.path.expandvars(str(item)).replace("{{CWD}}", str(directory))) for item in values)
    return placed if isinstance(value, tuple) else placed[0]
