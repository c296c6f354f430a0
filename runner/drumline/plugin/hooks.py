"""All plugins under one pluggy manager: registers them one by one, and calls their hooks with their owners known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pluggy

from drumline.diagnostics import did_you_mean
from drumline.plugin import spec


class Rejected(Exception):
    """A plugin breaks the contract; the message says how, and ends a sentence that names the plugin."""


class Hooks:
    """The hooks of all plugins.

    pluggy calls what was registered last first. So plugins are registered in reverse, and are called in the order in
    which they were found, but for those that ask for ``tryfirst`` or ``trylast``.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(spec.PROJECT)
        self._manager.add_hookspecs(spec)

    @property
    def call(self) -> pluggy.HookRelay:
        """Calls all implementations of a hook with wrappers around them: ``hooks.call.drumline_actions()``."""
        return self._manager.hook

    def register(self, owner: str, plugin: object) -> None:
        """Enter a plugin, checked against what is declared, misspelt names included. Raises :class:`Rejected`."""
        try:
            self._manager.register(plugin, owner)
            self._check(plugin)
        except Exception as error:
            if self._manager.get_plugin(owner) is plugin:
                self._manager.unregister(plugin)
            raise Rejected(_reason(error)) from error

    def _check(self, plugin: object) -> None:
        callers = self._manager.get_hookcallers(plugin)
        if not callers:
            raise Rejected("it implements none of drumline's hooks; is a function without '@hookimpl' meant to?")
        known = [name for name, caller in vars(self.call).items() if not name.startswith("_") and caller.has_spec()]
        for caller in callers:
            [implementation] = [found for found in caller.get_hookimpls() if found.plugin is plugin]
            if not caller.has_spec() and not implementation.optionalhook:
                raise Rejected(f"there is no hook '{caller.name}'.{did_you_mean(caller.name, known)}")

    def each(self, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Whoever implements a hook, in the order of calls: the owner, and what calls that one alone.

        Wrappers are called around each. The call takes the hook's parameters by name, and gives its answer or None.
        """
        implementations = [
            found
            for found in reversed(getattr(self.call, hook).get_hookimpls())
            if not (found.wrapper or found.hookwrapper)
        ]
        for implementation in implementations:
            others = [other.plugin for other in implementations if other is not implementation]
            yield implementation.plugin_name, _Alone(self._manager.subset_hook_caller(hook, others))


class _Alone:
    """Calls one implementation of a hook."""

    def __init__(self, caller: pluggy.HookCaller) -> None:
        self._caller = caller

    def __call__(self, **parameters: Any) -> Any:
        answers = self._caller(**parameters)
        if self._caller.spec is not None and self._caller.spec.opts["firstresult"]:
            return answers
        return answers[0] if answers else None


def _reason(error: Exception) -> str:
    if isinstance(error, pluggy.PluginValidationError):  # its first line names the plugin by our own name for it
        return " ".join(str(error).splitlines()[1:])
    return str(error)
