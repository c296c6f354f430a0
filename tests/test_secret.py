"""Nothing that is registered as secret is seen again, in any of the forms that drumline itself makes."""

import base64
import json
import shlex
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.plugin.windows import quote as powershell_quote
from drumline.secret import MASK, Secret, Secrets, mask_assignments

PASSWORD = "Tr0ub4dor&3 'x' \"y\""


def masked(text: str, *values: str) -> str:
    secrets = Secrets()
    for value in values:
        secrets.add(value)
    return secrets.mask(text)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(PASSWORD)
    assert {str(secret), repr(secret), f"{secret}", repr([secret]), "%s" % secret} == {MASK, f"[{MASK}]"}  # noqa: UP031
    assert secret.reveal() == PASSWORD
    assert secret == Secret(PASSWORD)
    assert secret != Secret("other")
    assert len({secret, Secret(PASSWORD)}) == 1


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


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("web1 ansible_password=x,y}z port=22", f"web1 ansible_password={MASK} port=22"),
        ("password='two words' next", f"password={MASK} next"),
        ("--extra-vars=db_password=abc", f"--extra-vars=db_password={MASK}"),
        ("  password: my pass, word  # and this", f"  password: {MASK}"),
        ('{"db_password": "a \\" b", "k": 2}', f'{{"db_password": {MASK}, "k": 2}}'),
        ("web1: {ansible_password: abc, port: 1}", f"web1: {{ansible_password: {MASK}, port: 1}}"),
        ("{a: {token: x}}", f"{{a: {{token: {MASK}}}}}"),
        ("https://host/path?token=abc", f"https://host/path?token={MASK}"),
        ("nothing: to see, here=1", "nothing: to see, here=1"),
    ],
)
def test_what_follows_a_secret_name_is_masked_in_a_line_as_it_was_written(line: str, shown: str) -> None:
    assert mask_assignments(line)[0] == shown
    masked, index = mask_assignments(f"{line} HERE", len(line) + 1)
    assert masked[index:] in ("HERE", MASK)


def test_a_place_in_a_masked_line_is_found_again() -> None:
    line = "a: 1, password=secret b: 2"
    masked = f"a: 1, password={MASK} b: 2"
    for word in ("a: 1", "password", "b: 2"):
        assert mask_assignments(line, line.index(word)) == (masked, masked.index(word))
    assert mask_assignments(line, line.index("cret")) == (masked, masked.index(MASK))
