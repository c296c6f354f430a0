"""The benchmarks run, at sizes that say nothing about speed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from drumline_lab.sshd import find_sshd

_DIRECTORY = Path(__file__).parents[1] / "benchmarks"


def table(script: str, *arguments: str) -> dict[str, list[str]]:
    """What a benchmark prints: the cells of each row by the first one."""
    command = [sys.executable, str(_DIRECTORY / script), *arguments]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in said.splitlines() if line.startswith("| ") and not line.startswith("| -")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    assert cells, said
    return {first: rest for first, *rest in cells}


def test_start() -> None:
    rows = table("start.py", "--rounds", "1")
    small = "drumline run, one local task"
    assert rows.keys() == {"python -c pass", "drumline --help", "drumline run --help", small}
    assert "limit 3" in rows["drumline --help"][-1]
    assert "limit 5" in rows[small][-1]


def test_inventory() -> None:
    rows = table("inventory.py", "--hosts", "200", "--groups", "10", "--rounds", "1", "--ansible", "")
    assert {"drumline", "all", "g5[0:20]"} <= rows.keys()
    assert "limit 2 s" in rows["drumline"][-1]


def test_engine() -> None:
    rows = table("engine.py", "--hosts", "20", "--tasks", "2", "--rounds", "1")
    assert rows.keys() == {"2 x 2", "20 x 2"}
    assert all("limit 80" in row[3] and "limit 600" in row[5] for row in rows.values())


def test_barrier() -> None:
    rows = table("barrier.py", "--hosts", "20", "--waves", "3")
    assert "limit 20 ms" in rows["2 barriers"][-1]


def test_forecast() -> None:
    rows = table("forecast.py", "--hosts", "20", "--tasks", "2", "--events", "200", "--rounds", "1")
    assert rows.keys() == {"20 x 2"}
    assert "limit 60" in rows["20 x 2"][1]


@pytest.mark.skipif(find_sshd() is None, reason="there is no sshd on this machine")
def test_fleet() -> None:
    sizes = ("--hosts", "2", "--tasks", "1", "--rounds", "1")
    rows = table("fleet.py", *sizes, "--as-me", "--only", "floor,drumline")
    assert rows.keys() == {"floor (bare paramiko)", "drumline"}
    assert "limit 1.35" in rows["floor (bare paramiko)"][-1]


@pytest.mark.skipif(find_sshd() is None, reason="there is no sshd on this machine")
def test_facts() -> None:
    rows = table("facts.py", "--hosts", "2", "--rounds", "1", "--as-me", "--no-ansible")
    assert rows.keys() == {"one host's own part", "drumline"}
    assert "limit 120 ms" in rows["one host's own part"][-1]


@pytest.mark.skipif(find_sshd() is None, reason="there is no sshd on this machine")
def test_starts() -> None:
    rows = table("starts.py", "--hosts", "2", "--skew-hosts", "2", "--starts", "1", "--rounds", "1", "--as-me")
    assert rows.keys() == {"bare loop", "drumline", "", "drumline, together", "drumline, by the clock"}
    assert "limit 1.15" in rows["drumline"][-1]
    assert "limit 3" in rows["drumline, together"][-1]
    assert "limit 5 ms" in rows["drumline, by the clock"][-1]


@pytest.mark.skipif(find_sshd() is None, reason="there is no sshd on this machine")
def test_everyday() -> None:
    rows = table("everyday.py", "--hosts", "2", "--tasks", "24", "--rounds", "1", "--as-me", "--only", "drumline")
    assert rows.keys() == {"drumline"}


@pytest.mark.windows
def test_everyday_windows() -> None:
    if not os.environ.get("DRUMLINE_LAB_WINDOWS"):
        pytest.skip("DRUMLINE_LAB_WINDOWS names no program that runs Windows command lines")
    rows = table("everyday_windows.py", "--tasks", "3", "--rounds", "1", "--slow-rounds", "0")
    assert rows.keys() == {"drumline"}


@pytest.mark.windows
def test_windows() -> None:
    if not os.environ.get("DRUMLINE_LAB_WINDOWS"):
        pytest.skip("DRUMLINE_LAB_WINDOWS names no program that runs Windows command lines")
    rows = table("windows.py", "--tasks", "1", "--rounds", "1", "--only", "win_shell,win_file")
    assert rows.keys() == {"win_shell", "win_file", "", "win_copy, 10 MB"}
    assert rows["win_shell"][0] == "2, limit 2: kept"
    assert rows["win_copy, 10 MB"][1].endswith("limit 1.4: kept")


@pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client isn't installed")
def test_configuration() -> None:
    rows = table("configuration.py", "--hosts", "6", "--rounds", "1")
    asked = {name: row[2] for name, row in rows.items()}
    assert asked == {
        "settings for all hosts": "1",
        "ten groups of hosts": "1",
        "a block for each host": "1",
        "a key for each host": "6",
        "Match exec for each host": "6",
    }


def test_generating() -> None:
    rows = table("generating.py", "--rows", "120", "--rounds", "1")
    assert rows.keys() == {"120 rows"}


def test_roles() -> None:
    rows = table("roles.py", "--roles", "3", "--files", "2", "--rounds", "1", "--no-ansible")
    assert rows.keys() == {"drumline plan"}
    assert "limit 3" in rows["drumline plan"][0]
