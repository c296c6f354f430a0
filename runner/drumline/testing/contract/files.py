"""File transfers to the host and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from drumline.errors import TransferFailed
from drumline.model.request import Get, Put
from drumline.plugin.transports import Session
from drumline.testing.contract.base import Contract
from drumline.testing.contract.commands import MEGABYTE
from drumline.testing.contract.texts import EVERY_BYTE, UNICODE


class FilesContract(Contract):
    """``put`` and ``get``."""

    @pytest.mark.parametrize(
        "content",
        [b"", b"x", EVERY_BYTE, b"\r\n\n\r\x1a\x00", EVERY_BYTE * (10 * MEGABYTE // 256)],
        ids=["0 bytes", "1 byte", "every byte", "line ends", "10 MB"],
    )
    def test_put_and_get(self, session: Session, directory: str, tmp_path: Path, content: bytes) -> None:
        remote, local = self.commands.join(directory, "file"), tmp_path / "got"
        session.put(Put(source=content, destination=remote))
        session.get(Get(source=remote, destination=local))
        assert local.read_bytes() == content

    def test_put_a_file_to_an_awkward_path(self, session: Session, directory: str, tmp_path: Path) -> None:
        remote = self.path_in(session, directory, self.commands.awkward_name)
        source, local = tmp_path / "source", tmp_path / "got"
        source.write_bytes(UNICODE.encode())
        session.put(Put(source=source, destination=remote))
        session.get(Get(source=remote, destination=local))
        assert local.read_bytes() == UNICODE.encode()

    def test_put_replaces_the_whole_file_and_leaves_nothing_else(
        self, session: Session, directory: str, tmp_path: Path
    ) -> None:
        remote, local = self.commands.join(directory, "file"), tmp_path / "got"
        session.put(Put(source=b"long" * 100_000, destination=remote))
        session.put(Put(source=b"short", destination=remote))
        session.get(Get(source=remote, destination=local))
        assert local.read_bytes() == b"short"
        assert self.said(session, self.commands.list_directory(directory)).split() == ["file"]

    def test_put_into_a_missing_directory_fails(self, session: Session, directory: str) -> None:
        remote = self.commands.join(self.commands.join(directory, "missing"), "file")
        with pytest.raises(TransferFailed, match="missing"):
            session.put(Put(source=b"x", destination=remote))
        assert self.said(session, self.commands.list_directory(directory)) == ""

    def test_put_over_a_directory_fails(self, session: Session, directory: str) -> None:
        remote = self.commands.join(directory, "taken")
        self.said(session, self.commands.make_directory(remote))
        with pytest.raises(TransferFailed, match="taken"):
            session.put(Put(source=b"x", destination=remote))
        assert self.said(session, self.commands.list_directory(directory)).split() == ["taken"]
        assert self.said(session, self.commands.list_directory(remote)) == ""

    def test_get_of_a_missing_file_fails(self, session: Session, directory: str, tmp_path: Path) -> None:
        local = tmp_path / "got"
        local.write_bytes(b"as it was")
        with pytest.raises(TransferFailed, match="missing"):
            session.get(Get(source=self.commands.join(directory, "missing"), destination=local))
        assert local.read_bytes() == b"as it was"
        assert [path.name for path in tmp_path.iterdir()] == ["got"]
        self.assert_usable(session)
