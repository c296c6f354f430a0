"""Every form in which programs are known to print a secret text, as bytes in their output.

Encodings that pack bytes together (base64, base32) depend on what comes before and after the text. For these, the part
that doesn't depend on its neighbours is given, at each alignment. It omits at most one letter at each end.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

#: Single lines of a multi-line value are recognised from this length on.
_SHORTEST_LINE = 8
#: Encoded forms are recognised from this length on: shorter ones occur in any text by chance.
_SHORTEST_ENCODED = 5
#: Texts with more characters are recognised only as they are and line by line: a hundred forms of them would
#: take too much memory.
_LONGEST_ENCODED = 16 * 1024
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_NOT_PLAIN = re.compile(r"([^\w@%+=:,./-])")
_XML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_XML_QUOTES: tuple[dict[str, str], ...] = (
    {},
    {'"': "&quot;", "'": "&apos;"},
    {'"': "&#34;", "'": "&#39;"},
    {'"': "&quot;", "'": "&#x27;"},
)
#: Further escapes of PowerShell's ConvertTo-Json, and of others that write JSON for web pages.
_JSON_FOR_HTML = {character: f"\\u{ord(character):04x}" for character in "'<>&"}


@lru_cache(maxsize=1024)
def forms(text: str) -> frozenset[bytes]:
    """The byte strings that reveal the text: in clear, quoted, escaped, encoded, and in other character sets."""
    lines = {line.strip() for line in text.splitlines() if len(line.strip()) >= _SHORTEST_LINE}
    found = {_bytes(form) for form in {text, *lines}}
    if len(text) > _LONGEST_ENCODED:
        return frozenset(found)
    found |= {_bytes(form) for form in _spellings(text)}
    wide = set(_in_other_character_sets(text))
    found |= wide
    as_json = {json.dumps(text)[1:-1]}
    plain = {_bytes(text), *wide, *(_bytes(form) for form in as_json), *(_utf16(form) for form in as_json)}
    for raw in plain:
        found |= {form for form in _encoded(raw) if len(form) >= _SHORTEST_ENCODED}
    return frozenset(found)


def _bytes(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, from JSON
        return text.encode(errors="surrogatepass")


def _utf16(text: str, order: str = "le") -> bytes:
    return text.encode(f"utf-16-{order}", errors="surrogatepass")


def _in_other_character_sets(text: str) -> Iterator[bytes]:
    yield _utf16(text)
    yield _utf16(text, "be")
    yield _bytes("\0".join(text))
    for name in ("latin-1", "cp1252", "cp850"):
        try:
            yield text.encode(name)
        except UnicodeEncodeError:
            continue


def _spellings(text: str) -> set[str]:
    """The text quoted and escaped for various languages, in URLs, and in upper and lower case."""
    quoted = {*_in_json(text), *_in_quotes(text), *_in_addresses(text)}
    twice = {again for form in _in_json(text) for again in _in_json(form)}
    cases = {text.upper(), text.lower()} if len(text) >= _SHORTEST_ENCODED else set()
    return quoted | twice | cases


def _in_json(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        form = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield form
        yield form.replace("/", "\\/")
        yield _replaced(form, _JSON_FOR_HTML)


def _in_quotes(text: str) -> Iterator[str]:
    """The text within quotes of sh and PowerShell, without quotes (``printf %q``), in XML, in Python."""
    yield text.replace("'", "'\"'\"'")
    yield text.replace("'", "'\\''")
    yield text.replace("'", "''")
    yield re.sub(r'([\\"$`])', r"\\\1", text)
    yield re.sub(r'([`"$])', r"`\1", text)
    yield _NOT_PLAIN.sub(r"\\\1", text)
    for quotes in _XML_QUOTES:
        yield _replaced(text, _XML | quotes)
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]


def _in_addresses(text: str) -> Iterator[str]:
    raw = _bytes(text)
    for form in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield form
        yield re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form)


def _replaced(text: str, by: dict[str, str]) -> str:
    return "".join(by.get(character, character) for character in text)


def _encoded(raw: bytes) -> Iterator[bytes]:
    for form in _packed(raw, base64.b64encode, group=3, bits=6):
        yield form
        yield form.translate(_URL_SAFE)
    for form in _packed(raw, base64.b32encode, group=5, bits=5):
        yield form
        yield form.lower()
    for pairs in _hexadecimal(raw):
        yield pairs.encode()
        yield pairs.upper().encode()


def _packed(raw: bytes, encode: Callable[[bytes], bytes], *, group: int, bits: int) -> Iterable[bytes]:
    """``encode`` packs ``group`` bytes into letters of ``bits`` bits; the text may start at any byte of a group."""
    for shift in range(group):
        encoded = encode(b"\0" * shift + raw)
        yield encoded[-(-shift * 8 // bits) : (shift + len(raw)) * 8 // bits]


def _hexadecimal(raw: bytes) -> Iterator[str]:
    yield raw.hex()
    for separator in " :-":
        yield raw.hex(separator)
    yield "\\x" + raw.hex(" ").replace(" ", "\\x")
