"""``blockinfile``: keeps a block of lines between two markers in a file."""

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
    BYTES,
    EDITED,
    Edit,
    as_bytes,
    check_regexes,
    check_target,
    labelled,
    match_regex,
    read_original,
    write_edit,
)
from drumline_actions.text.lines import CREATE, PATH, ended, join, places

_BEGINNING, _END = "BOF", "EOF"
_BLANK = "\n"


def perform(call: Call) -> Steps:
    original = yield from read_original(call, call["path"])
    if original.kind == "directory":
        raise ActionFailed(f"Path {original.path} is a directory !", rc=256)
    if not original.exists and not call["create"]:
        raise ActionFailed(f"Path {original.path} does not exist !", rc=257)
    if not original.exists and call["state"] == "absent":
        return (yield from write_edit(call, original, Edit(message=f"File {original.path} not present")))
    lines, block = _lines(original.content.decode("latin-1")), _block(call)
    lines, place = yield from _without_block(call, lines)
    content = join(_with_block(call, lines, block, place))
    if content == original.content:
        message = "" if original.exists else "File created"
    else:
        message = ("Block inserted" if block else "Block removed") if original.exists else "File created"
    return (yield from write_edit(call, original, Edit(content=content, message=message)))


def _lines(text: str) -> list[str]:
    """The lines with their ends, which are those of Windows and of old Macs too."""
    return [found[0] for found in re.finditer(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)]


def _marker(call: Call, name: str) -> str:
    return as_bytes(call["marker"].replace("{mark}", call[name])) + "\n"


def _block(call: Call) -> list[str]:
    """The lines to be there with their markers; none where they are to go."""
    if call["state"] == "absent" or not call["block"]:
        return []
    return [_marker(call, "marker_begin"), *_lines(ended(as_bytes(call["block"]))), _marker(call, "marker_end")]


def _without_block(call: Call, lines: list[str]) -> Generator[Request, Any, tuple[list[str], int]]:
    """The lines without the block that is there, and where the new one goes."""
    begin, end = _marker(call, "marker_begin"), _marker(call, "marker_end")
    begins = [place for place, line in enumerate(lines) if line == begin]
    ends = [place for place, line in enumerate(lines) if line == end]
    if begins and ends:
        first, last = sorted((begins[-1], ends[-1]))
        return [*lines[:first], *lines[last + 1 :]], first
    return lines, (yield from _place(call, lines))


def _place(call: Call, lines: list[str]) -> Generator[Request, Any, int]:
    """Where a block goes that isn't there yet."""
    after, before = call["insertafter"], call["insertbefore"]
    if after is None and before == _BEGINNING:
        return 0
    pattern = before if after is None else after
    if pattern in (None, _END):
        return len(lines)
    if _spans_lines(pattern):
        text = "".join(lines)
        found = yield from match_regex(call, "span", as_bytes(pattern), text, 0, flags=BYTES)
        if found is None:
            return len(lines)
        return text.count("\n", 0, found[0 if after is None else 1]) + (0 if after is None else 1)
    matching = yield from places(call, pattern, lines)
    if not matching:
        return len(lines)
    return int(matching[-1]) + (0 if after is None else 1)


def _spans_lines(pattern: str) -> bool:
    """Whether it says (?m), and is for the text as a whole."""
    try:
        return bool(re.compile(pattern).flags & re.MULTILINE)
    except re.error:  # which is said where it is match_regex
        return False


def _with_block(call: Call, lines: list[str], block: list[str], place: int) -> list[str]:
    """The lines with the block at its place, and with blank lines around it where these are wanted."""
    before, after = lines[:place], lines[place:]
    if before:
        before[-1] = ended(before[-1])
    if call["state"] == "present":
        if call["prepend_newline"] and before and before[-1] != _BLANK:
            before.append(_BLANK)
        if call["append_newline"] and after and after[0] != _BLANK:
            after.insert(0, _BLANK)
    return [*before, *block, *after]


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    places = (("insertafter", _END), ("insertbefore", _BEGINNING))
    yield from check_regexes(written, *(name for name, word in places if written.arguments.get(name) != word))
    yield from check_target(written)


ACTIONS = (
    Action(
        name="blockinfile",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Keep a block of lines between two markers in a file",
        arguments=(
            PATH,
            Argument(
                name="block", default="", aliases=("content",), help="The lines; without any the block is removed"
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(
                name="marker",
                default="# {mark} ANSIBLE MANAGED BLOCK",
                help="The lines around the block; {mark} becomes marker_begin and marker_end",
            ),
            Argument(name="marker_begin", default="BEGIN", help="What {mark} is ahead of the block"),
            Argument(name="marker_end", default="END", help="What {mark} is behind the block"),
            Argument(
                name="insertafter",
                help="Where there is no block yet: after the last line that this regular expression matches, or EOF",
            ),
            Argument(name="insertbefore", help="The same, before that line; or BOF"),
            Argument(name="append_newline", type=bool, default=False, help="Have a blank line behind the block"),
            Argument(name="prepend_newline", type=bool, default=False, help="Have a blank line ahead of the block"),
            CREATE,
            *EDITED,
        ),
        exclusive=(("insertbefore", "insertafter"),),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
