"""A run is alive while its process is: not while another one has its number, nor after the machine was started anew."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest
from support.worlds import P, T, build

from drumline.journal.processes import Claim, identity, is_claimed, is_same, remove_left
from drumline.journal.reading import Reader
from drumline.journal.store import Journal

PLAN = build(P([T(["a"])]))


@pytest.fixture
def other() -> Iterator[int]:
    """Another process."""
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process.pid
        process.kill()


def begun(directory: Path) -> Journal:
    """A journal with a run of this process that goes on."""
    journal = Journal(directory)
    journal.begin(PLAN, command="test")
    return journal


def alive(directory: Path) -> bool:
    with closing(Reader(directory)) as reader:
        return reader.find(None).alive


def change(journal: Journal, **values: object) -> None:
    for name, value in values.items():
        journal._database.execute(f"UPDATE runs SET {name} = ?", (value,))


def test_it_is_known_while_it_is_there(tmp_path: Path, other: int) -> None:
    assert identity(other) not in ("", identity(os.getpid()))
    assert is_same(other, identity(other), time.time())
    with closing(begun(tmp_path)):
        assert alive(tmp_path)


def test_another_process_with_its_number_is_not_it(tmp_path: Path, other: int) -> None:
    with closing(begun(tmp_path)) as journal:
        change(journal, pid=other, id="someone")  # no one holds that claim
        assert not alive(tmp_path)


def test_a_machine_that_was_started_anew(tmp_path: Path) -> None:
    """Number and moment of the start may be the same by chance."""
    boot, rest = identity(os.getpid()).split(" ", 1)
    with closing(begun(tmp_path)) as journal:
        change(journal, process=f"{boot[::-1]} {rest}", id="someone")
        assert not alive(tmp_path)


def test_a_run_in_another_container_holds_its_claim(tmp_path: Path) -> None:
    """Its process can't be seen from here; its lock can."""
    with closing(begun(tmp_path)) as journal:
        change(journal, process="another namespace", pid=2**22 + 1)
        assert alive(tmp_path)
    assert not alive(tmp_path)


@pytest.mark.parametrize("started", [0.0, 100.0], ids=["reused", "older than its run"])
def test_of_an_older_drumline_only_the_number_is_known(tmp_path: Path, other: int, started: float) -> None:
    with closing(begun(tmp_path)) as journal:
        change(journal, pid=other, process=None, id="someone", started=time.time() - 3600 + 36 * started)
        assert alive(tmp_path) is bool(started)


def test_a_claim_ends_with_its_process(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from drumline.journal.processes import Claim; "
        "claim = Claim(Path(sys.argv[1]), 'abc'); print('ready', flush=True); time.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert is_claimed(tmp_path, "abc")
        process.kill()
        process.wait()
    assert not is_claimed(tmp_path, "abc")
    assert not is_claimed(tmp_path, "never")


@pytest.mark.parametrize("again", [False, True], ids=["removed", "made by another"])
def test_a_claim_that_is_removed_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    path, lock = tmp_path / "running/abc", fcntl.flock
    tidied: list[Path] = []

    def late(file: IO[bytes], how: int) -> None:
        if not tidied:
            path.unlink()
            tidied.append(path)
            if again:
                path.touch()
        lock(file, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", late)
        claim = Claim(tmp_path, "abc")
    assert tidied
    assert is_claimed(tmp_path, "abc")
    remove_left(tmp_path, "abc")
    assert is_claimed(tmp_path, "abc")
    claim.release()
    assert not path.exists()


def test_what_is_tidied_up_is_what_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that was left is replaced by a claim between the look at it and its removal."""
    path, lock = tmp_path / "running/abc", fcntl.flock
    path.parent.mkdir()
    path.touch()
    claims: list[Claim] = []
    unlinked: list[Path] = []

    def late(file: IO[bytes], how: int) -> None:
        lock(file, how)
        if not unlinked:
            unlinked.append(path)
            path.unlink()
            claims.append(Claim(tmp_path, "abc"))

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", late)
        remove_left(tmp_path, "abc")
    assert is_claimed(tmp_path, "abc")
    claims[0].release()
    path.touch()
    remove_left(tmp_path, "abc")
    assert not path.exists()


def test_a_directory_without_locks_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "running").write_text("a file in its place")
    claim = Claim(tmp_path, "abc")
    assert not is_claimed(tmp_path, "abc")
    claim.release()
