"""Steps that are a plain command on each host, which another orchestrator can run without drumline."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from drumline.app import Prepared
from drumline.inventory.every_layer import every_layer
from drumline.inventory.scopes import Scopes
from drumline.loading.connection import target_of
from drumline.masking import Secrets, secrets_in
from drumline.model.plan import Step
from drumline.model.playbook import Task
from drumline.model.target import Target
from drumline.model.value import Template
from drumline.secret import mask_assignments
from drumline.source.vault import keyring

#: What a task may say besides its action; anything else takes drumline to obey.
_HARMLESS = frozenset(
    {
        *("id", "within", "section", "name", "action", "traits", "arguments", "position", "positions"),
        *("needs", "trigger_rule", "hosts", "changed_when", "register", "variables", "role", "tags", "parameters"),
        *("timeout", "throttle", "barrier", "any_errors_fatal", "diff", "connection"),
    }
)
#: Of each transport the options that a connection of another orchestrator has, too; all others have their defaults.
_PORTABLE = {
    "ssh": frozenset({"host", "port", "user", "password", "private_key_file", "host_key_checking"}),
    "winrm": frozenset({"host", "port", "user", "password", "scheme", "path", "transport", "cert_validation"}),
}
#: Of ``host_key_checking``: elsewhere, a key is known or isn't looked at.
_TRUSTING = "accept-new"
#: In words and directories, these mean something to a shell or to drumline.
_SPECIAL = frozenset("$~`\0\n")


class PlainCommand(Struct, frozen=True, kw_only=True):
    """A line for the hosts' shell, and how they are reached."""

    line: str
    transport: str
    targets: tuple[Target, ...]
    seconds: float | None = None  #: How long it may take.


class PlainCommands:
    """Finds them. A command that anything else has to be known of isn't plain, nor one with a secret in it."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        plan = prepared.plan
        self._scopes = Scopes(prepared.inventory, plan.playbook, prepared.extra_variables, prepared.templating)
        self._usual = asdict(Task(id="", name="", action="", position=None))  # type: ignore[arg-type]  # not compared
        self._secrets = Secrets()
        for secret in secrets_in([prepared.extra_variables, *every_layer(plan, prepared.inventory)]):
            self._secrets.add(secret)
        keyring().follow(self._secrets.add)

    def of(self, step: Step) -> PlainCommand | None:
        """The command, if the step is one."""
        task = step.task
        said = asdict(task)
        if any(said[name] != self._usual[name] for name in said.keys() - _HARMLESS) or isinstance(
            task.timeout, Template
        ):
            return None
        targets = tuple(self._target(step, host) for host in step.hosts)
        transports = {target.transport for target in targets}
        if len(transports) != 1 or any(target.become or not self._is_portable(target) for target in targets):
            return None
        [transport] = transports
        write = _LINES.get((transport, task.action))
        line = write(task.arguments) if write else None
        if line is None or self._is_secret(task, targets):
            return None
        return PlainCommand(line=line, transport=transport, targets=targets, seconds=task.timeout)

    def _is_portable(self, target: Target) -> bool:
        portable = _PORTABLE.get(target.transport, frozenset())
        others = (
            one for one in self._prepared.registry.transports[target.transport].options if one.name not in portable
        )
        usual = all(target.options[option.name] == option.default for option in others)
        return usual and str(target.options.get("host_key_checking")).lower() != _TRUSTING

    def _is_secret(self, task: Task, targets: Iterable[Target]) -> bool:
        """Whether anything of it is encrypted, or masked where drumline shows it."""
        if any(keyring().sealed(place) for place in (task.position, *task.positions.values())):
            return True
        options = (value for target in targets for value in target.options.values())
        return any(
            self._secrets.mask(text) != text or mask_assignments(text)[0] != text
            for text in {*_texts(task.arguments), *_texts([*options])}
        )

    def _target(self, step: Step, host: str) -> Target:
        play = self._prepared.plan.plays[step.play].play
        scope = self._scopes.scope(self._scopes.host(host), play=play, task=step.task)
        return target_of(host, scope, self._prepared.registry.transports)


def _words(arguments: Mapping[str, Any]) -> str | None:
    """A program and its arguments, as a line for sh."""
    given = arguments.get("argv", arguments.get("cmd"))
    try:
        words = given if isinstance(given, list) else shlex.split(given) if isinstance(given, str) else []
    except ValueError:
        return None
    if not words or not all(_is_plain(word) for word in words):
        return None
    return _in_directory(arguments, f"exec {shlex.join(words)}", {"argv", "cmd", "chdir"})


def _script(arguments: Mapping[str, Any]) -> str | None:
    """A text for sh, whatever the user's own shell is."""
    text = arguments.get("cmd")
    if not isinstance(text, str):
        return None
    return _in_directory(arguments, f"exec /bin/sh -c {shlex.quote(text)}", {"cmd", "chdir"})


def _unchanged(arguments: Mapping[str, Any]) -> str | None:
    """A text for the host's own shell."""
    text = arguments.get("cmd")
    return text if isinstance(text, str) and arguments.keys() == {"cmd"} else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _in_directory(arguments: Mapping[str, Any], line: str, known: set[str]) -> str | None:
    if not arguments.keys() <= known:
        return None
    if "chdir" not in arguments:
        return line
    return f"cd {shlex.quote(arguments['chdir'])} && {line}" if _is_plain(arguments["chdir"]) else None


def _is_plain(word: Any) -> bool:
    return isinstance(word, str) and not _SPECIAL & {*word}


#: By transport and action.
_LINES: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], str | None]] = {
    ("ssh", "command"): _words,
    ("ssh", "shell"): _script,
    ("ssh", "raw"): _unchanged,
    ("winrm", "shell"): _unchanged,
}
