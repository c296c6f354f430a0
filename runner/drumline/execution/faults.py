"""The results of jobs that failed before their action had a result, or because of the action."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from types import GeneratorType

from drumline.errors import PluginError, lacking
from drumline.execution.values import Values, failure, timed_out
from drumline.plugin.actions import Action, Call, Steps
from drumline.templating.failures import TemplateEnded, TemplateFailed


def fault(action: str, error: Exception) -> str:
    """An exception that an action raised and that isn't one of its own errors."""
    here = lacking(error)
    if here:
        return f"This machine has run out of a resource: {here}"
    import traceback  # imported late: faults are rare

    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"Action '{action}' raised {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}). "
        "This is a fault in drumline or in the plugin, not in the playbook."
    )


def steps_of(action: Action, call: Call) -> Steps:
    """The action's steps. Raises ``PluginError`` if it isn't a generator."""
    steps = action.perform(call)
    if type(steps) is not GeneratorType and not isinstance(steps, Generator):
        raise _broken(action.name, f"gave {_shown(steps)} instead of yielding requests", action.perform)
    return steps


def no_request(action: str, yielded: object, steps: Steps) -> PluginError:
    """The action yielded something that isn't a request."""
    return _broken(action, f"yielded {_shown(yielded)}, which is no request", steps)


def no_result(action: str, returned: object, steps: Steps) -> PluginError:
    """The action returned something that isn't a result."""
    return _broken(action, f"returned {_shown(returned)}, which is no Result", steps)


def _broken(action: str, what: str, where: object) -> PluginError:
    """``where``: a function, or a generator that waits or has ended."""
    code = getattr(where, "gi_code", None) or getattr(where, "__code__", None)
    frame = getattr(where, "gi_frame", None)
    line = frame.f_lineno if frame else code and code.co_firstlineno
    place = f" ({Path(code.co_filename).name}:{line})" if code else ""
    return PluginError(f"Action '{action}' {what}{place}", "This is a fault in the plugin, not in the playbook.")


def _shown(thing: object) -> str:
    """Its type only, since the value may be secret."""
    return "None" if thing is None else f"a value of type '{type(thing).__name__}'"


def template_failure(error: TemplateFailed, seconds: float | None) -> Values:
    """The result for a template that can't be rendered; ``seconds``: the timeout of the try."""
    values = failure(error.summary)
    if error.position:
        values["at"] = str(error.position)
    if isinstance(error, TemplateEnded) and error.timed_out:
        values |= timed_out(seconds)
    return values
