"""Tasks that are left to run in the background of their host, and what becomes of them.

An action asks the host for some small things first, then for its main command, and makes a result of what that says.
The main command is what is left behind; the rest of the action waits in this run until someone asks. Another run, which
has nothing of it, makes do with what the command itself has said. An action without a main command is carried out at
once, and its result is left behind, so that asking for it is the same.

A job has a directory of its own on the host, where Ansible has a file: ``~/.ansible_async/JOB``, or below the directory
that ``ANSIBLE_ASYNC_DIR`` names. It is of the user that the task runs as.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from drumline.model.outcome import Completed, Ending, Result
from drumline.model.request import Language, Request, Run, Sleep, Waiting
from drumline.model.target import Platform
from drumline.plugin.actions import ActionFailed, Call, Steps
from drumline.plugin.kit.asking import IN_FULL, HostAnswer, ask, output_text, readable_text, said_of_itself
from drumline.plugin.kit.quoting import powershell_value
from drumline.plugin.kit.scripts import Script
from drumline.plugin.posix import with_shell

_LAUNCH = Script.beside(__file__, "detached")
_STATE = Script.beside(__file__, "detached_state")
#: Names of jobs; any other one could be a path that leads elsewhere.
_JOB = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
#: Bytes of each output that are brought here.
_MOST = 16 * 1024 * 1024
#: What Ansible's results hold even where nothing was printed.
_NO_OUTPUT = {"stdout": "", "stderr": ""}


def detached(steps: Steps, call: Call, seconds: int) -> Steps:
    """The same steps up to their main command, which is started and left to itself for a limited number of seconds.

    In a check nothing is left on the host: what would be done is found out at once.
    """
    asked = False

    def launch(request: Request) -> Steps | None:
        nonlocal asked
        if isinstance(request, Run) and request.main and not call.check:
            about = {"cmd": request.shown} if request.shown is not None else {}
            return _launched(call, request, seconds, about, steps)
        asked = asked or not isinstance(request, (Sleep, Waiting))
        return None

    try:
        result: Result = yield from _conducted(steps, launch=launch)
    except ActionFailed as failed:
        if not asked or call.check:
            raise
        result = _failure(failed)
    if "ansible_job_id" in result.values:
        return result
    if call.check:
        jid = _new_job()
        call.left[jid] = result
        about = _about(jid, f"~/.ansible_async/{jid}", finished=False)
        return replace(result, values=about, facts={})
    return (yield from _launched(call, _saying(call, result), seconds, {}, result))


def _conducted(steps: Steps, answer: Any = None, *, launch: Callable[[Request], Steps | None] | None = None) -> Steps:
    """The steps from where they are, up to their end or to a request for which ``launch`` has other steps."""
    error: Exception | None = None
    while True:
        try:
            request = steps.throw(error) if error else steps.send(answer)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        others = launch(request) if launch else None
        if others is not None:
            return (yield from others)
        answer = error = None
        try:
            answer = yield request
        except Exception as raised:  # it is the action's to see to
            error = raised


def _new_job() -> str:
    return f"j{int.from_bytes(os.urandom(5))}.{os.getpid()}"


def _launched(call: Call, run: Run, seconds: int, known: dict[str, Any], left: Steps | Result) -> Steps:
    """The command is started; ``known`` stays with it on the host, and what is ``left`` of the action in this run."""
    import json  # few tasks are left in the background

    jid = _new_job()
    variables: dict[str, Any] = {"jid": jid, "limit": seconds, "known": json.dumps(known)}
    if call.platform is Platform.WINDOWS:
        text = run.script if run.language is Language.POWERSHELL else run.text
        stdin = run.stdin.decode("utf-8", "replace")
        variables |= {"text": text, "language": str(run.language), "executable": run.executable, "given": stdin}
    else:
        variables["text"] = with_shell(run)
    said = yield from ask(call, _LAUNCH, stdin=run.stdin, working_directory=run.directory, **variables)
    call.left[jid] = left
    return Result(changed=True, values=_about(jid, said["results_file"], finished=False))


def _saying(call: Call, result: Result) -> Run:
    """A command that says what has come of a task already, as its script would have said it."""
    import json  # as above

    said = {"changed": result.changed, "skipped": result.skipped, "msg": result.message, **result.values}
    if result.failed:
        said["failed"] = True
    text = json.dumps({IN_FULL: said}, default=str)
    if call.platform is Platform.WINDOWS:
        return Run(language=Language.POWERSHELL, text=powershell_value(text), environment=call.environment)
    stdin = f"{IN_FULL}:={json.dumps(said, default=str)}\0".encode()
    return Run(language=Language.SH, text="cat", stdin=stdin, environment=call.environment)


def _about(jid: str, file: str, *, finished: bool) -> dict[str, Any]:
    return {"ansible_job_id": jid, "started": True, "finished": finished, "results_file": readable_text(file)}


def state_in_background(call: Call, jid: str, *, erase: bool = False) -> Steps:
    """The result of a task in the background: as far as it has come, or as if it had been waited for.

    With ``erase`` what it left on the host is removed.
    """
    if not _JOB.fullmatch(jid):
        return Result(failed=True, message="could not find job", values={"ansible_job_id": jid, **_NO_OUTPUT})
    left = call.left.get(jid)
    if call.check and isinstance(left, Result):
        return _with(left, _about(jid, f"~/.ansible_async/{jid}", finished=True))
    said = yield from ask(call, _STATE, most=2 * _MOST + 65536, jid=jid, erase=erase, limit=_MOST)
    file = said["results_file"]
    if "missing" in said:
        about = _about(jid, file, finished=True)
        return Result(failed=True, message="could not find job", values={**about, **_NO_OUTPUT})
    if erase:
        call.left.pop(jid, None)
        about = _about(jid, file, finished=False) | {"started": False}
        return Result(values={**about, "erased": about.pop("results_file"), **_NO_OUTPUT})
    about = _about(jid, file, finished="code" in said)
    if "code" not in said:
        return Result(values={**about, **_NO_OUTPUT})
    if cut := int(said.get("cut") or 0):
        about |= {"cut": cut, "lost": cut}
    try:
        return _with((yield from _ended(call, jid, said)), about)
    except ActionFailed as failed:
        failed.values = {**_NO_OUTPUT, **about, **failed.values}
        raise


def _with(result: Result, about: dict[str, Any]) -> Result:
    return replace(result, values={**_NO_OUTPUT, **about, **result.values})


def _ended(call: Call, jid: str, said: HostAnswer) -> Steps:
    """The result of a command that has ended, for which the rest of its action may ask the host for something more."""
    import json  # as above

    completed = _completed(call, said)
    late = completed.ending is Ending.TIMED_OUT
    left = call.left.pop(jid, None)  # taken away, so that no one else goes on with the same steps
    result = left if isinstance(left, Result) else None
    if result is None and left is not None and not isinstance(left, Result):
        try:
            result = yield from _conducted(left, completed)
        except ActionFailed as failed:  # which removes what a command has left that was ended
            if not late:
                call.left[jid] = _failure(failed)  # whoever asks again is told the same
                raise
    if late:
        result = Result(failed=True, message="Timeout exceeded")
    if result is None:
        return _of_itself(call, completed, json.loads(said["known"]))
    call.left[jid] = result
    return result


def _failure(failed: ActionFailed) -> Result:
    return Result(failed=True, message=failed.message, values=failed.values)


def _completed(call: Call, said: HostAnswer) -> Completed:
    if call.platform is Platform.WINDOWS:
        outputs = [said["out"].encode(), said["err"].encode()]
    else:
        size = int(said["size"])
        outputs = [said["outputs"][:size], said["outputs"][size:]]
    if "late" in said:
        return Completed(code=None, stdout=outputs[0], stderr=outputs[1], ending=Ending.TIMED_OUT)
    return Completed(code=int(said["code"]), stdout=outputs[0], stderr=outputs[1])


def _of_itself(call: Call, completed: Completed, known: dict[str, Any]) -> Result:
    """What another run knows of it: a command's output, or what the task's script has answered."""
    if "cmd" not in known:
        return said_of_itself(call, completed)
    outputs = (("stdout", completed.stdout), ("stderr", completed.stderr))
    values = {name: output_text(output).rstrip("\r\n") for name, output in outputs}
    return Result(
        changed=True,
        failed=not completed.ok,
        message="" if completed.ok else "non-zero return code",
        values=({"msg": "", "cmd": known["cmd"]} if known["cmd"] else {}) | {"rc": completed.code, **values},
    )
