"""Old runs go by age, number and size; one that goes on never does; what a command writes is bounded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.program import call, running, wait_until
from support.running import run_tasks
from support.worlds import P, T, build

from drumline.clock import SystemClock
from drumline.config.values import size_of
from drumline.journal.store import Journal
from drumline.journal.upkeep import Keeping, make_room, prune
from drumline.model.event import RunFinished
from drumline.model.plan import Job

PLAN = build(P([T(["a"])]))
DAY = 86_400.0


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Five runs, a day apart, of about 100 kB each; the oldest goes on."""
    with closing(Journal(tmp_path)) as made:
        now = SystemClock().wall()
        for number in range(5):
            writer = made.begin(PLAN, command="test")
            writer.keep_output(Job(0, "a"), 1, "stdout", bytes(100_000))
            if number:
                writer.append([RunFinished(at=now, counts={}, exit_status=0)])
            made._database.execute("UPDATE runs SET started = ? WHERE id = ?", (now - (5 - number) * DAY, writer.id))
        yield made


def numbers(journal: Journal) -> list[int]:
    return [run.number for run in journal.runs()]


@pytest.mark.parametrize(
    ("keeping", "left"),
    [
        (Keeping(seconds=2.5 * DAY), [5, 4, 1]),
        (Keeping(runs=1), [5, 1]),
        (Keeping(runs=0), [1]),
        (Keeping(size=250_000), [5, 4, 1]),
        (Keeping(size=350_000, runs=4), [5, 4, 3, 1]),
        (Keeping(), [5, 4, 3, 2, 1]),
    ],
)
def test_what_goes_and_what_stays(journal: Journal, keeping: Keeping, left: list[int]) -> None:
    prune(journal, keeping)
    assert numbers(journal) == left
    for table in ("events", "outputs", "playbooks"):
        [(count,)] = journal._database.execute(
            f"SELECT count(*) FROM {table} WHERE run NOT IN (SELECT number FROM runs)"
        )
        assert count == 0


def test_the_file_becomes_smaller_when_no_run_goes_on(journal: Journal) -> None:
    big = journal.size()
    gone, smaller = prune(journal, Keeping(runs=1))
    assert (len(gone), smaller) == (3, False)
    journal._database.execute("UPDATE runs SET finished = 1.0, exit_status = 0")
    gone, smaller = prune(journal, Keeping(runs=1))
    assert (len(gone), smaller) == (1, True)
    assert journal.path.stat().st_size < big / 3


def test_a_journal_that_is_too_large_makes_room_for_the_next_run(journal: Journal) -> None:
    assert make_room(journal, journal.size()) == []
    gone = make_room(journal, 350_000)
    assert [run.number for run in gone] == [2]
    assert journal.size() < 470_000


def test_on_the_command_line(tmp_path: Path) -> None:
    for number in range(3):
        assert call(tmp_path, "exec", "-i", "localhost,", "localhost", f"echo {number}").status == 0
    would = call(tmp_path, "runs", "prune", "--keep", "1", "--dry-run")
    assert (would.status, would.out.splitlines()[-1]) == (0, "2 runs would be removed")
    assert len(call(tmp_path, "runs", "list").out.splitlines()) == 3
    assert call(tmp_path, "runs", "prune", "--keep", "1").out.splitlines()[-1] == "2 runs removed"
    assert call(tmp_path, "runs", "list").out.split()[0] == "3"
    assert call(tmp_path, "runs", "prune", "--older-than", "30d").out == "0 runs removed\n"
    for wrong in ((), ("--older-than", "30"), ("--max-size", "much"), ("--keep", "-1")):
        assert call(tmp_path, "runs", "prune", *wrong).status == 5


def test_a_run_that_goes_on_stays(tmp_path: Path) -> None:
    words = ("exec", "-i", "localhost,", "localhost", f"touch {tmp_path}/began; sleep 300")
    with running(tmp_path, *words) as program:
        wait_until((tmp_path / "began").exists)
        assert call(tmp_path, "runs", "prune", "--keep", "0").out == "0 runs removed\n"
        program.ctrl_c()
    assert call(tmp_path, "runs", "list").status == 0


def test_the_limit_holds_when_a_run_begins_and_is_said(tmp_path: Path) -> None:
    big = ("exec", "-i", "localhost,", "localhost", "head -c 2000000 /dev/zero | tr '\\0' x")
    for _ in range(3):
        assert call(tmp_path, *big).status == 0
    small = call(tmp_path, "exec", "-i", "localhost,", "localhost", "true", env={"DRUMLINE_JOURNAL_LIMIT": "5 MiB"})
    assert "larger than 'journal_limit' (5 MiB) allows: run 1 was removed" in small.err
    assert len(call(tmp_path, "runs", "list").out.splitlines()) == 3


def test_output_beyond_the_limit_is_not_kept_and_the_command_goes_on(tmp_path: Path) -> None:
    tasks = (
        "- {id: say, shell: head -c 3000000 /dev/zero | tr '\\\\0' x; echo end >&2}\n- {id: after, command: echo a}\n"
    )
    ran = run_tasks(tmp_path, tasks, output_limit=2_000_000)
    result = ran.result("say")
    assert (ran.exit_status, result["rc"]) == (0, 0)
    assert len(result["stdout"]) == 1024 * 1024
    assert result["cut"] - result["lost"] == 2_000_000 - 1024 * 1024
    assert result["lost"] == 1_000_000 + len("end\n")
    assert "lost" not in ran.result("after")
    shown = call(tmp_path, "runs", "show")
    assert "1000004 bytes of output were not kept: there was more than 'output_limit' allows" in shown.out
    assert len(call(tmp_path, "runs", "output", "say", "a").out) == 2_000_000


def test_a_command_that_writes_for_ever_fills_nothing(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path, "- {id: say, shell: 'yes', timeout: 2}\n".replace("'yes'", '"yes"'), output_limit=4_000_000
    )
    assert ran.result("say")["lost"] > 1_000_000
    assert sum(path.stat().st_size for path in (tmp_path / "state").iterdir() if path.is_file()) < 30_000_000


def test_a_journal_at_its_limit_keeps_no_more_output(tmp_path: Path) -> None:
    ran = run_tasks(
        tmp_path, "- {id: say, shell: head -c 3000000 /dev/zero | tr '\\\\0' x}\n", journal_limit=500_000, forks=1
    )
    assert ran.exit_status == 0
    assert ran.result("say")["lost"] > 1_000_000
    with closing(sqlite3.connect(tmp_path / "state" / "journal.sqlite3")) as database:
        assert database.execute("SELECT coalesce(sum(length(data)), 0) FROM outputs").fetchone()[0] < 500_000


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16 MiB", 16 * 1024**2),
        ("1.5GB", 1.5e9),
        ("100", 100),
        (100, 100),
        ("4 kib", 4096),
        ("unlimited", float("inf")),
    ],
)
def test_sizes(text: object, size: float) -> None:
    assert size_of(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1", -1, True, None, "1 XB", [1]])
def test_what_is_no_size(text: object) -> None:
    with pytest.raises(ValueError, match="has to be a size"):
        size_of(text)


def test_data_of_a_run_does_not_say_when_it_was_asked(tmp_path: Path) -> None:
    call(tmp_path, "exec", "-i", "localhost,", "localhost", "true")
    [run] = json.loads(call(tmp_path, "runs", "list", "--format", "json").out)
    assert "now" not in run
