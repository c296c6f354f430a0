"""Answered a host by a script, and reading what it answers."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any, TypeAlias

from msgspec.structs import replace

from drumline.errors import HostError
from drumline.model.outcome import Completed, Ending, Result
from drumline.model.request import Language, Request, Run
from drumline.model.target import Platform
from drumline.plugin.actions import ActionFailed, Call
from drumline.plugin.kit.scripts import Script, script_run
from drumline.plugin.windows import quote

#: Ahead of bytes of any kind, which are the last of an answer; no value ahead of them holds NUL.
_CONTENT = re.compile(rb"(?:\A|\0)([a-z_]+)@=")

#: The name under which a result stands as a whole, of a task that has ended before it is asked for.
IN_FULL = "result_in_full"
#: What scripts say of temporary files, for :func:`_sweep` and for those who upload.
_OF_FILES = ("left_in", "leftovers", "upload")

#: What a script has said, by name.
HostAnswer: TypeAlias = dict[str, Any]
#: What asks a host and comes back with its answer.
Answered: TypeAlias = Generator[Request, Any, HostAnswer]


def ask(
    call: Call,
    script: Script,
    /,
    *,
    stdin: bytes = b"",
    seconds: float | None = None,
    most: int = 0,
    working_directory: str | None = None,
    main: bool = False,
    **variables: Any,
) -> Answered:
    """Run a script on the host and return its answer, or end the action with the reason that the script gives.

    One that should have come to its end within ``seconds`` is ended, and its answer is ``late``, and how many seconds
    have ``elapsed``. ``stdin`` reaches POSIX hosts only. ``working_directory`` is where it runs; None: in the login's
    own. ``most``: how many bytes it may answer, if these are many. ``main``: it is what the task is
    about, and may be left to run in the background; what the action asks for after it has to be small.
    """
    request = script_run(call, script, variables, stdin=stdin, timeout=seconds, most=most)
    if working_directory is not None or main:
        request = replace(request, directory=working_directory, main=main)
    began = time.monotonic()
    completed: Completed = yield request
    elapsed = time.monotonic() - began
    if completed.ending is Ending.TIMED_OUT and seconds is not None and elapsed >= seconds:
        return {"late": "1", "elapsed": int(elapsed)}
    if most and completed.cut:
        raise ActionFailed(f"The host answered more than {most // 1024 // 1024} MiB")
    answer = _read_answer(call, completed)
    yield from _sweep(call, answer)
    return _unless_failed(answer)


def said_of_itself(call: Call, completed: Completed) -> Result:
    """The result that follows from a script's answer alone; ends the action with the reason that the script gives."""
    answer = _read_answer(call, completed)
    answer = _unless_failed(answer.get(IN_FULL, answer))
    kept = {name: value for name, value in answer.items() if name not in _OF_FILES and not isinstance(value, bytes)}
    return result_of(kept)


def _unless_failed(answer: HostAnswer) -> HostAnswer:
    if answer.get("failed"):
        raise ActionFailed(readable_text(str(answer["msg"])))
    return answer


def result_of(answer: HostAnswer, **values: Any) -> Result:
    """A result with what a script has said; ``values`` come first. ``changed``, ``skipped`` and ``msg`` are its own."""
    found = {name: readable_text(value) for name, value in answer.items()}
    changed, skipped = bool(found.pop("changed", False)), bool(found.pop("skipped", False))
    return Result(changed=changed, skipped=skipped, message=str(found.pop("msg", "")), values=values | found)


def temporaries() -> dict[str, Any]:
    """Variables for scripts that make files, for names by which a later run knows what this one has left."""
    from drumline.plugin.leftovers import machine, own_prefix  # what most tasks have no need of

    return {"own": own_prefix(), "machine": machine()}


def _sweep(call: Call, answer: HostAnswer) -> Generator[Request, Any, None]:
    """Remove what earlier runs have left where a script has looked: it tells of names that may be theirs."""
    directory, names = answer.pop("left_in", ""), answer.pop("leftovers", "")
    if not names:
        return
    from drumline.plugin.leftovers import is_left_behind

    left = [directory + name for name in names.split("/") if is_left_behind(name)]
    if left:
        yield from remove(call, *left)


def remove(call: Call, *names: str) -> Generator[Request, Any, None]:
    """Delete temporary files of the host; that they can't be deleted must not hide why they aren't needed."""
    if call.platform is Platform.WINDOWS:
        text = "; ".join(f"[IO.File]::Delete({quote(name)})" for name in names)
        run = Run(language=Language.POWERSHELL, text=text, tidies=True)
    else:
        run = Run(language=Language.SH, text=f"rm -f -- {shlex.join(names)}", tidies=True)
    with suppress(HostError):
        yield run


def _read_answer(call: Call, completed: Completed) -> HostAnswer:
    """The answer in what a script has printed; ends the action if there is no answer."""
    require_exit(call, completed)
    try:
        return _from_json(completed.stdout) if call.platform is Platform.WINDOWS else _from_pairs(completed.stdout)
    except ValueError:
        said = output_text(completed.stderr).strip() or output_text(completed.stdout).strip() or "nothing"
        raise ActionFailed(
            f"The host didn't run the task's script (exit code {completed.code}). It said: {said}",
            rc=completed.code,
            stdout=output_text(completed.stdout),
            stderr=output_text(completed.stderr),
        ) from None


def require_exit(call: Call, completed: Completed) -> None:
    """End the action when its command didn't end by itself; the message says what became of the command."""
    if completed.ending is Ending.EXITED:
        return
    values: dict[str, Any] = {}
    if completed.ending is Ending.TIMED_OUT:
        when = "when its time was up" if call.timeout is None else f"after {call.timeout:g} seconds"
        why = "Timed out"
        if call.timeout is not None:
            values["timedout"] = {"period": call.timeout}
    else:
        when, why = "when the run was interrupted", "Interrupted"
    raise ActionFailed(
        f"{why}: the command and its children were ended on the host {when}",
        **values,
        rc=completed.code,
        stdout=output_text(completed.stdout),
        stderr=output_text(completed.stderr),
    )


def output_text(output: bytes) -> str:
    """Output of a host as text; what isn't UTF-8 is replaced, never an error."""
    return output.decode("utf-8", errors="replace")


def _from_pairs(output: bytes) -> HostAnswer:
    answer: HostAnswer = {}
    if content := _CONTENT.search(output):
        answer[content[1].decode("ascii")] = output[content.end() :]
        output = output[: content.start(1)]
    *pairs, rest = output.split(b"\0")
    if not (pairs or answer) or rest:
        raise ValueError("not an answer")
    for pair in pairs:
        _take(answer, pair)
    return answer


def _take(answer: HostAnswer, pair: bytes) -> None:
    """Add ``key=text``, ``key:=json``, or, to a list, ``key+=text``."""
    key, equals, value = pair.partition(b"=")
    if not equals:
        raise ValueError("not an answer")
    # A path of the host may hold any bytes, and is needed again as it is.
    name, text = key.decode("ascii"), value.decode("utf-8", errors="surrogateescape")
    if name.endswith("+"):
        answer.setdefault(name[:-1], []).append(text)
    elif name.endswith(":"):
        answer[name[:-1]] = _json(text)
    else:
        answer[name] = text


def readable_text(value: Any) -> Any:
    """Text of an answer as it may be registered and written; what isn't UTF-8 is replaced."""
    if isinstance(value, list):
        return [readable_text(item) for item in value]
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(value, str) else value


def _from_json(output: bytes) -> HostAnswer:
    # A console may have folded the line at its width.
    text = output.decode("ascii", errors="replace").replace("\r", "").replace("\n", "")
    answer = _json(text[text.index("{") :])
    assert isinstance(answer, dict)
    return answer


def _json(text: str) -> Any:
    import json  # most commands answer without it

    return json.loads(text)
