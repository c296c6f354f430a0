"""One verb for both platforms: an action of POSIX hosts that on Windows is done by the action for Windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.plugin import Action, ActionFailed, Argument, Call, Platform, Steps

_POSIX = (Platform.POSIX,)


class OnWindows(Struct, frozen=True, kw_only=True):
    """How Windows hosts do what an action is for: by which other one, with which arguments."""

    module: str  #: Below ``drumline_actions``; it is imported where there is a Windows host.
    name: str
    #: The verb's arguments that mean the same there; all others are refused for Windows hosts.
    common: tuple[str, ...]
    #: Results that the other one calls otherwise: their names there, by the verb's.
    results: Mapping[str, str] = {}

    def perform(self, call: Call, **others: Any) -> Steps:
        """Do it, with what is common; ``others`` are arguments that are called or written otherwise there."""
        action = self._action()
        given = {name: call[name] for name in self.common if call[name] is not None}
        arguments: dict[str, Any] = {}
        for argument in action.arguments:
            names = [name for name in (argument.name, *argument.aliases) if name in given]
            arguments[argument.name] = given[names[0]] if names else argument.default
        try:
            result = yield from action.perform(replace(call, arguments=arguments | others))
        except ActionFailed as error:
            raise ActionFailed(error.message, **self._named(error.values)) from None
        return replace(result, values=self._named(result.values))

    def joined(self, action: Action, perform: Callable[[Call], Steps] | None = None) -> Action:
        """The action for both; ``perform`` is what does it on Windows where that takes more than ``self.perform``."""
        on_windows = self.perform if perform is None else perform

        def by_platform(call: Call) -> Steps:
            return on_windows(call) if call.platform is Platform.WINDOWS else action.perform(call)

        return replace(
            action,
            perform=by_platform,
            platforms=tuple(Platform),
            arguments=tuple(self._marked(argument) for argument in action.arguments),
        )

    def _marked(self, argument: Argument) -> Argument:
        return argument if argument.name in self.common else replace(argument, platforms=_POSIX)

    def _action(self) -> Action:
        actions: tuple[Action, ...] = import_module(f"drumline_actions.{self.module}").ACTIONS
        return next(action for action in actions if action.name == self.name)

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**values, **{ours: values[theirs] for ours, theirs in self.results.items() if theirs in values}}
