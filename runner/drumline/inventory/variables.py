"""A job's variables in layers, each rendered on demand, and the magic variables.

A scope is made for one job, by one thread, and costs nothing until a name is looked up. The value of a template in a
variable is kept as long as the scope lives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from drumline import __version__
from drumline.diagnostics import did_you_mean
from drumline.inventory.combining import merged_in
from drumline.inventory.magic_names import FAILED_NAMES, MAGIC_NAMES
from drumline.inventory.sources import members
from drumline.model.host import Host, Inventory
from drumline.model.value import Template, Value, Variables
from drumline.templating.bounds import ValueTooLarge, weight
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating
from drumline.templating.unclear import UnclearRead, UnclearVariable
from drumline.templating.values import ATOMS, OMIT
from drumline.templating.variables import Lookup

_ABSENT = object()
#: Names of which it is always known whether they are there: no task sets them.
_CERTAIN = MAGIC_NAMES | {*FAILED_NAMES, "ansible_index_var", "ansible_loop", "ansible_loop_var", "ansible_managed"}

#: The version of Ansible whose playbook language this is, for playbooks that check ``ansible_version``.
_LANGUAGE = (2, 19, 0)


class Facts(dict[str, Any]):
    """A layer of data from hosts (``register``, ``set_fact``), which never contains templates."""

    __slots__ = ()


class Scope(Lookup):
    """Variables in layers; the first layer with a name wins.

    A value that holds templates is rendered with the scope itself, when it is first looked up. Looking up raises
    ``KeyError`` for an unknown name and ``TemplateFailed`` for a definition that can't be rendered.
    """

    __slots__ = ("_busy", "_doubt", "_layers", "_rendered", "_seen", "_templating")

    def __init__(
        self,
        layers: Sequence[Variables],
        templating: Templating,
        seen: Callable[[str, Any], None] | None = None,
        doubt: str = "",
    ) -> None:
        """``seen`` gets the name and value of each definition that was rendered.

        ``doubt``: why there may be more variables than a check knows of.
        """
        self._layers = tuple(layers)
        self._templating = templating
        self._seen = seen
        self._doubt = doubt
        self._rendered: dict[str, Any] = {}
        self._busy: list[str] = []

    def child(self, *layers: Variables) -> Scope:
        """A scope in which these layers come first. Origins below see them, too (``vars`` that use ``item``)."""
        return type(self)((*layers, *self._layers), self._templating, self._seen, self._doubt)

    def over(self, layer: Variables) -> Scope:
        """A scope in which this layer comes last."""
        return type(self)((*self._layers, layer), self._templating, self._seen, self._doubt)

    def __getitem__(self, name: str) -> Any:
        value = self._rendered.get(name, _ABSENT)
        if value is not _ABSENT:
            return value
        for layer in self._layers:
            value = layer.get(name, _ABSENT)
            if value is not _ABSENT:
                break
        else:
            raise KeyError(name)
        if type(value) in ATOMS:
            return value
        if type(layer) is Facts:
            if type(value) is UnclearVariable:
                raise value.unread()
            return value
        return self._resolve(name, value)

    def get(self, name: str, default: Any = None) -> Any:
        """The same, or the default for an unknown name: most that may say how a host is reached are unknown."""
        return self[name] if self._has(name) else default

    def __contains__(self, name: object) -> bool:
        if self._has(name):
            return True
        if self._doubt and (doubt := self.doubt(str(name))):
            raise doubt
        return False

    def _has(self, name: object) -> bool:
        for layer in self._layers:  # noqa: SIM110 - a generator takes twice as long
            if name in layer:
                return True
        return False

    def doubt(self, name: str) -> UnclearRead | None:
        return None if not self._doubt or name in _CERTAIN else UnclearRead(name, self._doubt)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for layer in self._layers for name in layer))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _resolve(self, name: str, value: Value) -> Any:
        compiled = self._templating.compile_value(value)
        if compiled.constant:
            self._rendered[name] = value
            return value
        if name in self._busy:
            raise self._endless(name, value)
        self._busy.append(name)
        try:
            rendered = self._rendered[name] = self._bounded(compiled.render(self), name)
        finally:
            self._busy.pop()
        if self._seen:
            self._seen(name, rendered)
        return rendered

    def _bounded(self, value: Any, name: str) -> Any:
        """The value, unless it is too large: variables that each contain the previous one twice grow fast."""
        try:
            weight(value)
        except ValueTooLarge as error:
            raise TemplateFailed(f"'{name}': {error}") from None
        return value

    def _endless(self, name: str, value: Value) -> TemplateFailed:
        chain = [*self._busy[self._busy.index(name) :], name]
        place = value.position if isinstance(value, Template) else None
        return TemplateFailed(f"'{name}' is defined by itself: {' → '.join(chain)}.", place)


class MergingScope(Scope):
    """A scope in which dictionaries of one name are merged, layer by layer."""

    __slots__ = ()

    def __getitem__(self, name: str) -> Any:
        layers = [layer for layer in self._layers if name in layer]
        if len(layers) < 2 or name in self._rendered or not isinstance(layers[0][name], Mapping):
            return super().__getitem__(name)
        return self._resolve(name, merged_in(layers, name))


class HostVars(Lookup):
    """``hostvars``: each host's scope, made by ``scope_of`` on first use and kept.

    Made anew for each job, so that it shows what other jobs have changed since.
    """

    __slots__ = ("_names", "_scope_of", "_scopes")

    def __init__(self, names: Iterable[str], scope_of: Callable[[str], Scope]) -> None:
        self._names = names if isinstance(names, Mapping) else dict.fromkeys(names)
        self._scope_of = scope_of
        self._scopes: dict[str, Scope] = {}

    def __getitem__(self, host: str) -> Scope:
        scope = self._scopes.get(host)
        if scope is None:
            if host not in self._names:
                raise KeyError(host)
            scope = self._scopes[host] = self._scope_of(host)
        return scope

    def __contains__(self, host: object) -> bool:
        return host in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def absent(self, name: str) -> str:
        return f"There is no host '{name}' in the inventory.{did_you_mean(name, self._names)}"


def run_magic(inventory: Inventory, playbook: Path, **others: Any) -> dict[str, Any]:
    """The magic variables that are the same for all jobs of a run; ``others`` are those that how it is called gives."""
    source = Path(inventory.sources[0]).absolute() if inventory.sources and "," not in inventory.sources[0] else None
    directory = source if source is None or source.is_dir() else source.parent
    major, minor, revision = _LANGUAGE
    full = f"{major}.{minor}.{revision}"
    return {
        "ansible_check_mode": False,
        "ansible_diff_mode": False,
        "ansible_playbook_python": sys.executable,
        "ansible_version": {
            "full": full,
            "string": full,
            "major": major,
            "minor": minor,
            "revision": revision,
        },
        "ansible_verbosity": 0,
        "drumline_version": __version__,
        "groups": {name: list(hosts) for name, hosts in members(inventory).items()},
        "inventory_dir": str(directory) if directory else None,
        "inventory_file": str(source) if source else None,
        "inventory_sources": list(inventory.sources),
        "omit": OMIT,
        "playbook_dir": str(playbook.absolute().parent),
        **others,
    }


def batch_magic(
    *,
    play: str,
    all_hosts: Sequence[str],
    hosts: Sequence[str],
    batch: Sequence[str],
) -> dict[str, Any]:
    """The magic variables that are the same for all jobs of a batch.

    ``all_hosts`` are the play's, ``hosts`` those of them that haven't failed, ``batch`` those of the batch.
    """
    return {
        "ansible_play_batch": list(batch),
        "ansible_play_hosts": list(hosts),
        "ansible_play_hosts_all": list(all_hosts),
        "ansible_play_name": play,
        "play_batch": list(batch),
        "play_hosts": list(batch),
    }


def host_magic(host: Host, hostvars: HostVars | None) -> dict[str, Any]:
    """The magic variables of one host; ``hostvars`` are those that a job sees, None for what it sees of others."""
    names: dict[str, Any] = {
        "group_names": list(host.groups),
        "inventory_hostname": host.name,
        "inventory_hostname_short": host.name.partition(".")[0],
    }
    if hostvars is not None:
        names["hostvars"] = hostvars
    return names
