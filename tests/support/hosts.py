"""Hosts on which tests perform actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from drumline.plugin import Completed, HostError, Platform, Request, Result, Waiting
from drumline.plugin.manager import load_plugins
from drumline.testing import play

ACTIONS = load_plugins().actions


@dataclass(kw_only=True)
class Host:
    """Performs actions on a host, and remembers what they asked it for."""

    platform: Platform
    answer: Callable[[Request], Completed | None]
    requests: list[Request] = field(default_factory=list)
    waits: list[Waiting] = field(default_factory=list)  #: What people were told meanwhile.
    settings: dict[str, Any] = field(default_factory=dict)
    user: str = ""  #: Become this user.

    def __call__(self, name: str, **arguments: Any) -> Result:
        """The action's result; ``requests`` holds this action's only, also when it fails."""
        self.requests.clear()
        self.waits.clear()
        return play(ACTIONS[name], arguments, self._answer, platform=self.platform, **self.settings)[1]

    def twice(self, name: str, **arguments: Any) -> Result:
        """The first result, which must be a change; the second time nothing may be left to change."""
        first = self(name, **arguments)
        assert first.changed
        second = self(name, **arguments)
        assert not second.changed
        assert len(self.requests) == 1
        return first

    def _answer(self, request: Request) -> Completed | HostError | None:
        if isinstance(request, Waiting):
            self.waits.append(request)
            return None
        self.requests.append(request)
        try:
            return self.answer(request)
        except HostError as error:
            return error
