"""One command as a process of this machine: fed, read, timed and ended."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING

from drumline.plugin import Emit, Ending, Exit, Stream

if TYPE_CHECKING:
    from drumline_local.terminal import Terminal

#: Bytes read or written at once.
_CHUNK = 1 << 16
#: Seconds between two looks at time-out, interrupt and the process itself.
_TICK = 0.05
#: Seconds for which output is still taken after the end, where a child left behind holds it open.
_GRACE = 0.25


class Process:
    """A shell that runs one script, in a session (in the kernel's sense) of its own.

    The script reaches the shell as a nameless file, not as an argument: arguments are limited to 128 KiB on Linux, and
    everyone sees them in the process list.
    """

    def __init__(
        self,
        script: str,
        *,
        terminal: Terminal | None = None,
        kill_foreign: Callable[[list[int]], None] | None = None,
    ) -> None:
        """``kill_foreign`` ends processes of its tree that belong to another user."""
        self._terminal = terminal
        self.kill_foreign = kill_foreign
        self._stays_open = False
        self.early: Exit | None = None  #: When it was ended before its script began.
        self._deadline: float | None = None
        self._interrupted = threading.Event()
        self._input: bytes | None = None  # what ``feed`` was given, to feed it once more if need be
        self._stdin = memoryview(b"")
        self._script = _nameless(script.encode(errors="surrogateescape"))
        try:
            self._begin()
        except BaseException:
            self._script.close()
            raise

    def _begin(self) -> None:
        self._popen = _start(self._script, self._terminal)
        self._selector = selectors.DefaultSelector()
        self._watch()

    def lead(self, data: bytes, emit: Emit) -> None:
        """Write what goes ahead of its input, and return when it has been taken in."""
        self._stays_open = True
        self._stdin = memoryview(data)
        self._selector.register(self._popen.stdin, selectors.EVENT_WRITE, "stdin")  # type: ignore[arg-type]
        self.early = self.communicate_until(lambda: not self._stdin, emit)
        self._stays_open = False

    def feed(self, stdin: bytes) -> None:
        """All of its input, or what is left of it."""
        assert self._popen.stdin
        self._input = stdin
        self._stdin = memoryview(stdin)
        if self._stdin:
            self._selector.register(self._popen.stdin, selectors.EVENT_WRITE, "stdin")
        else:
            self._popen.stdin.close()

    def say(self, word: bytes) -> None:
        """Write a few bytes ahead of its input, at once. Raises nothing; one that is gone doesn't hear."""
        assert self._popen.stdin
        with suppress(OSError):
            os.write(self._popen.stdin.fileno(), word)

    def limit(self, deadline: float | None) -> None:
        """Its time is up then, by the monotonic clock."""
        self._deadline = deadline

    def communicate(self, emit: Emit) -> Exit:
        """Feed and read it until it has ended; end it when its time is up or ``interrupt`` was called."""
        while (exit_ := self.exit(emit)) is None:
            self._pass_on(emit, self._patience())
        return exit_

    def communicate_until(self, reached: Callable[[], bool], emit: Emit) -> Exit | None:
        """The same until it has said something, and goes on."""
        while (exit_ := self.exit(emit)) is None and not reached():
            self._pass_on(emit, self._patience())
        return exit_

    def exit(self, emit: Emit) -> Exit | None:
        """What came of it if it has ended, or is to be ended now."""
        over = self._popen.poll() is not None
        if over and not self._was_hit():
            self._read_the_rest(emit)
            return Exit(code=_code(self._popen.returncode))
        ending = self._reason_to_end()
        if ending is None:
            if over:
                self._begin_again()
            return None
        self._end_tree()
        self._read_the_rest(emit)
        return Exit(code=None, ending=ending)

    def over(self, emit: Emit) -> bool:
        """Whether it has ended, without waiting; its output until now is passed on."""
        self._pass_on(emit, 0)
        return self._popen.poll() is not None

    @property
    def interrupted(self) -> bool:
        """Someone called ``interrupt``."""
        return self._interrupted.is_set()

    def interrupt(self) -> None:
        """Make ``communicate`` end the process and its children; from any thread."""
        self._interrupted.set()

    def close(self) -> None:
        """Give everything back; whoever still runs because ``communicate`` was left by an exception is ended."""
        if self._popen.poll() is None:
            self._end_tree()
        self._script.close()
        self._let_go()

    def _end_tree(self) -> None:
        from drumline_local.tree import end_tree  # with psutil, whose import takes longer than most commands

        if self.kill_foreign is not None:  # what waits for a password ends with its input, or its terminal
            _close(self._popen.stdin)
            self._let_go_of_terminal()
        end_tree(self._popen, self.kill_foreign)

    def _let_go(self) -> None:
        self._selector.close()
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            _close(pipe)
        self._let_go_of_terminal()

    def _let_go_of_terminal(self) -> None:
        if self._terminal is not None:
            self._forget(self._terminal)
            self._terminal.close()

    def _forget(self, stream: object) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(stream)  # type: ignore[arg-type]

    def _was_hit(self) -> bool:
        """Whether a Ctrl-C for drumline ended it before its shell was there: the script was not begun.

        The terminal sends the signal to all processes of drumline's group, to which a new one belongs for a moment.
        """
        if self._popen.returncode != -signal.SIGINT:
            return False
        file = self._script.fileno()
        # Where opening /dev/fd/N gives the same open file, as in BSD, it can't be emptied, but reading moves it.
        return os.fstat(file).st_size > 0 and os.lseek(file, 0, os.SEEK_CUR) == 0

    def _begin_again(self) -> None:
        self._let_go()
        self._begin()
        if self._input is not None:
            self.feed(self._input)

    def _watch(self) -> None:
        assert self._popen.stdin
        assert self._popen.stdout
        assert self._popen.stderr
        for pipe in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(self._popen.stdout, selectors.EVENT_READ, "stdout")
        self._selector.register(self._popen.stderr, selectors.EVENT_READ, "stderr")
        if self._terminal is not None:
            self._selector.register(self._terminal, selectors.EVENT_READ, "terminal")

    def _reason_to_end(self) -> Ending | None:
        if self._interrupted.is_set():
            return Ending.INTERRUPTED
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return Ending.TIMED_OUT
        return None

    def _pass_on(self, emit: Emit, patience: float) -> None:
        """Wait a moment for something to be read or written, and do it."""
        for key, _ in self._selector.select(patience):
            if key.data == "stdin":
                self._feed(key.fileobj)
            elif key.data == "terminal":
                self._read_terminal()
            else:
                self._read(key.fileobj, key.data, emit)
        if not self._selector.get_map():
            self._wait_for_the_end(patience)

    def _patience(self) -> float:
        if self._deadline is None:
            return _TICK
        return max(0.0, min(_TICK, self._deadline - time.monotonic()))

    def _wait_for_the_end(self, patience: float) -> None:
        """With all streams closed only the process is left to wait for."""
        try:
            self._popen.wait(patience)
        except subprocess.TimeoutExpired:
            return

    def _read_the_rest(self, emit: Emit) -> None:
        last = time.monotonic() + _GRACE
        self._forget(self._popen.stdin)
        self._forget(self._terminal)
        while self._selector.get_map() and time.monotonic() < last:
            for key, _ in self._selector.select(_TICK):
                self._read(key.fileobj, key.data, emit)

    def _feed(self, pipe: object) -> None:
        assert self._popen.stdin
        try:
            self._stdin = self._stdin[os.write(self._popen.stdin.fileno(), self._stdin[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = self._stdin[:0]
        if not self._stdin:
            self._selector.unregister(self._popen.stdin)
            if not self._stays_open:
                self._popen.stdin.close()

    def _read_terminal(self) -> None:
        assert self._terminal is not None
        if not self._terminal.read():
            self._forget(self._terminal)

    def _read(self, pipe: object, stream: Stream, emit: Emit) -> None:
        source = self._popen.stdout if stream == "stdout" else self._popen.stderr
        assert source
        data = os.read(source.fileno(), _CHUNK)
        if data:
            emit(stream, data)
        else:
            self._selector.unregister(source)


def _nameless(script: bytes) -> IO[bytes]:
    with ExitStack() as failed:
        file = failed.enter_context(_new_file())
        file.write(script)
        file.flush()
        file.seek(0)
        failed.pop_all()
    return file


def _new_file() -> IO[bytes]:
    """A file that no directory has: in memory on Linux, without the modules that find a place on a disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("drumline"), "w+b")
    import tempfile

    return tempfile.TemporaryFile()


def _start(script: IO[bytes], terminal: Terminal | None) -> subprocess.Popen[bytes]:
    """The shell empties the file right before it begins."""
    name = f"/dev/fd/{script.fileno()}"
    command = ["/bin/sh", "-c", f'eval ": >{name}; $(cat {name})"', "sh"]
    return subprocess.Popen(
        command if terminal is None else terminal.command(command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        pass_fds=(script.fileno(), *(() if terminal is None else (terminal.other_end,))),
        start_new_session=True,
    )


def _code(returncode: int) -> int:
    """Popen's negative signal numbers as a shell would say them."""
    return returncode if returncode >= 0 else 128 - returncode


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()
