"""A refused log-in is not repeated quickly, nor often, whoever asks for it."""

from __future__ import annotations

import pytest

from drumline.errors import AuthenticationFailed
from drumline.execution.refusals import Refusals


def test_the_same_answer_until_the_pause_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("drumline.execution.refusals.time.monotonic", lambda: now[0])
    refusals, first = Refusals(), AuthenticationFailed("no")
    refusals.check()
    refusals.note(first)
    now[0] += 29
    with pytest.raises(AuthenticationFailed) as caught:
        refusals.check()
    assert caught.value is first
    refusals.note(first)  # the same one, told again
    now[0] += 2
    refusals.check()
    for _ in range(2):
        refusals.note(AuthenticationFailed("again"))
        now[0] += 60
    with pytest.raises(AuthenticationFailed):
        refusals.check()
    refusals.forget()
    refusals.check()
