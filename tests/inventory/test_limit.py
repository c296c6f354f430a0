"""``--limit`` with parts in files."""

from pathlib import Path

import pytest

from drumline.errors import FilesError, UsageError
from drumline.inventory.limit import read_limit


def test_a_pattern_stays_as_it_is() -> None:
    assert read_limit("web:!web2, db") == "web:!web2, db"


@pytest.mark.parametrize(
    ("limit", "pattern"),
    [
        ("@{0}", "web1,db"),
        ("web9,@{0}", "web9,web1,db"),
        ("@{0}:!web2", "web1,db:!web2"),
        ("@{0},@{0}", "web1,db,web1,db"),
    ],
)
def test_lines_of_a_file_take_its_place(tmp_path: Path, limit: str, pattern: str) -> None:
    file = tmp_path / "hosts.retry"
    file.write_bytes(b"\xef\xbb\xbfweb1\r\n\r\n db \r\n")
    assert read_limit(limit.format(file)) == pattern


def test_a_file_that_is_not_there_and_an_empty_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="doesn't exist"):
        read_limit(f"@{tmp_path}/none")
    (tmp_path / "none").write_text("\n")
    with pytest.raises(UsageError, match="names no host"):
        read_limit(f"@{tmp_path}/none")
