"""Carries out a task by Ansible's child: what that wants of the host becomes requests, its result the task's own."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from drumline.plugin import (
    ActionFailed,
    Call,
    CheckImpossible,
    Completed,
    Get,
    Language,
    Platform,
    Reconnect,
    Request,
    Result,
    Run,
    Secret,
    Steps,
)
from drumline.plugin.kit import Content, fill, local_content, output_text, require_exit
from drumline_ansible import wire
from drumline_ansible.bridge import Bridge, NoAnsible, Talk
from drumline_ansible.modules import MOST, place_of, run_module

#: Variables of the host that Ansible itself looks at, whatever the task.
_LOOKED_AT = (
    "ansible_python_interpreter",
    "ansible_remote_tmp",
    "ansible_shell_executable",
    "ansible_syslog_facility",
)
_DISCOVERED = "discovered_interpreter_python"
#: What gives the answer to a child.
_Answered: TypeAlias = Generator[Request, Any, wire.Message]


class Carrier(Struct, frozen=True, kw_only=True):
    """By what the tasks that use one name are carried out."""

    ansible: Bridge
    action: str
    collections: tuple[str, ...] = ()
    directory: str = "."


def perform(carrier: Carrier, call: Call) -> Steps:
    """Have the task carried out."""
    try:
        channel = carrier.ansible.channel()
    except NoAnsible as error:
        raise ActionFailed(str(error)) from None
    with Talk(channel, _described(carrier, call)) as talk:
        while True:
            said, blobs = yield from talk.listen()
            match said["do"]:
                case "end":
                    return _result(call, said["result"])
                case "fault":
                    raise ActionFailed(f"Ansible failed: {said['fault']}")
                case "module":
                    talk.say(*_ended(call, (yield from run_module(call, talk, said, blobs[0]))))
                case "variables":
                    talk.say({"variables": _all_of(call, said["of"])})
                case "find":
                    talk.say(_found(call, said))
                case asked:
                    answer, output = yield from _ANSWERS[asked](call, said, blobs)
                    talk.say(answer, output)


def _described(carrier: Carrier, call: Call) -> dict[str, Any]:
    """The task as the child is told of it."""
    everything = call.variables()
    own = str(everything.get("inventory_hostname", call.host))
    variables: Mapping[str, Any] = everything
    if call.host != own:  # it is delegated: that host's variables say how its Python is called
        of_hosts = everything.get("hostvars", {})
        variables = of_hosts[call.host] if call.host in of_hosts else {}  # noqa: SIM401 - it has no get
    looked_at = {name: _plain(variables[name]) for name in _LOOKED_AT if name in variables}
    python = place_of(call).python
    return {
        "do": "perform",
        "action": carrier.action,
        "arguments": {name: _plain(value) for name, value in call.arguments.items() if value is not None},
        "collections": list(carrier.collections),
        "directory": carrier.directory,
        "host": call.host,
        "platform": str(call.platform),
        "here": call.host == "localhost" and not variables,
        "check": call.check,
        "diff": call.diff,
        "no_log": call.no_log,
        "variables": {
            **looked_at,
            "inventory_hostname": own,
            "ansible_facts": {_DISCOVERED: python} if python else {},
        },
    }


def _all_of(call: Call, host: str | None) -> dict[str, Any] | list[str] | None:
    """All variables that can be rendered, for action plug-ins that may look at any of them; ``host`` is another host.

    None for a host that there isn't. Of the host ``*`` the names of all hosts.
    """
    variables = call.variables()
    if host is not None:
        of_hosts = variables["hostvars"]
        if host == "*":
            return list(of_hosts)
        if host not in of_hosts:
            return None
        variables = of_hosts[host]
    found: dict[str, Any] = {}
    for name in variables:
        if name in ("hostvars", "vars", "omit"):
            continue
        try:
            found[name] = _plain(variables[name])
        except Exception:  # one that can't be rendered here is missing there, and named by whoever uses it
            continue
    return found


def _found(call: Call, said: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"path": str(call.find_file(said["source"], said["directory"]))}
    except ActionFailed as error:
        return {"fault": error.message}


# What the child asks of the host.


def _run(call: Call, said: Mapping[str, Any], blobs: list[bytes]) -> _Answered:
    language = Language.SH if call.platform is Platform.POSIX else Language.EXEC
    return _ended(call, (yield _command(call, language, said["command"], blobs[0])))


def _put(call: Call, said: Mapping[str, Any], blobs: list[bytes]) -> _Answered:
    if said["source"] is None:
        content = Content.of_bytes(blobs[0])
    else:
        content = yield from local_content(call, Path(said["source"]))
    yield from fill(call, content, said["destination"])
    return {}, []


def _get(call: Call, said: Mapping[str, Any], _blobs: list[bytes]) -> _Answered:
    destination = Path(said["destination"])
    if not call.become:
        yield Get(source=said["source"], destination=destination)
        return {}, []
    completed = yield _command(call, Language.SH, f"cat -- {shlex.quote(said['source'])}")
    require_exit(call, completed)
    if not completed.ok or completed.cut:
        raise ActionFailed(f"{said['source']} can't be read: {output_text(completed.stderr).strip()}")
    destination.write_bytes(completed.stdout)
    return {}, []


def _reconnect(_call: Call, _said: Mapping[str, Any], _blobs: list[bytes]) -> _Answered:
    yield Reconnect()
    return {}, []


_ANSWERS = {"run": _run, "put": _put, "get": _get, "reconnect": _reconnect}


def _command(call: Call, language: Language, text: str, stdin: bytes = b"") -> Run:
    """What it says is for Ansible alone, which takes the result out of it."""
    return Run(language=language, text=text, stdin=stdin, environment=call.environment, most=MOST)


def _ended(call: Call, completed: Completed) -> tuple[dict[str, Any], list[bytes]]:
    require_exit(call, completed)
    return {"rc": completed.code}, [completed.stdout, completed.stderr]


# The result.


def _result(call: Call, found: dict[str, Any]) -> Result:
    facts = found.pop("ansible_facts", None) or {}
    python = facts.pop(_DISCOVERED, None)
    if python:
        place_of(call).python = python
    message = str(found["msg"]) if found.get("msg") else ""
    changed, failed = bool(found.pop("changed", False)), bool(found.pop("failed", False))
    skipped = bool(found.pop("skipped", False))
    found.pop("exception", None)
    if call.check and skipped and "check mode" in message:
        raise CheckImpossible("Ansible's module can't be checked, so it wasn't run.", **found)
    return Result(
        changed=changed,
        failed=failed,
        skipped=skipped,
        message=message,
        diff=found.pop("diff", None),
        facts=facts,
        values=found,
    )


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
