"""All plugins under one pluggy manager: registers them one by one, and calls their hooks with their owners known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType, ModuleType, TracebackType
from typing import Any

import pluggy

from drumline.diagnostics import did_you_mean
from drumline.errors import DrumlineError, PluginError
from drumline.plugin import spec

#: The owner of what drumline offers through its own hooks.
BUILT_IN = "drumline itself"

_DECLARES = "drumline_add_hookspecs"


class Rejected(Exception):
    """A plugin breaks the contract; the message says how, and ends a sentence that names the plugin."""


class HookFailed(PluginError):
    """A plugin's hook raised an error; ``owner`` is the plugin, as messages call it."""

    def __init__(self, owner: str, hook: str, error: Exception) -> None:
        super().__init__("A plugin has failed", failed(owner, hook, error))
        self.owner = owner


class _Manager(pluggy.PluginManager):
    """Looks for hooks among the functions of a module only: pluggy looks every name up, which takes 12 µs each."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        if isinstance(plugin, ModuleType) and not isinstance(vars(plugin).get(name), _FUNCTIONS):
            return None
        return super().parse_hookimpl_opts(plugin, name)


#: What pluggy takes for a hook.
_FUNCTIONS = (FunctionType, MethodType, classmethod, staticmethod)


class Hooks:
    """The hooks of all plugins, drumline's own and those that plugins declare.

    pluggy calls what was registered last first. So plugins are registered in reverse, and are called in the order in
    which they were found, but for those that ask for ``tryfirst`` or ``trylast``.
    """

    def __init__(self) -> None:
        self._manager = _Manager(spec.PROJECT)
        self._manager.add_hookspecs(spec)

    def declare(self, plugin: object) -> None:
        """Take in the hooks that a plugin declares. Raises what its hook raises; ``ValueError`` for what isn't a hook.

        Before any plugin is registered: each is then checked against all hooks.
        """
        declares = getattr(plugin, _DECLARES, None)
        if declares is None or self._manager.parse_hookimpl_opts(plugin, _DECLARES) is None:
            return
        for declared in declares() or ():
            self._manager.add_hookspecs(declared)

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
            raise Rejected("it implements none of drumline's hooks. Did you forget '@hookimpl' on a function?")
        known = [name for name, caller in vars(self._manager.hook).items() if _has_spec(caller)]
        for caller in callers:
            [implementation] = [found for found in caller.get_hookimpls() if found.plugin is plugin]
            if not caller.has_spec() and not implementation.optionalhook:
                raise Rejected(f"there is no hook '{caller.name}'.{did_you_mean(caller.name, known)}")

    def leave_out(self, owner: str) -> None:
        """Call nothing of this owner any more, if there is such."""
        if self._manager.has_plugin(owner):
            self._manager.unregister(name=owner)

    @contextmanager
    def registered(self, owner: str, plugin: object) -> Iterator[None]:
        """For the time of a ``with`` there is one more plugin, called before all others. Raises :class:`Rejected`."""
        self.register(owner, plugin)
        try:
            yield
        finally:
            self.leave_out(owner)

    def is_implemented(self, hook: str) -> bool:
        """Whether a plugin implements a hook, or wraps it, beside drumline itself."""
        return any(owner != BUILT_IN for owner in self.owners(hook))

    def owners(self, hook: str) -> dict[str, object]:
        """Who implements a hook, its wrappers included: owners and their plugins."""
        return {found.plugin_name: found.plugin for found in self._caller(hook).get_hookimpls()}

    def of(self, owner: str) -> tuple[str, ...]:
        """The names of the hooks that a plugin implements or wraps; none when there is no such plugin."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(owner)) or ()
        return tuple(sorted(caller.name for caller in callers))

    def each(self, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Whoever implements a hook, in the order of calls: the owner, and what calls that one alone.

        Wrappers are called around each. The call takes the hook's parameters by name, and gives its answer or None. It
        raises whatever the plugin does (:func:`failed`).
        """
        implementations = [
            found for found in reversed(self._caller(hook).get_hookimpls()) if not (found.wrapper or found.hookwrapper)
        ]
        for implementation in implementations:
            others = [other.plugin for other in implementations if other is not implementation]
            yield implementation.plugin_name, _Alone(self._manager.subset_hook_caller(hook, others))

    def ask(self, hook: str, **parameters: Any) -> Any:
        """Call all implementations of a hook, as pluggy does: a list of answers, or the first one.

        Raises ``HookFailed`` for whatever a plugin raises that isn't a ``DrumlineError``.
        """
        try:
            return self._caller(hook)(**parameters)
        except DrumlineError:
            raise
        except Exception as error:
            raise HookFailed(self._culprit(hook, error), hook, error) from error

    def _culprit(self, hook: str, error: Exception) -> str:
        """Whose implementation, or which wrapper, was under way."""
        owners = {getattr(found.function, "__code__", None): found for found in self._caller(hook).get_hookimpls()}
        found = [owners[code] for code in _codes(error.__traceback__) if code in owners]
        return found[-1].plugin_name if found else "A plugin"

    def _caller(self, hook: str) -> pluggy.HookCaller:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller


class _Alone:
    """Calls one implementation of a hook."""

    def __init__(self, caller: pluggy.HookCaller) -> None:
        self._caller = caller

    def __call__(self, **parameters: Any) -> Any:
        answers = self._caller(**parameters)
        if self._caller.spec is not None and self._caller.spec.opts["firstresult"]:
            return answers
        return answers[0] if answers else None


def failed(owner: str, hook: str, error: Exception) -> str:
    """What is said of a plugin whose hook raised an error."""
    kind = "" if isinstance(error, DrumlineError) else f"{type(error).__name__}: "
    return f"{owner}: hook {hook} failed: {kind}{error}"


def _has_spec(caller: object) -> bool:
    return isinstance(caller, pluggy.HookCaller) and caller.has_spec()


def _codes(trace: TracebackType | None) -> Iterator[object]:
    while trace is not None:
        yield trace.tb_frame.f_code
        trace = trace.tb_next


def _reason(error: Exception) -> str:
    if isinstance(error, pluggy.PluginValidationError):  # its first line names the plugin by our own name for it
        return " ".join(str(error).splitlines()[1:])
    return str(error)
