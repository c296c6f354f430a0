"""Advice about tasks in which nothing is wrong: what may do something else than was meant, or tells too little.

Each rule looks at one task and gives sentences about it. Its id names it in reports, in ``# noqa: ID`` and in settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple, TypeAlias

from drumline.diagnostics import Diagnostic
from drumline.lint.programs import FINE, INSTEAD
from drumline.loading.written import templates_in, templates_of
from drumline.model.playbook import Playbook, Task
from drumline.model.traits import Effect
from drumline.model.value import Template
from drumline.plugin.actions import Action

#: What only a shell understands.
_OF_SHELLS = re.compile(
    r"[|&;<>$`*?~#\n\\]|\b(?:if|for|while|case|export|source|cd|set|ulimit|umask|exec|test)\b|\[|\("
)
_IN_BRACES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")


class Beside:
    """What the rules know beside the task."""

    def __init__(self, playbook: Playbook, actions: Mapping[str, Action]) -> None:
        self.actions = actions
        self._playbook = playbook

    def command(self, task: Task) -> str | None:
        """The text of a command, if the task runs one; templates in it are left out."""
        action = self.actions.get(task.action)
        if action is None or action.free_form is None or not action.can_start:
            return None
        text = task.arguments.get(action.free_form)
        if isinstance(text, Template):
            return _IN_BRACES.sub("X", text.text)
        return text if isinstance(text, str) else None

    @cached_property
    def renders_files(self) -> bool:
        """Whether a task renders a file, in which any name may be used."""
        return any(task.traits.renders for play in self._playbook.plays for task in play.tasks)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word in a template of the playbook, or in an argument of a task."""
        found: set[str] = set()
        for play in self._playbook.plays:
            templates = templates_in([play.variables, play.deferred])
            for template in (*templates, *(template for task in play.tasks for template in templates_of(task))):
                found.update(_WORD.findall(template.text))
            texts = (value for task in play.tasks for value in task.arguments.values() if isinstance(value, str))
            found.update(word for text in texts for word in _WORD.findall(text))  # an argument may name a variable
        return frozenset(found)


#: Gives a keyword or argument of the task and a sentence about it.
Look: TypeAlias = Callable[[Task, Beside], Iterator[tuple[str, str]]]


class Rule(NamedTuple):
    """One kind of advice."""

    id: str
    summary: str
    look: Look


def advise(playbook: Playbook, actions: Mapping[str, Action]) -> Iterator[tuple[str, Diagnostic]]:
    """All advice about a playbook: the ids of rules, and what they say."""
    known = Beside(playbook, actions)
    for play in playbook.plays:
        for task in play.tasks:
            for rule in RULES if not task.first else ():
                for part, sentence in rule.look(task, known):
                    position = task.positions.get(part, task.position)
                    yield rule.id, Diagnostic(summary=rule.summary, detail=sentence, position=position)


def _unnamed(task: Task, _known: Beside) -> Iterator[tuple[str, str]]:
    if task.action and "name" not in task.positions:
        yield "", f"Reports call it '{task.action}'. Say with 'name' what it is for."


def _instead_of_command(task: Task, known: Beside) -> Iterator[tuple[str, str]]:
    words = (known.command(task) or "").split()
    if not words or _is_shell_text(" ".join(words)):
        return
    program, following = words[0].rpartition("/")[2], words[1] if len(words) > 1 else ""
    names = [name for name in INSTEAD.get(program, ()) if name in known.actions]
    if names and following not in FINE:
        which = " or ".join(f"'{name}'" for name in names)
        yield task.action, f"{which} does what '{program}' does, and only if it isn't done already."


def _shell_for_nothing(task: Task, known: Beside) -> Iterator[tuple[str, str]]:
    text = known.command(task)
    action = known.actions.get(task.action)
    if text is None or action is None or "words" in action.text_languages.get("", ()):
        return
    if action.can_start and not task.arguments.get("executable") and not _is_shell_text(text):
        yield (
            task.action,
            "No shell is needed for it: an action that runs a program, without a shell, is safer with quotes.",
        )


def _says_changed(task: Task, known: Beside) -> Iterator[tuple[str, str]]:
    action = known.actions.get(task.action)
    if action is None or not action.can_start or action.traits.effect is not Effect.ANYTHING:
        return
    if not task.changed_when and not task.arguments.get("creates") and not task.arguments.get("removes"):
        yield (
            task.action,
            "It reports a change every time. Say with 'changed_when' when it makes one, or 'creates' what it makes.",
        )


def _open_mode(task: Task, known: Beside) -> Iterator[tuple[str, str]]:
    mode = task.arguments.get("mode")
    action = known.actions.get(task.action)
    if action is None or mode is None or isinstance(mode, (Template, bool, list, dict)):
        return
    written = f"{mode:o}" if isinstance(mode, int) else str(mode)
    for_all = re.search(r"(?:^|,)(?:[ugo]*[oa][ugo]*|)[+=][rxXst]*w", written) is not None
    if for_all or (
        re.fullmatch(r"[0-7]{3,4}", written) and int(written[-1]) & 2 and task.arguments.get("state") != "link"
    ):
        yield "arguments.mode", "Everyone on the host may write it. Leave that right to its owner: 0755, 0644."


def _ignored(task: Task, _known: Beside) -> Iterator[tuple[str, str]]:
    if task.ignore_errors is True and task.register is None and not task.failed_when:
        yield (
            "ignore_errors",
            (
                "Whatever goes wrong is forgiven, and nothing looks at it. Say with 'failed_when' what isn't a "
                "failure, or use a block with 'rescue'."
            ),
        )


def _old_form(task: Task, _known: Beside) -> Iterator[tuple[str, str]]:
    if "local_action" in task.positions:
        yield "local_action", "Write the action as usual, with 'delegate_to: localhost'."
    elif "action" in task.positions:
        yield "action", "Write the action's name as the key, with its arguments below."


def _become_user_alone(task: Task, _known: Beside) -> Iterator[tuple[str, str]]:
    if "become_user" in task.positions and task.become is False:
        yield "become_user", "Without 'become: true' it has no effect: the task runs as the login user."


def _unused_register(task: Task, known: Beside) -> Iterator[tuple[str, str]]:
    name = task.register
    if name is not None and not known.renders_files and name not in known.words:
        yield "register", f"Nothing uses '{name}'."


#: Every rule. Those about templates and waits are in the loader and in :mod:`.waits`.
RULES = (
    Rule("unnamed-task", "A task without a name", _unnamed),
    Rule("command-instead-of-action", "A command for which there is an action", _instead_of_command),
    Rule("needless-shell", "A shell that isn't needed", _shell_for_nothing),
    Rule("always-changed", "A command that always reports a change", _says_changed),
    Rule("open-mode", "Everyone may write this", _open_mode),
    Rule("ignored-errors", "Errors are ignored unseen", _ignored),
    Rule("old-form", "An old form", _old_form),
    Rule("become-user-alone", "become_user without become", _become_user_alone),
    Rule("unused-register", "A result that nothing uses", _unused_register),
)


def _is_shell_text(text: str) -> bool:
    return _OF_SHELLS.search(text.strip()) is not None
