"""Nothing that is registered as secret is seen again, in whatever form programs write it, and wherever it is cut."""

import base64
import html
import itertools
import json
import re
import shlex
import subprocess
import threading
import urllib.parse
from collections.abc import Callable
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.errors import HostError
from drumline.masking import Secrets, StreamMask
from drumline.plugin.windows import quote as powershell_quote
from drumline.secret import MASK, Secret

PASSWORD = "Tr0ub4dor&3 'x' \"y\""


def masked(text: str, *values: str) -> str:
    secrets = Secrets()
    for value in values:
        secrets.add(value)
    return secrets.mask(text)


@pytest.mark.parametrize(
    "form",
    [
        PASSWORD,
        shlex.quote(PASSWORD),
        powershell_quote(PASSWORD),
        json.dumps(PASSWORD),
        "\0".join(PASSWORD),
    ],
    ids=["clear", "sh", "powershell", "json", "utf-16"],
)
def test_every_written_form_is_masked(form: str) -> None:
    result = masked(f"before {form} after", PASSWORD)
    assert MASK in result
    assert result.startswith("before ")
    assert result.endswith(" after")
    assert "Tr0ub4dor" not in result.replace("\0", "")


@given(
    before=st.binary(max_size=7), secret=st.text("abcXYZ019?>~ü", min_size=6, max_size=20), after=st.binary(max_size=7)
)
def test_base64_is_masked_wherever_the_value_stands_in_it(before: bytes, secret: str, after: bytes) -> None:
    for encoding in ("utf-8", "utf-16-le"):
        raw = before + secret.encode(encoding) + after
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(raw).decode()
            result = masked(encoded, secret)
            assert MASK in result
            # What is left: the neighbours, a letter shared with each of them, padding.
            assert len(result) - len(MASK) <= len(encode(before)) + len(encode(after)) + 4


def test_the_line_end_of_a_file_is_no_part_of_the_value() -> None:
    assert masked("password: hunter22!", "hunter22\n") == f"password: {MASK}!"


def test_each_line_of_a_long_value_is_masked() -> None:
    assert (
        masked("line\r\nsecond-line-of-key\r\nx", "first-line-of-key\nsecond-line-of-key\n}") == f"line\r\n{MASK}\r\nx"
    )


def test_short_values_are_left_alone() -> None:
    assert masked("a 42 is a 42", "42") == "a 42 is a 42"


def test_the_longest_value_wins() -> None:
    assert masked("password-long", "password", "password-long") == MASK


def test_nested_data_is_masked_and_other_types_stay() -> None:
    secrets = Secrets()
    nested = {"a": [1, None, True, 2.5, "see hunter22"], "hunter22": ("hunter22", Secret("other"))}
    assert secrets.mask_all({"a": (1, Secret("x"))}) == {"a": [1, MASK]}
    secrets.add(Secret("hunter22"))
    assert secrets.mask_all(nested) == {"a": [1, None, True, 2.5, f"see {MASK}"], MASK: [MASK, MASK]}


def test_values_added_by_many_threads_are_all_known() -> None:
    secrets = Secrets()
    start = threading.Barrier(8)

    def add(number: int) -> None:
        start.wait()
        for count in range(10):
            secrets.add(f"value-{number}-{count}")

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [f"value-{number}-{count}" for number in range(8) for count in range(10)]
    assert {secrets.mask(text) for text in texts} == {MASK}


# Forms.

WORDS = ["Tr0ub4dor&3 'x' \"y\"", "pässwörd-ß£", "c0rrect/horse+battery?staple=", "tab\tand\\backslash", "пароль-12"]


def _json(text: str) -> str:
    return json.dumps(text)


def _lower(found: re.Match[str]) -> str:
    return found[0].lower()


FORMS: dict[str, Callable[[str], str]] = {
    "clear": str,
    "upper case": str.upper,
    "lower case": str.lower,
    "sh": shlex.quote,
    "PowerShell": powershell_quote,
    "JSON": _json,
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: _json(_json(text)),
    "JSON for web pages": lambda text: _json(text).replace("&", "\\u0026").replace("'", "\\u0027"),
    "Python": repr,
    "Python, ASCII": ascii,
    "XML": escape,
    "HTML": html.escape,
    "part of an address": lambda text: urllib.parse.quote(text, safe=""),
    "form": urllib.parse.quote_plus,
    "part of an address, in small letters": lambda text: re.sub(
        "%..", lambda found: found[0].lower(), urllib.parse.quote(text, safe="")
    ),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "hex dump": lambda text: text.encode().hex(" "),
    "hex of UTF-16": lambda text: text.encode("utf-16-le").hex("-").upper(),
    "base32": lambda text: base64.b32encode(b"x:" + text.encode() + b"\n").decode(),
    "base64": lambda text: base64.b64encode(b"x:" + text.encode() + b"\n").decode(),
    "base64 of UTF-16": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base64 of JSON": lambda text: base64.b64encode(_json({"p": text}).encode()).decode(),  # type: ignore[arg-type]  # a value of any type
    "base64 of JSON in UTF-16": lambda text: base64.b64encode(_json([text]).encode("utf-16-le")).decode(),  # type: ignore[arg-type]  # a value of any type
    "base64 in lines": lambda text: base64.encodebytes(b"x" * 50 + text.encode() + b"y" * 80).decode(),
    "UTF-16": lambda text: text.encode("utf-16-le").decode(errors="surrogateescape"),
    "UTF-16, big end first": lambda text: text.encode("utf-16-be").decode(errors="surrogateescape"),
}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_masked(form: str, word: str) -> None:
    written = FORMS[form](word)
    result = masked(f"before {written} after", word)
    assert MASK in result
    assert result.startswith("before ")
    assert result.endswith(" after")
    # What is left is what the form adds around any word, and a letter or two of an encoding that packs bytes together.
    assert len(result.replace(MASK, "")) <= len(f"before {FORMS[form]('')} after") + 6


@pytest.mark.parametrize("command", ["base64", "xxd -p", "od -An -tx1", "base32"])
def test_what_programs_of_this_machine_write_is_masked(command: str) -> None:
    word = "correct horse battery staple"
    said = subprocess.run(command.split(), input=f"user:{word}\n", capture_output=True, text=True, check=True).stdout
    assert MASK in masked(said, word)


def test_text_that_is_no_utf8_stays_as_it_is_around_the_mask() -> None:
    assert masked("\udcff hunter22 \udcfe", "hunter22") == f"\udcff {MASK} \udcfe"
    assert masked("\ud800 hunter22", "hunter22") == f"\ud800 {MASK}"


def test_secrets_that_overlap_are_masked_together() -> None:
    assert masked("xabcdefx", "abcd", "cdef") == f"x{MASK}x"


def test_a_number_that_is_registered_is_masked_as_a_number_too() -> None:
    secrets = Secrets()
    secrets.add("123456")
    assert secrets.mask_all({"pin": 123456, "other": 1234, "yes": True}) == {"pin": MASK, "other": 1234, "yes": True}
    secrets.add("12345.5")
    assert secrets.mask_all([12345.5, 123456.0, 1.5]) == [MASK, 123456.0, 1.5]


# Streams.


def streamed(data: bytes, cuts: list[int], *values: str) -> bytes:
    """The data masked in pieces that end at ``cuts``."""
    secrets = Secrets()
    for value in values:
        secrets.add(value)
    mask = StreamMask(secrets)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return b"".join(mask.feed(data[start:end]) for start, end in itertools.pairwise(edges)) + mask.finish()


@given(
    text=st.lists(st.sampled_from(["ab", "abab", "xyz", "secret-word", "secret", "-word", "q", "\n"]), max_size=40),
    cuts=st.lists(st.integers(min_value=0, max_value=500), max_size=30),
)
def test_a_stream_is_masked_as_a_whole_however_it_is_cut(text: list[str], cuts: list[int]) -> None:
    data = "".join(text).encode()
    whole = masked(data.decode(), "secret-word", "abab").encode()
    assert streamed(data, cuts, "secret-word", "abab") == whole


def test_an_endless_secret_is_one_mask_and_holds_back_little() -> None:
    secrets = Secrets()
    secrets.add("aaaa")
    mask = StreamMask(secrets)
    given = b"".join(mask.feed(b"a" * 1000) for _ in range(1000)) + mask.finish()
    assert given == MASK.encode()


def test_a_thousand_secrets_cost_little() -> None:
    secrets = Secrets()
    for number in range(1000):
        secrets.add(f"secret-number-{number}")
    assert secrets.mask("x" * 100_000 + "secret-number-77") == "x" * 100_000 + MASK


# A host's own words in a message.


@pytest.mark.parametrize("place", range(480, 520))
def test_the_words_of_a_host_are_masked_before_they_are_shortened(place: int) -> None:
    secrets = Secrets()
    secrets.add(PASSWORD)
    error = HostError("No usable shell", "web1: try another.", said=f"{'a' * 600} {PASSWORD} {'z' * place}")
    told = error.told(secrets.mask)
    assert told.startswith("No usable shell. web1: try another. It said: …")
    assert not {PASSWORD[start : start + 4] for start in range(len(PASSWORD) - 3)} & {
        told[start : start + 4] for start in range(len(told) - 3)
    }
    assert len(told) < 600
    assert PASSWORD in str(error)  # uncut, so that it can be masked later


def test_an_error_without_words_of_the_host_is_told_as_it_is() -> None:
    assert HostError("Connection refused", "Nothing listens.").told(str.upper) == "Connection refused. Nothing listens."
