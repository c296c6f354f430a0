"""A damaged journal: each command shows what can be read and says what can't; none of them breaks."""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import msgpack
from support.program import DRUMLINE, call, environment
from support.running import run_text

from drumline.cli.program import program
from drumline.errors import UsageError
from drumline.journal.reading import Reader
from drumline.journal.rescue import save, verify

PLAYBOOK = """
- hosts: all
  tasks:
    - {id: say, command: echo hello}
    - {id: break, shell: exit 3, ignore_errors: true}
    - {id: look, debug: {msg: "{{ inventory_hostname }}"}, loop: [1, 2]}
"""
BIG = "    - {id: big, hosts: a, shell: head -c 1060000 /dev/zero | tr '\\\\0' x}\n"
NAME = "journal.sqlite3"
COMMANDS = (
    ("runs", "list"),
    ("runs", "list", "--format", "json"),
    ("runs", "show", "-v"),
    ("runs", "show", "1"),
    ("runs", "show", "1", "--format", "json"),
    ("runs", "output", "big", "a", "--run", "1"),
    ("runs", "replay", "1"),
    ("runs", "verify"),
    ("runs", "prune", "--keep", "1", "--dry-run"),
    ("plan", "playbook.yml", "-i", "inventory.yml", "--estimate"),
)
#: What the commands may end with: shown, damage found, can't be read.
FINE = {0, 2, 5}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a journal of three runs, one of which is not over."""
    directory = tmp_path_factory.mktemp("damage")
    for more in (BIG, "", ""):
        run_text(directory, PLAYBOOK + more)
    with closing(sqlite3.connect(directory / "state" / NAME)) as database:
        database.execute("DELETE FROM events WHERE run = 2 AND kind IN ('RunFinished', 'JobFinished')")
        database.execute("UPDATE runs SET finished = NULL, exit_status = NULL WHERE number = 2")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return directory


def called(arguments: tuple[str, ...], capture: pytest.CaptureFixture[bytes]) -> tuple[int, str]:
    """Call the program in this process; its status and what it said."""
    with pytest.raises(SystemExit) as ended:
        program.main(list(arguments))
    captured = capture.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, (captured.out + captured.err).decode(errors="replace")


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A flipped byte, a zeroed or noisy page, or an end that is missing."""
    kind, place = chance.randrange(10), chance.randrange(len(data))
    if kind < 6:
        return data[:place] + bytes([data[place] ^ (1 << chance.randrange(8))]) + data[place + 1 :]
    if kind < 9:
        start = place // 4096 * 4096
        page = bytes(4096) if kind == 6 else chance.randbytes(4096)
        return data[:start] + page + data[start + 4096 :]
    return data[:place]


@pytest.mark.parametrize("seed", range(int(os.environ.get("DRUMLINE_FUZZ", "2"))))
def test_no_command_breaks(
    project: Path,
    tmp_path: Path,
    seed: int,
    capsysbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("playbook.yml", "inventory.yml"):
        shutil.copy(project / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMLINE_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    data, chance = (project / "state" / NAME).read_bytes(), random.Random(seed)
    for _ in range(10):
        made = damaged(data, chance)
        for arguments in COMMANDS:
            (tmp_path / "state" / NAME).write_bytes(made)
            status, said = called(arguments, capsysbinary)
            assert status in FINE, (arguments, said)
            assert "Traceback" not in said


def harm(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path / NAME)) as database:
        database.execute(statement, values)
        database.commit()


@pytest.fixture
def state(project: Path, tmp_path: Path) -> Path:
    """A copy of the journal, in a directory of its own."""
    directory = tmp_path / "state"
    directory.mkdir()
    shutil.copy(project / "state" / NAME, directory / NAME)
    return directory


@pytest.mark.parametrize(
    "body",
    [
        b"",
        "{}",
        msgpack.encode([]),
        msgpack.encode([[], b""]),
        msgpack.encode({}),
        msgpack.encode({"at": "soon"}),
        msgpack.encode({"at": 1e300, "job": [0, "a"], "jobs": [[0, "a"]], "status": "ok"}),
        msgpack.encode({"at": 1, "job": [99, "a"], "jobs": [[99, "a"]], "status": "ok"}),
    ],
)
def test_an_event_that_is_none_is_left_out_and_said(state: Path, tmp_path: Path, body: bytes | str) -> None:
    harm(state, "UPDATE events SET body = ? WHERE run = 1 AND seq = 5", body)
    shown = call(tmp_path, "runs", "show", "1")
    assert shown.status == 0
    assert "say" in shown.out
    assert "warning: The journal is damaged, and this can't be read: events of run 1" in shown.err
    checked = call(tmp_path, "runs", "verify")
    assert (checked.status, checked.out.splitlines()[0]) == (2, "damaged: events of run 1: 1 can't be read")
    assert call(tmp_path, "runs", "show", "3").err == ""


def test_a_run_without_its_plan_leaves_the_others(state: Path, tmp_path: Path) -> None:
    harm(state, "UPDATE runs SET plan = '{' WHERE number = 1")
    assert len(call(tmp_path, "runs", "list").out.splitlines()) == 3
    shown = call(tmp_path, "runs", "show", "1")
    assert shown.status == 5
    assert "The plan of this run can't be read" in shown.err
    assert call(tmp_path, "runs", "show", "3").status == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no database, but long enough for a look at it" * 100, "it isn't a drumline journal, or its start"),
        (b"", "it has other tables"),
    ],
    ids=["noise", "empty"],
)
def test_what_is_no_journal_is_named(state: Path, tmp_path: Path, data: bytes, words: str) -> None:
    (state / NAME).write_bytes(data)
    for arguments in (("runs", "list"), ("runs", "show"), ("runs", "verify")):
        ended = call(tmp_path, *arguments)
        assert "raceback" not in ended.said
        assert ended.status in (0, 5)
        assert data == b"" or words in ended.err
        assert "Free some space" not in ended.err


def test_a_damaged_page_costs_only_what_was_on_it(state: Path, tmp_path: Path) -> None:
    """Nearly all is saved, also what stands behind it."""
    whole = verify(state)
    data = bytearray((state / NAME).read_bytes())
    page = max(range(0, len(data), 4096), key=lambda place: data.count(b"JobFinished", place, place + 4096))
    data[page : page + 4096] = bytes(4096)
    (state / NAME).write_bytes(data)
    saved = call(tmp_path, "runs", "verify", "--save", "saved.sqlite3")
    assert saved.status == 2
    (tmp_path / "new").mkdir()
    (tmp_path / "saved.sqlite3").rename(tmp_path / "new" / NAME)
    found = verify(tmp_path / "new")
    assert found.faults == []
    assert whole.events // 3 < found.events < whole.events
    assert call(tmp_path, "runs", "show", "3", "--state", "new").status == 0


@pytest.mark.parametrize("place", [0, 16, 18, 21, 47, 56])
def test_a_journal_whose_first_bytes_are_damaged_is_saved_whole(state: Path, tmp_path: Path, place: int) -> None:
    whole = verify(state)
    data = bytearray((state / NAME).read_bytes())
    data[place] ^= 0xFF
    (state / NAME).write_bytes(data)
    assert call(tmp_path, "runs", "list").status in (0, 5)
    (tmp_path / "new").mkdir()
    call(tmp_path, "runs", "verify", "--save", f"new/{NAME}")
    assert verify(tmp_path / "new") == whole


def test_saving_never_writes_over_a_file(state: Path, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    ended = call(tmp_path, "runs", "verify", "--save", "there")
    assert (ended.status, (tmp_path / "there").read_text()) == (5, "mine")


def test_an_attempt_to_save_that_fails_leaves_nothing(state: Path, tmp_path: Path) -> None:
    """The second attempt gives the same reason, not that a file is there."""
    target = tmp_path / "saved.sqlite3"
    obstacles = [tmp_path / f"saved.sqlite3-{what}" for what in ("journal", "wal")]
    for obstacle in obstacles:
        obstacle.mkdir()  # where SQLite is to write, after it has made the file itself
    for _ in range(2):
        with pytest.raises(UsageError, match="Nothing can be saved"):
            save(state, target)
        assert not target.exists()
    for obstacle in obstacles:
        obstacle.rmdir()
    assert save(state, target)["runs"] > 0
    assert target.stat().st_mode & 0o777 == 0o600


def without_privileges(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Call the program as someone for whom the modes of files and directories hold: they don't for root."""

    def drop() -> None:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP; holds from the exec on

    return subprocess.run(
        [*DRUMLINE, *arguments],
        cwd=cwd,
        env=environment(cwd),
        preexec_fn=drop if os.getuid() == 0 else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def leave(directory: Path) -> None:
    """A journal as a killed run leaves it, with what it wrote last in a file of its own."""
    script = (
        "import os, sys; from pathlib import Path; from drumline.journal.store import Journal; "
        "from drumline.model.event import RunStarted; from drumline.model.plan import Plan; "
        "from drumline.model.playbook import Playbook; "
        "writer = Journal(Path(sys.argv[1])).begin(Plan(playbook=Playbook(path='p.yml')), command='x'); "
        "writer.append([RunStarted(at=5.0, run=writer.id)]); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(directory)], check=True)
    assert (directory / f"{NAME}-wal").stat().st_size


@pytest.mark.parametrize("shared", [True, False], ids=["with shared memory", "without"])
@pytest.mark.parametrize("make", [None, leave], ids=["closed", "killed"])
def test_a_directory_that_cannot_be_written_is_read(
    state: Path, tmp_path: Path, make: Callable[[Path], None] | None, shared: bool
) -> None:
    if make is not None:
        make(state)
        if not shared:
            (state / f"{NAME}-shm").unlink()
    for path in state.iterdir():
        path.chmod(0o555 if path.is_dir() else 0o444)
    state.chmod(0o555)
    try:
        listed = without_privileges("runs", "list", cwd=tmp_path)
        assert listed.returncode == 0, listed.stderr
        assert len(listed.stdout.splitlines()) == (3 if make is None else 4)
        assert without_privileges("runs", "show", "1", cwd=tmp_path).returncode == 0
        refused = without_privileges("runs", "prune", "--keep", "1", cwd=tmp_path)
        assert refused.returncode == 5, refused.stdout
        assert "you may not read or write it" in refused.stderr
        assert "Free some space" not in refused.stderr
    finally:
        state.chmod(0o755)


def test_a_journal_of_a_newer_drumline(state: Path, tmp_path: Path) -> None:
    harm(state, "PRAGMA user_version = 99")
    ended = call(tmp_path, "exec", "-i", "localhost,", "localhost", "true")
    assert ended.status == 5
    assert "A newer drumline made this journal" in ended.err
    assert call(tmp_path, "runs", "list").status == 0


def test_a_journal_of_an_older_drumline(state: Path, tmp_path: Path) -> None:
    """It lacks columns: it is read as it is, and gets them when something is written."""
    harm(state, "ALTER TABLE runs DROP COLUMN process")
    harm(state, "ALTER TABLE runs DROP COLUMN monotonic")
    harm(state, "PRAGMA user_version = 0")
    assert len(call(tmp_path, "runs", "list").out.splitlines()) == 3
    assert call(tmp_path, "exec", "-i", "localhost,", "localhost", "true").status == 0
    assert len(call(tmp_path, "runs", "list").out.splitlines()) == 4


def test_another_program_that_holds_it_locked(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from drumline.errors import UsageError
    from drumline.journal import store
    from drumline.journal.store import Journal

    monkeypatch.setattr(store, "BUSY", 0.1)
    with closing(sqlite3.connect(state / NAME)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UsageError, match="another program holds it locked"):
            Journal(state)


def test_the_reader_counts_what_it_leaves_out(state: Path) -> None:
    harm(state, "UPDATE events SET body = '{' WHERE run = 1 AND seq IN (3, 4)")
    with closing(Reader(state)) as reader:
        assert len(list(reader.events(reader.find("1")))) > 5
        assert dict(reader.damage) == {"events of run 1": 2}
        assert "events of run 1 (2 of them)" in reader.damage_told()
