"""drumline's bundled plugin: a trace of a run, job by job, for programs that show where time goes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from drumline.plugin import hookimpl
from drumline.plugin.runs import RunView

#: Names the file. Without it no job is wrapped.
VARIABLE = "DRUMLINE_TRACE"


@hookimpl
def drumline_plugins_for_run(run: RunView) -> Iterable[object] | None:
    path = os.environ.get(VARIABLE)
    if not path or not run.live:
        return None
    from drumline_trace.tracer import Tracer

    return [Tracer(Path(path), run)]
