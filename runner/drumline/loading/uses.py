"""Which action a task uses, and with which arguments, in all the forms in which they can be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from drumline.diagnostics import Position, closest, did_you_mean
from drumline.loading import keywords
from drumline.loading.arguments import check_arguments, own_names
from drumline.loading.defaults import Defaults, defaults_for
from drumline.loading.free_form import Words, split_arguments
from drumline.loading.keywords import KeywordReader, is_whole_template
from drumline.loading.loops import is_loop
from drumline.model.value import Value
from drumline.plugin.actions import Action
from drumline.plugin.registry import Actions
from drumline.source.nodes import BRACES, Entry, Node, plain
from drumline.source.quotes import never_closed, read_quotes
from drumline.templating import not_yet

#: Keys of a task that name its action in their value.
_INDIRECT = ("action", "local_action")
#: Where an action says nothing of the languages of its text.
_ANY_SHELL = ("sh", "powershell")
#: What helps where a module of Ansible's is missing: the extra of drumline's own package.
ANSIBLES_OWN = "With the package drumline[ansible] Ansible's own module does it."
#: The name under which the free text of any action may be given.
_FREE_TEXT = "_raw_params"


def languages_of(action: Action, called: str) -> tuple[str, ...]:
    """The languages in which the text of a task may be that calls its action so."""
    languages = action.text_languages
    return languages.get(called.rpartition(".")[2]) or languages.get("") or _ANY_SHELL


def _is_keyword(key: str) -> bool:
    return key in keywords.TASK or is_loop(key)


class ActionUse(Struct):
    """How a task uses its action."""

    action: Action | None  #: None where it is unknown.
    arguments: dict[str, Value] = {}  #: As written, free text under its argument's name.
    positions: dict[str, Position] = {}  #: Where they stand.
    more: tuple[Value, ...] = ()  #: Templates that give further arguments.


class ActionReader:
    """Finds out which action a task uses, and with which arguments."""

    def __init__(
        self,
        reader: KeywordReader,
        actions: Mapping[str, Action],
        position: Position,
        defaults: Sequence[Defaults],
    ) -> None:
        self._reader = reader
        self._defaults = defaults
        self._entries = reader.entries
        self._found = reader.found
        self._actions = actions
        self._position = position

    def read(self) -> ActionUse:
        """The action and its arguments.

        Of an unknown action there is what stands after its name, whose templates can be checked all the same.
        """
        uses = [key for key in self._entries if key in _INDIRECT or self._is_action(key)]
        self._check_keys(uses)
        if len(uses) > 1:
            names = " and ".join(repr(key) for key in uses)
            position = self._entries[uses[1]].key_position
            self._found.add(
                "More than one action in a task", detail=f"A task does one thing, not {names}.", position=position
            )
        use = self._of_key(uses[0], self._entries[uses[0]]) if uses else None
        if use is not None:
            return use
        unread = [key for key in self._entries if not _is_keyword(key) or key in _INDIRECT or key == "args"]
        return ActionUse(None, {key: plain(self._entries[key].node) for key in unread})

    def _is_action(self, key: str) -> bool:
        return not _is_keyword(key) and key in self._actions

    def _check_keys(self, uses: list[str]) -> None:
        strange = [key for key in self._entries if not _is_keyword(key) and key not in uses]
        named = uses or [key for key in strange if not_yet.module(key)]
        for key in strange:
            position = self._entries[key].key_position
            if keywords.is_missing(key):
                keywords.add_missing(key, position, self._found)
            elif not_yet.module(key) or not (named or self._seems_keyword(key)):
                self._add_unknown_action(key, position)
            else:
                suggestion = (
                    self._of_action(key, uses)
                    or keywords.of_others(key)
                    or did_you_mean(key, [*keywords.TASK, *self._actions])
                )
                self._found.add(
                    "Unknown keyword", detail=f"A task has no keyword '{key}'.{suggestion}", position=position
                )
        if not uses and not strange:
            detail = "A task needs the name of an action as one of its keys, such as 'command'."
            self._found.add("A task without an action", detail=detail, position=self._position)

    def _of_action(self, key: str, uses: Sequence[str]) -> str:
        """What to say of a key that is an argument of the task's action."""
        for name in uses:
            action = self._actions.get(name)
            if action is not None and any(key in (one.name, *one.aliases) for one in action.arguments):
                return f" It is an argument of '{name}': write it below that, or below 'args'."
        return ""

    def _seems_keyword(self, key: str) -> bool:
        """Whether it is more like a keyword than like an action that only this project has."""
        return closest(key, tuple(keywords.TASK), 0.8) is not None and not did_you_mean(key, self._actions)

    def _add_unknown_action(self, name: str, position: Position) -> None:
        suggestion = did_you_mean(name, [*keywords.TASK, *self._actions])
        known = not_yet.module(name) or ("" if suggestion else not_yet.of_family(name))
        hides = not_yet.sets_variables(name)
        why = self._actions.why_absent(name) if isinstance(self._actions, Actions) else ""
        if known:
            detail = f"{known} {why or ANSIBLES_OWN}"
            self._found.add("Action not supported yet", detail=detail, position=position, hides_names=hides)
            return
        detail = f"No plugin offers the action '{name}'.{suggestion or ' `drumline plugins` lists all actions.'}"
        self._found.add("Unknown action", detail=f"{detail} {why}".rstrip(), position=position, hides_names=hides)

    def _of_key(self, key: str, entry: Entry) -> ActionUse | None:
        node = entry.node
        name: str | None = key
        text: Node | None = None
        if key in _INDIRECT:
            name, node, text = self._indirect(key, node)
            if name is None:
                return None
            if BRACES.search(name):
                detail = f"'{key}' names its action by a template, which is known only while the run goes on."
                self._found.add("Action not supported yet", detail=detail, position=node.position, hides_names=True)
                return None
            if name not in self._actions:
                self._add_unknown_action(name, node.position)
                return None
        assert name is not None
        defaults = defaults_for(name, self._defaults)
        return _Arguments(self._actions[name], name, self._reader, entry.key_position, defaults).read(node, text)

    def _indirect(self, key: str, node: Node) -> tuple[str | None, Node, Node | None]:
        """The name in ``action: copy src=a`` or ``action: {module: copy, src: a}``, and what is left as arguments.

        In ``action: {module: copy src=a, dest: b}`` some are left as text, too.
        """
        if isinstance(node.value, str) and node.value.strip():
            return *_name_and_text(node), None
        module = node.value.get("module") if isinstance(node.value, dict) else None
        if module is not None and isinstance(module.node.value, str) and isinstance(node.value, dict):
            rest = {name: entry for name, entry in node.value.items() if name != "module"}
            name, text = _name_and_text(module.node)
            return name, Node(rest, node.position, node.unsafe), text if text.value else None
        self._reader.wrong(key, "text that begins with the name of an action, or a dictionary with 'module'", node)
        return None, node, None


def _name_and_text(node: Node) -> tuple[str, Node]:
    name, _, text = str(node.value).strip().partition(" ")
    return name, Node(text.strip(), node.position, node.unsafe)


class _Arguments:
    """Reads the arguments of one use of an action, in any of their forms."""

    def __init__(
        self, action: Action, called: str, reader: KeywordReader, position: Position, defaults: Sequence[Node]
    ) -> None:
        """``called`` is the name that the task gives the action: one of several."""
        self._defaults = defaults
        self._action = action
        self._called = called
        self._reader = reader
        self._found = reader.found
        self._position = position
        self._values: dict[str, Value] = {}
        self._positions: dict[str, Position] = {}
        self._more: list[Value] = []
        self._unreadable = False

    def read(self, node: Node, text: Node | None = None) -> ActionUse:
        """The action and its arguments; ``text`` has some of them, too."""
        if isinstance(node.value, dict):
            self._take(node.value)
        elif self._action.free_form is None and is_whole_template(node):
            self._more.append(plain(node, hide=False))
        elif isinstance(node.value, list) or (node.value is not None and not self._is_text(node)):
            self._reader.wrong(self._action.name, "a dictionary of arguments, or text", node)
        elif node.value is not None:
            # ``command: true`` means the program, whatever YAML makes of the word.
            self._take_text(str(node.value).lower() if isinstance(node.value, bool) else str(node.value), node)
        if text is not None:
            self._take_text(str(text.value), text)
        self._take_args()
        self._take_defaults()
        if not self._unreadable:
            check_arguments(self._action, self._values, self._position_of, self._found, complete=not self._more)
        return ActionUse(self._action, self._values, self._positions, tuple(self._more))

    def _is_text(self, node: Node) -> bool:
        return isinstance(node.value, str) or self._action.free_form is not None

    def _position_of(self, name: str) -> Position:
        return self._positions.get(name, self._position)

    def _take(self, entries: Mapping[str, Entry]) -> None:
        for written, entry in entries.items():
            name = self._action.free_form if written == _FREE_TEXT and self._action.free_form else written
            if name in self._values:
                self._add_repeated(name, entry.key_position)
                continue
            self._positions[name] = entry.key_position
            self._values[name] = self._value(name, entry.node)

    def _take_args(self) -> None:
        node = self._reader.node("args")
        if node is not None and isinstance(node.value, dict):
            self._take(node.value)
        elif node is not None and is_whole_template(node):
            self._more.append(plain(node, hide=False))
        elif node is not None:
            self._reader.wrong("args", "a dictionary of arguments", node)

    def _take_defaults(self) -> None:
        """Lay the arguments under what templates give, where there are such; else put them beside the task's own."""
        if self._more or not all(isinstance(node.value, dict) for node in self._defaults):
            self._more = [*(plain(node, hide=False) for node in self._defaults), *self._more]
            return
        own = own_names(self._action)
        given = {own.get(name, name) for name in self._values}
        for node in reversed(self._defaults):
            assert isinstance(node.value, dict)
            missing = {name: entry for name, entry in node.value.items() if own.get(name, name) not in given}
            self._take(missing)
            given |= {own.get(name, name) for name in missing}

    def _take_text(self, text: str, node: Node) -> None:
        free_form = self._action.free_form
        words = split_arguments(
            text, self._names() if free_form else None, languages=languages_of(self._action, self._called)
        )
        for name in words.repeated:
            self._add_repeated(name, node.position)
        if not self._quotes_match(text, words, node):
            self._unreadable = True
            return
        if free_form is None and words.others:
            detail = f"'{self._action.name}' takes arguments written name=value, and {words.others[0][:60]!r} isn't."
            self._found.add("Text where arguments are expected", detail=detail, position=node.position)
        elif free_form is not None and words.rest:
            words.arguments[free_form] = words.rest
        entries = {name: Node(value, node.position, node.unsafe) for name, value in words.arguments.items()}
        self._take({name: Entry(node.position, value) for name, value in entries.items()})

    def _quotes_match(self, text: str, words: Words, node: Node) -> bool:
        """Report a quote that is never closed, where that is wrong in every language that the text may be in."""
        if self._action.free_form is None:
            place = None if "{%" in text else read_quotes(text, "ansible").open
        else:
            text = words.rest
            another_shell = "executable" in {*words.arguments, *self._given()}
            place = None if another_shell else never_closed(text, languages_of(self._action, self._called))
        if place is not None:
            detail = f"The quote that begins at {text[place : place + 40]!r} is never closed."
            self._found.add("Quotes don't match", detail=detail, position=node.position)
            return False
        elif words.uncertain:
            detail = (
                f"For Ansible {words.uncertain[0][:60]!r} is within a quote that is never closed, and for the host it "
                "isn't. Write it under 'args' if it is an argument, else the whole text under 'cmd'."
            )
            self._found.add("An argument or not", detail=detail, position=node.position)
        return True

    def _given(self) -> set[str]:
        """Names of the arguments that are written beside the text."""
        node = self._reader.node("args")
        return set(node.value) if node is not None and isinstance(node.value, dict) else set()

    def _names(self) -> set[str]:
        """The arguments that may be given as a word within free text."""
        return {
            name
            for argument in self._action.arguments
            if (argument.name != self._action.free_form or self._action.free_form_named)
            and argument.type not in (list, dict)
            for name in (argument.name, *argument.aliases)
        }

    def _value(self, name: str, node: Node) -> Value:
        if name not in self._action.expressions:
            return plain(node)
        if isinstance(node.value, list):
            return [keywords.expression(item) if isinstance(item.value, str) else plain(item) for item in node.value]
        return keywords.expression(node) if isinstance(node.value, str) else plain(node)

    def _add_repeated(self, name: str, position: Position) -> None:
        self._found.add("An argument is given twice", detail=f"'{name}' is given already.", position=position)
