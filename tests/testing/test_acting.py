"""Playing actions without a host."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.narrowing import expect

from drumline.model.outcome import Completed, Result
from drumline.model.request import Get, Language, Run
from drumline.model.target import Platform
from drumline.plugin import Action, ActionFailed, Argument, Call, Steps, TransferFailed
from drumline.testing import play


def perform(call: Call) -> Steps:
    said = yield Run(language=Language.SH, text="uptime -p" if call["pretty"] else "uptime")
    if not said.ok:
        raise ActionFailed("no uptime", rc=said.code)
    return Result(message=said.stdout.decode(), values={"platform": call.platform, "become": call.become})


UPTIME = Action(
    name="uptime", perform=perform, help="How long.", arguments=(Argument(name="pretty", type=bool, default=False),)
)


def test_requests_and_result_come_back() -> None:
    requests, result = play(UPTIME, {"pretty": True}, [Completed(code=0, stdout=b"up 3 days")])
    assert requests == [Run(language=Language.SH, text="uptime -p")]
    assert result.message == "up 3 days"


def test_defaults_and_the_rest_of_the_call() -> None:
    requests, result = play(UPTIME, answers=[Completed(code=0)], platform=Platform.WINDOWS, become=True)
    assert expect(Run, requests[0]).text == "uptime"
    assert result.values == {"platform": Platform.WINDOWS, "become": True}


def test_what_the_action_raises_is_raised() -> None:
    with pytest.raises(ActionFailed, match="no uptime"):
        play(UPTIME, answers=[Completed(code=1)])


def test_too_few_answers() -> None:
    with pytest.raises(AssertionError, match="no answer is left for Run"):
        play(UPTIME)


def test_too_many_answers() -> None:
    with pytest.raises(AssertionError, match="did not ask"):
        play(UPTIME, answers=[Completed(code=0), Completed(code=0)])


def test_a_function_may_answer() -> None:
    requests, result = play(
        UPTIME, answers=lambda request: Completed(code=0, stdout=expect(Run, request).text.encode())
    )
    assert (len(requests), result.message) == (1, "uptime")


def test_an_argument_that_is_not_declared() -> None:
    with pytest.raises(AssertionError, match="uptime declares no prety"):
        play(UPTIME, {"prety": True}, [Completed(code=0)])


def test_a_file_is_fetched_and_errors_reach_the_action(tmp_path: Path) -> None:
    def fetch(_call: Call) -> Steps:
        yield Get(source="/a", destination=tmp_path / "a")
        try:
            yield Get(source="/b", destination=tmp_path / "b")
        except TransferFailed as error:
            return Result(failed=True, message=str(error))
        return Result()

    action = Action(name="fetch", perform=fetch, help="Fetches.")
    requests, result = play(action, answers=[b"content", TransferFailed("gone")])
    assert len(requests) == 2
    assert (tmp_path / "a").read_bytes() == b"content"
    assert result == Result(failed=True, message="gone")
