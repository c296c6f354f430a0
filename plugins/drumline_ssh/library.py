"""Imports paramiko as late as can be, and without what no one here needs of it."""

from __future__ import annotations

import importlib
import sys
import threading

_lock = threading.Lock()


def load_paramiko() -> None:
    """Import paramiko; call this before the first module that does.

    paramiko imports invoke for one thing, ``Match exec`` in ``ssh_config``, which drumline reads by itself; and that
    brings asyncio and unittest: a third of the time that all of paramiko takes.
    """
    with _lock:
        if "paramiko" in sys.modules or "invoke" in sys.modules:
            return
        sys.modules["invoke"] = None  # type: ignore[assignment]  # to importing code: not installed
        try:
            importlib.import_module("paramiko")
        finally:
            del sys.modules["invoke"]
