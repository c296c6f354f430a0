"""Playing an action without any host: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from drumline.model.outcome import Result
from drumline.model.request import Get, Request
from drumline.model.target import Platform
from drumline.plugin.protocols import Action, Call, Steps
from drumline.testing.fakes import Answer


def play(
    action: Action,
    arguments: Mapping[str, Any] | None = None,
    answers: Iterable[Answer] = (),
    *,
    platform: Platform = Platform.POSIX,
    **call: Any,
) -> tuple[list[Request], Result]:
    """Perform the action, feed it the answers in order, and return its requests and its result.

    Arguments that aren't given have their declared defaults. ``call`` goes to :class:`drumline.plugin.Call`
    (``environment``, ``become``, ``find_file``, …). An answer that is an exception is raised in the action; bytes are
    written to a ``Get``'s destination. Raises what the action raises, and ``AssertionError`` when it asks for more
    than there are answers, or leaves some over::

        requests, result = play(uptime, {"pretty": True}, [Completed(code=0, stdout=b"up 3 days")])
    """
    defaults = {argument.name: argument.default for argument in action.arguments}
    made = Call(host="host", platform=platform, arguments={**defaults, **(arguments or {})}, **call)
    return _feed(action.perform(made), list(answers))


def _feed(steps: Steps, answers: list[Answer]) -> tuple[list[Request], Result]:
    requests: list[Request] = []
    try:
        request = next(steps)
        while True:
            requests.append(request)
            assert answers, f"no answer is left for {request!r}"
            request = _answer(steps, request, answers.pop(0))
    except StopIteration as stop:
        assert not answers, f"the action did not ask for {answers!r}"
        return requests, stop.value
    finally:
        steps.close()


def _answer(steps: Steps, request: Request, answer: Answer) -> Request:
    if isinstance(answer, Exception):
        return steps.throw(answer)
    if isinstance(request, Get) and isinstance(answer, bytes):
        request.destination.write_bytes(answer)
        return steps.send(None)
    return steps.send(answer)
