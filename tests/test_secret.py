"""Values that must never be seen, and the names that mark a value as one."""

import pytest

from drumline.secret import MASK, Secret, is_secret_name, mask_assignments

PASSWORD = "Tr0ub4dor&3 'x' \"y\""


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(PASSWORD)
    assert {str(secret), repr(secret), f"{secret}", repr([secret]), "%s" % secret} == {MASK, f"[{MASK}]"}  # noqa: UP031
    assert secret.reveal() == PASSWORD
    assert secret == Secret(PASSWORD)
    assert secret != Secret("other")
    assert len({secret, Secret(PASSWORD)}) == 1


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


@pytest.mark.parametrize("key", ["", "password: "])
def test_a_reference_to_a_secret_is_shown(key: str) -> None:
    line = f"{key}{{{{ lookup('secret', 'pass:web/db') }}}}"
    assert mask_assignments(line)[0] == line


def test_a_place_in_a_masked_line_is_found_again() -> None:
    line = "a: 1, password=secret b: 2"
    masked = f"a: 1, password={MASK} b: 2"
    for word in ("a: 1", "password", "b: 2"):
        assert mask_assignments(line, line.index(word)) == (masked, masked.index(word))
    assert mask_assignments(line, line.index("cret")) == (masked, masked.index(MASK))


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwords", "db_password", "DB_PASSWORDS", "secrets", "app_secret", "tokens", "api_key"),
        *("apikeys", "secret_key", "access_keys", "passphrase", "admin_pwd", "ansible_become_pass", "passwd"),
    ],
)
def test_names_that_say_that_a_value_is_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "compass", "password_file", "token_url", "secretary", "key", "keys"])
def test_names_that_say_nothing_of_the_kind(name: str) -> None:
    assert not is_secret_name(name)
