"""Entering and leaving the program: broken output never raises, Ctrl-C works at any moment, the exit status is kept."""

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
    # Importing makes more than fifty thousand objects that stay. With the default threshold of 700, Python searches
    # them for cycles again and again, which takes a sixth of the CPU time of a small run.
    gc.set_threshold(200_000)
    sys.unraisablehook = _raise_again
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with suppress(OSError):  # what is left of a help that could not be written
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
    """Open those of the three standard streams that the program was started without.

    Otherwise the next file opened would get their number, and receive their output. Writing to a standard output that
    was closed fails, as on a full disk.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR if number == 2 else os.O_RDONLY)  # opened at the lowest free number
    # They stay open until the process ends: closefd=False, as for Python's own.
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _explained(error: Exception) -> str:
    """The message for an error that no command expects."""
    if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT:
        return f"error: The output can't be written: {error.strerror}"
    from drumline.missing import missing_package

    missing = missing_package(error)
    if missing:  # what follows may need the package itself
        return f"error: A part of drumline's installation is missing\n  {missing[0].upper()}{missing[1:]}"
    from drumline.errors import lacking

    lack = lacking(error)
    if lack:
        return f"error: This machine has run out of a resource\n  {lack[0].upper()}{lack[1:]}"
    if isinstance(error, RecursionError):
        return "error: Something is nested too deeply\n  It is in the playbook, the inventory, or a file named there."
    import traceback  # imported late: a Ctrl-C during the import would go unhandled

    if os.environ.get("DRUMLINE_TRACEBACK"):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        "error: This is a fault in drumline\n"
        f"  {type(error).__name__}: {error} ({os.path.basename(place.filename)}:{place.lineno}). Please report it; "
        "DRUMLINE_TRACEBACK=1 in the environment adds Python's traceback."
    )


#: Errors of standard output: a full disk, a terminal that is gone, a stream that was never open.
_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EPIPE, errno.EFBIG})


def _say(text: str) -> None:
    with suppress(OSError):
        print(text, file=sys.stderr)


def _raise_again(fault: sys.UnraisableHookArgs) -> None:
    """Send a Ctrl-C again that came where nothing can be raised, such as in a callback of the import system."""
    budget = sys.modules.get("drumline.templating.budget")
    if fault.exc_type is KeyboardInterrupt:
        threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGINT]).start()
    elif budget is None or fault.exc_type is not budget.Overrun:  # raised again in a template that goes on
        sys.__unraisablehook__(fault)


def _leave() -> None:
    """Leave with the exit status that was decided, whatever fails now; other exceptions propagate to Python."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C has nothing left to stop
    # Drop what a closed pipe or a full disk doesn't take; Python would exit with status 120.
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
        # Python would tear down every object, though the system reclaims the memory anyway. It would also unwind the
        # threads that unresponsive hosts still hold, which aborts the process if one is inside a library in Rust.
        os._exit(ended.code)
