"""Tests (``x is …``) of addresses of documents, of what ansible-vault encrypted, and of tasks in the background.

Names, arguments and results are those that ansible-core documents for its tests of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2.exceptions import FilterArgumentError

from drumline.source.vault import VAULT


def _result(value: Any, test: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FilterArgumentError(f"'is {test}' asks about a task's result, and this is a {type(value).__name__}.")
    return value


def started(result: Any) -> bool:
    """The task was started in the background."""
    found = _result(result, "started")
    return bool(found.get("started", 1) in (1, True)) if "started" in found else True


def finished(result: Any) -> bool:
    """The task in the background has ended."""
    found = _result(result, "finished")
    return bool(found.get("finished", 0) in (1, True)) if "finished" in found else True


def timedout(result: Any) -> bool:
    """The task took longer than it was allowed to."""
    found = _result(result, "timedout").get("timedout", False)
    return bool(found.get("period", False)) if isinstance(found, Mapping) else bool(found)


def uri(value: Any, schemes: list[str] | None = None) -> bool:
    """It is a URI of one of these schemes; without them, as in Ansible, whatever can be taken apart."""
    try:
        return not schemes or urlsplit(str(value)).scheme in schemes
    except ValueError:
        return False


def url(value: Any, schemes: list[str] | None = None) -> bool:
    """It is a URL: a URI with a place."""
    if not uri(value, schemes):
        return False
    parts = urlsplit(str(value))
    return bool(parts.netloc) or parts.scheme == "file"


def urn(value: Any) -> bool:
    """It is a URN."""
    return uri(value, ["urn"])


def vault_encrypted(value: Any) -> bool:
    """It is text that ansible-vault encrypted."""
    from drumline.source.vault_format import VaultDamaged, parse

    try:
        parse(str(value).encode("utf-8", "surrogateescape"))
    except VaultDamaged:
        return False
    return True


def vaulted_file(value: Any) -> bool:
    """It is the path of a file that ansible-vault encrypted."""
    try:
        with Path(str(value)).expanduser().open("rb") as file:
            return file.read(len(VAULT)) == VAULT
    except OSError as error:
        raise FilterArgumentError(f"{value} can't be read: {error.strerror}.") from None
