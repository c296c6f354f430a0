"""Playing an action without any host: what it asks for, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, TypeVar

from drumline.model.outcome import Result
from drumline.model.request import Get, Request
from drumline.model.target import Platform
from drumline.plugin.actions import Action, Argument, Call
from drumline.plugin.rules import require_rules
from drumline.testing.fakes import Answer

T = TypeVar("T")


def play(
    action: Action,
    arguments: Mapping[str, Any] | None = None,
    answers: Iterable[Answer] | Callable[[Request], Answer] = (),
    *,
    platform: Platform = Platform.POSIX,
    **call: Any,
) -> tuple[list[Request], Result]:
    """Perform the action, feed it the answers in order, and return its requests and its result.

    Arguments that aren't given have their declared defaults. ``answers`` may be a function instead, which is asked
    for the answer to each request. ``call`` goes to :class:`drumline.plugin.Call` (``host``, ``environment``,
    ``become``, …). An answer that is an exception is raised in the action; bytes are written to a ``Get``'s
    destination. Raises what the action raises, and ``AssertionError`` for an argument that isn't declared, or when the
    action asks for more than there are answers, or leaves some over::

        requests, result = play(uptime, {"pretty": True}, [Completed(code=0, stdout=b"up 3 days")])
    """
    call.setdefault("host", "host")
    made = Call(platform=platform, arguments=_typed(action, arguments or {}), **call)
    require_rules(action, made.arguments, made.platform)
    if callable(answers):
        return drive(action.perform(made), answers)
    left = list(answers)
    played = drive(action.perform(made), lambda request: _next(left, request))
    assert not left, f"the action did not ask for {left!r}"
    return played


def _typed(action: Action, given: Mapping[str, Any]) -> dict[str, Any]:
    """A value for each declared argument; text is made what a kind of text is declared (``HostPath``, ``Mode``)."""
    declared = {argument.name: argument for argument in action.arguments}
    unknown = set(given) - set(declared)
    assert action.open_arguments or not unknown, f"{action.name} declares no {', '.join(sorted(unknown))}"
    values = {name: _text_of(declared[name], value) if name in declared else value for name, value in given.items()}
    return {name: argument.default for name, argument in declared.items()} | values


def _text_of(argument: Argument, value: Any) -> Any:
    is_text = isinstance(value, str) and issubclass(argument.type, str)
    return argument.type(value) if is_text and not isinstance(value, argument.type) else value


def _next(left: list[Answer], request: Request) -> Answer:
    assert left, f"no answer is left for {request!r}"
    return left.pop(0)


def drive(steps: Generator[Request, Any, T], answering: Callable[[Request], Answer]) -> tuple[list[Request], T]:
    """Answer what a generator asks for until it returns; gives its requests and what it returned."""
    requests: list[Request] = []
    try:
        request = next(steps)
        while True:
            requests.append(request)
            request = _answer(steps, request, answering(request))
    except StopIteration as stop:
        return requests, stop.value
    finally:
        steps.close()


def _answer(steps: Generator[Request, Any, Any], request: Request, answer: Answer) -> Request:
    if isinstance(answer, Exception):
        return steps.throw(answer)
    if isinstance(request, Get) and isinstance(answer, bytes):
        request.destination.write_bytes(answer)
        return steps.send(None)
    return steps.send(answer)
