"""The command line. ``main`` answers the commonest questions without loading anything that they don't need."""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import sys
from pathlib import Path


def main() -> None:
    """Entry point of ``drumline``."""
    if sys.argv[1:] in ([], ["--help"], ["-h"]):
        # click alone takes four times as long to import as Python takes to start. tests/cli/test_help.py keeps the
        # file equal to what click says.
        print(Path(__file__).with_name("help.txt").read_text(encoding="utf-8"), end="")
        return
    _collect_seldom()
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
        raise SystemExit(f"error: The output can't be written: {error.strerror}") from None
    finally:
        _end()


def _interrupt_again(fault: sys.UnraisableHookArgs) -> None:
    """A Ctrl-C amid what can't raise, such as a callback of the import system, comes again in a moment."""
    if fault.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(fault)
        return
    import signal
    import threading

    threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGINT]).start()


def _end() -> None:
    """Keep the exit status, whatever still happens while Python ends."""
    import signal
    import threading

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C has nothing left to stop
    # What a closed pipe or a full disk won't take is given up; Python would make exit status 120 of it.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    ended = sys.exc_info()[1]
    if threading.active_count() > 1 and isinstance(ended, SystemExit) and isinstance(ended.code, int):
        # A thread that a silent host holds is unwound when Python ends; in a library written in Rust that aborts.
        os._exit(ended.code)


def _collect_seldom() -> None:
    """Make Python look for cycles of garbage less often; together this is a sixth of the CPU time of a small run."""
    # Importing makes tens of thousands of objects that stay; at the usual 700 Python looks through them time and again.
    gc.set_threshold(200_000)
    # At the end Python would look through all there is once more, only for the system to take the memory back anyway.
    atexit.register(gc.freeze)
