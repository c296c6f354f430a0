"""``win_zip`` and ``win_unzip`` on real archives."""

from __future__ import annotations

from drumline.plugin import Platform
from drumline.testing.cases import ActionCases, Case, here

WINDOWS = [Platform.WINDOWS]
_LOAD = (
    "foreach ($each in 'System.IO.Compression', 'System.IO.Compression.FileSystem')"
    " { $null = [Reflection.Assembly]::LoadWithPartialName($each) }"
)
PACK = f"{_LOAD}; [IO.Compression.ZipFile]::CreateFromDirectory('{here('tree')}', '{here('a.zip')}')"
TREE = {"tree/": None, "tree/ü x": "one", "tree/sub/": None, "tree/sub/y": "two"}
OUT = f"""{_LOAD}
$zip = [IO.Compression.ZipFile]::Open('{here("a.zip")}', 'Create')
$entry = $zip.CreateEntry('..\\out.txt').Open()
$entry.WriteByte(65)
$entry.Dispose()
$zip.Dispose()"""


class TestUnzip(ActionCases):
    action = "win_unzip"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case(
            "an archive is unpacked, and deleted",
            {"src": here("a.zip"), "dest": here("to"), "delete_archive": True},
            before=TREE,
            setup=PACK,
            changed=True,
            values={"removed": True},
            after={**TREE, "to/": None, "to/ü x": "one", "to/sub/": None, "to/sub/y": "two"},
            repeats=False,
        ),
        Case(
            "what it creates is there",
            {"src": here("a.zip"), "dest": here("to"), "creates": here("tree")},
            before=TREE,
            skipped=True,
        ),
        Case("no archive", {"src": here("a.zip"), "dest": here("to")}, failed="does not exist"),
        Case("out of the directory", {"src": here("a.zip"), "dest": here("to")}, setup=OUT, failed="leads out of"),
    )


class TestZip(ActionCases):
    action = "win_zip"
    platforms = WINDOWS
    round_trips = 1
    cases = (
        Case("a directory", {"src": here("tree"), "dest": here("a.zip")}, before=TREE, changed=True),
        Case("what is in it", {"src": here("tree") + "\\*", "dest": here("a.zip")}, before=TREE, changed=True),
        Case("a file", {"src": here("f"), "dest": here("a.zip")}, before={"f": "x"}, changed=True),
        Case(
            "the archive is there",
            {"src": here("f"), "dest": here("a.zip")},
            before={"f": "x", "a.zip": "z"},
            changed=False,
        ),
        Case("nothing to pack", {"src": here("f"), "dest": here("a.zip")}, failed="does not exist"),
    )
