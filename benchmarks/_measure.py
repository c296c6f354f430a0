"""What the benchmarks share: whole processes measured, runs taken in turns, tables of medians and limits."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

HERE = Path(__file__).parent
#: The program in the environment of the interpreter that runs the benchmark.
DRUMLINE = Path(sys.executable).with_name("drumline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a process took, with its children."""

    wall: float  #: Seconds.
    cpu: float  #: Seconds, user and system: what else the machine does disturbs them least.


def measure(
    argv: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> Cost:
    """Run a program to its end. Raises ``SystemExit`` with what it said when it fails."""
    # As by default, Python keeps what it has compiled; without that each run would compile drumline anew.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**inherited, **(environment or {})},
            cwd=directory,
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            excerpt = said.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{argv[0]} ended with {process.returncode}:\n{excerpt}")
    return Cost(wall=wall, cpu=usage.ru_utime + usage.ru_stime)


def in_turns(contenders: Mapping[str, tuple[int, Callable[[], T]]]) -> dict[str, list[T]]:
    """The results of each contender, called as often as its number says, one after the other and round again."""
    results: dict[str, list[T]] = {name: [] for name in contenders}
    for turn in range(max(times for times, _ in contenders.values())):
        for name, (times, call) in contenders.items():
            if turn < times:
                results[name].append(call())
    return results


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table in Markdown that also reads well as it is."""
    lines = [list(header), *map(list, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    lines.insert(1, ["-" * width for width in widths])
    print(f"\n{title}\n")
    for line in lines:
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
    print(flush=True)


def judged(value: float, limit: float, unit: str = "") -> str:
    """A figure against its limit."""
    shown = f"{value:.3g}" if value < 1000 else f"{value:.0f}"
    return f"{shown}{unit}, limit {limit:g}{unit}: {'kept' if value <= limit else 'MISSED'}"


def machine() -> str:
    """The machine in one line."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "") if Path("/etc/os-release").exists() else ""
    return f"{os.cpu_count()} cores, {system or platform.system()}, Python {platform.python_version()}"
