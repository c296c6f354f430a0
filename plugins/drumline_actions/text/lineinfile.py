"""``lineinfile``: sees to it that a file has a line, or that it has none that matches."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

from msgspec.structs import replace

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
    Original,
    as_bytes,
    check_regexes,
    labelled,
    match_regex,
    read_original,
    write_edit,
)
from drumline_actions.text.lines import CREATE, PATH, bare, ended, join, places, split
from drumline_actions.verbs import OnWindows

_COMMON = ("path", "line", "regexp", "search_string", "state", "backrefs", "insertafter", "insertbefore", "create")
_ON_WINDOWS = OnWindows(
    module="windows.lineinfile",
    name="win_lineinfile",
    common=(*_COMMON, "backup"),
    results={"backup": "backup_file"},
)
#: Groups in a line as Python writes them, and what .NET would take for one.
_GROUP = re.compile(r"\\(?:(\d+)|g<(\w+)>)|(\$)")
_BEGINNING, _END = "BOF", "EOF"


def perform(call: Call) -> Steps:
    _require(call)
    original = yield from read_original(call, call["path"])
    if original.kind == "directory":
        raise ActionFailed(f"Path {original.path} is a directory !", rc=256)
    edit = _absent if call["state"] == "absent" else _present
    result = yield from write_edit(call, original, (yield from edit(call, original)))
    values = dict(result.values)
    return replace(result, values={**values, "backup": values.pop("backup_file", "")})


def _require(call: Call) -> None:
    """What ``check`` couldn't see where arguments are templates."""
    if call["state"] == "present":
        if call["line"] is None:
            raise ActionFailed("line is required with state=present")
        if call["backrefs"] and call["search_string"] is not None:
            raise ActionFailed("parameters are mutually exclusive: backrefs|search_string")
        if call["backrefs"] and call["regexp"] is None:
            raise ActionFailed("regexp is required with backrefs=true")
    elif call["line"] is None and call["regexp"] is None and call["search_string"] is None:
        raise ActionFailed("one of line, search_string, or regexp is required with state=absent")


def _on_windows(call: Call) -> Steps:
    """.NET's regular expressions have other words for a text as it is and for groups."""
    _require(call)
    others = {}
    if call["search_string"] is not None:
        others["regex"] = re.escape(call["search_string"])
    if call["backrefs"]:
        others["line"] = _GROUP.sub(lambda found: "$$" if found[3] else f"${{{found[1] or found[2]}}}", call["line"])
    return (yield from _ON_WINDOWS.perform(call, **others))


def _present(call: Call, original: Original) -> Generator[Request, Any, Edit]:
    if not original.exists and not call["create"]:
        raise ActionFailed(f"Destination {original.path} does not exist !", rc=257)
    lines, line = split(original.content), as_bytes(call["line"])
    found = yield from _matching(call, lines)
    if found:
        place = found[0] if call["firstmatch"] else found[-1]
        new = (yield from _filled_in(call, line, lines[place])) if call["backrefs"] else line
        return _replaced(lines, place, ended(new))
    exact = [place for place, text in enumerate(lines) if bare(text) == line]
    if exact:
        return _replaced(lines, exact[-1], ended(line))
    if call["backrefs"]:  # without a match there is nothing to fill in
        return Edit()
    return (yield from _inserted(call, lines, line))


def _matching(call: Call, lines: list[str]) -> Generator[Request, Any, list[int]]:
    """The places of the lines that regexp or search_string tells."""
    if call["search_string"] is not None:
        wanted = as_bytes(call["search_string"])
        return [place for place, text in enumerate(lines) if wanted in text]
    return (yield from places(call, call["regexp"], lines))


def _filled_in(call: Call, line: str, text: str) -> Generator[Request, Any, str]:
    """The line with the groups of what matches in it."""
    new: str = yield from match_regex(call, "expanded", as_bytes(call["regexp"]), text, line, flags=BYTES)
    return new


def _replaced(lines: list[str], place: int, new: str) -> Edit:
    if lines[place] == new:
        return Edit(content=join(lines))
    return Edit(content=join([*lines[:place], new, *lines[place + 1 :]]), message="line replaced")


def _inserted(call: Call, lines: list[str], line: str) -> Generator[Request, Any, Edit]:
    """The line where insertafter and insertbefore want it; at the end where they match nothing."""
    after, before, line = call["insertafter"], call["insertbefore"], f"{line}\n"
    if _BEGINNING in (after, before):
        return Edit(content=join([line, *lines]), message="line added")
    pattern = before if after is None else after
    found = [] if pattern in (None, _END) else (yield from places(call, pattern, lines))
    place = len(lines)
    if found:
        place = (found[0] if call["firstmatch"] else found[-1]) + (1 if after is not None else 0)
    if place == len(lines) and lines:  # or they would become one
        lines = [*lines[:-1], ended(lines[-1])]
    return Edit(content=join([*lines[:place], line, *lines[place:]]), message="line added")


def _absent(call: Call, original: Original) -> Generator[Request, Any, Edit]:
    if not original.exists:
        return Edit(message="file not present")
    lines = split(original.content)
    if call["regexp"] is None and call["search_string"] is None:
        line = as_bytes(call["line"])
        found = {place for place, text in enumerate(lines) if bare(text) == line}
    else:
        found = set((yield from _matching(call, lines)))
    kept = [text for place, text in enumerate(lines) if place not in found]
    message = f"{len(found)} line(s) removed" if found else ""
    return Edit(content=join(kept), message=message, values={"found": len(found)})


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    given = written.given
    state = None if "state" in written.open else written.arguments.get("state", "present")
    if state == "present" and not given("line"):
        yield "", "'lineinfile' needs 'line', unless it has state: absent."
    if state == "absent" and not given("line", "regexp", "search_string"):
        yield "", "'lineinfile' with state: absent needs 'line', 'regexp' or 'search_string'."
    if state == "present" and written.arguments.get("backrefs") and not given("regexp"):
        yield "backrefs", "'backrefs' needs 'regexp'."
    patterns = [
        name for name in ("insertafter", "insertbefore") if written.arguments.get(name) not in (None, _BEGINNING, _END)
    ]
    if written.platforms != {Platform.WINDOWS}:  # whose expressions are .NET's
        yield from check_regexes(written, "regexp", *patterns)


ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="lineinfile",
            perform=labelled(perform),
            checks=Checks.FULLY,
            traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
            help="See to it that a file has a line, or that it doesn't",
            arguments=(
                PATH,
                Argument(name="line", aliases=("value",), help="The line"),
                Argument(
                    name="regexp",
                    aliases=("regex",),
                    help="The last line that this regular expression matches is replaced; all are removed, with absent",
                ),
                Argument(name="search_string", help="The same for lines that contain this text"),
                Argument(
                    name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"
                ),
                Argument(
                    name="backrefs",
                    type=bool,
                    default=False,
                    help="Fill groups of regexp (\\1) into line; without a match, do nothing",
                ),
                Argument(
                    name="insertafter",
                    help="Where no line matches: put it after the last line that this expression matches, or EOF",
                ),
                Argument(name="insertbefore", help="The same, before that line; or BOF"),
                Argument(name="firstmatch", type=bool, default=False, help="Use the first match instead of the last"),
                CREATE,
                *EDITED,
            ),
            exclusive=(("insertbefore", "insertafter"), ("regexp", "search_string")),
            check=check,
        ),
        _on_windows,
    ),
)
