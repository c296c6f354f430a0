"""Reading YAML with positions.

A document is a tree of :class:`.nodes.Node`. Each knows its position, so that readers of playbooks and inventories can
point at a mistake. The rules are those of PyYAML's safe loader (YAML 1.1, as in Ansible: ``yes`` is true, ``0644`` is
420, ``10:30`` is 630), with these differences:

- Keys are text, as written: ``80:`` is ``"80"`` and ``no:`` is ``"no"``. A duplicate key is a mistake.
- Dates stay strings.
- ``!unsafe`` marks text that is never a template, and everything inside the list or dictionary that it marks.
- ``!vault`` marks text that ansible-vault encrypted. It is decrypted, is secret, and is never a template.
- Anchors, aliases and ``<<`` work, but can't make a document larger by more than a million nodes.

The tree is built from the parser's events rather than by the library's composer, which recurses in C and crashes the
interpreter on deep nesting.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from drumline.diagnostics import Diagnostic, Diagnostics, Position
from drumline.errors import FilesError
from drumline.source.gc_tuning import without_collector
from drumline.source.nodes import Entry, Node, Scalar
from drumline.source.text import read_text
from drumline.source.vault import Decrypted, keyring
from drumline.source.yaml_scalars import INVALID, STANDARD, construct, plain_scalar

#: The most levels of nested lists and dictionaries.
_DEEPEST = 100
#: The number of mistakes after which a document isn't read further.
_MOST_MISTAKES = 100
#: The most nodes that aliases may add to a document.
_MOST_ALIASED = 1_000_000
_VAULT_TAGS = ("!vault", "!vault-encrypted")


def read(path: Path) -> Node | None:
    """The document in a file; None if it is empty. Raises ``FilesError`` with every mistake in it."""
    if _kept is None:
        return load(read_text(path), str(path))
    key = str(path.absolute())
    if key not in _kept:
        try:
            _kept[key] = load(read_text(path), str(path))
        except FilesError as error:
            _kept[key] = error
    found = _kept[key]
    if isinstance(found, FilesError):
        raise FilesError(found.diagnostics)
    return found


#: What was read, by absolute path, while it is kept.
_kept: dict[str, Node | FilesError | None] | None = None


@contextmanager
def kept() -> Iterator[None]:
    """Read each file once, for whoever looks at many playbooks that share files. Not for more than one thread."""
    global _kept
    _kept = {}
    try:
        yield
    finally:
        _kept = None


def load(text: str, path: str) -> Node | None:
    """The document in the text, which came from the file ``path``. None if the text is empty or null.

    Raises ``FilesError``. A document that can't be parsed has one mistake; others are all found at once.
    """
    builder = _Builder(str(text), path, secret=isinstance(text, Decrypted))
    try:
        root = builder.build()
    except yaml.YAMLError as error:
        from drumline.source.yaml_mistakes import syntax_mistake  # imported late, as below: most files are right

        raise FilesError([*builder.mistakes, syntax_mistake(error, text, path)]) from None
    except UnicodeEncodeError as error:
        from drumline.source.yaml_mistakes import position_at

        position = position_at(text[: error.start], path)
        raise FilesError([Diagnostic(summary="This file isn't UTF-8 text", position=position)]) from None
    if builder.mistakes:
        raise FilesError(builder.mistakes)
    return None if root is None or root.value is None else root


class _List:
    """A list that is being read. ``start`` is the builder's count of nodes at its beginning."""

    def __init__(self, position: Position, anchor: str | None, unsafe: bool, start: int) -> None:
        self.position, self.anchor, self.unsafe, self.start = position, anchor, unsafe, start
        self.items: list[Node] = []

    def add(self, node: Node) -> None:
        self.items.append(node)

    def finish(self) -> Node:
        return Node(self.items, self.position, self.unsafe)


class _Dict:
    """A dictionary that is being read."""

    def __init__(self, position: Position, anchor: str | None, unsafe: bool, start: int) -> None:
        self.position, self.anchor, self.unsafe, self.start = position, anchor, unsafe, start
        self.entries: dict[str, Entry] = {}
        self.merged: list[Node] = []
        self.key: tuple[str, Position] | None = None  #: The key whose value comes next.
        self.merges = False  #: That key is ``<<``.

    def add(self, node: Node) -> None:
        if self.key is None:  # a list or dictionary as key, already reported: its value is read and dropped
            self.key = ("", node.position)
            return
        if self.merges:
            self.merged.append(node)
        elif self.key[0] not in self.entries:
            self.entries[self.key[0]] = Entry(self.key[1], node)
        self.key, self.merges = None, False

    def finish(self) -> Node:
        if not self.merged:
            return Node(self.entries, self.position, self.unsafe)
        inherited: dict[str, Entry] = {}
        for source in _merge_sources(self.merged):
            for key, entry in source.items():
                inherited.setdefault(key, entry)
        return Node(inherited | self.entries, self.position, self.unsafe)


def _merge_sources(nodes: list[Node]) -> Iterator[dict[str, Entry]]:
    """The sources of ``<<``; the first one wins. Anything but dictionaries was reported when it was read."""
    for node in nodes:
        for source in node.value if isinstance(node.value, list) else [node]:
            if isinstance(source.value, dict):
                yield source.value


class _Builder:
    """Turns the parser's events into nodes, without recursion."""

    def __init__(self, text: str, path: str, *, secret: bool) -> None:
        self.text, self.path, self._secret = text, path, secret
        self.mistakes = Diagnostics()
        self._lines: list[str] | None = None
        self._stack: list[_List | _Dict] = []
        self._anchors: dict[str, tuple[Node, int]] = {}  #: Name to the node and its size in nodes.
        self._nodes = 0
        self._aliased = 0
        self._root: Node | None = None

    def build(self) -> Node | None:
        """Read all events. Raises the library's error if the text isn't YAML."""
        loader = yaml.CSafeLoader(self.text)
        handlers: dict[type, Any] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin,
            yaml.SequenceStartEvent: self._begin,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            with without_collector():
                while (event := loader.get_event()) is not None:
                    if handler := handlers.get(type(event)):
                        handler(event)
        finally:
            loader.dispose()
        return self._root

    def _shown(self, text: str) -> str:
        """A piece of the document for a message; what was encrypted isn't shown, since no mask knows it yet."""
        return "What is here" if self._secret else repr(text[:80])

    def _at(self, mark: Any) -> Position:
        return Position(self.path, mark.line + 1, mark.column + 1)

    def _complain(self, summary: str, *, detail: str, position: Position) -> None:
        self.mistakes.add(summary, detail=detail, position=position)
        if len(self.mistakes) >= _MOST_MISTAKES:
            raise YamlRefused("Too many mistakes", "The rest of this file was not read.", position)

    def _document(self, event: Any) -> None:
        if self._root is not None:
            detail = "A second document begins here. A file holds one document: move this one to a file of its own."
            raise YamlRefused("More than one YAML document", detail, self._at(event.start_mark))

    def _add(self, node: Node, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._stack:
            parent = self._stack[-1]
            if isinstance(parent, _Dict) and parent.merges:
                self._check_merge(node)
            parent.add(node)
        else:
            self._root = node

    def _scalar(self, event: Any) -> None:
        self._nodes += 1
        parent = self._stack[-1] if self._stack else None
        if isinstance(parent, _Dict) and parent.key is None:
            self._key(parent, event.value, event)
            if event.anchor is not None:
                self._anchors[event.anchor] = (Node(event.value, self._at(event.start_mark)), 1)
            return
        position = self._text_position(event) if event.style in ("|", ">") else self._at(event.start_mark)
        vault = event.tag in _VAULT_TAGS
        unsafe = vault or event.tag == "!unsafe" or (parent is not None and parent.unsafe)
        if vault:
            value: Any = self._decrypted(event.value, position)
        elif event.tag is None:
            value = plain_scalar(event.value) if event.implicit[0] else event.value
        else:
            value = self._tagged(event)
        if value is INVALID:
            detail = f"{self._shown(event.value)} looks like a number, but isn't one. Quote it if you mean text."
            self._complain("A value can't be read", detail=detail, position=position)
            value = None
        self._add(Node(value, position, unsafe, vault or self._secret), event.anchor, 1)

    def _decrypted(self, text: str, position: Position) -> str | None:
        try:
            return keyring().open_value(text, position)
        except FilesError as error:
            self.mistakes.extend(error.diagnostics)
            return None

    def _key(self, parent: _Dict, key: str, event: Any) -> None:
        position = self._at(event.start_mark)
        if isinstance(event, yaml.ScalarEvent):
            if key == "<<" and event.implicit[0]:
                parent.key, parent.merges = (key, position), True
                return
            if key == "" and event.implicit[0]:
                self._complain("A key is missing", detail="There is nothing before this colon.", position=position)
        if (first := parent.entries.get(key)) is not None:
            detail = f"'{key}' is already in line {first.key_position.line}; remove one of the two."
            self._complain("A key is given twice", detail=detail, position=position)
        parent.key = (key, position)

    def _check_merge(self, node: Node) -> None:
        sources = node.value if isinstance(node.value, list) else [node]
        for source in sources:
            if not isinstance(source.value, dict):
                detail = f"'<<' takes a dictionary or a list of them, but this is {source.kind}."
                self._complain("Only a dictionary can be merged", detail=detail, position=source.position)

    def _begin(self, event: Any) -> None:
        self._nodes += 1
        position = self._at(event.start_mark)
        parent = self._stack[-1] if self._stack else None
        if len(self._stack) >= _DEEPEST:
            raise too_deep(position)
        if isinstance(parent, _Dict) and parent.key is None:
            self._complex_key(event, position)
        is_dict = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", "!unsafe", STANDARD + ("map" if is_dict else "seq")):
            self._unknown_tag(event.tag, position)
        unsafe = event.tag == "!unsafe" or (parent is not None and parent.unsafe)
        self._stack.append((_Dict if is_dict else _List)(position, event.anchor, unsafe, self._nodes - 1))

    def _complex_key(self, event: Any, position: Position) -> None:
        index = event.start_mark.index
        if index and self.text.startswith("{{", index - 1):
            detail = 'A value that begins with "{{" has to be quoted: "{{ … }}".'
        else:
            detail = "A key of a dictionary is text, not a list or a dictionary."
        self._complain("This can't be a key", detail=detail, position=position)

    def _end(self, _event: Any) -> None:
        frame = self._stack.pop()
        self._add(frame.finish(), frame.anchor, self._nodes - frame.start)

    def _alias(self, event: Any) -> None:
        position = self._at(event.start_mark)
        if event.anchor not in self._anchors:
            open_now = any(frame.anchor == event.anchor for frame in self._stack)
            reason = "names the value that it is part of" if open_now else "names nothing: no anchor before it has it"
            detail = f"{self._shown(f'*{event.anchor}')} {reason}. Text that begins with '*' has to be quoted."
            raise YamlRefused("An alias can't be followed", detail, position)
        node, size = self._anchors[event.anchor]
        self._nodes += size
        self._aliased += size
        if self._aliased > _MOST_ALIASED:
            detail = f"With its aliases expanded, this document has more than {_MOST_ALIASED:,} values."
            raise YamlRefused("Aliases make this file too large", detail, position)
        parent = self._stack[-1]
        if isinstance(parent, _Dict) and parent.key is None:
            self._alias_key(parent, node, event, position)
        else:
            self._add(node, None, size)

    def _alias_key(self, parent: _Dict, node: Node, event: Any, position: Position) -> None:
        if isinstance(node.value, (list, dict)):
            self._complex_key(event, position)
        self._key(parent, "" if isinstance(node.value, (list, dict)) else str(node.value), event)

    def _text_position(self, event: Any) -> Position:
        """The place where the text of a block scalar begins."""
        if self._lines is None:
            self._lines = self.text.splitlines()
        first = event.start_mark.line + 1
        lines = (line for line in self._lines[first : event.end_mark.line + 1] if line.strip())
        text = next(lines, "")
        return Position(self.path, first + 1, len(text) - len(text.lstrip(" ")) + 1)

    def _tagged(self, event: Any) -> Scalar | object:
        if event.tag in ("!", "!unsafe", STANDARD + "str"):
            return str(event.value)
        if event.tag.removeprefix(STANDARD) in ("int", "float", "bool", "null", "timestamp"):
            return construct(event.tag, event.value)
        self._unknown_tag(event.tag, self._at(event.start_mark))
        return None

    def _unknown_tag(self, tag: str, position: Position) -> None:
        if tag in _VAULT_TAGS:
            detail = "!vault marks text that ansible-vault encrypted, with '|' before it, and nothing else."
            self.mistakes.add("Not vault data", detail=detail, position=position)
            return
        shown = self._shown("!!" + tag.removeprefix(STANDARD) if tag.startswith(STANDARD) else tag)
        detail = (
            f"{shown} isn't supported. Known are !unsafe, !vault, !!str, !!int, !!float, !!bool and !!null. "
            "Text that begins with '!' has to be quoted."
        )
        self._complain("Unknown tag", detail=detail, position=position)


class YamlRefused(yaml.YAMLError):
    """The document breaks a limit of ours; reading it ends there."""

    def __init__(self, summary: str, detail: str, position: Position) -> None:
        super().__init__(summary)
        self.mistake = Diagnostic(summary=summary, detail=detail, position=position)


def too_deep(position: Position) -> YamlRefused:
    detail = f"Lists and dictionaries are more than {_DEEPEST} levels deep here."
    return YamlRefused("This file is nested too deeply", detail, position)
