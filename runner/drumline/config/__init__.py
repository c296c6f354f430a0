"""Settings: defaults for whatever the command line doesn't say.

From weak to strong: drumline's defaults; ``drumline.toml`` in the working directory, or if it doesn't exist,
``ansible.cfg``; ``ANSIBLE_*`` in the environment; ``DRUMLINE_*`` in the environment. The command line overrides them
all. What can be set is in :mod:`drumline.config.known`. In ``drumline.toml`` tables hold settings of plugins, which
:mod:`drumline.plugin_settings` reads.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from drumline.config.ansible import Ignored, SettingSaid, find_file, from_environment, from_file
from drumline.config.known import KNOWN
from drumline.config.values import typed
from drumline.diagnostics import Diagnostic, Diagnostics, Position, did_you_mean
from drumline.errors import FilesError, UsageError

FILE_NAME = "drumline.toml"
_PREFIX = "DRUMLINE_"
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
    #: Seconds that one inventory source may take, unless its file says something else.
    inventory_timeout: float = 300.0
    #: For how many seconds what inventory sources gave is used again, where they have to be waited for; 0: not at all.
    inventory_cache: float = 0.0
    #: Whether such copies are made anew.
    refresh_inventory: bool = False
    #: Whether inventory sources that fail are left out.
    allow_missing_source: bool = False
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
    #: Ids of advice that ``drumline lint`` leaves out.
    lint_skip: tuple[str, ...] = ()
    #: Directories of roles, searched after the playbook's own; ``~`` may begin their names.
    roles_path: tuple[str, ...] = ("~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles")
    #: The same for collections.
    collections_path: tuple[str, ...] = ("~/.ansible/collections", "/usr/share/ansible/collections")
    #: ``merge``: dictionaries of one name are merged where variables are combined.
    hash_behaviour: str = "replace"
    #: As the options ``--tags``, ``--skip-tags``, ``--diff`` and ``--force-handlers``, where these aren't given.
    run_tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    diff_always: bool = False
    force_handlers: bool = False
    #: How many lines around a change a diff shows.
    diff_context: int = 3
    #: Whether the recap shows what ``set_stats`` has kept.
    show_custom_stats: bool = False
    #: What ``ansible_managed`` is in templates.
    ansible_managed: str = "Ansible managed"
    #: Directories with files of filters, tests and lookups, besides those beside playbooks and in roles.
    filter_plugins: tuple[str, ...] = ()
    test_plugins: tuple[str, ...] = ()
    lookup_plugins: tuple[str, ...] = ()
    #: ``explicit``: plays gather facts only if they say so.
    gathering: str = "implicit"
    #: What plays and tasks do that say nothing else: as the keywords of these names. None: not set.
    strategy: str | None = None
    #: Whether a person at the terminal is asked after jobs that failed.
    enable_task_debugger: bool | None = None
    any_errors_fatal: bool | None = None
    no_log: bool | None = None
    task_timeout: float | None = None
    become: bool | None = None
    become_method: str | None = None
    become_user: str | None = None
    become_exe: str | None = None
    become_flags: str | None = None
    #: How hosts are reached whose variables and keywords say nothing else.
    transport: str | None = None
    remote_user: str | None = None
    remote_port: int | None = None
    private_key_file: str | None = None
    host_key_checking: bool | None = None
    timeout: float | None = None
    ssh_args: str | None = None
    ssh_common_args: str | None = None
    ssh_extra_args: str | None = None
    #: Passwords of log-ins and of becoming another user: whether to ask for them, or the files that have them.
    ask_pass: bool | None = None
    become_ask_pass: bool | None = None
    ask_vault_pass: bool | None = None
    connection_password_file: str | None = None
    become_password_file: str | None = None
    #: Passwords of vault data, as ``--vault-password-file`` and ``--vault-id`` name them.
    vault_password_file: str | None = None
    vault_identity_list: tuple[str, ...] = ()
    for_plugins: ForPlugins = ForPlugins()


class Loaded(Struct, frozen=True, kw_only=True):
    """Settings, and where they come from."""

    settings: Settings
    sources: Mapping[str, str]  #: Of those that aren't defaults: ``drumline.toml:3``, ``ANSIBLE_FORKS``.
    ignored: tuple[Ignored, ...] = ()  #: What ``ansible.cfg`` has beside them.
    file: Path | None = None  #: The file that was read.
    warnings: tuple[Diagnostic, ...] = ()


def load_settings(directory: Path, environment: Mapping[str, str]) -> Settings:
    """The settings in a working directory.

    Raises ``FilesError`` with every mistake in the file of settings, and ``UsageError`` for an invalid variable.
    """
    return settings_and_sources(directory, environment).settings


def settings_and_sources(directory: Path, environment: Mapping[str, str]) -> Loaded:
    """The same, with where each comes from."""
    warnings = Diagnostics()
    path: Path | None = directory / FILE_NAME
    written, tables = _from_file(directory / FILE_NAME)
    found, ignored = written or {}, list[Ignored]()
    if written is None:
        path = find_file(directory, environment, warnings)
        if path is not None:
            found, ignored = from_file(path, directory)
    found = found | from_environment(environment) | _from_environment(environment)
    for_plugins = ForPlugins(tables=tables, environment=_of_plugins(environment))
    values = {"state": state_directory(environment)} | {name: setting.value for name, setting in found.items()}
    return Loaded(
        settings=Settings(**values, for_plugins=for_plugins),  # type: ignore[arg-type]  # readers give their types
        sources={name: setting.source for name, setting in found.items()},
        ignored=tuple(ignored),
        file=path,
        warnings=tuple(warnings),
    )


def state_directory(environment: Mapping[str, str]) -> Path:
    """Where a user's runs are kept by default. As XDG demands, a relative ``XDG_STATE_HOME`` is ignored."""
    base = Path(environment.get("XDG_STATE_HOME", ""))
    home = Path(environment["HOME"]) if environment.get("HOME") else Path.home()
    return (base if base.is_absolute() else home / ".local" / "state") / "drumline"


def _from_file(path: Path) -> tuple[dict[str, SettingSaid] | None, dict[str, Table]]:
    """The settings in ``drumline.toml``, and its tables; None where there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None, {}
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


def _checked(written: Mapping[str, Any], text: str, path: Path) -> tuple[dict[str, SettingSaid], dict[str, Table]]:
    mistakes = Diagnostics()
    settings: dict[str, SettingSaid] = {}
    tables = {}
    for name, value in written.items():
        line = _line_of(name, text)
        position = Position(str(path), line)
        if name not in KNOWN and isinstance(value, dict):
            tables[name] = _table(value, text, position)
            continue
        if name not in KNOWN:
            detail = f"There is no setting '{name}'.{did_you_mean(name, KNOWN)}"
            mistakes.add("Unknown setting", detail=detail, position=position)
            continue
        try:
            settings[name] = SettingSaid(KNOWN[name].read(value), f"{path}:{line}")
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
    own = {variable_of(name) for name in KNOWN}
    return {name: text for name, text in environment.items() if name.startswith(_PREFIX) and name not in own}


def variable_of(name: str) -> str:
    """The environment variable of a setting, as ``DRUMLINE_FORKS``, or of a plugin's, as ``DRUMLINE_LAB_WINDOWS``."""
    return _PREFIX + re.sub(r"\W", "_", name).upper()


def _from_environment(environment: Mapping[str, str]) -> dict[str, SettingSaid]:
    settings: dict[str, SettingSaid] = {}
    for name, known in KNOWN.items():
        variable = variable_of(name)
        text = environment.get(variable, "")
        if not text:
            continue
        try:
            settings[name] = SettingSaid(known.read(typed(known.read, text)), variable)
        except ValueError as error:
            raise UsageError("An environment variable has an invalid value", f"{variable} {error}.") from None
    return settings


#: The names of drumline's own settings.
NAMES = frozenset(KNOWN)


def _mistake(summary: str, detail: str, position: Position | None = None) -> Diagnostic:
    return Diagnostic(summary=summary, detail=detail, position=position)
