"""How much of a run is left while it goes on.

The run is simulated beforehand, as for ``plan --estimate``, in a process of its own: what it costs is taken from no
host and no thread of the run. From then on a question costs a look at the waves that are open.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from msgspec import msgpack, to_builtins

from drumline.clock import SystemClock
from drumline.forecast.draws import Range, Scenario, unknown_tasks
from drumline.forecast.durations import Past, read_past
from drumline.forecast.estimate import Interval, estimate, interval
from drumline.forecast.simulation import WaveKey
from drumline.journal.codec import Hiding, encode
from drumline.journal.past import past_runs
from drumline.journal.places import read_plan
from drumline.masking import Secrets
from drumline.model.plan import Plan
from drumline.plugin.traits import Costs

# -P: the directory that the user works in is no place for modules.
_COMMAND = (sys.executable, "-P", "-c", "from drumline.forecast.remaining import main; main()")
#: Seconds for which an answer is given again.
_FRESH = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of a run, in seconds."""

    time: Interval
    unknown: int  #: Tasks that never ran before, and that the time doesn't count.


class Remaining:
    """Says what is left of a run. Use it as a context manager; from any one thread."""

    def __init__(
        self,
        plan: Plan,
        state: Path,
        *,
        run: int,
        forks: int,
        sessions: int,
        costs: Mapping[str, Costs],
        secrets: Secrets,
    ) -> None:
        """``state`` is the journal's directory, ``run`` the number of this run: those before it are looked at."""
        self._asked = {
            "plan": encode(plan, Hiding(secrets, plan=plan)),  # no one there needs one
            "state": str(state),
            "run": run,
            "forks": forks,
            "sessions": sessions,
            "costs": _costs_data(plan, costs),
        }
        self._rounds: list[tuple[float, dict[WaveKey, tuple[float, float]]]] = []
        self._unknown = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._answer: IO[bytes] | None = None
        self._last: tuple[float, Left | None] = (0.0, None)

    def __enter__(self) -> Remaining:
        with suppress(OSError), tempfile.TemporaryFile() as question:  # without it a run goes on as well
            question.write(msgpack.encode(self._asked))
            question.seek(0)
            self._answer = tempfile.TemporaryFile()  # read when the process has ended, closed at the end
            self._process = subprocess.Popen(
                _COMMAND,
                stdin=question,
                stdout=self._answer,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is meant for the run
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._answer is not None:
            self._answer.close()

    def __call__(self, now: float, released: Mapping[WaveKey, float]) -> Left | None:
        """What is left at ``now``, when these waves are open since then (seconds since the epoch).

        None as long as no one knows: it is still being computed, or there is no earlier run.
        """
        at, answer = self._last
        if not 0 <= now - at < _FRESH:
            self._take_answer()
            self._last = (now, self._left(now, released))
            return self._last[1]
        return answer

    def _take_answer(self) -> None:
        if self._process is None or self._answer is None or self._process.poll() is None:
            return
        self._process = None
        self._answer.seek(0)
        with suppress(ValueError):  # empty: no earlier run, or it failed
            found = json.loads(self._answer.read())
            self._unknown = found["unknown"]
            self._rounds = [
                (seconds, {(play, batch, wave): (begin, end) for play, batch, wave, begin, end in waves})
                for seconds, waves in found["rounds"]
            ]

    def _left(self, now: float, released: Mapping[WaveKey, float]) -> Left | None:
        left = []
        for seconds, waves in self._rounds:
            open_waves = [(*waves[key], now - since) for key, since in released.items() if key in waves]
            if open_waves:
                rest = (max(0.0, end - begin - elapsed) + seconds - end for begin, end, elapsed in open_waves)
                left.append(max(rest))
        return Left(time=interval(left), unknown=self._unknown) if left else None


def _costs_data(plan: Plan, costs: Mapping[str, Costs]) -> list[tuple[dict[str, float], list[str]]]:
    """The costs of the plan's hosts, each once, with the hosts that have it."""
    hosts: dict[Costs, list[str]] = {}
    for host in {host for play in plan.plays for host in play.hosts} & costs.keys():
        hosts.setdefault(costs[host], []).append(host)
    return [(to_builtins(cost), names) for cost, names in hosts.items()]


def main() -> None:
    """The process: reads the question from standard input, writes the answer as JSON, or nothing without history."""
    with suppress(AttributeError, OSError):
        os.nice(10)
    asked: dict[str, Any] = msgpack.decode(sys.stdin.buffer.read())
    plan = read_plan(asked["plan"])
    past = read_past(past_runs(Path(asked["state"]), plan.playbook.path, before=asked["run"]))
    if past.runs:
        json.dump(_answer_to(asked, plan, past), sys.stdout)


def _answer_to(asked: Mapping[str, Any], plan: Plan, past: Past) -> dict[str, Any]:
    unknown = unknown_tasks(plan, past)
    costs = {host: Costs(**cost) for cost, hosts in asked["costs"] for host in hosts}
    found = estimate(
        plan,
        past,
        Scenario(take=dict.fromkeys(unknown, Range(0.0, 0.0))),
        forks=asked["forks"],
        sessions=asked["sessions"],
        costs=costs,
        begin=SystemClock().now(),
    )
    rounds = [
        (run.seconds, [(*key, span.released, span.ended) for key, span in run.waves.items()]) for run in found.rounds
    ]
    return {"unknown": len(unknown), "rounds": rounds}
