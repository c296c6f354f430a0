"""``win_lineinfile``: a line of a file on Windows, found by .NET's regular expressions on the host."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from drumline.plugin import Action, Argument, Call, Checks, Effect, Platform, Steps, Traits, Written
from drumline.plugin.kit import Script, ask, result_of, temporaries, text_diff

_EDIT = Script.beside(__file__, "lineinfile")


def perform(call: Call) -> Steps:
    """Edit the file in one round trip."""
    same = ("path", "regex", "line", "backrefs", "create", "backup", "validate", "encoding")
    answer = yield from ask(
        call,
        _EDIT,
        main=True,
        **{name: call[name] for name in same},
        present=call["state"] == "present",
        after=call["insertafter"],
        before=call["insertbefore"],
        unix=call["newline"] == "unix",
        **temporaries(),
    )
    before, after = answer.pop("before_text", None), answer.pop("after_text", None)
    result = result_of(answer)
    return result if before is None else replace(result, diff=text_diff(before, after, f"{call['path']} (content)"))


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    known, given = written.arguments, written.given
    state = None if "state" in written.open else known.get("state", "present")
    if state == "present" and not given("line"):
        yield "", "'win_lineinfile' needs 'line', unless it has state: absent."
    if state == "absent" and not given("line", "regex"):
        yield "", "'win_lineinfile' with state: absent needs 'line' or 'regex'."
    if known.get("backrefs") and not given("regex"):
        yield "backrefs", "'backrefs' needs 'regex'."
    if isinstance(known.get("validate"), str) and "%s" not in known["validate"]:
        yield "validate", "It needs %s, which stands for the file."


ACTIONS = (
    Action(
        name="win_lineinfile",
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.FILES),
        platforms=(Platform.WINDOWS,),
        help="See to it that a file has a line, or that it has none that matches",
        arguments=(
            Argument(name="path", required=True, aliases=("dest", "destfile", "name"), help="The file"),
            Argument(name="line", help="The line; with backrefs, $1 and ${name} stand for groups of regex"),
            Argument(
                name="regex", aliases=("regexp",), help="The last line that matches is replaced; all, with absent"
            ),
            Argument(name="state", default="present", choices=("absent", "present"), help="The wanted state"),
            Argument(name="backrefs", type=bool, default=False, help="Fill in groups; change nothing without a match"),
            Argument(name="insertafter", help="A new line comes after the last one that matches; or BOF, EOF"),
            Argument(name="insertbefore", help="A new line comes before the last one that matches; or BOF"),
            Argument(name="create", type=bool, default=False, help="Make the file if it isn't there"),
            Argument(name="backup", type=bool, default=False, help="Keep a copy of the old file beside it"),
            Argument(name="validate", help="A command that has to accept the new file, %s, before it is put in place"),
            Argument(
                name="encoding", default="auto", help="As .NET names it; auto: by the file's first bytes, or UTF-8"
            ),
            Argument(name="newline", default="windows", choices=("unix", "windows"), help="How all lines end then"),
        ),
        check=check,
    ),
)
