"""Into the program and out of it: output that never fails, Ctrl-C at any moment, an exit status that stays."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
import threading
from contextlib import suppress


def enter() -> None:
    """Run what the command line says, and leave the process with its exit status."""
    # Importing makes more than fifty thousand objects that stay; at the usual 700 Python looks through them time and
    # again for cycles of garbage, which is a sixth of the CPU time of a small run.
    gc.set_threshold(200_000)
    sys.unraisablehook = _interrupt_again
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that isn't UTF-8 must not end a run
    try:
        from drumline.cli.program import program

        program(prog_name="drumline")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        _say(_explained(error))
        raise SystemExit(1) from None
    finally:
        _leave()


def _open_closed_streams() -> None:
    """Have all three streams, though the program was started without: files would get their numbers, and their output.

    What is written to a standard output that isn't there fails, as on a full disk.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR if number == 2 else os.O_RDONLY)  # it gets the lowest number that is free
    # Until the process ends; closefd=False, since that is what they are without Python.
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _explained(error: Exception) -> str:
    """What a person is told of an error that none of the commands expects."""
    if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT:
        return f"error: The output can't be written: {error.strerror}"
    from drumline.errors import lacking

    lack = lacking(error)
    if lack:
        return f"error: This machine has too little of something\n  {lack[0].upper()}{lack[1:]}"
    if isinstance(error, RecursionError):
        return (
            "error: Something is nested too deeply\n  It is in the playbook, the inventory, or a file that they name."
        )
    import traceback  # not sooner: to import it takes time in which a Ctrl-C would meet no one

    if os.environ.get("DRUMLINE_TRACEBACK"):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        "error: This is a fault in drumline\n"
        f"  {type(error).__name__}: {error} ({os.path.basename(place.filename)}:{place.lineno}). Please report it; "
        "with DRUMLINE_TRACEBACK=1 in the environment it says more."
    )


#: What standard output may answer: a full disk, a terminal that is gone, a stream that was never open.
_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EPIPE, errno.EFBIG})


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr)


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
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    ended = sys.exc_info()[1]
    if isinstance(ended, SystemExit) and isinstance(ended.code, int):
        for thread in threading.enumerate():
            if not thread.daemon and thread is not threading.current_thread():
                thread.join()
        # Python would take all apart, for the system to take it back anyway. And it would unwind the threads that
        # silent hosts still hold, which aborts the process where one is amid a library in Rust.
        os._exit(ended.code)
