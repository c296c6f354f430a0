"""``vars_prompt`` of plays: variables that a person types before the run, above the play's ``vars``.

What ``-e`` gives isn't asked for. Where no one can be asked, the default holds.
"""

from __future__ import annotations

from msgspec.structs import replace

from drumline.diagnostics import Diagnostics
from drumline.loading import keywords
from drumline.loading.arguments import to_int
from drumline.loading.keywords import KeywordReader
from drumline.model.playbook import Play, Playbook, Prompt
from drumline.model.value import Template, Value, Variables, text_of
from drumline.plugin.terminal import NoTerminal, ask_person
from drumline.secret import Secret
from drumline.source.nodes import Node, plain
from drumline.source.vault import keyring


def read_prompts(reader: KeywordReader) -> tuple[Prompt, ...]:
    """What the play asks for."""
    node = reader.node("vars_prompt")
    if node is None:
        return ()
    if not isinstance(node.value, list):
        reader.wrong("vars_prompt", "a list of dictionaries with 'name' and 'prompt'", node)
        return ()
    return tuple(prompt for item in node.value if (prompt := _prompt(item, reader)) is not None)


def _prompt(node: Node, reader: KeywordReader) -> Prompt | None:
    if not isinstance(node.value, dict):
        reader.wrong("vars_prompt", "dictionaries with 'name' and 'prompt'", node)
        return None
    keywords.check_known(node.value, keywords.PROMPT, "'vars_prompt'", reader.found)
    parts = KeywordReader(node.value, reader.found)
    name = parts.value("name", parts.identifier)
    if name is None:
        if "name" not in parts:
            reader.problem("'vars_prompt' says under 'name' which variable it is about.", node)
        return None
    parts.value("unsafe", parts.boolean)  # what a person types is never a template
    return Prompt(
        name=name,
        question=text_of(parts.value("prompt", parts.text, name)),
        default=parts.value("default", lambda _, value: plain(value)),
        private=parts.value("private", parts.boolean, True),
        confirm=parts.value("confirm", parts.boolean, False),
        encrypt=parts.value("encrypt", parts.constant),
        salt=parts.value("salt", parts.constant),
        salt_size=parts.value("salt_size", lambda keyword, value: _whole(parts, keyword, value)),
        position=node.position,
    )


def _whole(reader: KeywordReader, keyword: str, node: Node) -> int | None:
    try:
        return to_int(node.value)
    except ValueError as error:
        reader.problem(f"'{keyword}' {error}", node)
        return None


def with_prompts(playbook: Playbook, extra: Variables, asks: bool, found: Diagnostics) -> Playbook:
    """The playbook with the answers among the variables of its plays.

    Without ``asks`` no one is asked, and the plays keep those prompts that a run can't do without.
    """
    if not any(play.prompts for play in playbook.plays):
        return playbook
    return replace(playbook, plays=tuple(_answered(play, extra, asks, found) for play in playbook.plays))


def _answered(play: Play, extra: Variables, asks: bool, found: Diagnostics) -> Play:
    due = [prompt for prompt in play.prompts if prompt.name not in extra]
    answers = {prompt.name: _value(prompt, asks, found) for prompt in due}
    left = () if asks else tuple(prompt for prompt in due if prompt.default is None)
    return replace(play, variables={**play.variables, **answers}, prompts=left)


def _value(prompt: Prompt, asks: bool, found: Diagnostics) -> Value:
    if not asks:
        return _unasked(prompt) if prompt.default is None else prompt.default
    try:
        typed = _typed(prompt)
    except NoTerminal as error:
        if prompt.default is not None:
            return _kept(prompt, prompt.default, found)
        detail = f"{str(error).capitalize()}. Give '{prompt.name}' with -e {prompt.name}=VALUE, or a 'default'."
        found.add("A variable can't be asked for", detail=detail, position=prompt.position)
        return _unasked(prompt)
    return _kept(prompt, prompt.default if not typed and prompt.default is not None else typed, found)


def _typed(prompt: Prompt) -> str:
    lines = ["".join(filter(str.isprintable, line)) for line in prompt.question.splitlines()] or [prompt.name]
    default = "" if prompt.default is None else f" [{text_of(prompt.default)}]"
    first = [*lines[:-1], f"{lines[-1]}{default}:"]
    while True:
        typed = ask_person(first, hidden=prompt.private)
        if not prompt.confirm or ask_person([f"Again, {lines[-1]}:"], hidden=prompt.private) == typed:
            return typed
        first = ["The two differ.", f"{lines[-1]}{default}:"]


def _kept(prompt: Prompt, value: Value, found: Diagnostics) -> Value:
    """The variable's value: hashed, or secret, if the prompt says so."""
    if isinstance(value, Template):
        return value
    if prompt.private and isinstance(value, str):
        keyring().note(value)
    if prompt.encrypt:
        value = _hashed(prompt, str(value), found)
    return Secret(value) if prompt.private and isinstance(value, str) else value


def _hashed(prompt: Prompt, text: str, found: Diagnostics) -> str:
    from jinja2.exceptions import FilterArgumentError  # few prompts hash anything

    from drumline.templating.password_filters import password_hash

    try:
        return password_hash(text, str(prompt.encrypt), prompt.salt, prompt.salt_size)
    except (FilterArgumentError, ValueError) as error:
        found.add("A value can't be hashed", detail=f"'{prompt.name}': {error}", position=prompt.position)
        return ""


def _unasked(prompt: Prompt) -> Template:
    """A value that says, when it is used, that a person will give it."""
    hint = f"'{prompt.name}' is asked for when a run begins (vars_prompt). Give -e {prompt.name}=VALUE."
    return Template(f"{{{{ undef(hint={hint!r}) }}}}", prompt.position)
