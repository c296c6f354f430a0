"""``lineinfile``, ``blockinfile``, ``replace`` and ``ini_file`` on real files, and beside ansible-core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.compared import HERE, Reference, Use

from drumline.plugin import ActionFailed, Platform, Request, Run
from drumline.testing import ActionHost, HostFile, HostLink
from drumline.testing.cases import ActionCases, Case, here

POSIX = [Platform.POSIX]
HOSTS = "127.0.0.1 localhost\n# more\n10.0.0.1 a\n10.0.0.2 b\n"


class TestLineinfile(ActionCases):
    action = "lineinfile"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "a line is added at the end",
            {"path": here("f"), "line": "new"},
            before={"f": "old"},
            changed=True,
            message="line added",
            values={"backup": ""},
            after={"f": "old\nnew\n"},
        ),
        Case(
            "a line after a last one without an end",
            {"path": here("f"), "line": "c", "insertafter": "^b"},
            before={"f": "a\nb"},
            changed=True,
            after={"f": "a\nb\nc\n"},
        ),
        Case("a line that is there", {"path": here("f"), "line": "b"}, before={"f": "a\nb\nc\n"}, changed=False),
        Case(
            "a line is replaced, the last that matches",
            {"path": here("f"), "regexp": "^10", "line": "10.0.0.3 c"},
            before={"f": HOSTS},
            changed=True,
            message="line replaced",
            after={"f": HOSTS.replace("10.0.0.2 b", "10.0.0.3 c")},
        ),
        Case(
            "Python's expressions, which sed hasn't",
            {"path": here("f"), "regexp": r"^(?P<name>\w+)\s*=(?!.*keep)", "line": r"\g<name>=2", "backrefs": True},
            before={"f": "a = 1 keep\nb = 1\n"},
            changed=True,
            after={"f": "a = 1 keep\nb=2\n"},
            repeats=False,
        ),
        Case(
            "with a mode",
            {"path": here("f"), "line": "a", "mode": "0600"},
            before={"f": HostFile("a\n", 0o644)},
            changed=True,
            message="ownership, perms or SE linux context changed",
            after={"f": HostFile("a\n", 0o600)},
        ),
        Case(
            "a file is made with its directory",
            {"path": here("etc/ü/f"), "line": "a", "create": True, "mode": "0640"},
            changed=True,
            after={"etc/": None, "etc/ü/": None, "etc/ü/f": HostFile("a\n", 0o640)},
        ),
        Case(
            "the file that a link leads to",
            {"path": here("link"), "line": "a"},
            before={"real": "", "link": HostLink("real")},
            changed=True,
            after={"real": "a\n", "link": HostLink("real")},
        ),
        Case(
            "lines are removed",
            {"path": here("f"), "regexp": "^10", "state": "absent"},
            before={"f": HOSTS},
            changed=True,
            message="2 line(s) removed",
            values={"found": 2},
            after={"f": "127.0.0.1 localhost\n# more\n"},
        ),
        Case(
            "bytes that are no text stay",
            {"path": here("f"), "line": "new"},
            before={"f": b"\xff\0\xfe\r\n"},
            changed=True,
            after={"f": b"\xff\0\xfe\r\nnew\n"},
        ),
        Case(
            "what validate refuses isn't written",
            {"path": here("f"), "line": "new", "validate": "grep -q absent %s"},
            before={"f": "old\n"},
            failed="failed to validate",
            after={"f": "old\n"},
        ),
        Case(
            "a large file",
            {"path": here("f"), "line": "new"},
            before={"f": "some line of a file that doesn't fit into one request\n" * 40_000},
            changed=True,
        ),
        Case("no file", {"path": here("f"), "line": "a"}, failed="does not exist"),
        Case("no file to remove it from", {"path": here("f"), "line": "a", "state": "absent"}, changed=False),
        Case("a directory", {"path": here(), "line": "a"}, failed="is a directory"),
        Case("a device", {"path": "/dev/zero", "line": "a"}, failed="can't be edited"),
        Case(
            "no expression",
            {"path": here("f"), "line": "a", "regexp": "("},
            before={"f": "x\n"},
            failed="is not a regular",
        ),
        Case("no line", {"path": here("f")}, answers=(), failed="line is required"),
    )


class TestBlockinfile(ActionCases):
    action = "blockinfile"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "a block is inserted behind a line",
            {"path": here("f"), "block": "x\ny", "insertafter": "^b"},
            before={"f": "a\nb\nc\n"},
            changed=True,
            message="Block inserted",
            after={"f": "a\nb\n# BEGIN ANSIBLE MANAGED BLOCK\nx\ny\n# END ANSIBLE MANAGED BLOCK\nc\n"},
        ),
        Case(
            "a block is replaced where it is",
            {"path": here("f"), "block": "new", "marker": "<{mark}>"},
            before={"f": "a\n<BEGIN>\nold\n<END>\nz\n"},
            changed=True,
            after={"f": "a\n<BEGIN>\nnew\n<END>\nz\n"},
        ),
        Case(
            "a block is removed",
            {"path": here("f"), "state": "absent", "marker": "<{mark}>"},
            before={"f": "a\n<BEGIN>\nold\n<END>\nz\n"},
            changed=True,
            message="Block removed",
            after={"f": "a\nz\n"},
        ),
        Case("no file", {"path": here("f"), "block": "x"}, failed="does not exist"),
        Case("a directory", {"path": here(), "block": "x"}, failed="is a directory"),
    )


class TestReplace(ActionCases):
    action = "replace"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "all that matches",
            {"path": here("f"), "regexp": r"^(\w+)\.old", "replace": r"\1.new"},
            before={"f": "a.old ü\nb.old\n"},
            changed=True,
            message="2 replacements made",
            after={"f": "a.new ü\nb.new\n"},
        ),
        Case(
            "between two expressions",
            {"path": here("f"), "regexp": "1", "replace": "2", "after": r"\[a\]", "before": r"\[c\]"},
            before={"f": "1\n[a]\n1\n[c]\n1\n"},
            changed=True,
            after={"f": "1\n[a]\n2\n[c]\n1\n"},
        ),
        Case("nothing matches", {"path": here("f"), "regexp": "x"}, before={"f": "a\n"}, changed=False, message=""),
        Case("no file", {"path": here("f"), "regexp": "x"}, failed="does not exist"),
        Case(
            "another encoding",
            {"path": here("f"), "regexp": "ä", "replace": "ö", "encoding": "latin-1"},
            before={"f": b"\xe4"},
            changed=True,
            after={"f": b"\xf6"},
        ),
        Case(
            "no such encoding",
            {"path": here("f"), "regexp": "a", "encoding": "x"},
            before={"f": "a"},
            failed="encoding 'x'",
        ),
    )


class TestIniFile(ActionCases):
    action = "ini_file"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "an option is changed",
            {"path": here("f"), "section": "a", "option": "k", "value": "2"},
            before={"f": "[a]\nk = 1\n[b]\nk = 1\n"},
            changed=True,
            message="option changed",
            values={"path": here("f")},
            after={"f": "[a]\nk = 2\n[b]\nk = 1\n"},
        ),
        Case(
            "a section is removed",
            {"path": here("f"), "section": "a", "state": "absent"},
            before={"f": "[a]\nk = 1\n[b]\nk = 1\n"},
            changed=True,
            message="section removed",
            after={"f": "[b]\nk = 1\n"},
        ),
        Case("no value", {"path": here("f"), "section": "a", "option": "k"}, answers=(), failed="must be defined"),
    )


def test_a_costly_expression_ends(posix: ActionHost) -> None:
    """It is matched in a process of its own, and the task's time-out counts for it."""
    with posix.directory() as there:
        there.fill({"f": "a" * 40 + "\n"})
        posix.settings = {"timeout": 0.2}
        with pytest.raises(ActionFailed, match="came to its end"):
            posix("lineinfile", path=there.at("f"), regexp="^(a+)+$b", line="x")


def test_a_file_that_changes_meanwhile_is_left_alone(posix: ActionHost) -> None:
    with posix.directory() as there:
        there.fill({"f": "a\n"})

        def someone_else(request: Request) -> Any:
            if isinstance(request, Run) and request.stdin:
                there.fill({"f": "theirs\n"})
            return posix.carry_out(request)

        posix.answer = someone_else
        with pytest.raises(ActionFailed, match="was changed by someone else"):
            posix("lineinfile", path=there.at("f"), line="b")
        assert there.entries() == {"f": "theirs\n"}


def test_a_check_changes_nothing_and_shows_the_difference(posix: ActionHost) -> None:
    with posix.directory() as there:
        there.fill({"f": "a\n"})
        posix.settings = {"check": True, "diff": True}
        result = posix("lineinfile", path=there.at("f"), line="b")
        assert (result.changed, result.message) == (True, "line added")
        assert result.diff == {
            "before": "a\n",
            "after": "a\nb\n",
            "before_header": f"{there.at('f')} (content)",
            "after_header": f"{there.at('f')} (content)",
        }
        assert there.entries() == {"f": "a\n"}
        assert not posix("lineinfile", path=there.at("f"), line="a").changed
        assert posix("lineinfile", path=there.at("new/f"), line="a", create=True).changed
        assert there.entries() == {"f": "a\n"}


def test_a_copy_is_kept(posix: ActionHost) -> None:
    with posix.directory() as there:
        there.fill({"f": "a\n"})
        result = posix("lineinfile", path=there.at("f"), line="b", backup=True)
        assert result.values["backup"].startswith(there.at("f."))
        assert {*there.entries().values()} == {"a\n", "a\nb\n"}


# Beside ansible-core.


def _crossed(contents: Sequence[str], arguments: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each of the arguments with two of the files; all of both are met (ansible-core takes a second for each)."""
    for number, given in enumerate(arguments):
        for step in (0, 1):
            yield contents[(2 * number + step + number // len(contents)) % len(contents)], given


_FILES = ("", "a\nb\nc\n", "a\nb", "b\r\nb \nc\n", "\n\n", HOSTS)
_LINES: tuple[dict[str, Any], ...] = (
    {"line": "b"},
    {"line": "x", "insertafter": "^b"},
    {"line": "x", "insertafter": "^b$"},
    {"line": "x", "insertbefore": "^b"},
    {"line": "x", "insertbefore": "BOF"},
    {"line": "x", "insertafter": "BOF"},
    {"line": "x", "insertafter": "EOF"},
    {"line": "x", "insertafter": "nothing"},
    {"line": "x", "insertbefore": "b", "firstmatch": True},
    {"line": "x", "insertafter": "b", "firstmatch": True},
    {"line": "b", "insertafter": "^a"},
    {"line": "b", "insertbefore": "^c"},
    {"line": "x", "regexp": "^b"},
    {"line": "x", "regexp": "^b", "firstmatch": True},
    {"line": "x", "regexp": "nothing", "insertafter": "a"},
    {"line": r"\1-x", "regexp": "^(b).*$", "backrefs": True},
    {"line": r"\1-x", "regexp": "^(z)", "backrefs": True},
    {"line": "x", "search_string": "b "},
    {"line": "x\n"},
    {"line": "x", "regexp": r"\s$"},
    {"regexp": "b", "state": "absent"},
    {"line": "b", "state": "absent"},
    {"search_string": "b", "state": "absent"},
)


@pytest.mark.ansible
def test_lineinfile_as_the_reference(reference: Reference) -> None:
    uses = [
        Use(f"{content!r} {arguments}", {"path": f"{HERE}/f", **arguments}, before={"f": content})
        for content, arguments in _crossed(_FILES, _LINES)
        if not (content.endswith("b") and "b" in arguments.get("insertafter", ""))  # a row in the table of differences
    ]
    uses += [
        Use(
            "created", {"path": f"{HERE}/d/f", "line": "x", "create": True, "mode": "0600"}, without=frozenset({"msg"})
        ),
        Use("absent", {"path": f"{HERE}/f", "line": "x"}),
        Use("absent, removed", {"path": f"{HERE}/f", "line": "x", "state": "absent"}),
        Use("mode", {"path": f"{HERE}/f", "line": "a", "mode": "0640"}, before={"f": "a\n"}),
        Use("mode and line", {"path": f"{HERE}/f", "line": "b", "mode": "0640"}, before={"f": "a\n"}),
        Use("ü", {"path": f"{HERE}/ü", "regexp": "[é]", "line": "ü"}, before={"ü": "aü\né\n"}),
        Use("link", {"path": f"{HERE}/l", "line": "ü"}, before={"f": "a\n", "l": HostLink("f")}),
        Use("nothing to fill in", {"path": f"{HERE}/f", "line": "a", "regexp": "b", "backrefs": True, "create": True}),
    ]
    reference.compare("lineinfile", uses)


_BLOCKS: tuple[dict[str, Any], ...] = (
    {"block": "x\ny"},
    {"block": "x\ny\n"},
    {"block": ""},
    {"block": "x", "insertafter": "b"},
    {"block": "x", "insertbefore": "b"},
    {"block": "x", "insertbefore": "BOF"},
    {"block": "x", "insertafter": "EOF", "prepend_newline": True, "append_newline": True},
    {"block": "x", "insertbefore": "c", "prepend_newline": True, "append_newline": True},
    {"block": "x", "insertafter": "(?m)^b"},
    {"block": "x", "insertbefore": "(?m)^b"},
    {"block": "x", "insertafter": "nothing"},
    {"block": "x", "marker": "; {mark} mine", "marker_begin": "A", "marker_end": "Z"},
    {"block": "x", "state": "absent"},
)
_WITH_BLOCK = "a\n# BEGIN ANSIBLE MANAGED BLOCK\nold\n# END ANSIBLE MANAGED BLOCK\nz"
_TURNED = "a\n# END ANSIBLE MANAGED BLOCK\nold\n# BEGIN ANSIBLE MANAGED BLOCK\nz\n"


@pytest.mark.ansible
def test_blockinfile_as_the_reference(reference: Reference) -> None:
    uses = [
        Use(f"{content!r} {arguments}", {"path": f"{HERE}/f", **arguments}, before={"f": content})
        for content, arguments in _crossed((*_FILES, _WITH_BLOCK, _TURNED), _BLOCKS)
    ]
    uses += [
        Use("created", {"path": f"{HERE}/d/f", "block": "x", "create": True}),
        Use("absent", {"path": f"{HERE}/f", "block": "x"}),
        Use("absent, removed", {"path": f"{HERE}/f", "state": "absent"}),
        Use(
            "kept",
            {"path": f"{HERE}/f", "block": "x", "backup": True},
            before={"f": "a\n"},
            without=frozenset({"backup_file"}),
        ),
    ]
    reference.compare("blockinfile", uses)


_REPLACES: tuple[dict[str, Any], ...] = (
    {"regexp": "b", "replace": "x"},
    {"regexp": "^b", "replace": "x"},
    {"regexp": "b$", "replace": "x"},
    {"regexp": r"^(.)$", "replace": r"\1\1"},
    {"regexp": "b"},
    {"regexp": "b", "after": "a"},
    {"regexp": "b", "before": "c"},
    {"regexp": "b", "replace": "x", "after": "a", "before": "c"},
    {"regexp": "b", "after": "nothing"},
)


@pytest.mark.ansible
def test_replace_as_the_reference(reference: Reference) -> None:
    uses = [
        Use(f"{content!r} {arguments}", {"path": f"{HERE}/f", **arguments}, before={"f": content})
        for content, arguments in _crossed(_FILES, _REPLACES)
    ]
    uses += [
        Use("absent", {"path": f"{HERE}/f", "regexp": "x"}),
        Use("mode", {"path": f"{HERE}/f", "regexp": "x", "mode": "0600"}, before={"f": "a\n"}),
    ]
    reference.compare("replace", uses)


_INIS = (
    "",
    "k = 0\n[a]\nk = 1\n\n[b]\nk=1\n; k = 3\n",
    "[a]\n# comment\n#k = 5\n\n\n[b]\n",
    "[ a ]\nk = 1\nk = 2\nk\nj = 1",
    "[a]\nk =1\n[a]\nk = 2\nm = 1\n",
)
_SETTINGS: tuple[dict[str, Any], ...] = (
    {"section": "a", "option": "k", "value": "1"},
    {"section": "a", "option": "k", "value": "2"},
    {"section": "a", "option": "n", "value": "2"},
    {"section": "c", "option": "n", "value": "2"},
    {"section": "c", "option": "n", "value": "2", "no_extra_spaces": True},
    {"option": "k", "value": "7"},
    {"option": "n", "value": "7"},
    {"section": "a", "option": "k", "values": ["2", "3", "2"]},
    {"section": "a", "option": "k", "values": ["3", "2"], "exclusive": False},
    {"section": "a", "option": "k", "allow_no_value": True},
    {"section": "a", "option": "n", "allow_no_value": True},
    {"section": "c", "allow_no_value": True},
    {"section": "a", "option": "k", "value": "1", "ignore_spaces": True},
    {"section": "a", "option": "k", "value": "5", "modify_inactive_option": False},
    {"section": "a", "option": "k", "state": "absent"},
    {"section": "a", "option": "k", "value": "2", "state": "absent", "exclusive": False},
    {"section": "a", "state": "absent"},
    {"section": "c", "state": "absent"},
    {"section": "a", "option": "n", "value": "1", "section_has_values": [{"option": "m", "values": ["1"]}]},
    {"section": "a", "option": "n", "value": "1", "section_has_values": [{"option": "m", "value": "2"}]},
)


@pytest.mark.ansible
def test_ini_file_as_the_reference(reference: Reference) -> None:
    uses = [
        Use(f"{content!r} {arguments}", {"path": f"{HERE}/f", **arguments}, before={"f": content})
        for content, arguments in _crossed(_INIS, _SETTINGS)
    ]
    uses.append(Use("created", {"path": f"{HERE}/d/f", "section": "a", "option": "b", "value": "c", "mode": "0600"}))
    reference.compare("ini_file", uses, "community.general.ini_file")
