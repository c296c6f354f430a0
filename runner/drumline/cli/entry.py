"""Into the program and out of it: output that never fails, Ctrl-C at any moment, an exit status that stays."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
import threading


def enter() -> None:
    """Carry out what the command line says, and leave the process with its exit status."""
    # Importing makes more than fifty thousand objects that stay; at the usual 700 Python looks through them time and
    # again for cycles of garbage, which is a sixth of the CPU time of a small run.
    gc.set_threshold(200_000)
    sys.unraisablehook = _interrupt_again
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that isn't UTF-8 must not end a run
    try:
        from drumline.cli.program import program

        program(prog_name="drumline")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"error: The output can't be written: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        _leave()


def _interrupt_again(fault: sys.UnraisableHookArgs) -> None:
    """A Ctrl-C amid what can't raise, such as a callback of the import system, comes again in a moment."""
    if fault.exc_type is KeyboardInterrupt:
        threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGINT]).start()
    else:
        sys.__unraisablehook__(fault)


def _leave() -> None:
    """Keep the exit status, whatever still happens; other exceptions go on to Python."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C has nothing left to stop
    # What a closed pipe or a full disk won't take is given up; Python would make exit status 120 of it.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    ended = sys.exc_info()[1]
    if isinstance(ended, SystemExit) and isinstance(ended.code, int):
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()
        # Python would take all apart, for the system to take it back anyway. And it would unwind the threads that
        # silent hosts still hold, which aborts the process where one is amid a library in Rust.
        os._exit(ended.code)
