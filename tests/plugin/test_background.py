"""Work on a thread of its own: its result, its failure, and that nobody has to wait for it."""

from __future__ import annotations

import threading

import pytest

from drumline.plugin.background import Background


def test_it_returns_what_the_work_returns() -> None:
    assert Background(lambda: threading.current_thread().name, "a name").result() == "a name"


def test_it_raises_what_the_work_raises() -> None:
    failed: Background[int] = Background(lambda: 1 // 0, "fails")
    assert failed.wait(10)
    with pytest.raises(ZeroDivisionError):
        failed.result()


def test_the_work_goes_on_when_nobody_waits_any_longer() -> None:
    release, ended = threading.Event(), threading.Event()

    def work() -> None:
        release.wait(10)
        ended.set()

    background = Background(work, "goes on")
    assert not background.wait(0.01)
    release.set()
    assert ended.wait(10)
    assert background.wait()
