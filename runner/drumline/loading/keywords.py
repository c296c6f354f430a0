"""The keywords of plays and tasks: which exist, which aren't supported yet, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeAlias

from drumline.booleans import FALSE, TRUE
from drumline.diagnostics import Diagnostics, Position, did_you_mean
from drumline.loading.ids import ID, IDENTIFIER
from drumline.model.value import Template, Value, Variables, text_of
from drumline.source.nodes import Entry, Node, plain
from drumline.source.origins import note_variables

#: Keywords that a play passes on to its tasks.
INHERITED = frozenset(
    {
        "any_errors_fatal",
        "become",
        "become_exe",
        "become_flags",
        "become_method",
        "become_user",
        "check_mode",
        "connection",
        "debugger",
        "diff",
        "environment",
        "ignore_errors",
        "ignore_unreachable",
        "module_defaults",
        "no_log",
        "port",
        "remote_user",
        "run_once",
        "tags",
        "throttle",
        "timeout",
    }
)
PLAY = INHERITED | {
    "barrier",
    "canary",
    "collections",
    "fact_path",
    "gather_facts",
    "gather_subset",
    "force_handlers",
    "gather_timeout",
    "handlers",
    "hosts",
    "id",
    "keep_available",
    "max_fail_percentage",
    "name",
    "needs",
    "order",
    "post_tasks",
    "pre_tasks",
    "roles",
    "serial",
    "spread_by",
    "strategy",
    "tasks",
    "user",
    "vars",
    "vars_files",
    "vars_prompt",
}
TASK = INHERITED | {
    "action",
    "args",
    "async",
    "barrier",
    "changed_when",
    "collections",
    "delay",
    "delegate_facts",
    "delegate_to",
    "failed_when",
    "hosts",
    "id",
    "listen",
    "local_action",
    "loop",
    "loop_control",
    "name",
    "needs",
    "notify",
    "poll",
    "register",
    "retries",
    "start",
    "trigger_rule",
    "until",
    "vars",
    "when",
}
#: Keywords of a task that adds others, and nothing but itself; what it adds takes those that stand under ``apply``.
ADDING = frozenset(
    {
        *(
            "action",
            "args",
            "collections",
            "hosts",
            "id",
            "ignore_errors",
            "listen",
            "local_action",
            "loop",
            "loop_control",
        ),
        *("name", "needs", "no_log", "register", "run_once", "tags", "throttle", "timeout", "trigger_rule"),
        *("vars", "when"),
    }
)
#: The keyword of an entry among the plays that stands for generated ones (``loading.generated``).
GENERATE = "generate"
#: Keywords of a block.
BLOCK = INHERITED | {
    "always",
    "block",
    "collections",
    "delegate_facts",
    "delegate_to",
    "id",
    "name",
    "needs",
    "notify",
    "rescue",
    "vars",
    "when",
}
#: Those that stand under ``apply``.
APPLIED = BLOCK - {"always", "block", "id", "needs", "rescue"}
#: Keywords of a task or a block that a handler can't have: it runs where and when it was notified.
NOT_OF_HANDLERS = ("always", "barrier", "hosts", "needs", "rescue", "start", "trigger_rule")
LOOP_CONTROL = frozenset({"break_when", "extended", "extended_allitems", "index_var", "label", "loop_var", "pause"})
PROMPT = frozenset({"confirm", "default", "encrypt", "name", "private", "prompt", "salt", "salt_size", "unsafe"})
BARRIER = frozenset({"deadline", "late", "quorum"})
START = frozenset({"at", "max_skew", "together"})
#: Keywords whose parts have places of their own, for later messages.
_IN_PARTS = ("barrier", "keep_available", "start")

#: Keywords of Ansible and of future versions that this version doesn't support yet.
NOT_YET = frozenset(
    {
        "validate_argspec",
    }
)
#: Keywords that Ansible refuses by now, too: since which version, and what stands in their place.
REMOVED = {
    "first_available_file": ("2.4", "'with_first_found', or the lookup 'first_found'"),
    "include": ("2.16", "'include_tasks' or 'import_tasks' for tasks, 'import_playbook' for plays"),
}
#: Prefixes of Ansible's own names.
_NAMESPACES = re.compile(r"ansible\.(?:builtin|legacy)\.")
#: String literals in an expression.
_STRING = r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""

_WHOLE_EXPRESSION = r"\s*\{\{(.*)\}\}\s*"
_BRACES = r"\{[{%]"


def bare_name(name: str) -> str:
    """The name without the prefix of a fully qualified name."""
    return _NAMESPACES.sub("", name, count=1)


def is_missing(keyword: str) -> bool:
    """Whether it is a keyword that this version doesn't have yet or Ansible has no more, also by its full name."""
    return bare_name(keyword) in NOT_YET or bare_name(keyword) in REMOVED


def add_missing(keyword: str, position: Position, found: Diagnostics) -> None:
    """Report such a keyword."""
    if gone := REMOVED.get(bare_name(keyword)):
        summary, detail = "Keyword removed from Ansible", f"Ansible {gone[0]} removed '{keyword}': use {gone[1]}."
    else:
        summary, detail = "Keyword not supported yet", f"'{keyword}' is not supported yet."
    found.add(summary, detail=detail, position=position, hides_names=True)


def check_known(entries: Mapping[str, Entry], known: Collection[str], owner: str, found: Diagnostics) -> None:
    """Report every key that ``owner`` ("A play", …) doesn't have."""
    for key, entry in entries.items():
        if key in known:
            continue
        if is_missing(key):
            add_missing(key, entry.key_position, found)
        else:
            detail = f"{owner} has no keyword '{key}'.{of_others(key) or did_you_mean(key, known)}"
            found.add("Unknown keyword", detail=detail, position=entry.key_position)


def of_others(keyword: str) -> str:
    """`` It is one of tasks.``, with a leading space, for a keyword that stands where it doesn't belong."""
    return " It is one of plays." if keyword in PLAY else " It is one of tasks." if keyword in TASK else ""


class KeywordReader:
    """Reads the values of one play's or task's keywords; a wrong one is noted, and replaced by its default."""

    def __init__(self, entries: Mapping[str, Entry], found: Diagnostics) -> None:
        self.entries = entries
        self.found = found

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.entries

    def node(self, keyword: str) -> Node | None:
        """The keyword's value; None if the keyword is missing or has no value."""
        entry = self.entries.get(keyword)
        return entry.node if entry and entry.node.value is not None else None

    def positions(self) -> dict[str, Position]:
        """The place of each keyword and of its parts: keys ``barrier``, ``barrier.late``, …"""
        places = {keyword: entry.key_position for keyword, entry in self.entries.items()}
        for keyword in _IN_PARTS:
            parts = self.entries[keyword].node.value if keyword in self.entries else None
            if isinstance(parts, dict):
                places |= {f"{keyword}.{part}": entry.key_position for part, entry in parts.items()}
        return places

    def wrong(self, keyword: str, wanted: str, node: Node) -> None:
        """Report that the value is of a wrong type."""
        shown = node.kind if isinstance(node.value, (list, dict, type(None))) else repr(node.value)[:60]
        if isinstance(node.value, bool):
            shown = shown.lower()  # as YAML writes it
        self.problem(f"'{keyword}' takes {wanted}, but this is {shown}.", node)

    def problem(self, detail: str, node: Node) -> None:
        """Report that the value can't be used."""
        self.found.add("A keyword has a wrong value", detail=detail, position=node.position)

    def value(self, keyword: str, read: Callable[[str, Node], Any], default: Any = None) -> Any:
        """The keyword's value as read by ``read``; ``default`` if it is missing or ``read`` returns None."""
        node = self.node(keyword)
        if node is None:
            return default
        result = read(keyword, node)
        return default if result is None else result

    def values(self, reads: Mapping[str, Read]) -> dict[str, Any]:
        """The values of those keywords that are present; wrong ones are noted and left out."""
        values = {}
        for keyword, entry in self.entries.items():
            read = reads.get(keyword)
            if read is not None and entry.node.value is not None:
                value = read(self, keyword, entry.node)
                if value is not None:
                    values[keyword] = value
        return values

    def text(self, keyword: str, node: Node) -> str | Template | None:
        """Text, or a number as text; may be a template."""
        if isinstance(node.value, (list, dict, bool)):
            self.wrong(keyword, "text", node)
            return None
        return plain(node, hide=False) if isinstance(node.value, str) else str(node.value)

    def constant(self, keyword: str, node: Node) -> str | None:
        """Text that isn't a template."""
        text = self.text(keyword, node)
        if isinstance(text, Template):
            self.problem(f"'{keyword}' is fixed before the run; it can't be a template.", node)
            return None
        return text

    def id(self, keyword: str, node: Node) -> str | None:
        """An id of a task or play."""
        text = self.constant(keyword, node)
        if text is not None and not ID.match(text):
            self.problem(f"An id has letters, digits, '_' and '-' only; {text!r} has others.", node)
        return text

    def identifier(self, keyword: str, node: Node) -> str | None:
        """The name of a variable."""
        text = self.constant(keyword, node)
        if text is not None and not IDENTIFIER.match(text):
            self.problem(
                f"'{keyword}' is the name of a variable: letters, digits and '_'; {text!r} is not a valid name.", node
            )
            return None
        return text

    def names(self, keyword: str, node: Node) -> tuple[str, ...] | None:
        """A list of constant texts, or a single text with commas."""
        if isinstance(node.value, list):
            return tuple(text for item in node.value if (text := self.constant(keyword, item)) is not None)
        if isinstance(node.value, dict):
            self.wrong(keyword, "a name or a list of names", node)
            return None
        text = self.constant(keyword, node)
        return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())

    def texts(self, keyword: str, node: Node) -> tuple[str | Template, ...] | None:
        """A text or a list of texts, each of which may be a template."""
        if isinstance(node.value, dict):
            self.wrong(keyword, "a name or a list of names", node)
            return None
        texts = [self.text(keyword, item) for item in (node.value if isinstance(node.value, list) else [node])]
        return tuple(text for text in texts if text is not None)

    def tags(self, keyword: str, node: Node) -> tuple[str | Template, ...] | None:
        """Like ``names``, but each may be a template, which is rendered before the plan is made."""
        texts = self.texts(keyword, node)
        return None if texts is None else tuple(part for text in texts for part in tags_in(text))

    def boolean(self, keyword: str, node: Node) -> bool | None:
        """True or false, in any of Ansible's spellings."""
        value = self.maybe_boolean(keyword, node)
        if isinstance(value, Template):
            self.problem(f"'{keyword}' is fixed before the run; it can't be a template.", node)
            return None
        return value

    def maybe_boolean(self, keyword: str, node: Node) -> bool | Template | None:
        """True or false, or a template that gives one of them."""
        if isinstance(node.value, bool):
            return node.value
        if isinstance(node.value, (str, int)):
            value = plain(node, hide=False)
            if isinstance(value, Template):
                return value
            if str(value).strip().lower() in TRUE | FALSE:
                return str(value).strip().lower() in TRUE
        self.wrong(keyword, "true or false", node)
        return None

    def number(self, keyword: str, node: Node) -> float | int | Template | None:
        """A number that isn't negative, or a template that gives one."""
        value = plain(node, hide=False)
        if isinstance(value, Template):
            return value
        if isinstance(value, str) and re.fullmatch(r"\d{1,15}(\.\d{1,15})?", value.strip()):
            value = float(value) if "." in value else int(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            self.wrong(keyword, "a number that isn't negative", node)
            return None
        return value

    def variables(self, keyword: str, node: Node) -> Variables | None:
        """A dictionary of variables."""
        if not isinstance(node.value, dict):
            self.wrong(keyword, "a dictionary of variables", node)
            return None
        for name, entry in node.value.items():
            if not IDENTIFIER.match(name):
                detail = f"A variable's name has letters, digits and '_', and no digit first; {name!r} is not valid."
                self.found.add("Not a name for a variable", detail=detail, position=entry.key_position)
        variables: Variables = plain(node)
        note_variables(node, variables)
        return variables

    def environment(self, keyword: str, node: Node) -> Value:
        """A dictionary, a template that gives one, or a list of these; returned as a list."""
        parts = node.value if isinstance(node.value, list) else [node]
        for part in parts:
            values = part.value.items() if isinstance(part.value, dict) else ()
            for name, entry in values:
                if isinstance(entry.node.value, (dict, list)):
                    self.wrong(f"{keyword}: {name}", "text", entry.node)
            if not isinstance(part.value, dict) and not isinstance(plain(part), Template):
                self.wrong(keyword, "a dictionary", part)
                return None
        return [plain(part) for part in parts]

    def pattern(self, keyword: str, node: Node) -> Value:
        """A host pattern: text, or a list of patterns."""
        if not isinstance(node.value, list):
            return self.text(keyword, node)
        items = [self.text(keyword, item) for item in node.value]
        if not items:
            self.problem(f"'{keyword}' names no host at all.", node)
        text = ",".join(text_of(item) for item in items)
        return Template(text, node.position) if any(isinstance(item, Template) for item in items) else text

    def conditions(self, keyword: str, node: Node) -> tuple[Template | bool, ...] | None:
        """An expression, true or false, or a list of these that must all hold."""
        items = node.value if isinstance(node.value, list) else [node]
        return tuple(self._conditions(keyword, items))

    def _conditions(self, keyword: str, items: Iterable[Node]) -> Iterable[Template | bool]:
        for item in items:
            if isinstance(item.value, bool):
                yield item.value
            elif isinstance(item.value, str) and item.value.strip():
                condition = expression(item)
                if re.search(_BRACES, re.sub(_STRING, "", condition.text, flags=re.DOTALL)):
                    self.problem(f"'{keyword}' is already an expression; write it without braces.", item)
                yield condition
            else:
                self.wrong(keyword, "an expression, true or false, or a list of these", item)


#: Reads the value of one keyword; returns None if it is wrong, which is noted.
Read: TypeAlias = Callable[[KeywordReader, str, Node], Any]


def tags_in(text: str | Template) -> list[str | Template]:
    """The tags in a text with commas; a template is one tag."""
    return [text] if isinstance(text, Template) else [part.strip() for part in text.split(",") if part.strip()]


def is_whole_template(node: Node) -> bool:
    """Whether the value is one template and nothing else."""
    return isinstance(plain(node, hide=False), Template) and _within_braces(str(node.value)) is not None


def expression(node: Node) -> Template:
    """Text that is an expression; braces around all of it are removed."""
    text = str(node.value)
    inner = _within_braces(text)
    return Template((text if inner is None else inner).strip(), node.position, bare=True)


def _within_braces(text: str) -> str | None:
    whole = re.fullmatch(_WHOLE_EXPRESSION, text, flags=re.DOTALL)
    return whole[1] if whole and "{{" not in whole[1] else None
