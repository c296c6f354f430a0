"""What is wrong with a playbook, a role or a list of tasks, as far as that can be known without hosts."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.app import inventory_of, prepare, registry
from drumline.built_in import all_plugins
from drumline.config import Settings, load_settings
from drumline.diagnostics import Diagnostic, Diagnostics
from drumline.errors import DrumlineError, FilesError
from drumline.inventory.looking import look_at
from drumline.loading.playbook import read_playbooks
from drumline.loading.reading import Around
from drumline.loading.written import templates_in
from drumline.model.host import Inventory
from drumline.model.plan import Plan
from drumline.model.playbook import Playbook
from drumline.plugin.actions import Action
from drumline.plugin.registry import Registry
from drumline.source.nodes import plain
from drumline.source.vault import MISSING
from drumline.source.yaml import kept, read
from drumline.survey.finding import Kind, Unit, task_files
from drumline.survey.made_up import made_up
from drumline.survey.own import Own, own_of
from drumline.survey.refused import is_refused
from drumline.survey.stubs import WithStubs
from drumline.templating.neighbours import load_neighbours
from drumline.templating.offers import NEIGHBOURS
from drumline.templating.templates import Templating

#: Mistakes that only say that a variable is missing, which the real inventory or the command line may define: also what
#: kind of host it is.
_OF_VARIABLES = frozenset(
    {"A keyword can't be rendered", "A host pattern can't be rendered", "runas is for Windows hosts"}
)


#: The mistake that says that a role isn't there: it may come from elsewhere, as modules do.
_OF_ROLES = "A role isn't there"
#: Mistakes that say that a filter, test or lookup isn't there.
_OF_PLUGINS = frozenset(
    {
        *("Unknown filter", "Unknown test", "Unknown lookup", "Not a valid template"),
        *("Filter not supported yet", "Test not supported yet", "Lookup not supported yet"),
    }
)
#: The mistake that says that the made-up inventory lacks a host.
_OF_INVENTORY = "A host pattern matches nothing"
#: Mistakes that say that a file isn't there.
_OF_FILES = frozenset({"A file isn't there", "A file of tasks isn't there"})
_FILE = re.compile(r"There is no file '([^'\n]+)'")
#: The handlers of a role or a list of tasks may be those of whoever uses it.
_OF_HANDLERS = "Unknown handler in notify"


class Checked(Struct, frozen=True, kw_only=True):
    """What came of one unit."""

    unit: Unit
    mistakes: tuple[Diagnostic, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    playbook: Playbook = Playbook(path="")  #: As far as it could be read.
    plan: Plan | None = None  #: If nothing is wrong.
    refused: frozenset[Diagnostic] = frozenset()  #: Those of the mistakes that Ansible refuses, too.
    stubs: tuple[str, ...] = ()  #: The names of actions that were stood in for.


class Checker:
    """Looks at one unit after the other. What they share is read once. For one thread."""

    def __init__(self, *, stubs: bool = False, trusted: bool = False) -> None:
        """``trusted``: what is looked at may run its code, such as plugins of the project."""
        self._stubs = stubs
        self._trusted = trusted
        self._registries: dict[str, Registry] = {}
        self._templating: dict[str, Templating] = {}  #: It keeps what it has read.
        self._settings: dict[Path, Settings] = {}
        self._own: dict[str, Own] = {}
        self._scratch = Path()
        self._made = 0

    @property
    def plugins(self) -> Registry:
        """Those of no playbook."""
        return self._registry("")

    def inventory(self, unit: Unit) -> Inventory:
        """What an inventory gives; only one that is trusted starts programs and asks servers. Raises ``FilesError``."""
        if not self._trusted:
            return look_at([unit.path])
        return inventory_of(replace(self._settings_for(unit), inventory=(unit.path,)), self.plugins)

    def made(self, diagnostic: Diagnostic) -> bool:
        """Whether it is about something that was made up."""
        return diagnostic.position is not None and diagnostic.position.path.startswith(str(self._scratch))

    def check_variables(self, unit: Unit) -> list[Diagnostic]:
        """What is wrong with a file of variables: its form, and the templates in it."""
        found = Diagnostics()
        try:
            node = read(Path(unit.path))
        except FilesError as error:
            return list(error.diagnostics)
        if node is not None and not isinstance(node.value, dict):
            detail = f"A file of variables is a dictionary, but this is {node.kind}."
            found.add("Not variables", detail=detail, position=node.position)
        templating = self._templating_of("")
        for template in templates_in(plain(node)):
            found.extend(templating.check(template))
        return list(found)

    @property
    def actions(self) -> Mapping[str, Action]:
        """All actions, without stubs."""
        return self._registry("").actions

    @contextmanager
    def working(self) -> Iterator[Checker]:
        """Keep what is read, and have a directory for what is made up, until the end."""
        with kept(), tempfile.TemporaryDirectory(prefix="drumline-") as scratch:
            self._scratch = Path(scratch)
            yield self

    def check(self, unit: Unit) -> Checked:
        """Everything that is wrong with it. Never raises for what stands in files."""
        stood_in: list[WithStubs] = []
        own = self._own_of(unit.root)
        path = self._playbook_for(unit)
        settings = self._settings_for(unit)
        place = _place_of_filters(unit)
        plugins = self._registry(place)
        templating = self._templating_of(place)
        if self._stubs:
            stood_in = [WithStubs(plugins.actions, own.modules | own.offered)]
            plugins = replace(plugins, actions=stood_in[0])
        elif not self._trusted:
            plugins = replace(plugins, actions=WithStubs(plugins.actions, own.offered, others=False))
        mistakes, warnings, playbook, plan = _checked(path, settings, plugins, templating)
        roles: list[str] = []
        if self._stubs:
            roles = [_role_named(mistake) for mistake in mistakes if mistake.summary == _OF_ROLES]
            mistakes = [one for one in mistakes if not _is_of(own.plugins, one) and one.summary != _OF_ROLES]
        if not self._trusted:
            mistakes = [one for one in mistakes if not _is_of(own.offered, one)]
            warnings += [one for one in mistakes if one.summary == MISSING]  # its program, if any, wasn't run
            mistakes = [one for one in mistakes if one.summary != MISSING]
        mended = tuple(self.mended(mistakes, unit))
        return Checked(
            unit=unit,
            mistakes=mended,
            refused=frozenset(one for one in mended if is_refused(one) and not _is_of(own.plugins, one)),
            warnings=tuple(self.mended(warnings, unit)),
            playbook=playbook,
            plan=plan,
            stubs=tuple(dict.fromkeys([*roles, *(stood_in[0].used if stood_in else ())])),
        )

    def _playbook_for(self, unit: Unit) -> Path:
        """The playbook itself, or one that is made up for a role or a list of tasks."""
        if unit.kind is Kind.PLAYBOOK:
            return Path(unit.path)
        where = str(Path(unit.path).absolute())
        if unit.kind is Kind.TASKS:
            plays: list[dict[str, Any]] = [{"hosts": "all", "tasks": [{"import_tasks": where}]}]
        else:
            others = [{"import_role": {"name": where, "tasks_from": name}} for name in task_files(Path(unit.path))]
            plays = [{"hosts": "all", "roles": [where]}, *({"hosts": "all", "tasks": [one]} for one in others)]
        self._made += 1  # what is read is kept by its path
        path = self._scratch / f"made-up-{self._made}.yml"
        path.write_text(json.dumps(plays), encoding="utf-8")  # JSON is YAML
        return path

    def mended(self, found: Iterable[Diagnostic], unit: Unit) -> Iterator[Diagnostic]:
        """Without what is only about something made up, and with paths as the unit's is written."""
        here = "" if Path(unit.path).is_absolute() else f"{Path.cwd()}{os.sep}"
        for diagnostic in found:
            position = diagnostic.position
            made = position is not None and position.path.startswith(str(self._scratch))
            if diagnostic.summary in _OF_VARIABLES or (made and not diagnostic.detail):
                continue
            if diagnostic.summary == _OF_HANDLERS and unit.kind is not Kind.PLAYBOOK:
                continue
            if diagnostic.summary == _OF_INVENTORY or (
                diagnostic.summary in _OF_FILES and _is_elsewhere(diagnostic, unit)
            ):
                continue
            lines = (line for line in diagnostic.detail.splitlines() if str(self._scratch) not in line)
            detail = "\n".join(line.replace(here, "") for line in lines)
            if position is not None:
                position = position._replace(path=position.path.removeprefix(here))
            yield replace(diagnostic, detail=detail, position=position)

    def _settings_for(self, unit: Unit) -> Settings:
        """Those of the nearest directory with a file of settings, up to where the unit was found."""
        place = Path(unit.path).absolute()
        root = Path(unit.root).absolute()
        for directory in (place.parent, *place.parent.parents):
            if any((directory / name).is_file() for name in ("drumline.toml", "ansible.cfg")):
                break
            if directory == root:
                break
        if directory not in self._settings:
            try:
                settings = load_settings(directory, os.environ)
            except DrumlineError:
                settings = Settings()
            self._settings[directory] = replace(
                settings,
                roles_path=_with_places(settings.roles_path, directory, root),
                collections_path=(*settings.collections_path, str(self._scratch)),
            )
        return self._settings[directory]

    def _registry(self, own: str) -> Registry:
        if own not in self._registries:
            self._registries[own] = registry(Settings()) if self._trusted else all_plugins()
            if own:
                load_neighbours([Path(own)], self._registries[own], trusted=self._trusted)
        return self._registries[own]

    def _templating_of(self, own: str) -> Templating:
        if own not in self._templating:
            self._templating[own] = Templating(plugins=self._registry(own), trusted=self._trusted)
        return self._templating[own]

    def _own_of(self, root: str) -> Own:
        """What the project has of its own; its collections can be found in the scratch directory then."""
        if root not in self._own:
            self._own[root] = own_of(root)
            for name, directory in self._own[root].collections.items():
                place = self._scratch / "ansible_collections" / Path(*name.split("."))
                place.parent.mkdir(parents=True, exist_ok=True)
                if not place.exists():
                    place.symlink_to(Path(directory).absolute())
        return self._own[root]


def _place_of_filters(unit: Unit) -> str:
    """The directory of a unit with filters beside it; or an empty text."""
    directory = Path(unit.path).absolute().parent
    return str(directory) if any((directory / name).is_dir() for name in NEIGHBOURS) else ""


def _is_elsewhere(diagnostic: Diagnostic, unit: Unit) -> bool:
    """Whether a missing file may be there all the same: on the machine that runs it, or beside who uses the unit."""
    found = _FILE.search(diagnostic.detail)
    if found is None:
        return False
    root = Path(unit.root).absolute()
    path = Path(found[1]).expanduser()
    if path.is_absolute():
        return not path.is_relative_to(root)
    if unit.kind is Kind.PLAYBOOK:
        return False
    above = [place for place in Path(unit.path).absolute().parents if place == root or root in place.parents]
    return any((place / name / path).exists() for place in above for name in ("", "files", "tasks", "templates"))


def _with_places(paths: Sequence[str], directory: Path, root: Path) -> tuple[str, ...]:
    """Directories of roles as seen from anywhere, and those of the whole project."""
    return (*(str(directory / Path(path).expanduser()) for path in paths), str(root / "roles"), str(root))


def _role_named(mistake: Diagnostic) -> str:
    found = re.search(r"'([^']+)'", mistake.detail)
    return f"role {found[1]}" if found else "role"


def _is_of(own: frozenset[str], diagnostic: Diagnostic) -> bool:
    """Whether a mistake only says that a filter, test or lookup of these names isn't there."""
    if diagnostic.summary not in _OF_PLUGINS:
        return False
    return any(name.rpartition(".")[2] in own for name in re.findall(r"(?<!\w)'([\w.]+)'", diagnostic.detail))


def _checked(
    path: Path, settings: Settings, plugins: Registry, templating: Templating
) -> tuple[list[Diagnostic], list[Diagnostic], Playbook, Plan | None]:
    playbook = Playbook(path="")

    def read_and_keep(actions: Mapping[str, Action], around: Around) -> tuple[Playbook, list[Diagnostic]]:
        nonlocal playbook
        playbook, found = read_playbooks([path], actions, around)
        return playbook, found

    try:
        prepared = prepare(read_and_keep, settings, plugins=plugins, templating=templating, made_up=made_up)
    except FilesError as error:
        return list(error.diagnostics), [], playbook, None
    except DrumlineError as error:
        return [Diagnostic(summary=error.summary, detail=error.detail)], [], playbook, None
    return [], list(prepared.warnings), playbook, prepared.plan
