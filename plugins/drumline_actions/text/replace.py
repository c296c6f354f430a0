"""``replace``: replaces all that a regular expression matches in a file."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    Platform,
    Request,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    EDITED,
    Edit,
    check_regexes,
    check_target,
    labelled,
    match_regex,
    read_original,
    write_edit,
)
from drumline_actions.text.lines import PATH

_SECTION = "subsection"


def perform(call: Call) -> Steps:
    original = yield from read_original(call, call["path"])
    if original.kind == "directory":
        raise ActionFailed(f"Path {original.path} is a directory !", rc=256)
    if not original.exists:
        raise ActionFailed(f"Path {original.path} does not exist !", rc=257)
    encoding, strict = call["encoding"], "surrogateescape" if call["encoding"] == "utf-8" else "strict"
    try:
        text = original.content.decode(encoding, strict)
        edit = yield from _edit(call, text)
        content = text if edit is None else edit[0]
        made = Edit(content=content.encode(encoding, strict), message="" if edit is None else edit[1], values={"rc": 0})
    except (LookupError, UnicodeError) as error:
        raise ActionFailed(f"{original.path} can't be read and written in the encoding '{encoding}': {error}") from None
    return (yield from write_edit(call, original, made))


def _edit(call: Call, text: str) -> Generator[Request, Any, tuple[str, str] | None]:
    """The new text and what is said of it; None where nothing changes."""
    start, end = 0, len(text)
    pattern = _section_pattern(call["after"], call["before"])
    if pattern:
        section = yield from match_regex(call, "span", pattern, text, _SECTION, flags=int(re.DOTALL))
        if section is None:
            return text, f"Pattern for before/after params did not match the given file: {pattern}"
        start, end = section
    part = text[start:end]
    new, count = yield from match_regex(call, "subn", call["regexp"], part, call["replace"], 0, flags=int(re.MULTILINE))
    if new == part:
        return None
    return text[:start] + new + text[end:], f"{count} replacements made"


def _section_pattern(after: str | None, before: str | None) -> str:
    """The part between what these match; between two, it is as short as can be."""
    if not after and not before:
        return ""
    return f"{after or ''}(?P<{_SECTION}>.*{'?' if after and before else ''}){before or ''}"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    yield from check_regexes(written, "regexp", "after", "before")
    yield from check_target(written)


ACTIONS = (
    Action(
        name="replace",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        help="Replace all that a regular expression matches in a file",
        arguments=(
            PATH,
            Argument(name="regexp", required=True, help="What is replaced; ^ and $ match at each line, . no line end"),
            Argument(name="replace", default="", help="What takes its place; \\1 is a group of it"),
            Argument(name="after", help="Only behind what this regular expression matches; . matches line ends too"),
            Argument(name="before", help="Only ahead of what this one matches"),
            Argument(name="encoding", default="utf-8", help="Encoding of the file"),
            *EDITED,
        ),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
