"""Writes a trace in the Trace Event Format, which ui.perfetto.dev and chrome://tracing show.

The format's array needs no end, so that the trace of a run that was killed can be shown too. Every host is a process of
the trace, and every thread of drumline that worked for it is a thread of that process.
https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from drumline.plugin import Session, Target, UsageError, hookimpl
from drumline.plugin.events import Job, JobFinished
from drumline.plugin.runs import RunView


class Tracer:
    """The hooks of one run that is traced. Raises ``UsageError`` when the file can't be written."""

    def __init__(self, path: Path, run: RunView) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._hosts: dict[str, int] = {}
        try:
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise UsageError("The trace can't be written", f"{path}: {error.strerror}.") from error
        self._file.write("[\n")

    @hookimpl(wrapper=True)
    def drumline_run_job(self, job: Job) -> Generator[None, JobFinished | None, JobFinished | None]:
        step = self._run.plan.steps[job.step]
        about: dict[str, Any] = {"action": step.task.action, "play": step.play, "batch": step.batch, "wave": step.wave}
        began = time.time()
        finished = yield
        if finished is not None:
            about["status"] = finished.status
        self._write(job.host, str(step.task.name), "job", began, about)
        return finished

    @hookimpl(wrapper=True)
    def drumline_open_session(self, target: Target) -> Generator[None, Session, Session]:
        began = time.time()
        try:
            return (yield)
        finally:  # what a host refuses takes its time too
            self._write(target.host, "open a session", "session", began, {"transport": target.transport})

    def close(self) -> None:
        """The run has ended."""
        self._file.close()

    def _write(self, host: str, name: str, kind: str, began: float, about: dict[str, Any]) -> None:
        """One span, from when it began to now. The format's times are microseconds."""
        took = time.time() - began
        span = {"ph": "X", "name": name, "cat": kind, "ts": round(began * 1e6), "dur": round(took * 1e6), "args": about}
        with self._lock:
            if host not in self._hosts:
                self._hosts[host] = len(self._hosts) + 1
                self._line({"ph": "M", "name": "process_name", "pid": self._hosts[host], "args": {"name": host}})
            self._line({**span, "pid": self._hosts[host], "tid": threading.get_native_id()})

    def _line(self, event: dict[str, Any]) -> None:
        self._file.write(f"{json.dumps(event)},\n")
