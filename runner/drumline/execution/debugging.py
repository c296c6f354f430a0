"""``debugger``: a person at the terminal looks at a job that has ended, changes it, and says how the run goes on.

The commands are those of Ansible's debugger. What is changed holds for this job alone.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

from drumline.diagnostics import Diagnostics
from drumline.execution.task_values import TaskValues
from drumline.model.outcome import Status
from drumline.model.plan import Plan
from drumline.model.playbook import Debugger, Task
from drumline.model.value import Template, text_of
from drumline.templating.failures import TemplateFailed
from drumline.templating.plain import data

HELP = """p EXPRESSION            show a value: task, task.args, task_vars, task_vars['name'], host, result
task.args['NAME'] = VALUE     change an argument
task_vars['NAME'] = VALUE     change a variable; 'u' has the task use it
u                       make the task anew from the file, with the changed variables
r                       run the task again
c                       go on with the result as it is
q                       end the run"""
_ASSIGNMENT = re.compile(r"(task\.args|task_vars)\[(['\"])(.+?)\2\]\s*=(?!=)\s*(.+)", re.DOTALL)
_PRINT = re.compile(r"(?:p|print|pprint)\s+(.+)", re.DOTALL)
_LONGEST = 4000


class Decision(Enum):
    """How the run goes on."""

    REDO = ("r", "redo")
    CONTINUE = ("c", "continue")
    QUIT = ("q", "quit")


def is_wanted(debugger: Debugger, status: Status, ignored: bool) -> bool:
    """Whether a person is asked after a job that ended so."""
    match debugger:
        case Debugger.ALWAYS:
            return True
        case Debugger.ON_FAILED:
            return status is Status.FAILED and not ignored
        case Debugger.ON_UNREACHABLE:
            return status is Status.UNREACHABLE
        case Debugger.ON_SKIPPED:
            return status is Status.SKIPPED
        case Debugger.ENABLED:
            return status in (Status.FAILED, Status.UNREACHABLE) and not ignored and _at_a_terminal()
    return False


class Changes:
    """What a person has changed of a job."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self.variables: dict[str, Any] = {}  #: Those that the task uses.
        self.noted: dict[str, Any] = {}  #: Those that it uses from the next ``u`` on.


def decide(
    ask: Callable[[str], str], host: str, values: TaskValues, result: Mapping[str, Any], changes: Changes
) -> Decision:
    """Obey a person's commands, until one says how the run goes on. ``ask`` shows a text and returns what is typed."""
    shown = f"{host}: {result.get('msg') or 'the task has ended'}\n(h: help)"
    while True:
        command = ask(shown).strip()
        found = next((decision for decision in Decision if command in decision.value), None)
        if found is not None:
            return found
        shown = _obeyed(command, host, values, result, changes)


def _obeyed(command: str, host: str, values: TaskValues, result: Mapping[str, Any], changes: Changes) -> str:
    """What to show after a command."""
    if command in ("u", "update_task"):
        changes.variables |= changes.noted
        changes.arguments.clear()
        return "The task is made anew. Run it again with: r"
    seen = _Seen(host, values, result, changes)
    try:
        if printing := _PRINT.fullmatch(command):
            return seen.text(printing[1])
        if assignment := _ASSIGNMENT.fullmatch(command):
            target = changes.arguments if assignment[1] == "task.args" else changes.noted
            target[assignment[3]] = seen.value(assignment[4])
            return f"{assignment[1]}[{assignment[3]!r}] is {_shown(target[assignment[3]])}"
    except TemplateFailed as error:
        return error.summary
    return HELP if command in ("h", "help", "?", "") else f"There is no command {command!r}.\n{HELP}"


class _Seen:
    """What expressions of a person see."""

    def __init__(self, host: str, values: TaskValues, result: Mapping[str, Any], changes: Changes) -> None:
        self._task = values.task
        self._values = values
        names = {"host": host, "result": {**result, "_result": result}, "task": self._about(changes)}
        variables = values.scope.child(changes.variables, changes.noted)
        self._scope = variables.child({**names, "task_vars": variables})

    def _about(self, changes: Changes) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for name, value in self._task.arguments.items():
            try:
                arguments[name] = self._values.render(value)
            except TemplateFailed:
                arguments[name] = text_of(value)
        known = {"name": text_of(self._task.name), "action": self._task.action}
        return {**known, "args": {**arguments, **changes.arguments}}

    def value(self, text: str) -> Any:
        """What is meant by a text: a value of Python's as it is written, else an expression."""
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return data(self._values.evaluate(Template(text, self._task.position, bare=True), self._scope))

    def text(self, text: str) -> str:
        if text == "task":
            return f"TASK: {text_of(self._task.name)}"
        return _shown(self._values.evaluate(Template(text, self._task.position, bare=True), self._scope))


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return repr(value)
    try:
        text = json.dumps(data(value), indent=1, ensure_ascii=False, default=str)
    except Exception:  # whatever a value is, it can be shown somehow
        text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text) - _LONGEST} more characters"


def unasked(plan: Plan) -> Diagnostics:
    """The tasks that have a debugger of their own, if no one can be asked here."""
    found = Diagnostics()
    for task in {id(task): task for task in _debugged(plan)}.values() if not _at_a_terminal() else ():
        detail = (
            f"'debugger: {task.debugger}' asks at the terminal how to go on, and here is none. Leave it out, or run it "
            "at a terminal."
        )
        found.add("No one can be asked here", detail=detail, position=task.positions.get("debugger", task.position))
    return found


def _debugged(plan: Plan) -> Iterator[Task]:
    return (step.task for step in plan.steps if step.task.debugger not in (Debugger.NEVER, Debugger.ENABLED))


def _at_a_terminal() -> bool:
    """Whether keys come from a terminal, and reports go to one."""
    try:
        return sys.stdin is not None and sys.stdin.isatty() and (sys.stdout.isatty() or sys.stderr.isatty())
    except ValueError:  # it was closed
        return False
