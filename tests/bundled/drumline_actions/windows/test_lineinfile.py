"""``win_lineinfile`` on real files of a Windows."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, here

FILE = here("f")
ABC = "a\r\nb\r\nc\r\n"


class TestLineinfile(ActionCases):
    action = "win_lineinfile"
    platforms = (Platform.WINDOWS,)
    round_trips = 1
    cases = (
        Case(
            "a line is added at the end",
            {"path": FILE, "line": "ü"},
            before={"f": ABC},
            changed=True,
            message="line added",
            values={"encoding": "utf-8", "backup": ""},
            after={"f": ABC + "ü\r\n"},
        ),
        Case("a line that is there", {"path": FILE, "line": "b"}, before={"f": ABC}, changed=False, after={"f": ABC}),
        Case("another case is another line", {"path": FILE, "line": "B"}, before={"f": "b"}, after={"f": "b\r\nB"}),
        Case(
            "the last one that matches is replaced",
            {"path": FILE, "regex": "^[ab]$", "line": "x"},
            before={"f": ABC},
            changed=True,
            message="line replaced",
            after={"f": "a\r\nx\r\nc\r\n"},
            repeats=False,
        ),
        Case(
            "groups",
            {"path": FILE, "regex": r"^(?<key>\w+)=.*", "line": "${key}=2", "backrefs": True},
            before={"f": "k=1\r\n"},
            changed=True,
            after={"f": "k=2\r\n"},
        ),
        Case(
            "no match to fill in",
            {"path": FILE, "regex": "^z", "line": "x", "backrefs": True},
            before={"f": ABC},
            changed=False,
        ),
        Case(
            "after a line",
            {"path": FILE, "line": "x", "insertafter": "^a"},
            before={"f": ABC},
            after={"f": "a\r\nx\r\nb\r\nc\r\n"},
        ),
        Case(
            "before a line",
            {"path": FILE, "line": "x", "insertbefore": "^b"},
            before={"f": ABC},
            after={"f": "a\r\nx\r\nb\r\nc\r\n"},
        ),
        Case(
            "at the beginning, with other line ends",
            {"path": FILE, "line": "x", "insertbefore": "BOF", "newline": "unix"},
            before={"f": ABC},
            after={"f": "x\na\nb\nc\n"},
        ),
        Case("a new file", {"path": FILE, "line": "x", "create": True}, changed=True, after={"f": "x"}),
        Case("no file", {"path": FILE, "line": "x"}, failed="does not exist"),
        Case("a directory", {"path": here("d"), "line": "x"}, before={"d/": None}, failed="is a directory"),
        Case(
            "lines go",
            {"path": FILE, "regex": "^[ac]", "state": "absent"},
            before={"f": ABC},
            changed=True,
            message="2 line(s) removed",
            values={"found": 2},
            after={"f": "b\r\n"},
        ),
        Case(
            "a line that is gone",
            {"path": FILE, "line": "x", "state": "absent"},
            before={"f": ABC},
            changed=False,
            values={"found": 0},
        ),
        Case(
            "the encoding of the file is kept",
            {"path": FILE, "line": "ü"},
            before={"f": "\ufeffa\r\n".encode("utf-16-le")},
            values={"encoding": "utf-16"},
            after={"f": "\ufeffa\r\nü\r\n".encode("utf-16-le")},
        ),
        Case(
            "an encoding that is named",
            {"path": FILE, "line": "ü", "encoding": "iso-8859-1"},
            before={"f": b"\xe4\r\n"},
            after={"f": b"\xe4\r\n\xfc\r\n"},
        ),
        Case(
            "a command accepts it",
            {"path": FILE, "line": "x", "validate": "cmd.exe /c type %s"},
            before={"f": ABC},
            changed=True,
        ),
        Case(
            "a command refuses it",
            {"path": FILE, "line": "x", "validate": "cmd.exe /c exit 3 %s"},
            before={"f": ABC},
            failed="exit code 3",
            after={"f": ABC},
        ),
        Case("no expression", {"path": FILE, "line": "x", "regex": "("}, before={"f": ABC}, failed="Invalid pattern"),
    )


def test_a_copy_is_kept_and_the_difference_shown(windows: ActionHost) -> None:
    with windows.directory() as there:
        there.fill({"f": "a\r\n"})
        windows.settings = {"diff": True}
        result = windows("win_lineinfile", path=there.at("f"), line="b", backup=True)
        assert result.diff is not None
        assert (result.diff["before"], result.diff["after"]) == ("a\r\n", "a\r\nb\r\n")  # type: ignore[call-overload]
        assert result.values["backup_file"].startswith(there.at("f."))
        assert {*there.entries().values()} == {"a\r\n", "a\r\nb\r\n"}
