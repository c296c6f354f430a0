"""B5 and B6: synchronised starts on real OpenSSH servers, next to a bare loop that writes to prepared channels.

B5 is how long the words to start take to leave this machine. B6 is how far apart the commands begin, as the hosts
themselves write it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _measure import DRUMLINE, HERE, in_turns, judged, machine, median, print_table
from fleet import Fleet, arguments_of, open_fleet, write_inventory

from drumline.plugin import Language, Run
from drumline.plugin.marks import nonce
from drumline.plugin.staging import staged_script

#: How many times as long as the bare loop's the burst may be, and the skew.
BURST, SKEW = 1.15, 3.0
#: By the clock: milliseconds of skew beyond the uncertainty that is reported.
EXCESS = 5.0
#: What the hosts run: they note the time, last for a while and write it. bash does that without starting programs. All
#: hosts are one machine: else the ends of the first commands would be in the way of the beginnings of the last.
SHELL, COMMAND = "/bin/bash", "t=$EPOCHREALTIME; read -t {seconds} x <>{quiet}; echo $t"
#: Hosts that are made ready side by side. Those that wait for the word take none of these places.
AT_ONCE = 50
_TOGETHER = "{together: true}"
_BY_CLOCK = "{together: true, max_skew: 1s}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One start at the same moment. All in seconds."""

    burst: float  #: From the first word to the last.
    skew: float  #: From the first command to the last, as the hosts wrote it.
    told: float = 0.0  #: The same as drumline reports it,
    uncertainty: float = 0.0  #: and give or take what.


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What all contenders start."""

    fleet: Fleet
    command: str
    bare: str  #: The same for the bare loop: says that it is ready, and reads its word first.
    core: int | None = None  #: What contenders run on; None: anywhere.


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=500, help="of B5")
    parser.add_argument("--skew-hosts", type=int, default=20, help="of B6")
    parser.add_argument("--starts", type=int, default=5, help="in each run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender")
    parser.add_argument("--anywhere", action="store_true", help="B5: let contenders and servers share all cores")
    parser.add_argument("--as-me", action="store_true", help="as root too, log in as the one who runs this")
    options = parser.parse_args()
    place = nullcontext() if options.anywhere else _apart()
    with place as core, open_fleet(options.hosts, options.starts, as_me=options.as_me) as fleet:
        command = _command(fleet)
        script = staged_script(Run(language=Language.SH, text=command, executable=SHELL), nonce())
        contest = Contest(fleet=fleet, command=command, bare=f"( {script}\n)", core=core)
        bursts = _measured(contest, options.rounds, {"drumline": _TOGETHER})
    _report_bursts(bursts, options.hosts, anywhere=options.anywhere)
    with open_fleet(options.skew_hosts, options.starts, as_me=options.as_me) as fleet:
        command = _command(fleet)
        contest = Contest(fleet=fleet, command=command, bare=f"echo ready; read -r word; {command}")
        kinds = {"drumline, together": _TOGETHER, "drumline, by the clock": _BY_CLOCK}
        skews = _measured(contest, options.rounds, kinds)
    _report_skews(skews, options.skew_hosts)


@contextmanager
def _apart() -> Iterator[int | None]:
    """A core that the servers which are started meanwhile leave alone, since hosts are other machines; None: no such.

    What runs a burst would else be put aside for what the burst wakes up.
    """
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) < 2:
        yield None
        return
    os.sched_setaffinity(0, cores - {min(cores)})
    try:
        yield min(cores)
    finally:
        os.sched_setaffinity(0, cores)


def _command(fleet: Fleet) -> str:
    """It lasts for much longer than all the words take to leave."""
    seconds = max(0.3, len(fleet.hosts) * 0.004)
    quiet = fleet.directory / "quiet"
    os.mkfifo(quiet)
    quiet.chmod(0o666)
    return COMMAND.format(seconds=seconds, quiet=quiet)


def _measured(contest: Contest, rounds: int, kinds: dict[str, str]) -> dict[str, list[Start]]:
    """The starts of each contender, run in turns."""
    inventory = write_inventory(contest.fleet)
    calls: dict[str, Callable[[], list[Start]]] = {"bare loop": lambda: _bare(contest)}
    for name, start in kinds.items():
        calls[name] = lambda start=start: _drumline(contest, inventory, start)
    results = in_turns({name: (rounds, call) for name, call in calls.items()})
    return {name: [start for run in runs for start in run] for name, runs in results.items()}


def _bare(contest: Contest) -> list[Start]:
    script = f"for i in $(seq {contest.fleet.tasks}); do {contest.bare}\ndone"
    program = f"exec {SHELL} -c {shlex.quote(script)}"
    said = _contend(contest, [sys.executable, HERE / "burst.py", *arguments_of(contest.fleet), program])
    return [Start(burst=burst, skew=max(times) - min(times)) for burst, times in json.loads(said)]


def _drumline(contest: Contest, inventory: Path, start: str) -> list[Start]:
    fleet, command = contest.fleet, json.dumps(contest.command)
    tasks = "".join(
        f"    - {{id: start-{number}, shell: {command}, args: {{executable: {SHELL}}}, start: {start}}}\n"
        for number in range(fleet.tasks)
    )
    playbook = fleet.write("starts.yml", f"- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}")
    with tempfile.TemporaryDirectory(dir=fleet.directory) as directory:
        events = Path(directory) / "events"
        settings = ["-f", str(AT_ONCE), "--state", f"{directory}/state", "--events", events]
        _contend(contest, [DRUMLINE, "run", playbook, "-i", inventory, *settings])
        return _starts([json.loads(line) for line in events.read_text().splitlines()])


def _contend(contest: Contest, program: Sequence[str | Path]) -> str:
    """Run a contender; returns what it wrote to stdout."""
    cores = {contest.core} if contest.core is not None else None
    done = subprocess.run(
        [str(word) for word in program],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, cores) if cores else None,
    )
    if done.returncode:
        raise SystemExit(f"{program[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def _starts(events: list[dict[str, Any]]) -> list[Start]:
    times: dict[int, list[float]] = {}
    bursts: dict[int, float] = {}
    told: dict[int, dict[str, Any]] = {}
    for event in events:
        if event["event"] == "JobFinished":
            times.setdefault(event["job"]["step"], []).append(float(event["result"]["stdout"]))
        elif event["event"] == "StartReleased":
            bursts[event["jobs"][0]["step"]] = event["burst"]
        elif event["event"] == "StartMeasured":
            told[event["step"]] = event
    return [
        Start(
            burst=bursts[step],
            skew=max(wrote) - min(wrote),
            told=told[step]["skew"],
            uncertainty=told[step]["uncertainty"],
        )
        for step, wrote in times.items()
    ]


def _spread(values: list[float]) -> str:
    return f"{min(values) * 1000:.1f} to {max(values) * 1000:.1f} ms"


def _report_bursts(results: dict[str, list[Start]], hosts: int, *, anywhere: bool) -> None:
    bursts = {name: [start.burst for start in starts] for name, starts in results.items()}
    bare = median(bursts["bare loop"])
    rows = [
        [
            name,
            f"{median(values) * 1000:.1f} ms",
            _spread(values),
            f"{median(values) / hosts * 1e6:.0f} µs",
            "" if name == "bare loop" else judged(median(values) / bare, BURST),
        ]
        for name, values in bursts.items()
    ]
    what = f"B5, release{', all on any core' if anywhere else ''}"
    title = f"{what}: {hosts} hosts, medians of {len(bursts['drumline'])} bursts ({machine()})"
    print_table(title, ["", "first to last word", "least to most", "a host", "times the bare loop's"], rows)


def _report_skews(results: dict[str, list[Start]], hosts: int) -> None:
    bare = median(start.skew for start in results["bare loop"])
    rows = [_skew_row(name, starts, bare) for name, starts in results.items()]
    title = f"B6, skew: {hosts} hosts, medians of {len(results['bare loop'])} starts ({machine()})"
    header = ["", "skew, as the hosts wrote it", "least to most", "skew, as reported", "uncertainty", "judged"]
    print_table(title, header, rows)


def _skew_row(name: str, starts: list[Start], bare: float) -> list[str]:
    skews = [start.skew for start in starts]
    row = [name, f"{median(skews) * 1000:.2f} ms", _spread(skews)]
    if name == "bare loop":
        return [*row, "", "", ""]
    told = f"{median(start.told for start in starts) * 1000:.2f} ms"
    uncertainty = f"{median(start.uncertainty for start in starts) * 1000:.2f} ms"
    if name.endswith("together"):
        verdict = f"times the bare loop's: {judged(median(skews) / bare, SKEW)}"
    else:
        excess = median(max(0.0, start.skew - start.uncertainty) for start in starts) * 1000
        verdict = f"beyond the uncertainty: {judged(excess, EXCESS, ' ms')}"
    return [*row, told, uncertainty, verdict]


if __name__ == "__main__":
    main()
