"""Commands that are left to run in the background of their host, and what becomes of them.

A command has a directory of its own there, where Ansible has a file: ``~/.ansible_async/JOB``, or below the directory
that ``ANSIBLE_ASYNC_DIR`` names. It is of the user that the task runs as.
"""

from __future__ import annotations

import os
import re
from typing import Any

from drumline.model.outcome import Result
from drumline.model.request import Language, Run
from drumline.model.target import Platform
from drumline.plugin.actions import Call, Steps
from drumline.plugin.kit.asking import ask, readable_text
from drumline.plugin.kit.scripts import Script
from drumline.plugin.posix import with_shell

_LAUNCH = Script.beside(__file__, "detached")
_STATE = Script.beside(__file__, "detached_state")
#: Names of jobs; any other one could be a path that leads elsewhere.
_JOB = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def detached(steps: Steps, call: Call, seconds: int) -> Steps:
    """The same steps up to their main command, which is started and left to itself for a limited number of seconds."""
    answer: Any = None
    error: Exception | None = None
    while True:
        try:
            request = steps.throw(error) if error else steps.send(answer)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        answer = error = None
        if isinstance(request, Run) and request.main:
            steps.close()
            return (yield from _launched(call, request, seconds))
        try:
            answer = yield request
        except Exception as raised:  # it is the action's to see to
            error = raised


def _launched(call: Call, run: Run, seconds: int) -> Steps:
    import json  # few tasks are left in the background

    jid = f"j{int.from_bytes(os.urandom(5))}.{os.getpid()}"
    variables: dict[str, Any] = {"jid": jid, "limit": seconds, "cmd": json.dumps(run.shown)}
    if call.platform is Platform.WINDOWS:
        text = run.script if run.language is Language.POWERSHELL else run.text
        stdin = run.stdin.decode("utf-8", "replace")
        variables |= {"text": text, "language": str(run.language), "executable": run.executable, "given": stdin}
    else:
        variables["text"] = with_shell(run)
    said = yield from ask(call, _LAUNCH, stdin=run.stdin, working_directory=run.directory, **variables)
    return Result(changed=True, values=_about(jid, said, started=True, finished=False))


def _about(jid: str, said: dict[str, Any], *, started: bool, finished: bool) -> dict[str, Any]:
    file = readable_text(said["results_file"])
    return {"ansible_job_id": jid, "started": started, "finished": finished, "results_file": file}


def state_in_background(call: Call, jid: str, *, erase: bool = False) -> Steps:
    """The result of a command in the background: as far as it has come, or as if it had been waited for.

    With ``erase`` what it left on the host is removed.
    """
    if not _JOB.fullmatch(jid):
        return Result(failed=True, message="could not find job", values={"ansible_job_id": jid, **_NO_OUTPUT})
    said = yield from ask(call, _STATE, jid=jid, erase=erase)
    if erase and "missing" not in said:
        about = _about(jid, said, started=False, finished=False)
        erased = about.pop("results_file")
        return Result(values={**about, "erased": erased, **_NO_OUTPUT})
    about = _about(jid, said, started=True, finished="missing" in said or "code" in said)
    if "missing" in said:
        return Result(failed=True, message="could not find job", values={**about, **_NO_OUTPUT})
    if "code" not in said:
        return Result(values={**about, **_NO_OUTPUT})
    if "late" in said:
        return Result(failed=True, message="Timeout exceeded", values={**about, **_NO_OUTPUT})
    return _ended(about, said)


_NO_OUTPUT = {"stdout": "", "stderr": ""}


def _ended(about: dict[str, Any], said: dict[str, Any]) -> Result:
    import json  # as above

    code, command = int(said["code"]), json.loads(said["cmd"])
    values = {"rc": code, **({} if command is None else {"cmd": command})}
    values |= {name: readable_text(said[key]).rstrip("\r\n") for name, key in (("stdout", "out"), ("stderr", "err"))}
    return Result(
        changed=True,
        failed=code != 0,
        message="non-zero return code" if code else "",
        values={"msg": "", **about, **values},
    )
