"""Signals are heard at once, and what handled them before does so again."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

from drumline.signals import heard


def test_a_signal_is_heard_while_the_main_thread_never_comes_back_to_python() -> None:
    """Hashing stands for the lock that the main thread has just begun to wait for: neither looks after signals."""
    times: list[float] = []
    with heard({signal.SIGUSR1: lambda: times.append(time.monotonic())}):
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGUSR1]).start()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000)
        back = time.monotonic()
    [at] = times
    assert at < back


def test_several_signals_and_only_those() -> None:
    calls: list[str] = []
    before = signal.signal(signal.SIGWINCH, lambda *_: None)  # it is written to the descriptor too
    enough = threading.Event()

    def second() -> None:
        calls.append("second")
        if len(calls) == 3:
            enough.set()

    try:
        with heard({signal.SIGUSR1: lambda: calls.append("first"), signal.SIGUSR2: second}):
            for number in (signal.SIGUSR1, signal.SIGWINCH, signal.SIGUSR2, signal.SIGUSR2):
                signal.raise_signal(number)
            assert enough.wait(20)
    finally:
        signal.signal(signal.SIGWINCH, before)
    assert calls == ["first", "second", "second"]


def test_what_handled_them_before_does_so_again() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with heard({signal.SIGUSR1: lambda: None}):
        assert signal.getsignal(signal.SIGUSR1) is not before
    assert signal.getsignal(signal.SIGUSR1) is before
    assert signal.set_wakeup_fd(-1) == -1


def _python(text: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(text)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_ctrl_c_amid_a_callback_is_not_lost() -> None:
    """Python can't let a weak reference's callback raise, of which its import system has many."""
    ended = _python(
        """
        import signal, sys, time, weakref
        from drumline.cli import main

        class Module: pass

        def load():
            module = Module()
            name = weakref.ref(module, lambda _: signal.raise_signal(signal.SIGINT))
            del module
            time.sleep(30)  # not to the end: the Ctrl-C comes again meanwhile

        import drumline.cli.program
        drumline.cli.program.program = lambda prog_name: load()
        sys.argv = ["drumline", "plugins"]
        main()
        """
    )
    assert (ended.returncode, ended.stderr) == (130, "")


def test_a_thread_that_never_ends_does_not_touch_the_exit_status() -> None:
    """Python would unwind it on the way out, which aborts the process where the thread is amid a library in Rust."""
    ended = _python(
        """
        import atexit, sys, threading
        from drumline.cli import main

        atexit.register(print, "Python ends")
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        sys.argv = ["drumline", "plugins", "--nothing"]
        main()
        """
    )
    assert (ended.returncode, ended.stdout) == (5, ""), ended.stderr
    assert "--nothing" in ended.stderr
