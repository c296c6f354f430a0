"""A command line that holds another one: ``exec [OPTIONS] PATTERN [OPTIONS] COMMAND...``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click
from click.shell_completion import CompletionItem

from drumline.errors import UsageError


class CommandOfHosts(click.Command):
    """Reads no options after the first word of the hosts' command, which has its own: ``grep -v foo FILE``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {name: item for item in self.get_params(ctx) if isinstance(item, click.Option) for name in item.opts}
        before, pattern, rest = _up_to_word(args, options)
        between, first, after = _up_to_word(rest, options) if "--" not in before else ([], rest[:1], rest[1:])
        if ctx.resilient_parsing and not first:
            return super().parse_args(ctx, args)  # options may still come
        _require_clear(first, after, options, is_marked="--" in [*before, *between])
        given = [word for word in [*before, *between] if word != "--"]
        return super().parse_args(ctx, [*given, "--", *pattern, *first, *after] if pattern else given)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        return [] if ctx.params.get("words") else super().shell_complete(ctx, incomplete)


def _up_to_word(words: Sequence[str], options: Mapping[str, click.Option]) -> tuple[list[str], list[str], list[str]]:
    """Split into options with their values, the first other word (or none), and the rest. ``--`` ends the options."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        if words[at] == "--":
            at += 1
            break
        at += 1 + _takes_next(words[at], options)
    return list(words[:at]), list(words[at : at + 1]), list(words[at + 1 :])


def _takes_next(word: str, options: Mapping[str, click.Option]) -> bool:
    """Whether the value of an option is the next word: ``--limit web1``, ``-l web1``, ``-vl web1``."""
    if word.startswith("--"):
        return "=" not in word and word in options and _has_value(options[word])
    for place, letter in enumerate(word[1:], 2):
        option = options.get(f"-{letter}")
        if option is not None and _has_value(option):
            return place == len(word)
    return False


def _has_value(option: click.Option) -> bool:
    return not option.is_flag and not option.count


def _require_clear(
    first: Sequence[str], after: Sequence[str], options: Mapping[str, object], *, is_marked: bool
) -> None:
    """Refuse a line for a shell that is followed by drumline's options: they belong before it."""
    strange = [word for word in after if word.partition("=")[0] in options]
    if first and " " in first[0].strip() and strange and not is_marked:
        raise UsageError(
            "Options come before the command",
            f"'{first[0]}' is a whole line, and {strange[0]} comes after it. Put drumline's options before it. "
            f"For a program that is called '{first[0]}', write -- before it.",
        )
