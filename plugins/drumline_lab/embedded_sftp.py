"""This machine's files, for paramiko's SFTP server. Relative paths start at the user's home, as OpenSSH has it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface
from paramiko.sftp import SFTP_OK


class LocalFiles(SFTPServerInterface):
    """Each method answers with what was asked for, or with SFTP's code for the error."""

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:
        mode = 0o666 if attr.st_mode is None else attr.st_mode
        access = {os.O_RDONLY: "rb", os.O_WRONLY: "wb", os.O_RDWR: "r+b"}[flags & os.O_ACCMODE]
        try:
            file = cast(BinaryIO, os.fdopen(os.open(_real(path), flags, mode), access))
        except OSError as error:
            return _code(error)
        return _File(flags, file)

    def list_directory(self, path: str) -> list[SFTPAttributes] | int:
        def listing() -> list[SFTPAttributes]:
            with os.scandir(_real(path)) as entries:
                return [SFTPAttributes.from_stat(entry.stat(follow_symlinks=False), entry.name) for entry in entries]

        try:
            return listing()
        except OSError as error:
            return _code(error)

    def stat(self, path: str) -> SFTPAttributes | int:
        return _status(lambda: os.stat(_real(path)))

    def lstat(self, path: str) -> SFTPAttributes | int:
        return _status(lambda: os.lstat(_real(path)))

    def remove(self, path: str) -> int:
        return _done(lambda: os.remove(_real(path)))

    def rename(self, oldpath: str, newpath: str) -> int:
        def rename() -> None:
            if os.path.lexists(_real(newpath)):
                raise FileExistsError
            os.rename(_real(oldpath), _real(newpath))

        return _done(rename)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        return _done(lambda: os.replace(_real(oldpath), _real(newpath)))

    def mkdir(self, path: str, attr: SFTPAttributes) -> int:
        return _done(lambda: os.mkdir(_real(path), 0o777 if attr.st_mode is None else attr.st_mode))

    def rmdir(self, path: str) -> int:
        return _done(lambda: os.rmdir(_real(path)))

    def chattr(self, path: str, attr: SFTPAttributes) -> int:
        return _done(lambda: SFTPServer.set_file_attr(_real(path), attr))

    def canonicalize(self, path: str) -> str:
        return os.path.realpath(_real(path))

    def readlink(self, path: str) -> str | int:
        try:
            return os.readlink(_real(path))
        except OSError as error:
            return _code(error)

    def symlink(self, target_path: str, path: str) -> int:
        return _done(lambda: os.symlink(target_path, _real(path)))


class _File(SFTPHandle):
    """An open file; the base class reads and writes."""

    def __init__(self, flags: int, file: BinaryIO) -> None:
        super().__init__(flags)
        self.readfile = self.writefile = file

    def stat(self) -> SFTPAttributes | int:
        return _status(lambda: os.fstat(self.readfile.fileno()))

    def chattr(self, attr: SFTPAttributes) -> int:
        return _done(lambda: SFTPServer.set_file_attr(f"/dev/fd/{self.readfile.fileno()}", attr))


def _real(path: str) -> str:
    return os.path.join(Path.home(), path)


def _status(look: Callable[[], os.stat_result]) -> SFTPAttributes | int:
    try:
        return SFTPAttributes.from_stat(look())
    except OSError as error:
        return _code(error)


def _done(act: Callable[[], None]) -> int:
    try:
        act()
    except OSError as error:
        return _code(error)
    return SFTP_OK


def _code(error: OSError) -> int:
    return SFTPServer.convert_errno(error.errno or 0)
