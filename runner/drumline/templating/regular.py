"""Regular expressions in templates: bounded by the time that a rendering has (``budget``)."""

from __future__ import annotations

import re
from typing import Any

from jinja2.exceptions import FilterArgumentError

from drumline import regexes
from drumline.templating.bounds import ValueTooLarge
from drumline.templating.budget import left

_IGNORECASE, _MULTILINE = int(re.IGNORECASE), int(re.MULTILINE)


def match(operation: str, pattern: str, flags: int, text: str, *more: Any, written: int = 0) -> Any:
    """What the operation of ``regex_worker`` gives. ``written`` is the length of what each match may be replaced by."""
    try:
        return regexes.match(operation, pattern, flags, text, *more, written=written, seconds=left())
    except regexes.RegexTooLarge:
        raise ValueTooLarge from None
    except regexes.RegexInvalid as error:
        raise FilterArgumentError(str(error)) from None


def flags(ignorecase: bool, multiline: bool) -> int:
    """The flags of ``re`` for these options of filters and tests."""
    return (_IGNORECASE if ignorecase else 0) | (_MULTILINE if multiline else 0)
