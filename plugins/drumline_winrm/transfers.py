"""Files to and from one host, through its warm PowerShell: stopped in mid-file, within bounds, whole or not at all.

A file goes up in pieces, each a request. Between two of them it can be given up, and then PowerShell removes what has
arrived. A file comes down as output, which only the end of the PowerShell stops.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from drumline.plugin import ConnectionLost, Get, HostError, Put, Stream, TransferFailed, TransferStopped
from drumline.plugin.leftovers import temporary_name
from drumline_winrm import frames
from drumline_winrm.client import WsmanClient
from drumline_winrm.faults import ShellGone
from drumline_winrm.warm import NotInTime, WarmPowerShell, WarmResult

#: Seconds for the host to remove what has arrived of a file that was given up.
_GRACE = 5.0
#: bytes of what a host says about a transfer that are kept
_MOST_SAID = 65_536


class Transfers:
    """The transfers of one session; ``ended`` says whether the one that is under way was interrupted."""

    def __init__(
        self,
        client: WsmanClient,
        warm: WarmPowerShell,
        start: Callable[[float | None], None],
        ended: Callable[[], bool],
    ) -> None:
        self._client = client
        self._warm = warm
        self._start = start
        self._ended = ended

    def put(self, request: Put) -> None:
        """See :class:`drumline.plugin.Session`."""
        transfer = _Transfer(request.destination, self._client.settings.name, request.timeout, self._ended)
        try:
            with _opened(request.source) as file:
                answer = self._move(transfer, "put", file, None)
        except OSError as error:
            raise TransferFailed("Can't read the file here", f"{request.source!r}: {error.strerror}") from error
        if answer.code != 0:
            raise transfer.stopped() or TransferFailed(
                "Can't write the file", f"{transfer.place}.", said=transfer.words()
            )

    def get(self, request: Get) -> None:
        """See :class:`drumline.plugin.Session`."""
        transfer = _Transfer(request.source, self._client.settings.name, request.timeout, self._ended)
        temporary = request.destination.with_name(temporary_name())
        try:
            with temporary.open("wb") as file:
                checksum = hashlib.sha256()
                answer = self._move(transfer, "get", None, lambda data: _keep(data, file, checksum))
            if answer.code != 0:
                raise TransferFailed("Can't read the file", f"{transfer.place}.", said=transfer.words())
            if answer.detail != checksum.hexdigest():
                raise TransferFailed("The file changed on its way", f"{transfer.place}: the checksums differ.")
            temporary.replace(request.destination)
        except OSError as error:
            raise TransferFailed("Can't write the file here", f"{request.destination}: {error.strerror}") from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _move(
        self, transfer: _Transfer, kind: str, source: BinaryIO | None, take: Callable[[bytes], object] | None
    ) -> WarmResult:
        """Move the file; returns how that ended, or raises ``TransferStopped``."""
        try:
            answer = self._ask(transfer, kind, source, take)
        except NotInTime:
            answer = WarmResult(code=None)
        except ConnectionLost:
            stopped = transfer.stopped()
            if stopped is not None:
                raise stopped from None
            raise
        finally:
            self._client.until = None
        if answer.code is None:
            self._warm.stop()
            raise transfer.stopped() or ConnectionLost("The host ended the transfer", transfer.place)
        return answer

    def _ask(
        self, transfer: _Transfer, kind: str, source: BinaryIO | None, take: Callable[[bytes], object] | None
    ) -> WarmResult:
        def emit(stream: Stream, data: bytes) -> None:
            if stream == "stdout" and take is not None:
                take(data)
            else:
                transfer.hear(data)

        end = transfer.end if source is None or transfer.end is None else transfer.end + _GRACE
        ended = self._ended if source is None else transfer.has_been_over
        for last in (False, True):
            self._start(transfer.end)
            self._client.until = end
            name = frames.nonce()
            # Beside the destination, by a name that a later run knows.
            line = frames.request_line(name, kind, transfer.path, directory=temporary_name() if source else None)
            try:
                return self._warm.ask(self._lines(line, source, transfer), name, emit, ended, end)
            except ShellGone as gone:
                # Nothing has come of it: the shell had ended before.
                if last or self._ended():
                    raise ConnectionLost("The host ended the shell", str(gone)) from None
        raise AssertionError  # The second attempt returns or raises.

    def _lines(self, line: bytes, source: BinaryIO | None, transfer: _Transfer) -> Iterator[bytes]:
        yield line
        if source is None:
            return
        source.seek(0)
        checksum = hashlib.sha256()
        while piece := source.read(self._warm.piece_size()):
            if transfer.is_over():
                yield frames.GIVE_UP_LINE
                return
            checksum.update(piece)
            yield frames.piece_of(piece)
        yield frames.last_line(checksum.hexdigest())


class _Transfer:
    """What is known of one transfer while it lasts."""

    def __init__(self, path: str, host: str, timeout: float | None, ended: Callable[[], bool]) -> None:
        self.path = path
        self.place = f"{path} on {host}"
        #: When its time is up, by the monotonic clock.
        self.end = None if timeout is None else time.monotonic() + timeout
        self._timeout = timeout
        self._ended = ended
        self._over: float | None = None
        self._said = bytearray()

    def is_over(self) -> bool:
        """Whether it is not wanted any more."""
        if self._over is None and (self._ended() or (self.end is not None and time.monotonic() >= self.end)):
            self._over = time.monotonic()
        return self._over is not None

    def has_been_over(self) -> bool:
        """The same, for so long that the host should have given it up."""
        return self.is_over() and self._over is not None and time.monotonic() > self._over + _GRACE

    def stopped(self) -> HostError | None:
        """Why it was given up; None if it was not."""
        if self._ended():
            return TransferStopped("The transfer was interrupted", f"{self.place}: what had arrived was removed.")
        if self.is_over():
            why = f"{self.place}: it wasn't finished within {self._timeout:g} s; what had arrived was removed."
            return TransferStopped("The transfer timed out", why, timed_out=True)
        return None

    def hear(self, data: bytes) -> None:
        """The host says something about it."""
        if len(self._said) < _MOST_SAID:
            self._said += data

    def words(self) -> str:
        """All that it said."""
        return " ".join(self._said.decode(errors="replace").split())


def _opened(source: bytes | Path) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _keep(data: bytes, file: BinaryIO, checksum: hashlib._Hash) -> None:
    checksum.update(data)
    file.write(data)
