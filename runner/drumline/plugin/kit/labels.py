"""What few tasks say of a file beside its owner, group and mode: SELinux's context, and what chattr calls attributes.

It is set by a script of its own, when everything else is done: most tasks don't need it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from msgspec.structs import replace

from drumline.model.outcome import Result
from drumline.plugin.actions import Call, Steps
from drumline.plugin.kit.asking import ask, readable_text
from drumline.plugin.kit.scripts import Script

_LABELS = Script.beside(__file__, "labels")
_CONTEXT = ("seuser", "serole", "setype", "selevel")


def labelled(perform: Callable[[Call], Steps]) -> Callable[[Call], Steps]:
    """An action with the arguments ``ATTRIBUTES`` that, at its end, sets all of them that it doesn't set itself."""

    @wraps(perform)
    def steps(call: Call) -> Steps:
        result: Result = yield from perform(call)
        given: dict[str, Any] = {name: call.arguments.get(name) for name in _CONTEXT}
        flags = call.arguments.get("attributes")
        known = (result.values, call.arguments)
        path = next((place for found in known for name in ("dest", "path") if (place := found.get(name))), None)
        if result.failed or result.skipped or not path or not (flags or any(given.values())):
            return result
        answer = yield from ask(call, _LABELS, path=path, flags=flags, **given)
        values = {"secontext": readable_text(answer["secontext"])} if "secontext" in answer else {}
        changed = result.changed or bool(answer["changed"])
        return replace(result, changed=changed, values={**result.values, **values})

    return steps
