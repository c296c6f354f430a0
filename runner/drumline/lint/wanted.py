"""What a task waits for, and which tasks cause that, as far as their text shows.

A task that waits names a path, a port, or a command that mentions them. A task causes it if its arguments name the
same: the file that it copies to, the line that it runs. Plain variables of the play, the task and ``-e`` are
substituted; any other expression is compared as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from drumline.model.playbook import Play, Task
from drumline.model.traits import Effect
from drumline.model.value import Template, Value, Variables, text_of

_PLAIN = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_BRACES = re.compile(r"(\{\{)\s*|\s*(\}\})")
_PORT = re.compile(r":([0-9]{2,5})(?![0-9])")
_WORD = re.compile(r"[^\s'\"|&;<>()]+")
#: How deep variables within variables are followed.
_DEPTH = 5


class Wanted(Struct, frozen=True, kw_only=True):
    """What a task waits for."""

    argument: str  #: The argument that names it.
    words: str  #: For messages: ``/srv/ready``, ``port 8080``.
    paths: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    is_absence: bool = False  #: The task waits until it is gone.


def wanted_by(play: Play, task: Task, extra: Variables) -> Wanted | None:
    """What the task waits for, if it is something that a task can cause; else None."""
    waits = task.traits.waits
    if waits is None:
        return None
    known = {**play.variables, **task.variables, **extra}
    texts = {name: _text(value, known) for name, value in task.arguments.items() if value is not None}
    shown = {waits.path: "{}", waits.port: "port {}", waits.command: "'{}'"}
    argument = next((name for name in shown if name in texts), None)
    if argument is None:
        return None
    text = texts[argument]
    paths, ports = _named_by_command(text) if argument == waits.command else ((), ())
    return Wanted(
        argument=argument,
        words=shown[argument].format(text_of(task.arguments[argument])),  # as written: a variable may hold a secret
        paths=(text,) if argument == waits.path else paths,
        ports=(text,) if argument == waits.port else ports,
        is_absence=texts.get(waits.state) in waits.absent,
    )


def _named_by_command(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The paths that a command names, except its program, and the ports."""
    words = _WORD.findall(text)[1:]
    paths = tuple(word for word in words if re.search(r"[/\\]", word) and "://" not in word)
    return paths, tuple(_PORT.findall(text))


def brings(play: Play, task: Task, wanted: Wanted, extra: Variables) -> bool:
    """Whether the task names what is waited for in a way that creates it or, if its absence is wanted, removes it."""
    traits = task.traits
    if traits.effect is Effect.NOTHING:
        return False
    known = {**play.variables, **task.variables, **extra}
    if traits.removes is not None:
        argument, value = traits.removes
        if (_text(task.arguments.get(argument), known) == value) is not wanted.is_absence:
            return False
    texts = [_text(value, known) for name, value in task.arguments.items() if name != "chdir"]
    directory = _text(task.arguments.get("chdir"), known).rstrip("/\\")
    named = any(_names_path(text, path, directory) for text in texts for path in wanted.paths)
    if named or traits.effect is Effect.FILES:
        return named
    return any(_has(text, port) for text in texts for port in wanted.ports)


def _names_path(text: str, path: str, directory: str) -> bool:
    """Whether a text names the path: in full, relative to its working directory, or by the directory to put it in."""
    if text.endswith(("/", "\\")) and path.startswith(text):
        return True
    inside = path[len(directory) + 1 :] if directory and path.startswith((f"{directory}/", f"{directory}\\")) else path
    return _has(text, path) or _has(text, inside)


def _has(text: str, word: str) -> bool:
    return bool(word) and re.search(rf"(?<![\w./\\-]){re.escape(word)}(?![\w./\\-])", text) is not None


def _text(value: Value, known: Variables, depth: int = _DEPTH) -> str:
    """A value as one text, with plain variables substituted."""
    if value is None:
        return ""
    if isinstance(value, Template):
        text = _PLAIN.sub(lambda match: _put_in(match, known, depth), value.text)
        return _BRACES.sub(lambda match: match[1] or match[2], text)
    if isinstance(value, Mapping):
        return " ".join(_text(item, known, depth) for item in value.values())
    if isinstance(value, (list, tuple)):
        return " ".join(_text(item, known, depth) for item in value)
    return str(value)


def _put_in(match: re.Match[str], known: Variables, depth: int) -> str:
    value = known.get(match[1])
    return match[0] if not depth or value is None else _text(value, known, depth - 1)
