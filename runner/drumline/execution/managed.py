"""What ``ansible_managed`` is in a template, as the setting of that name says."""

from __future__ import annotations

import platform
import time
from pathlib import Path

from drumline.plugin.actions import ActionFailed


def managed(text: str, path: str) -> str:
    """The setting's text for a file; ``{file}``, ``{host}`` and ``{uid}`` stand for its name, this machine, its owner.

    What ``strftime`` knows (``%Y``) is of the time when the file was changed last. Raises ``ActionFailed`` for what
    can't be meant.
    """
    if "{" not in text and "%" not in text:
        return text
    file = Path(path)
    try:
        filled = text.format(host=platform.node(), uid=_owner(file), file=str(file.absolute()).replace("%", "%%"))
        return time.strftime(filled, time.localtime(file.stat().st_mtime))
    except (LookupError, ValueError, AttributeError) as error:
        known = "it may have {file}, {host}, {uid} and what strftime knows, such as %Y"
        raise ActionFailed(f"The setting 'ansible_managed' is wrong: {error}; {known}.") from None


def _owner(file: Path) -> str:
    try:
        return file.owner()
    except (KeyError, NotImplementedError):  # a number without a name, or Windows
        return str(file.stat().st_uid)
