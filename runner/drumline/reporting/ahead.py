"""An estimate of a run, as styled lines and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from drumline.diagnostics import counted
from drumline.forecast.draws import UNKNOWN, key_of
from drumline.forecast.durations import TaskKey
from drumline.forecast.estimate import Estimate, Interval
from drumline.forecast.path import Leg, Reason
from drumline.model.outcome import Status
from drumline.model.plan import PlannedPlay
from drumline.model.playbook import Strategy
from drumline.model.titles import play_title
from drumline.reporting.folds import Outcome
from drumline.reporting.lines import Line, Part, amount, count_parts, seconds, task_name

#: Up to this many batches of a play are shown one by one; of more, the first, and the others together.
_BATCHES = 6
#: Up to this many legs of the critical path are shown one by one; of more, those of each task are added up.
_LEGS = 15
_NAMES = 48

_REASONS: Mapping[Reason, str] = {
    Reason.BEGINNING: "from the beginning",
    Reason.BARRIER: "after the barrier",
    Reason.NEED: "after what it needs",
    Reason.FORKS: "for a free fork",
    Reason.SESSIONS: "for a session on its host",
    Reason.THROTTLE: "for its turn (throttle)",
    Reason.START: "when all were staged",
    Reason.CLOCK: "at its start time",
}
_ENDINGS = {0: "success", 2: "a job failed", 4: "a host was unreachable"}


def estimate_lines(found: Estimate) -> Iterator[Line]:
    """The times of the run, its plays, batches and waves, the critical path, and what these are based on."""
    yield [Part("expected: "), *_interval(found.run)]
    for index, planned in enumerate(found.plan.plays):
        yield from _play_lines(found, index, planned)
    yield from _path_lines(found)
    yield from _ending_lines(found)
    yield from _basis_lines(found)
    yield from _assumed_lines(found)


def _interval(found: Interval) -> list[Part]:
    around = f" ({seconds(found.low)} to {seconds(found.high)})" if _differ(found) else ""
    return [Part(seconds(found.middle), "bold"), Part(around)]


def _differ(found: Interval) -> bool:
    return len({seconds(value) for value in found}) > 1


def _play_lines(found: Estimate, index: int, planned: PlannedPlay) -> Iterator[Line]:
    took = found.play(index)
    if took is None:
        return
    alone = len(found.plan.plays) == 1
    yield [Part(f"  {play_title(planned.play)}"), *([] if alone else [Part(": "), *_interval(took)])]
    batches = range(len(planned.batches))
    if len(batches) == 1:
        yield from _wave_lines(found, index, 0, "    ")
        return
    for batch in batches if len(batches) <= _BATCHES else [0]:
        yield from _batch_lines(found, index, batch)
    if len(batches) > _BATCHES:
        each = found.batches(index, batches[1:])
        parts = _interval(each) if each is not None else [Part("not reached", "dim")]
        yield [Part(f"    batches 2 to {len(batches)}, each: "), *parts]


def _batch_lines(found: Estimate, play: int, batch: int) -> Iterator[Line]:
    took = found.batches(play, [batch])
    name = f"    batch {batch + 1} of {len(found.plan.plays[play].batches)}: "
    yield [Part(name), *(_interval(took) if took is not None else [Part("not reached", "dim")])]
    if took is not None:
        yield from _wave_lines(found, play, batch, "      ")


def _wave_lines(found: Estimate, play: int, batch: int, pad: str) -> Iterator[Line]:
    word = "level" if found.plan.plays[play].play.strategy is Strategy.FREE else "wave"
    labels = [f"{word} {number + 1}: {_names(found, play, batch, number)}" for number in _waves(found, play, batch)]
    width = max(map(len, labels), default=0)
    for number, label in enumerate(labels):
        took = found.wave((play, batch, number))
        parts = _interval(took) if took is not None else [Part("not reached", "dim")]
        yield [Part(f"{pad}{label:<{width}}  "), *parts]


def _waves(found: Estimate, play: int, batch: int) -> range:
    return range(len(found.plan.plays[play].batches[batch].waves))


def _names(found: Estimate, play: int, batch: int, wave: int) -> str:
    steps = found.plan.plays[play].batches[batch].waves[wave]
    return _cut([task_name(found.plan.steps[index]) for index in steps])


def _cut(names: Sequence[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _NAMES else f"{text[: _NAMES - 1]}…"


# The critical path.


def _path_lines(found: Estimate) -> Iterator[Line]:
    if not found.path:
        return
    whole = sum(leg.seconds + leg.clock + leg.overhead for leg in found.path) or 1.0
    yield [Part("critical path: "), Part("what the end of the run waited for", "dim")]
    legs = [[leg] for leg in found.path] if len(found.path) <= _LEGS else _by_task(found)
    rows = [(sum(leg.seconds for leg in group), _place(found, group), _why(group)) for group in legs]
    clock, overhead = (sum(times) for times in zip(*((leg.clock, leg.overhead) for leg in found.path), strict=True))
    others = [(clock, "waiting for a given time", ""), (overhead, "drumline itself", "")]
    rows += [row for row in others if row[0] >= whole / 100]
    width = max(len(place) for _, place, why in rows if why)
    for took, place, why in rows:
        yield [
            Part(f"  {seconds(took):>9}  "),
            Part(f"{took / whole:>4.0%}  "),
            Part(f"{place:<{width}}  " if why else place),
            Part(why, "dim"),
        ]


def _by_task(found: Estimate) -> list[list[Leg]]:
    groups: dict[TaskKey, list[Leg]] = {}
    for leg in found.path:
        groups.setdefault(key_of(found.plan, found.plan.steps[leg.step]), []).append(leg)
    return list(groups.values())


def _place(found: Estimate, group: Sequence[Leg]) -> str:
    hosts = Counter(host for leg in group for host in leg.hosts)
    [(host, most), *others] = hosts.most_common()
    where = f"on {host}"
    if others:
        where = f"on {len(hosts)} hosts in turn"
        where += f", {most} times {host}" if most > 1 else ""
    staged = ", until it was staged" if group[0].staged and len(group) == 1 else ""
    return f"{_cut([task_name(found.plan.steps[group[0].step])])} {where}{staged}"


def _why(group: Sequence[Leg]) -> str:
    [(reason, _), *_] = Counter(leg.reason for leg in group).most_common(1)
    text = _REASONS[reason]
    batches = len({leg.step for leg in group})
    if batches > 1:
        return f"{text}, in {batches} batches"
    in_turn = len(group[0].hosts) > 1 and reason not in (Reason.FORKS, Reason.THROTTLE, Reason.SESSIONS)
    return f"{text}, then for a free fork" if in_turn else text


# The outcome, and what the estimate is based on.


def _ending_lines(found: Estimate) -> Iterator[Line]:
    endings = found.endings()
    count = len(found.rounds)
    late = sum(run.late for run in found.rounds) / count
    if set(endings) != {0}:
        words = [f"{_ENDINGS.get(status, f'status {status}')} in {times}" for status, times in endings.items()]
        yield [Part("outcome: "), Part(f"{', '.join(words)} of {count} simulated runs", "bold")]
        yield [Part("  jobs on average: "), *count_parts(_mean_counts(found))]
    if late:
        yield [Part(f"late at a barrier: {amount(late)} jobs on average")]
    stops = found.stops()
    for reason, times in list(stops.items())[:3]:
        yield [Part(f"  stops in {times} of {count}: ", "bold red"), Part(reason)]
    if len(stops) > 3:
        yield [Part(f"  and for {len(stops) - 3} more reasons, in {sum(list(stops.values())[3:])} of {count}", "dim")]


def _mean_counts(found: Estimate) -> dict[Outcome, float]:
    total: Counter[Outcome] = Counter()
    for run in found.rounds:
        total.update({Status(name): count for name, count in run.counts.items()})
    return {status: count / len(found.rounds) for status, count in total.items()}


def _basis_lines(found: Estimate) -> Iterator[Line]:
    rounds = counted(len(found.rounds), "simulated run")
    if found.runs:
        runs = counted(found.runs, "earlier run")
        yield [Part(f"from {runs}; 80% of {rounds} lie within the brackets", "dim")]
    else:
        yield [Part(f"no earlier run of this playbook is in the journal; {rounds}", "dim")]
    if found.runs == 1:
        yield [Part("one run doesn't show how much times vary: about 10% is assumed", "yellow")]
    if found.unknown:
        names = _listed(found, found.unknown)
        yield [Part(f"no history: {names}; {UNKNOWN:g} s is assumed for each job (--take TASK=TIME)", "yellow")]


def _assumed_lines(found: Estimate) -> Iterator[Line]:
    """What was assumed of handlers, and what isn't counted."""
    if found.guessed:
        yield [Part(f"no history: {_listed(found, found.guessed)}; taken to notify handlers, which run then", "yellow")]
    if found.unguessed:
        why = "only templates name them, and no earlier run has"
        yield [Part(f"not counted: handlers that {_listed(found, found.unguessed)} may notify; {why}", "yellow")]
    if found.uncounted:
        why = "only the run knows, and no earlier one has it (--take TASK=TIME)"
        yield [Part(f"not counted: what {_listed(found, found.uncounted)} will add; {why}", "yellow")]


def _listed(found: Estimate, keys: Iterable[TaskKey], most: int = 8) -> str:
    several = len(found.plan.plays) > 1
    names = [".".join(key) if several else key[1] for key in keys]
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def estimate_data(found: Estimate) -> dict[str, Any]:
    """As JSON-able data; times in seconds, as ``{"low", "expected", "high"}``."""
    return {
        "run": _interval_data(found.run),
        "plays": [_play_data(found, index, planned) for index, planned in enumerate(found.plan.plays)],
        "critical_path": [_leg_data(found, leg) for leg in found.path],
        "rounds": len(found.rounds),
        "endings": {str(status): times for status, times in found.endings().items()},
        "stops": dict(found.stops()),
        "jobs": {str(status): count for status, count in _mean_counts(found).items()},
        "earlier_runs": found.runs,
        "no_history": [{"play": play, "task": task, "assumed": UNKNOWN} for play, task in found.unknown],
        "taken_to_notify": _keys_data(found.guessed),
        "not_counted": {"handlers_of": _keys_data(found.unguessed), "added_by": _keys_data(found.uncounted)},
    }


def _keys_data(keys: Iterable[TaskKey]) -> list[dict[str, str]]:
    return [{"play": play, "task": task} for play, task in keys]


def _interval_data(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else {"low": found.low, "expected": found.middle, "high": found.high}


def _play_data(found: Estimate, index: int, planned: PlannedPlay) -> dict[str, Any]:
    return {
        "id": planned.play.id,
        "time": _interval_data(found.play(index)),
        "batches": [
            {
                "time": _interval_data(found.batches(index, [batch])),
                "waves": [
                    {
                        "tasks": [found.plan.steps[step].task.id for step in wave],
                        "time": _interval_data(found.wave((index, batch, number))),
                    }
                    for number, wave in enumerate(planned.batches[batch].waves)
                ],
            }
            for batch in range(len(planned.batches))
        ],
    }


def _leg_data(found: Estimate, leg: Leg) -> dict[str, Any]:
    step = found.plan.steps[leg.step]
    return {
        "play": found.plan.plays[step.play].play.id,
        "task": step.task.id,
        "hosts": list(leg.hosts),
        "reason": str(leg.reason),
        "seconds": leg.seconds,
        "clock": leg.clock,
        "overhead": leg.overhead,
    }
