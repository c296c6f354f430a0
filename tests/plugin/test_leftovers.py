"""Names of files that aren't whole yet: which of them were left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drumline.plugin import leftovers


def name_of_another_process(wait: bool) -> tuple[str, subprocess.Popen[bytes]]:
    text = "from drumline.plugin.leftovers import temporary_name; import sys; print(temporary_name(), flush=True); "
    process = subprocess.Popen(
        [sys.executable, "-c", f"{text} sys.stdin.read()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    name = process.stdout.readline().decode().strip()
    if wait:
        process.communicate()
    return name, process


def test_ones_own_is_not_left_behind() -> None:
    name = leftovers.temporary_name()
    assert name != leftovers.temporary_name()
    assert name.startswith(leftovers.own_prefix())
    assert not leftovers.is_left_behind(name)


def test_whose_process_is_gone() -> None:
    name, process = name_of_another_process(wait=False)
    assert not leftovers.is_left_behind(name)
    process.communicate()
    assert leftovers.is_left_behind(name)


def test_a_process_number_that_was_given_again() -> None:
    own = leftovers.own_prefix().split("-")
    own[3] = str(int(own[3]) - 1)
    assert leftovers.is_left_behind("-".join(own) + "x")


def test_a_process_whose_start_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's, where /proc hides those."""
    name = leftovers.temporary_name()
    monkeypatch.setattr(leftovers, "started", lambda _: 0)
    assert not leftovers.is_left_behind(name)


def test_what_is_no_such_name() -> None:
    for name in (".drumline-", "file", ".drumline-00000000-1-1-x", f".drumline-{leftovers.machine()}-x-1-y"):
        assert not leftovers.is_left_behind(name)


def test_sweeping_a_directory_of_this_machine(tmp_path: Path) -> None:
    gone, _ = name_of_another_process(wait=True)
    own = leftovers.temporary_name()
    for name in (gone, own, "file", ".drumline-00000000-1-1-x"):
        (tmp_path / name).touch()
    leftovers.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([own, "file", ".drumline-00000000-1-1-x"])
    leftovers.sweep(tmp_path / "missing")
