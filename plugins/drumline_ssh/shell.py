"""A shell on the host, kept open, and what goes to and fro on its channel."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Literal

import paramiko
from paramiko.buffered_pipe import PipeTimeout

from drumline.plugin import ConnectionLost, Emit, HostError, Stream
from drumline.plugin.becoming import PATIENCE, Dialogue
from drumline.plugin.marks import Tail
from drumline_ssh import faults, wire
from drumline_ssh.bounds import Patient

_STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")
_Kind = Literal["stdout", "stderr", "terminal", "end", "hang-up", "wake"]
#: Bytes that may be on their way to us before the host waits: two streams of a fast link.
_WINDOW = 4 * 1024 * 1024
#: Seconds for a shell to say that it is there: login shells may do a lot before.
_START_PATIENCE = 60.0
#: Seconds that it has left for that when the command that it is for is to end already.
_LATE_PATIENCE = 5.0
#: Bytes that a login may say before its shell answers, and how many of them are kept.
_NOISE = 1024 * 1024
_NOISE_KEPT = 16 * 1024
#: Bytes of input that are handed over at once.
_PIECE = 65_536
#: Seconds for a shell with nothing more to do to be gone.
_FINISH_PATIENCE = 2.0


class Woken(Exception):
    """The deadline has passed, or someone called ``wake``."""


class _TooMuch(Exception):
    """The login says more than any login would."""


class _Noise:
    """What a login says before its shell answers; the beginning is kept, for messages."""

    def __init__(self) -> None:
        self._said = b""
        self._size = 0

    def take(self, _stream: Stream, data: bytes) -> None:
        """An ``Emit``; raises ``_TooMuch``."""
        self._size += len(data)
        self._said = (self._said + data)[:_NOISE_KEPT]
        if self._size > _NOISE:
            raise _TooMuch

    @property
    def words(self) -> str:
        """Each line once, since a login that never ends repeats itself; none that is cut: a secret may be in it."""
        lines = self._said.decode(errors="replace").splitlines()
        if self._size > _NOISE_KEPT:
            lines.pop()
        return "\n".join(dict.fromkeys(line.strip() for line in lines))


#: What became of a shell's start, by what ended the waiting.
_SILENT = {
    _TooMuch: f"did not answer within {_NOISE} bytes of what the login says",
    Woken: "did not answer in time",
}


class _Inbox:
    """Stands in for both buffers of a channel, so that one thread can wait for both streams, in their true order."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[tuple[_Kind, bytes]] = queue.SimpleQueue()
        self.kind: _Kind = "end"  #: What ``read`` returned last.
        self.deadline: float | None = None

    def put(self, kind: _Kind, data: bytes = b"") -> None:
        self._items.put((kind, data))

    def __len__(self) -> int:
        return self._items.qsize()

    def read(self, _size: int, _timeout: float | None) -> bytes:
        # The channel's own time-out would count for whoever writes to it as well.
        patience = None if self.deadline is None else max(0.0, self.deadline - time.monotonic())
        try:
            self.kind, data = self._items.get(timeout=patience)
        except queue.Empty:
            raise PipeTimeout from None
        return data


class _Buffer:
    """One of the two buffers as paramiko sees it."""

    def __init__(self, inbox: _Inbox, kind: _Kind, ends: _Kind = "end") -> None:
        self._inbox = inbox
        self._kind = kind
        self._ends = ends
        self.read = inbox.read

    def feed(self, data: bytes) -> None:
        self._inbox.put(self._kind, data)

    def close(self) -> None:
        self._inbox.put(self._ends)

    def __len__(self) -> int:
        return 0


class SshShell:
    """One exec channel. Used by one thread; ``wake`` may be called by others."""

    def __init__(self, transport: paramiko.Transport, program: str, place: str, timeout: float) -> None:
        self.pid = 0  #: The shell's process id, once it is there.
        self._transport = transport
        self._place = place
        self._terminal: paramiko.Channel | None = None
        self._inbox = _Inbox()
        self._rest: dict[Stream, bytes] = dict.fromkeys(_STREAMS, b"")
        self._reading: tuple[str, dict[Stream, Tail]] | None = None
        self._channel = _open(transport, place, timeout)
        # BufferedPipe's part is taken by duck typing: feed, read and close are all that is used of it.
        self._channel.in_buffer = _Buffer(self._inbox, "stdout")  # type: ignore[assignment]
        self._channel.in_stderr_buffer = _Buffer(self._inbox, "stderr")  # type: ignore[assignment]
        # It bounds writing alone: what is read comes from the inbox.
        self._channel.settimeout(_START_PATIENCE)
        self._channel.event = Patient(_until(time.monotonic() + _START_PATIENCE))
        try:
            self._channel.exec_command(program)
        except (paramiko.SSHException, EOFError, OSError) as error:
            self.close()
            raise faults.of_channel(error, place, alive=transport.is_active()) from None

    def send(self, data: bytes) -> None:
        """Write to the shell; what earlier commands' children said since is thrown away."""
        self._rest = dict.fromkeys(_STREAMS, b"")
        for _ in range(len(self._inbox)):  # no more than is there now: they may be talking still
            kind, _data = self._receive(None)
            if kind == "end":
                raise self._ended()
        self.send_on(data)

    def lend_terminal(self, program: str) -> None:
        """Start another program on the host, at a terminal. What it shows there is taken in with what this one says."""
        self._terminal = _open(self._transport, self._place, _START_PATIENCE)
        buffer = _Buffer(self._inbox, "terminal", "hang-up")
        self._terminal.in_buffer = buffer  # type: ignore[assignment]  # as in __init__
        try:
            self._terminal.get_pty(term="dumb", width=1000)
            self._terminal.exec_command(program)
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise faults.of_channel(error, self._place, alive=self._transport.is_active()) from None

    def wait_for_terminal(self) -> None:
        """Return when the program at the terminal has shown something; raises ``Woken`` when it takes too long."""
        deadline = time.monotonic() + _START_PATIENCE
        while (kind := self._receive(deadline)[0]) != "terminal":
            if kind in ("end", "hang-up"):
                raise self._ended()
            if kind == "wake":
                raise Woken

    def become(self, dialogue: Dialogue, deadline: float | None = None) -> None:
        """Make it another user's shell. Raises ``CommandRefused``, and ``Woken`` as ``collect`` does."""
        late = time.monotonic() + PATIENCE
        end = late if deadline is None else min(late, deadline)
        self.send_on(wire.becoming(dialogue.script))
        while True:
            try:
                kind, data = self._receive(end)
            except Woken:
                if time.monotonic() < late:
                    raise
                raise dialogue.late() from None
            match kind:
                case "wake":
                    raise Woken
                case "hang-up":  # the streams end as well, with what is to be said
                    continue
                case "end":
                    if not self._transport.is_active():
                        raise self._ended()
                    raise dialogue.ended()
                case place:
                    answer = dialogue.take(place, data)
            if answer is None:
                self.send_on(dialogue.word)
                return
            if answer and place == "terminal" and self._terminal is not None:
                self._terminal.sendall(answer)
            elif answer:
                self.send_on(answer)

    def send_on(self, data: bytes) -> None:
        """Write to what runs in the shell."""
        try:
            self._channel.sendall(data)
        except (paramiko.SSHException, EOFError, OSError):
            raise self._ended() from None

    def give(self, word: bytes) -> None:
        """Write a few bytes to what runs in the shell, with nothing around it; a failure shows when it is read from."""
        try:  # noqa: SIM105 - it costs less than suppress
            self._channel.sendall(word)
        except (paramiko.SSHException, EOFError, OSError):
            pass

    def send_in_background(self, data: bytes) -> None:
        """Write in the background, then close the shell's input; the command may end before it has read it all."""

        def write() -> None:
            sent = 0
            with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                while sent < len(data):
                    with contextlib.suppress(TimeoutError):  # the command may take its time before it reads
                        sent += self._channel.send(data[sent : sent + _PIECE])
                self._channel.shutdown_write()

        threading.Thread(target=write, daemon=True, name="drumline ssh stdin").start()

    def start(self, word: str, deadline: float | None = None) -> None:
        """Read until the prologue's answer, the shell's process id.

        With its time up, or interrupted, it has a little longer: what it was sent can be ended only when it is there.
        """
        noise = _Noise()
        end = time.monotonic() + _START_PATIENCE
        if deadline is not None:
            end = min(end, max(deadline, time.monotonic()) + _LATE_PATIENCE)
        try:
            self.pid = int(self._collect_late(word, noise.take, end))
        except (ConnectionLost, ValueError, Woken, _TooMuch) as reason:
            if not self._transport.is_active():
                raise faults.lost(self._transport.get_exception(), self._place) from None
            raise HostError(
                "The host gives no usable shell",
                f"{self._place}: '{wire.START}' {_SILENT.get(type(reason), 'did not answer')}."
                " Does this user have a login shell, and is there a POSIX /bin/sh?",
                said=noise.words,
            ) from None

    def _collect_late(self, word: str, emit: Emit, end: float) -> bytes:
        while True:
            try:
                return self.collect(word, emit, end)
            except Woken:
                if time.monotonic() >= end:
                    raise
                end = min(end, time.monotonic() + _LATE_PATIENCE)

    def collect(self, word: str, emit: Emit, deadline: float | None) -> bytes:
        """Hand over output until both streams have the mark; return what stands behind it on stdout.

        Raises ``Woken`` at the deadline (of ``time.monotonic``) or after ``wake``; call again to go on.
        """
        tails = self._tails(word, emit)
        late = 0
        while tails["stdout"].answer is None or tails["stderr"].answer is None:
            kind, data = self._receive(deadline)
            if deadline is not None and time.monotonic() >= deadline:
                late += len(data)  # what was on its way is taken in, but there may be no end of it
            if kind == "wake":
                raise Woken
            if kind == "end":
                for stream in _STREAMS:
                    _emit(emit, stream, tails[stream].flush())
                raise self._ended()
            if kind not in ("stdout", "stderr"):  # what is shown at a terminal is no output
                continue
            _emit(emit, kind, tails[kind].feed(data))
            if late > _WINDOW:
                raise Woken
            if len(tails[kind].rest) > _WINDOW:  # the other mark is written right after the one that was seen
                raise wire.nonsense()
        self._rest = {stream: tails[stream].rest for stream in _STREAMS}
        return tails["stdout"].answer

    def _tails(self, word: str, emit: Emit) -> dict[Stream, Tail]:
        """The state of reading up to a word's marks; it outlives a ``Woken``."""
        if self._reading is None or self._reading[0] != word:
            tails = {stream: Tail(word) for stream in _STREAMS}
            self._reading = (word, tails)
            for stream, rest in self._rest.items():
                if rest:
                    _emit(emit, stream, tails[stream].feed(rest))
        return self._reading[1]

    def _receive(self, deadline: float | None) -> tuple[_Kind, bytes]:
        self._inbox.deadline = deadline
        try:
            # Through the channel rather than from the inbox: it gives the host leave to send more.
            data = self._channel.recv(_WINDOW)
        except TimeoutError:
            raise Woken from None
        except (paramiko.SSHException, EOFError, OSError):
            raise self._ended() from None
        return self._inbox.kind, data

    def _ended(self) -> ConnectionLost:
        if self._transport.is_active():
            return ConnectionLost(
                "The shell on the host ended",
                f"{self._place}: the command (as 'kill -9 0' does), or someone else, ended the shell that ran it."
                " Whether it has finished isn't known.",
            )
        return faults.lost(self._transport.get_exception(), self._place)

    def wake(self) -> None:
        """Make ``collect`` raise ``Woken``, now or when it is called next."""
        self._inbox.put("wake")

    def finish(self, *, end_input: bool) -> None:
        """Close when the host has closed its side, so that it has room for another shell. Raises nothing."""
        deadline = time.monotonic() + _FINISH_PATIENCE
        with contextlib.suppress(Exception):
            if end_input:
                self._channel.shutdown_write()
            while not self._channel.closed:
                self._receive(deadline)
        self.close()

    def close(self) -> None:
        """Raises nothing."""
        for channel in (self._channel, self._terminal):
            with contextlib.suppress(Exception):
                if channel is not None:
                    channel.close()


def _until(deadline: float) -> Callable[[], None]:
    def check() -> None:
        if time.monotonic() >= deadline:
            raise TimeoutError(f"it didn't answer within {_START_PATIENCE:g} s")

    return check


def _emit(emit: Emit, stream: Stream, data: bytes) -> None:
    if data:
        emit(stream, data)


def _open(transport: paramiko.Transport, place: str, timeout: float) -> paramiko.Channel:
    try:
        return transport.open_session(window_size=_WINDOW, timeout=timeout)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise faults.of_channel(error, place, alive=transport.is_active()) from None
