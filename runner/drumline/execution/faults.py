"""What a job registers and says that failed before its action had a result, or because of it."""

from __future__ import annotations

import traceback
from pathlib import Path

from drumline.errors import lacking
from drumline.execution.values import Values, failure, timed_out
from drumline.templating.failures import TemplateEnded, TemplateFailed


def fault(action: str, error: Exception) -> str:
    """What an action raised that is none of its errors."""
    here = lacking(error)
    if here:
        return f"This machine has too little of something to run it: {here}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"Action '{action}' raised {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno}). "
        "This is a fault in drumline or in the plugin, not in the playbook."
    )


def template_failure(error: TemplateFailed, seconds: float | None) -> Values:
    """A template that can't be rendered; ``seconds``: the time-out of the try."""
    values = failure(error.summary)
    if error.position:
        values["at"] = str(error.position)
    if isinstance(error, TemplateEnded) and error.timed_out:
        values |= timed_out(seconds)
    return values
