"""Scripts with blanks in them."""

from __future__ import annotations

import re


def filled(text: str, **values: str) -> str:
    """The text with these values in the place of ``@NAME@``; a value may hold such blanks, which are left alone."""
    return re.sub(r"@([A-Z_]+)@", lambda found: values.get(found[1], found[0]), text)
