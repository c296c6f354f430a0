"""``ini_file``: settings in sections of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    Platform,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import EDITED, Edit, check_target, labelled, read_original, readable_text, write_edit

_SAME = "option changed"


class _Style(Struct, frozen=True, kw_only=True):
    """How settings are written and recognised."""

    option: str | None
    values: Sequence[str]
    exclusive: bool
    spaces: str
    ignore_spaces: bool
    no_value: bool
    inactive: bool  #: One in a comment counts, too.

    def line(self, option: str, value: str | None) -> str:
        return f"{option}\n" if value is None else f"{option}{self.spaces}={self.spaces}{value}\n"


def perform(call: Call) -> Steps:
    if call["state"] == "present" and not call["allow_no_value"] and call["value"] is None and not call["values"]:
        raise ActionFailed("Parameter 'value(s)' must be defined if state=present and allow_no_value=False.")
    original = yield from read_original(call, call["path"])
    if original.kind == "directory":
        raise ActionFailed(f"{original.path} is a directory")
    if not original.exists and not call["create"]:
        raise ActionFailed(f"Destination {original.path} does not exist!", rc=257)
    try:
        text = original.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ActionFailed(f"{original.path} isn't UTF-8: {error}") from None
    new, message = _edited(call, re.sub(r"\r\n?", "\n", text))
    content = original.content if new is None else new.encode()
    edit = Edit(content=content, message=message, values={"path": readable_text(original.path)})
    return (yield from write_edit(call, original, edit, follow=call["follow"], describe=True))


def _edited(call: Call, text: str) -> tuple[str | None, str]:
    """The new text, None where it stays, and what is said of it."""
    style = _style(call)
    complete = text if text.endswith("\n") else f"{text}\n"
    lines = [f"{line}\n" for line in complete.split("\n")[:-1]]
    conditions = [_Condition.of(item) for item in call["section_has_values"] or ()]
    place = _section(lines, call["section"], conditions)
    if place is None and call["state"] == "present":
        added, message = _new_section(call, style, conditions)
        return "".join([*lines, *added]), message
    start, end = place or (0, 0)
    edit = _absent if call["state"] == "absent" else _present
    section, message = edit(style, lines[start:end], headed=call["section"] is not None)
    new = "".join([*lines[:start], *section, *lines[end:]])
    return (None, message) if new == text or (new == complete and not text) else (new, message)


def _style(call: Call) -> _Style:
    given = call["values"] if call["values"] is not None else [call["value"]]
    values = list(dict.fromkeys(str(value) for value in given if value is not None))
    return _Style(
        option=call["option"],
        values=values,
        exclusive=call["exclusive"],
        spaces="" if call["no_extra_spaces"] else " ",
        ignore_spaces=call["ignore_spaces"],
        no_value=call["allow_no_value"],
        inactive=call["modify_inactive_option"],
    )


# Where things are.


class _Condition(Struct, frozen=True):
    """What a section must have to be the one that is meant."""

    option: str
    values: list[str]

    @classmethod
    def of(cls, item: Mapping[str, Any]) -> _Condition:
        if not isinstance(item, Mapping) or "option" not in item:
            raise ActionFailed("section_has_values takes dictionaries with option, and value or values")
        values = item.get("values")
        if values is None:
            values = [] if item.get("value") is None else [item["value"]]
        return cls(str(item["option"]), [str(value) for value in (values if isinstance(values, list) else [values])])

    def holds(self, lines: Sequence[str]) -> bool:
        found = (_value(self.option, line) for line in lines)
        return any(value is not None and (not self.values or value in self.values) for value in found)


def _section(lines: list[str], name: str | None, conditions: list[_Condition]) -> tuple[int, int] | None:
    """From its head to the next one; without a name, all that is ahead of the first."""
    heads = [place for place, line in enumerate(lines) if line.startswith("[")]
    if not name:
        end = heads[0] if heads else len(lines)
        return (0, end) if all(condition.holds(lines[:end]) for condition in conditions) else None
    head = re.compile(rf"\[\s*{re.escape(name.strip())}\s*]")
    for place, end in zip(heads, [*heads[1:], len(lines)], strict=False):
        if head.match(lines[place]) and all(condition.holds(lines[place:end]) for condition in conditions):
            return place, end
    return None


def _match(option: str, line: str, *, inactive: bool) -> re.Match[str] | None:
    comment = r"[ \t]*(?P<comment>[#;]?)" if inactive else "(?P<comment>)"
    return re.match(rf"{comment}[ \t]*{re.escape(option)}[ \t]*(?:=|$)[ \t]*(?P<value>.*)", line)


def _value(option: str, line: str) -> str | None:
    found = _match(option, line, inactive=True)
    return found["value"] if found else None


# What becomes of a section.


def _present(style: _Style, lines: list[str], *, headed: bool) -> tuple[list[str], str]:
    """The section with the option and its values, each line kept in its place where it can be."""
    option = style.option
    if option is None:
        return lines, "OK"
    result: dict[int, str | None] = dict(enumerate(lines))
    wanted, message, without_value = list(style.values), "OK", False
    first = 1 if headed else 0
    said = [place for place, line in enumerate(lines) if _match(option, line, inactive=style.inactive)]
    done: set[int] = set()

    def put(place: int, new: str) -> None:
        nonlocal message
        done.add(place)
        if _differs(style, lines[place], new):
            result[place] = new
            message = _SAME

    for place in said:
        found = _match(option, lines[place], inactive=style.inactive)
        value = found["value"] if found else ""
        if wanted and value in wanted:
            wanted.remove(value)
            bare = not value and style.no_value
            without_value = without_value or bare
            put(place, style.line(option, None if bare else value))
        elif not wanted and style.no_value:
            put(place, style.line(option, None))
            without_value = True
            break
    if style.exclusive and not style.no_value:
        for place in said:
            if place in done:
                continue
            if wanted:
                put(place, style.line(option, wanted.pop(0)))
            elif place >= first:
                result[place], message = None, _SAME
    if not wanted and style.no_value and not without_value:
        added = [style.line(option, None)]
    else:
        added = [style.line(option, value) for value in wanted]
    kept = [line for line in result.values() if line is not None]
    place = _end(kept, headed=headed)
    return ([*kept[:place], *added, *kept[place:]], "option added") if added else (kept, message)


def _differs(style: _Style, old: str, new: str) -> bool:
    assert style.option is not None
    found = _match(style.option, old, inactive=True)
    if style.ignore_spaces and found and not found["comment"]:
        return found["value"] != _value(style.option, new)
    return old != new


def _end(lines: list[str], *, headed: bool) -> int:
    """Behind the last line that says something, or the head of the section."""
    said = [place for place, line in enumerate(lines) if not re.match(r"[ \t]*(?:[#;].*)?$", line)]
    return said[-1] + 1 if said else (1 if headed and lines else 0)


def _absent(style: _Style, lines: list[str], *, headed: bool) -> tuple[list[str], str]:
    if style.option is None:
        return [], "section removed" if lines else "OK"
    option = style.option

    def goes(line: str) -> bool:
        found = _match(option, line, inactive=False)
        return found is not None and (style.exclusive or found["value"] in style.values)

    kept = [line for line in lines if not goes(line)]
    return kept, "OK" if kept == lines else _SAME


def _new_section(call: Call, style: _Style, conditions: list[_Condition]) -> tuple[list[str], str]:
    """A section that isn't there yet, with what it must have."""
    lines, values = [f"[{call['section']}]\n"], list(style.values)
    for condition in conditions:
        if condition.option == style.option:
            values += [value for value in condition.values if not style.exclusive and value not in values]
        elif condition.values:
            lines += [style.line(condition.option, value) for value in condition.values]
        elif style.no_value:
            lines.append(style.line(condition.option, None))
    if style.option is not None and values:
        return lines + [style.line(style.option, value) for value in values], "section and option added"
    if style.option is not None and style.no_value:
        return [*lines, style.line(style.option, None)], "section and option added"
    return lines, "only section added"


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes in arguments that don't depend on the host."""
    if not written.given("value", "values", "allow_no_value") and _is_present(written):
        yield "", "'ini_file' needs 'value' or 'values', unless it has state: absent or allow_no_value: true."
    yield from check_target(written)


def _is_present(written: Written) -> bool:
    return "state" not in written.open and written.arguments.get("state", "present") == "present"


ACTIONS = (
    Action(
        name="ini_file",
        perform=labelled(perform),
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES, removes=("state", "absent")),
        help="Set or remove settings in sections of a file",
        arguments=(
            Argument(name="path", type=HostPath, required=True, aliases=("dest",), help="File on the host"),
            Argument(name="section", help="Name of the section; without one, settings ahead of all sections are meant"),
            Argument(
                name="section_has_values",
                type=list,
                help="Of several sections of that name, the one that has these: dictionaries of option and values",
            ),
            Argument(name="option", help="Name of the setting; without one, the section is meant"),
            Argument(name="value", help="Its value"),
            Argument(name="values", type=list, help="Its values, a line for each"),
            Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there"),
            Argument(name="exclusive", type=bool, default=True, help="Leave no other lines of that setting"),
            Argument(name="no_extra_spaces", type=bool, default=False, help="Write no spaces around ="),
            Argument(
                name="ignore_spaces", type=bool, default=False, help="Leave a line that differs by spaces around = only"
            ),
            Argument(name="allow_no_value", type=bool, default=False, help="A setting may have no value, and no ="),
            Argument(
                name="modify_inactive_option",
                type=bool,
                default=True,
                help="Use a line in which the setting is commented out",
            ),
            Argument(name="create", type=bool, default=True, help="Make the file, and its directory, if it is missing"),
            Argument(
                name="follow", type=bool, default=False, help="Where path is a link, write the file that it points to"
            ),
            *EDITED,
        ),
        exclusive=(("value", "values"),),
        check=check,
        platforms=(Platform.POSIX,),
    ),
)
