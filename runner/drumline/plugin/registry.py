"""What all plugins offer, by name, with their owners."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from drumline.errors import PluginError
from drumline.plugin.actions import Action, ActionPlaces, ActionSpec
from drumline.plugin.commands import CommandSpec, Setting
from drumline.plugin.hooks import Hooks
from drumline.plugin.sources import InventorySource, SourceSpec
from drumline.plugin.templates import SecretStore, TemplateFunction
from drumline.plugin.transports import Transport

if TYPE_CHECKING:
    from drumline.plugin.generators import Generator

T = TypeVar("T")


class DeclaredSetting(NamedTuple):
    """A setting of some plugin."""

    name: str  #: In full: ``lab.windows``.
    variable: str  #: The environment variable that sets it.
    setting: Setting


class PluginInfo(Struct, frozen=True, kw_only=True):
    """One plugin: where it came from and what it offers, for ``drumline plugins``."""

    name: str
    origin: str  #: Distribution and version, or the path of a file.
    offers: Mapping[str, tuple[str, ...]] = {}  #: Kind (``transports``, …) to names.
    hooks: tuple[str, ...] = ()  #: The hooks that it implements or wraps.
    settings: tuple[DeclaredSetting, ...] = ()
    fault: str = ""  #: Why it, or a part of it, was left out.


class Offers(dict[str, T]):
    """Names of one kind and who owns them; the first owner of a name keeps it, the others are left out."""

    def __init__(self, kind: str, known: Mapping[str, T] | None = None) -> None:
        """``known`` are names without an owner."""
        super().__init__(known or {})
        self.kind = kind
        self.owners: dict[str, str] = {}
        self.refused: dict[str, str] = {}  #: Names that can't be offered, each with a sentence that says why.
        #: What enters, or refuses, a name of a collection (``namespace.collection.name``) when it is first asked for.
        self.look_for: Callable[[str], None] | None = None

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dictionary, but that names of collections are looked for."""
        if name.count(".") > 1 and name not in self and self.look_for is not None:
            self.look_for(name)
        return super().get(name, default)

    def is_taken(self, name: str) -> bool:
        """Whether someone offers this name."""
        return name in self or name in self.owners

    def refuse(self, name: str, why: str) -> None:
        """Set what to answer if someone uses a name that no plugin offers."""
        if not self.is_taken(name):
            self.refused[name] = why

    def reserve(self, owner: str, names: Iterable[str]) -> None:
        """Have these names taken."""
        self.owners.update(dict.fromkeys(names, owner))

    def take(self, owner: str, names: Iterable[str], offer: T) -> list[str]:
        """Enter an offer under all its names. Returns a sentence for each name that has another owner already.

        ``owner`` begins a sentence: ``Plugin 'ssh' (drumline 1.0)``.
        """
        faults = []
        for name in dict.fromkeys(names):
            if name in self.owners:
                faults.append(
                    f"{owner} offers '{name}', which {_inside(self.owners[name])} offers already ({self.kind})."
                )
            else:
                self[name] = offer
                self.owners[name] = owner
        return faults

    def of(self, owner: str) -> tuple[str, ...]:
        """The names that an owner has, in the order in which it offered them."""
        return tuple(name for name, known in self.owners.items() if known == owner)


#: Asks plugins for the action of a name: :func:`drumline.plugin.spec.drumline_find_action` without its settings.
FindAction: TypeAlias = Callable[..., "Action | str | None"]


class Actions(Mapping[str, Action]):
    """Actions by names and aliases. One that is offered by an ``ActionSpec`` is imported when it is first asked for.

    Plugins that implement ``drumline_find_action`` are asked for every name, once: they may know more names.
    """

    def __init__(self, offers: Offers[Action | ActionSpec], find: FindAction | None = None) -> None:
        self._offers = offers
        self._find = find
        self._found: dict[str, Action | None] = {}
        self._absent: dict[str, str] = {}
        self._places: ActionPlaces | None = ActionPlaces()  # None: nowhere
        self._lock = threading.Lock()

    def look_in(self, places: ActionPlaces) -> None:
        """Have plugins look for actions in these places as well, from now on."""
        if self._find is None or self._places is None:
            return
        with self._lock:
            known = self._places.joined(places)
            if known != self._places:
                self._places = known
                self._found = {name: action for name, action in self._found.items() if action is not None}

    def look_nowhere(self) -> None:
        """Have plugins look in no place, neither now nor later: looking may run code of a project."""
        self._places = None

    def why_absent(self, name: str) -> str:
        """Sentences on why no one has the action of a name; none where no plugin looks for more names."""
        return "" if self._find is None or name in self else self._absent.get(name, "")

    def __getitem__(self, name: str) -> Action:
        """Raises ``PluginError`` when its module can't be imported or hasn't got it."""
        found = self._more(name)
        if found is not None:
            return found
        offer = self._offers[name]
        if isinstance(offer, Action):
            return offer
        action = _imported(offer, self._offers.owners[name])
        self._offers.update({known: action for known, other in self._offers.items() if other is offer})
        return action

    def _more(self, name: str) -> Action | None:
        """The action of the name that a plugin has found, which may take the place of one that is offered."""
        if self._find is None:
            return None
        if name not in self._found:
            with self._lock:
                found = self._find(name=name, offered=name in self._offers, places=self._places or ActionPlaces())
                self._found[name] = found if isinstance(found, Action) else None
                self._absent[name] = found if isinstance(found, str) else ""
        return self._found[name]

    def __contains__(self, name: object) -> bool:
        return name in self._offers or (isinstance(name, str) and self._more(name) is not None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._offers)

    def __len__(self) -> int:
        return len(self._offers)


def _imported(spec: ActionSpec, owner: str) -> Action:
    try:
        found: dict[str, Action] = {action.name: action for action in import_module(spec.load).ACTIONS}
        return replace(found[spec.name], aliases=spec.aliases, page=spec.page or found[spec.name].page)
    except Exception as error:  # whatever a stranger's module raises, its owner is named
        detail = f"{owner}: action '{spec.name}' of {spec.load} failed: {type(error).__name__}: {error}"
        raise PluginError("A plugin has failed", detail) from error


class Registry(Struct, frozen=True, kw_only=True):
    """Every offer of every plugin. ``actions`` is keyed by names and aliases alike."""

    transports: Mapping[str, Transport] = {}
    actions: Mapping[str, Action] = {}
    inventory_sources: tuple[InventorySource | SourceSpec, ...] = ()
    commands: Mapping[str, CommandSpec] = {}
    generators: Mapping[str, Generator] = {}
    filters: Offers[TemplateFunction] = field(default_factory=lambda: Offers("filters"))
    tests: Offers[TemplateFunction] = field(default_factory=lambda: Offers("tests"))
    lookups: Offers[TemplateFunction] = field(default_factory=lambda: Offers("lookups"))
    secrets: Offers[SecretStore] = field(default_factory=lambda: Offers("secrets"))
    #: The settings of all plugins by their full names: ``settings["lab.windows"]``.
    settings: Mapping[str, Any] = {}
    plugins: tuple[PluginInfo, ...] = ()
    hooks: Hooks = field(default_factory=Hooks)  #: For hooks that are called later than at start-up.

    @property
    def faults(self) -> tuple[str, ...]:
        """What to warn about at start-up, a sentence each."""
        return tuple(plugin.fault for plugin in self.plugins if plugin.fault)


def _inside(owner: str) -> str:
    return owner[0].lower() + owner[1:]
