"""Filters over text: paths, regular expressions, encodings, checksums, times, sizes.

Names, arguments and results are those that ansible-core documents for its filters of the same names.
"""

from __future__ import annotations

import base64
import hashlib
import os
import posixpath
import re
import shlex
import uuid
from collections.abc import Iterable
from datetime import datetime
from time import gmtime, localtime, strftime
from typing import Any
from urllib.parse import urlsplit

from jinja2.exceptions import FilterArgumentError

from drumline.templating import regular

_UNITS = ("Y", "Z", "E", "P", "T", "G", "M", "K")
_SIZE = re.compile(r"\s*(?P<number>\d*\.?\d+)\s*(?P<unit>[A-Za-z]*)\s*\Z")
#: Beginning, decoration of each line, end.
_COMMENTS = {
    "plain": ("", "# ", ""),
    "erlang": ("", "% ", ""),
    "c": ("", "// ", ""),
    "cblock": ("/*", " * ", " */"),
    "xml": ("<!--", " - ", "-->"),
}
_POSIX_SPECIAL = re.compile(r"[].[^$*\\]")
#: Namespace of ``to_uuid`` without one; ansible-core's, so that the same text gives the same id.
_UUID_NAMESPACE = "361E6D51-FAEC-444A-9079-341386DA8E2E"


def b64encode(value: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    """The text's bytes in base64."""
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    return encode(_bytes(value, encoding)).decode()


def b64decode(value: Any, encoding: str = "utf-8", urlsafe: bool = False) -> str:
    """The text whose bytes are given in base64."""
    decode = base64.urlsafe_b64decode if urlsafe else base64.b64decode
    return decode(_bytes(value, "ascii")).decode(encoding)


def hash_of(value: Any, hashtype: str = "sha1") -> str:
    """The checksum of the text's UTF-8, in hexadecimal."""
    try:
        digest = hashlib.new(hashtype, usedforsecurity=False)
    except ValueError:
        raise FilterArgumentError(f"There is no checksum '{hashtype}'.") from None
    digest.update(_bytes(value, "utf-8"))
    return digest.hexdigest()


def md5(value: Any) -> str:
    """The MD5 checksum of the text's UTF-8, in hexadecimal."""
    return hash_of(value, "md5")


def _bytes(value: Any, encoding: str) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(encoding, "surrogateescape")


def path_join(parts: str | Iterable[str]) -> str:
    """The parts as one path; what stands before an absolute part is dropped."""
    return posixpath.join(parts) if isinstance(parts, str) else posixpath.join(*parts)


def commonpath(paths: Iterable[str]) -> str:
    """The longest path that all of them begin with."""
    return posixpath.commonpath(list(paths))


def relpath(path: str, start: str = os.curdir) -> str:
    """The path as seen from ``start``."""
    return os.path.relpath(path, start)


def regex_replace(
    value: Any = "",
    pattern: str = "",
    replacement: str = "",
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
    mandatory_count: int = 0,
) -> str:
    """The text with what matches replaced, at most ``count`` times."""
    flags = regular.flags(ignorecase, multiline)
    text: str
    new = str(replacement)
    text, found = regular.match("subn", pattern, flags, str(value), new, count, written=len(new))
    if mandatory_count and found != mandatory_count:
        raise FilterArgumentError(f"'{pattern}' has to match {mandatory_count} times, and matches {found} times.")
    return text


def regex_search(
    value: Any, regex: str, *groups: str, ignorecase: bool = False, multiline: bool = False
) -> str | list[str] | None:
    r"""What matches first, or its groups as a list (``'\\1'``, ``'\\g<name>'``); None when nothing does."""
    found = regular.match("groups", regex, regular.flags(ignorecase, multiline), str(value), [*map(_group, groups)])
    if found is None or not groups:
        return found[0] if found else None
    return list(found[1:])


def _group(text: str) -> str | int:
    named = re.fullmatch(r"\\g<(\S+)>|\\(\d+)", text)
    if named is None:
        raise FilterArgumentError(f"'{text}' is no group; write '\\\\1' or '\\\\g<name>'.")
    name = named.group(1) or named.group(2)
    return int(name) if name.isdigit() else name


def regex_findall(value: Any, regex: str, multiline: bool = False, ignorecase: bool = False) -> list[Any]:
    """All matches, or their groups."""
    found: list[Any] = regular.match("findall", regex, regular.flags(ignorecase, multiline), str(value))
    return found


def regex_escape(value: Any, re_type: str = "python") -> str:
    """The text as a regular expression that matches nothing else."""
    if re_type == "python":
        return re.escape(str(value))
    if re_type == "posix_basic":
        return _POSIX_SPECIAL.sub(r"\\\g<0>", str(value))
    raise FilterArgumentError(f"re_type is 'python' or 'posix_basic', not '{re_type}'.")


def quote(value: Any) -> str:
    """The text as one word of a POSIX shell."""
    return shlex.quote("" if value is None else str(value))


def split(value: str, sep: str | None = None, maxsplit: int = -1) -> list[str]:
    """The text's parts between separators, by default between runs of white space."""
    return value.split(sep, maxsplit)


def comment(text: str, style: str = "plain", **options: Any) -> str:
    """The text as a comment. Options: decoration, beginning, end, prefix, postfix, newline and counts of these."""
    if style not in _COMMENTS:
        raise FilterArgumentError(f"There is no style of comment '{style}'; there are {', '.join(_COMMENTS)}.")
    beginning, decoration, end = _COMMENTS[style]
    decoration = str(options.get("decoration", decoration))
    newline = str(options.get("newline", "\n"))
    blank = {"prefix": decoration.rstrip(), "postfix": decoration.rstrip()}
    lines = [f"{decoration}{line}".rstrip() for line in text.split(newline)]
    for side in blank:
        filler = [str(options.get(side, blank[side])).rstrip()] * int(options.get(f"{side}_count", 1))
        lines = filler + lines if side == "prefix" else lines + filler
    framed = [str(options.get("beginning", beginning)), *lines, str(options.get("end", end))]
    return newline.join(framed[0 if framed[0] else 1 : None if framed[-1] else -1])


def to_datetime(value: str, format: str = "%Y-%m-%d %H:%M:%S") -> datetime:
    """The moment that the text names."""
    return datetime.strptime(value, format)


def format_time(format: str, second: float | None = None, utc: bool = False) -> str:
    """A moment (seconds since the epoch, or now) as text, in the format that is filtered."""
    moment = None if second is None else float(second)
    return strftime(format, gmtime(moment) if utc else localtime(moment))


def human_readable(size: float, isbits: bool = False, unit: str | None = None) -> str:
    """A number of bytes or bits with its unit, such as ``1.00 KB``."""
    number, letter = float(size), "b" if isbits else "B"
    word = "bits" if isbits else "Bytes"
    for place, prefix in enumerate(_UNITS):
        factor = 1 << 10 * (len(_UNITS) - place)
        if (unit is None and number >= factor) or (unit is not None and unit.upper() == prefix):
            return f"{number / factor:.2f} {prefix}{letter}"
    return f"{number:.2f} {word}"


def human_to_bytes(size: Any, default_unit: str | None = None, isbits: bool = False) -> int:
    """The number of bytes (or bits) that a text such as ``10 MB`` means; a K is 1024."""
    match = _SIZE.match(str(size))
    unit = (match["unit"] or default_unit or "B") if match else ""
    prefix, letter = unit[:1].upper(), unit[1:]
    if match and letter in ("", "b" if isbits else "B") and prefix in _UNITS:
        return round(float(match["number"]) * (1 << 10 * (len(_UNITS) - _UNITS.index(prefix))))
    if match and prefix == "B" and not letter:
        return round(float(match["number"]))
    raise FilterArgumentError(f"'{size}' is no size; write a number and a unit, such as 10 MB.")


def url_parts(value: str, query: str = "") -> Any:
    """The parts of a URL by name, or the one that is asked for."""
    parts = urlsplit(value)
    known = {
        name: getattr(parts, name)
        for name in ("fragment", "hostname", "netloc", "password", "path", "port", "query", "scheme", "username")
    }
    if not query:
        return known
    if query not in known:
        raise FilterArgumentError(f"A URL has no part '{query}'; it has {', '.join(known)}.")
    return known[query]


def to_uuid(value: str, namespace: str = _UUID_NAMESPACE) -> str:
    """The version 5 UUID of the text."""
    return str(uuid.uuid5(uuid.UUID(namespace), value))
