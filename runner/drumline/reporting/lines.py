"""Reports as styled lines: waves, results and failures, for every kind of output."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from drumline.diagnostics import counted
from drumline.model.hostnames import fold_hosts
from drumline.model.outcome import Status
from drumline.model.plan import Plan, Step
from drumline.model.playbook import GeneratedFrom
from drumline.model.titles import origin_text, play_title, task_title
from drumline.model.traits import Shows
from drumline.reporting.diffs import AROUND, diff_of
from drumline.reporting.folds import Fold, Foreseen, Outcome, outcome_of
from drumline.reporting.tracker import CAUSES, Tracker, Wave

#: How many lines of each stream are shown for a failure.
LAST_LINES = 20

#: And for another one that differs only by the host's name.
_FEW_LINES = 3

#: How many characters of an output line are shown; 'drumline runs output' prints all of it.
_LONGEST = 2000

#: How many lines of a diff are shown without ``-v``, and in which colours.
_DIFF_LINES = 300
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan", "\\": "dim"}

MARKS: Mapping[Outcome, tuple[str, str]] = {
    Status.OK: ("ok", "green"),
    Status.CHANGED: ("changed", "yellow"),
    Foreseen.OK: ("no change", "green"),
    Foreseen.CHANGED: ("would change", "yellow"),
    Status.UNCLEAR: ("unclear", "magenta"),
    Status.SKIPPED: ("skipped", "cyan"),
    Status.FAILED: ("failed", "bold red"),
    Status.UNREACHABLE: ("unreachable", "bold red"),
    Status.RESCUED: ("rescued", "yellow"),
    Status.ABANDONED: ("abandoned", "magenta"),
    Status.CANCELLED: ("cancelled", "magenta"),
    Status.UNKNOWN: ("unknown", "bold red"),
}


class Part(Struct, frozen=True):
    """Some text in one style (the words that rich knows: ``bold red``, ``dim``).

    A line with a ``whole`` part is never wrapped, so that it can be copied.
    """

    text: str
    style: str = ""
    whole: bool = False


Line = Sequence[Part]


def mark(word: str, style: str) -> Part:
    """The first word of a line, in a column of its own: what happened to the hosts that it is about."""
    return Part(f"  {word:<11} ", style)


def plain(line: Line) -> str:
    """A line without its styles."""
    return "".join(part.text for part in line)


def seconds(value: float) -> str:
    """A duration for people: ``40 ms``, ``2.3 s``, ``12 s``, ``3 m 05 s``, ``2 h 07 m``."""
    if value < 0.9995:
        return f"{value * 1000:.0f} ms"
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 59.5:
        return f"{value:.0f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} m"


def fine(value: float) -> str:
    """A small difference of time for people, not rounded to whole milliseconds: ``0.25 ms``, ``3.1 ms``, ``1.2 s``."""
    size = abs(value)
    if size < 0.00095:
        return f"{value * 1000:.2f} ms"
    if size < 0.0995:
        return f"{value * 1000:.1f} ms"
    return f"{'-' if value < 0 else ''}{seconds(size)}"


def clock(at: float) -> str:
    """A local time of day, to the second, with the date if that isn't today."""
    moment = time.localtime(at)
    return time.strftime("%H:%M:%S" if moment[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M:%S", moment)


def task_name(step: Step) -> str:
    """A task's name in reports: as written, else its text."""
    return printable(task_title(step.task))


def batch_title(plan: Plan, wave: Wave) -> Line:
    """``Play name``, with its batch if there are several."""
    play_index, batch_index, _ = wave.key
    play = plan.plays[play_index]
    batch = f", batch {batch_index + 1} of {len(play.batches)}" if len(play.batches) > 1 else ""
    origin = [Part(f"  from {printable(origin_text(play.play.origin))}", "dim")] if play.play.origin else []
    return [Part(printable(play_title(play.play)), "bold"), Part(batch), *origin]


def wave_title(plan: Plan, wave: Wave) -> Line:
    """``wave 2 of 5: stop, migrate``."""
    steps = plan.plays[wave.key[0]].batches[wave.key[1]].waves[wave.key[2]]
    tasks = ", ".join(task_name(plan.steps[index]) for index in steps)
    return [Part(f"{wave_number(plan, wave)}: "), Part(tasks, "bold")]


def wave_number(plan: Plan, wave: Wave) -> str:
    """``wave 2 of 5``; of what was added while the run went on ``wave 2.1 of 5``."""
    batch = plan.plays[wave.key[0]].batches[wave.key[1]]
    count = sum(len(batch.level(number)) == 1 for number in range(len(batch.waves)))
    return f"wave {'.'.join(str(number + 1) for number in batch.level(wave.key[2]))} of {count}"


def fold_lines(
    step: Step,
    fold: Fold,
    *,
    verbose: int,
    more: str = "drumline runs show -v",
    told: Sequence[str] = (),
    brief: bool = False,
    origin: GeneratedFrom | None = None,
    around: int = AROUND,
) -> Iterator[Line]:
    """One status of one task with its hosts, then the details; ``brief``: only the last lines.

    ``around``: how many lines around a change a diff shows.

    ``more`` is the command that shows everything. For the hosts in ``told``, everything was already shown.
    ``origin`` is what the play was generated from.
    """
    word, style = MARKS[outcome_of(fold.status, fold.check)]
    ignored = [Part(" (ignored)", "dim")] if fold.ignored else []
    above = f"; see {', '.join(told)} above" if told else ""
    yield [
        mark(word, style),
        Part(task_name(step)),
        Part(": "),
        Part(fold_hosts(fold.hosts), "bold"),
        *ignored,
        Part(f"  {_counted(fold.hosts)}{seconds(max(0.0, fold.last_end - fold.first_start))}{above}", "dim"),
    ]
    if origin is not None and fold.status in CAUSES and not told:
        yield [Part("      for ", "dim"), Part(printable(origin_text(origin)))]
    if fold.samples:
        yield from _sample_lines(step, fold, verbose, more, told, around)
    elif not told:
        yield from _last_words(fold.result) if brief else _body(step, fold.status, fold.result, verbose, more, around)
    if fold.status is Status.UNREACHABLE and len(fold.hosts) > 1:
        whose = "" if told else f"shown for {fold.hosts[0]}; "
        yield [Part(f"      {whose}for each host's message: {more}", "dim")]


def _body(
    step: Step, status: Status, result: Mapping[str, Any], verbose: int, more: str, around: int
) -> Iterator[Line]:
    """The details of one result."""
    if status in CAUSES:
        yield from failure_lines(step, result)
    elif status is Status.UNCLEAR:
        yield from _indented(result.get("unclear", ""), "magenta")
    elif (step.task.traits.shows is Shows.MESSAGE and status is not Status.SKIPPED) or (verbose and result.get("msg")):
        for one in _items_of(step, result):
            yield from _indented(_said(one), "cyan")
    yield from _warnings(result)
    if verbose and status not in CAUSES:
        yield from _output_lines(result, lines=None)
    elif result.get("lost") and status not in CAUSES:
        yield from cut_lines(result)
    yield from _diff_lines(result, verbose, more, around)
    if verbose > 1:
        yield from _indented(dict(result), "dim")


def _warnings(result: Mapping[str, Any]) -> Iterator[Line]:
    """What the action warned of."""
    warnings = result.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        yield [Part(f"      warning: {_short(warning)}", "yellow")]


def _diff_lines(result: Mapping[str, Any], verbose: int, more: str, around: int) -> Iterator[Line]:
    """The diff of a result; ``more`` is the command that shows all of a long one."""
    found = list(diff_of(result, around))
    shown = found if verbose else found[:_DIFF_LINES]
    for line in shown:
        style = "bold" if line[:4] in ("--- ", "+++ ") else _DIFF_STYLES.get(line[:1], "")
        yield [Part(f"      {_short(line, _LONGEST)}", style)]
    if len(found) > len(shown):
        yield [Part(f"      {len(found) - len(shown)} more lines of the diff: {more}", "dim")]


def _sample_lines(
    step: Step, fold: Fold, verbose: int, more: str, told: Collection[str], around: int
) -> Iterator[Line]:
    """The first of the results that differ only by their hosts' names, and how to see the others.

    A failure is shown in full once, and for further hosts only its last lines.
    """
    is_cause = fold.status in CAUSES
    shown = 0
    for host, result in fold.samples.items():
        if host in told:
            continue
        brief = is_cause and (shown or told)
        body = list(_last_words(result) if brief else _body(step, fold.status, result, verbose, more, around))
        yield from _with_host(host, body) if body and (brief or not is_cause) else body
        shown += bool(body)
    left = len(fold.hosts) - len({*fold.samples, *told})
    if left > 0 and shown:
        yield [Part(f"      and {left} more: {more}", "dim")]


def _with_host(host: str, body: Sequence[Line]) -> Iterator[Line]:
    """The lines of one of several hosts: its name before the first of them."""
    margin = f"      {host}: "
    for number, line in enumerate(body):
        [first, *rest] = line
        name = Part(margin, "bold") if number == 0 else Part(" " * len(margin))
        yield [name, Part(first.text.removeprefix("      "), first.style), *rest]


def _last_words(result: Mapping[str, Any]) -> list[Line]:
    """For a failure similar to another: the ends of its outputs, else its message."""
    return list(_output_lines(result, lines=_FEW_LINES)) or list(_indented(result.get("msg", ""), "red"))


def failure_lines(step: Step, result: Mapping[str, Any]) -> Iterator[Line]:
    """Everything that helps: place in the file, message, command, exit code, the last lines of output."""
    yield [Part("      at ", "dim"), Part(str(step.task.position))]
    items = result.get("results")
    if isinstance(items, list):
        for item in items:
            if isinstance(item, dict) and item.get("failed"):
                yield [Part("      item ", "dim"), Part(_short(item.get("label")))]
                yield from _details(item)
        return
    yield from _details(result)


def _details(result: Mapping[str, Any]) -> Iterator[Line]:
    if result.get("at"):
        yield [Part("      in ", "dim"), Part(str(result["at"]))]
    if result.get("msg"):
        yield from _indented(result["msg"], "red")
    elif result.get("censored"):
        yield from _indented(result["censored"], "dim")
    if result.get("cmd") is not None:
        command = result["cmd"]
        yield [
            Part("      command: ", "dim"),
            Part(_short(" ".join(command) if isinstance(command, list) else command)),
        ]
    if result.get("rc") is not None:
        yield [Part("      exit code: ", "dim"), Part(str(result["rc"]))]
    yield from _output_lines(result, lines=LAST_LINES)


def _output_lines(result: Mapping[str, Any], lines: int | None) -> Iterator[Line]:
    for stream in ("stdout", "stderr"):
        text = result.get(stream)
        if not isinstance(text, str) or not text.strip():
            continue
        found = text.rstrip().splitlines()
        left_out = 0 if lines is None else max(0, len(found) - lines)
        if left_out:
            yield [Part(f"      {stream} │ … {left_out} lines before", "dim")]
        for line in found[left_out:]:
            yield [Part(f"      {stream} │ ", "dim"), Part(_short(line, _LONGEST))]
    yield from cut_lines(result)


def cut_lines(result: Mapping[str, Any]) -> Iterator[Line]:
    """How much of the output isn't shown here, and how much wasn't kept at all."""
    lost, more = result.get("lost") or 0, result.get("cut") or 0
    if more > lost:
        yield [Part(f"      {more - lost} more bytes of output: see 'drumline runs output'", "dim")]
    if lost:
        yield [Part(f"      {lost} bytes of output were not kept: there was more than 'output_limit' allows", "yellow")]


def verdict(tracker: Tracker, number: int) -> Line:
    """The last line: how it ended, the counts, and how long it took."""
    finished = tracker.finished
    assert finished is not None
    words = {0: ("done", "bold green"), 2: ("failed", "bold red"), 4: ("hosts unreachable", "bold red")}
    word, style = words.get(finished.exit_status, ("interrupted", "bold magenta"))
    hosts = len({host for play in tracker.plan.plays for host in play.hosts}.union(tracker.hosts))
    return [
        Part(word, style),
        Part(": "),
        *count_parts(tracker.counts),
        Part(f" ({tracker.ignored} ignored)" if tracker.ignored else ""),
        Part(f"; {counted(hosts, 'host')}, {seconds(finished.at - tracker.started)}, run {number}"),
    ]


def amount(count: float) -> str:
    """A count, or a mean count: ``12``, ``0.4``, ``3021``."""
    return f"{count:.3g}" if count < 100 else f"{count:.0f}"


def count_parts(counts: Mapping[Outcome, float]) -> list[Part]:
    """``3 ok, 1 failed`` with colours; ``nothing to do`` for none."""
    shown = [Part(f"{amount(counts[kind])} {word}", style) for kind, (word, style) in MARKS.items() if counts.get(kind)]
    if not shown:
        return [Part("nothing to do")]
    return [part for item in shown for part in (Part(", "), item)][1:]


def _items_of(step: Step, result: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What each item of a loop gave, with the item itself; without a loop the one result."""
    loop, items = step.task.loop, result.get("results")
    if loop is None or not isinstance(items, list):
        return (result,)
    unsaid = ("label", "ansible_loop", "ansible_loop_var", "ansible_index_var")
    own = [item for item in items if isinstance(item, Mapping) and not item.get("skipped")]
    return [{name: value for name, value in item.items() if name not in unsaid} for item in own] or (result,)


def _said(result: Mapping[str, Any]) -> Any:
    """The message, else the values that the action returned (``debug: {var: …}``)."""
    if "msg" in result:
        return result["msg"]
    return {name: value for name, value in result.items() if name not in ("changed", "failed")}


def _counted(hosts: Sequence[str]) -> str:
    return f"{len(hosts)} hosts, " if len(hosts) > 1 else ""


def _indented(value: Any, style: str) -> Iterator[Line]:
    text = value if isinstance(value, str) else _pretty(value)
    for line in text.splitlines() or [""]:
        yield [Part(f"      {printable(line)}", style)]


def _pretty(value: Any) -> str:
    import json

    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _short(value: Any, most: int = 500) -> str:
    text = printable(value if isinstance(value, str) else _pretty(value))
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def printable(text: str) -> str:
    """Text without the control characters through which a host could manipulate the operator's terminal."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\t\n" else f"\\x{ord(char):02x}" for char in text)
