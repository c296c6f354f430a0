"""Stand-ins for what isn't there: actions that take any arguments, so that the rest of a playbook can be looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from drumline.diagnostics import closest, did_you_mean
from drumline.loading import keywords
from drumline.model.outcome import Result
from drumline.model.traits import Sets, Traits
from drumline.plugin.actions import Action, ActionFailed, Call, Steps
from drumline.templating import not_yet

_KEYWORDS = tuple(sorted(keywords.TASK | keywords.BLOCK | keywords.PLAY))
_NAME = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*")


def _perform(_call: Call) -> Steps:
    raise ActionFailed("this stands in for an action that isn't there")
    yield Result()


def _stub(name: str) -> Action:
    return Action(
        name=name,
        perform=_perform,
        help="Stand in for an action that isn't there",
        open_arguments=True,
        free_form="_raw_params",
        text_languages={"": ("cmd",)},  # the one in which no quote is wrong
        traits=Traits(sets=Sets.UNKNOWN),
    )


class WithStubs(Mapping[str, Action]):
    """The actions there are; any other name of a module is a stub, unless it resembles a keyword."""

    def __init__(self, actions: Mapping[str, Action], own: frozenset[str], *, others: bool = True) -> None:
        """``own`` are names of modules that stand beside the playbooks; without ``others`` only these are stubs."""
        self._actions = actions
        self._own = own
        self._others = others
        self._stubs: dict[str, Action] = {}
        self.used: dict[str, None] = {}  #: The names of stubs that were asked for.

    def __getitem__(self, name: str) -> Action:
        if name in self._actions:
            return self._actions[name]
        if not self._is_module(name):
            raise KeyError(name)
        self.used[name] = None
        return self._stubs.setdefault(name, _stub(name))

    def __contains__(self, name: object) -> bool:
        return name in self._actions or (isinstance(name, str) and self._is_module(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def __len__(self) -> int:
        return len(self._actions)

    def _is_module(self, name: str) -> bool:
        if name in self._own:
            return True
        if not self._others or not _NAME.fullmatch(name) or name.startswith("with_") or keywords.is_missing(name):
            return False
        known = not_yet.module(name) or not_yet.of_family(name)
        return bool(known) or (closest(name, _KEYWORDS, 0.75) is None and not did_you_mean(name, self._actions))
