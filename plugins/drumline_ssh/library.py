"""Imports paramiko as late as can be, and without what nobody here needs of it."""

from __future__ import annotations

import importlib
import sys
import threading
from typing import Any

_lock = threading.Lock()


def load_paramiko() -> None:
    """Import paramiko; call this before the first module that does.

    paramiko imports invoke for one thing, ``Match exec`` in ``ssh_config``, and that brings asyncio and unittest: a
    third of the time that all of paramiko takes. It goes on without; ``load_invoke`` makes up for it.
    """
    with _lock:
        if "paramiko" in sys.modules or "invoke" in sys.modules:
            return
        sys.modules["invoke"] = None  # type: ignore[assignment]  # to importing code: not installed
        try:
            importlib.import_module("paramiko")
        finally:
            del sys.modules["invoke"]


def load_invoke() -> None:
    """Let paramiko obey ``Match exec``."""
    load_paramiko()
    config: Any = importlib.import_module("paramiko.config")
    if config.invoke is None:
        config.invoke = importlib.import_module("invoke")
