"""drumline's bundled plugin: a trace of a run, job by job, for programs that show where time goes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from drumline.plugin import Setting, hookimpl
from drumline.plugin.runs import RunView


@hookimpl
def drumline_settings() -> Iterable[Setting]:
    told = "The file to write a trace of each run to. Without it, nothing is traced."
    return [Setting(name="file", type=Path, help=told)]


@hookimpl
def drumline_plugins_for_run(run: RunView) -> Iterable[object] | None:
    path = run.settings["trace.file"]
    if path is None or not run.live:
        return None
    from drumline_trace.tracer import Tracer

    return [Tracer(path, run)]
