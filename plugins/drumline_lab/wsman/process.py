"""Runs one command line on this machine and hands over its output as it comes."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Stream = Literal["stdout", "stderr"]

#: What Windows gives for a command that Ctrl-C has ended (STATUS_CONTROL_C_EXIT).
INTERRUPTED = 3221225786
_PIECE = 1 << 16


class Sink(Protocol):
    """Takes what a process says; called on the process's own thread."""

    def emit(self, stream: Stream, data: bytes) -> None:
        """Take output. Blocks while too much of it waits to be fetched."""
        ...

    def finish(self, exit_code: int | None) -> None:
        """The process and its output have ended."""
        ...


class Running(Protocol):
    """A command that has started."""

    def write(self, data: bytes, end: bool, timeout: float) -> None:
        """Feed its standard input; raises ``BrokenPipeError`` when no one reads any more, ``TimeoutError``."""
        ...

    def interrupt(self) -> None:
        """End it as Ctrl-C does."""
        ...

    def kill(self) -> None:
        """End it and all that it has started; it still finishes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start: the whole environment, nothing inherited."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str | None = None
    code: Path | None = None  #: A file that holds the exit code at the end, which may have 32 bits.


class ShellProcess:
    """A process group of its own, with one thread that reads both streams in the order in which they come."""

    def __init__(
        self,
        launch: Launch,
        sink: Sink,
        *,
        linger: float,
        crlf: bool = False,
        after: Callable[[int], None] | None = None,
    ) -> None:
        """Start it; raises ``OSError``. ``after`` is called with its number when it has ended."""
        self._sink = sink
        self._after = after
        self._code = launch.code
        self._linger = linger
        self._translate: Callable[[bytes], bytes] = _to_crlf if crlf else bytes
        self._interrupted = False
        self._stdin_lock = threading.Lock()
        self._popen = subprocess.Popen(
            launch.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=launch.directory,
            env=dict(launch.environment),
            bufsize=0,
            start_new_session=True,
        )
        assert self._popen.stdin is not None
        os.set_blocking(self._popen.stdin.fileno(), False)
        self._thread = threading.Thread(target=self._pump, name=f"process {self._popen.pid}", daemon=True)
        self._thread.start()

    def write(self, data: bytes, end: bool, timeout: float) -> None:
        """Feed standard input, waiting up to ``timeout`` seconds for the process to read."""
        with self._stdin_lock:
            stdin = self._popen.stdin
            if stdin is None or stdin.closed:
                raise BrokenPipeError
            _write_all(stdin.fileno(), data, time.monotonic() + timeout)
            if end:
                stdin.close()

    def interrupt(self) -> None:
        """Ctrl-C: the process group, and whoever ignores it, is ended."""
        self._interrupted = True
        self.kill()

    def kill(self) -> None:
        """End the process group; descendants that Windows hosts keep elsewhere end with their parent."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, signal.SIGKILL)

    def join(self, timeout: float) -> None:
        """Wait until its thread has ended."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _pump(self) -> None:
        try:
            self._read_all()
        finally:
            code = self._popen.wait()
            with self._stdin_lock:
                for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
                    assert pipe is not None
                    pipe.close()
            if self._after is not None:
                self._after(self._popen.pid)
            self._sink.finish(INTERRUPTED if self._interrupted else self._exit_code(code))

    def _exit_code(self, status: int) -> int:
        """A process that a signal has ended has, as on Windows, the code 1 of TerminateProcess."""
        told = _told(self._code) if self._code is not None else None
        if told is not None:
            return told
        return status if status >= 0 else 1

    def _read_all(self) -> None:
        streams: dict[int, Stream] = {}
        with selectors.DefaultSelector() as selector:
            for stream, pipe in (("stdout", self._popen.stdout), ("stderr", self._popen.stderr)):
                assert pipe is not None
                streams[selector.register(pipe, selectors.EVENT_READ).fd] = stream  # type: ignore[assignment]
            ended = False
            while selector.get_map():
                ready = selector.select(self._linger)
                if not ready:
                    # A process that is left in the background holds the pipes open, possibly for ever: once the
                    # command itself is seen to have ended, one more silence is enough.
                    if ended:
                        return
                    ended = self._popen.poll() is not None
                for key, _ in ready:
                    data = os.read(key.fd, _PIECE)
                    if data:
                        self._sink.emit(streams[key.fd], self._translate(data))
                    else:
                        selector.unregister(key.fileobj)


class Canned:
    """Output that a test has prepared, in place of a process. What is written to it is kept in ``received``."""

    def __init__(self, *output: tuple[Stream, bytes], exit_code: int | None = 0) -> None:
        self.received = bytearray()
        self._output = output
        self._exit_code = exit_code

    def start(self, sink: Sink) -> Canned:
        """Say everything, as fast as it is fetched."""
        threading.Thread(target=self._say, args=(sink,), name="canned output", daemon=True).start()
        return self

    def write(self, data: bytes, end: bool, timeout: float) -> None:
        self.received += data

    def interrupt(self) -> None:
        """It has ended already."""

    def kill(self) -> None:
        """It has ended already."""

    def _say(self, sink: Sink) -> None:
        for stream, data in self._output:
            sink.emit(stream, data)
        sink.finish(self._exit_code)


def _write_all(fd: int, data: bytes, deadline: float) -> None:
    view = memoryview(data)
    while view:
        remaining = deadline - time.monotonic()
        # poll, not select: file numbers above 1024 are usual here.
        poller = select.poll()
        poller.register(fd, select.POLLOUT)
        if not poller.poll(max(0, remaining) * 1000):
            raise TimeoutError
        with contextlib.suppress(BlockingIOError):
            view = view[os.write(fd, view) :]


def _to_crlf(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r\n")


def _told(file: Path) -> int | None:
    """The code in a file, 0 to 2**32 - 1, and the file removed; None for a command that came to no end of its own."""
    try:
        return int(file.read_text()) & 0xFFFFFFFF
    except (OSError, ValueError):
        return None
    finally:
        file.unlink(missing_ok=True)
