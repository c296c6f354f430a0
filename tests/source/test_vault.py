"""Vault data opens as ansible-vault encrypted it, and what can't be opened is refused with the place and the reason."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.model.value import SecretTemplate
from drumline.secret import Secret
from drumline.source import yaml
from drumline.source.files import read_clear
from drumline.source.nodes import plain
from drumline.source.vault import Decrypted, Keyring, Password, keyring, use_keyring
from drumline.source.vault_format import VaultDamaged, WrongPassword, parse, seal
from drumline.templating.templates import Templating

RECORDED = json.loads(Path(__file__).with_name("data").joinpath("vault.json").read_text(encoding="utf-8"))
PASSWORD = RECORDED["password"]
HERE = Position("f", 3, 5)


def knowing(*passwords: str, label: str = "default") -> Keyring:
    ring = Keyring(Password(label, f"source {number}", Secret(text)) for number, text in enumerate(passwords))
    use_keyring(ring)
    return ring


def only(ring: Keyring, text: bytes) -> Diagnostic:
    with pytest.raises(FilesError) as error:
        ring.open(text, HERE)
    [found] = error.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("name", "label", "clear"),
    [
        ("1.1", "", RECORDED["text"]),
        ("1.2", "prod", RECORDED["text"]),
        ("empty", "", ""),
        ("block", "", "0123456789abcdef"),
    ],
)
def test_what_ansible_vault_encrypted(name: str, label: str, clear: str) -> None:
    sealed = parse(RECORDED[name].encode())
    assert sealed.label == label
    assert sealed.open(PASSWORD.encode()) == clear.encode()
    with pytest.raises(WrongPassword):
        sealed.open(b"another")
    dos = RECORDED[name].replace("\n", "\r\n").encode()
    assert parse(dos) == sealed


@pytest.mark.parametrize("data", [b"", b"x", b"y" * 16, os.urandom(1000)])
@pytest.mark.parametrize("label", ["", "prod"])
def test_what_is_encrypted_has_the_form_of_ansible_vault(data: bytes, label: str) -> None:
    written = seal(data, b"pw", label)
    first, *lines = written.decode().splitlines()
    assert first == ("$ANSIBLE_VAULT;1.2;AES256;prod" if label else "$ANSIBLE_VAULT;1.1;AES256")
    assert all(len(line) == 80 for line in lines[:-1])
    assert written.endswith(b"\n")
    assert parse(written).open(b"pw") == data
    assert seal(data, b"pw", label) != written  # another salt


LINES = RECORDED["1.1"].splitlines()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("$ANSIBLE_VAULT;1.0;AES256\n6162", 1),
        ("$ANSIBLE_VAULT;1.1;AES\n6162", 1),
        ("$ANSIBLE_VAULT\n6162", 1),
        (LINES[0], 1),
        ("\n".join([*LINES[:2], "xy" + LINES[2][2:], *LINES[3:]]), 3),
        ("\n".join(LINES[:-1]), len(LINES) - 1),
        ("\n".join([*LINES[:-1], LINES[-1][:-1]]), len(LINES)),
        ("\n".join(LINES[:3]), 3),
    ],
)
def test_damaged_data_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(VaultDamaged) as error:
        parse(text.encode())
    assert error.value.line == line
    found = only(knowing(PASSWORD), text.encode())
    assert found.summary == "Vault data is damaged"
    assert found.position == Position("f", 3 + line - 1, 5)


def test_a_wrong_and_a_missing_password_are_told_apart() -> None:
    text = RECORDED["1.2"].encode()
    missing = only(Keyring(), text)
    assert (missing.summary, missing.position) == ("A vault password is missing", HERE)
    assert "'prod'" in missing.detail
    wrong = only(knowing("a", "b"), text)
    assert (wrong.summary, wrong.position) == ("The vault password is wrong", HERE)
    assert "source 0" in wrong.detail
    assert "source 1" in wrong.detail


def test_every_password_is_tried_the_one_with_the_label_first(tmp_path: Path) -> None:
    text = RECORDED["1.2"].encode()
    (tmp_path / "absent").mkdir()
    unreadable = Password("other", str(tmp_path / "absent"))
    labelled = Password("prod", "typed", Secret(PASSWORD))
    assert Keyring([unreadable, labelled]).open(text, HERE).decode() == RECORDED["text"]
    assert knowing("wrong", PASSWORD).open(text, HERE).decode() == RECORDED["text"]
    assert only(Keyring([unreadable]), text).summary == "A vault password can't be read"


def test_a_password_comes_from_a_file_or_a_program(tmp_path: Path) -> None:
    text = RECORDED["1.2"].encode()
    (tmp_path / "plain").write_text(f"\n{PASSWORD} \n", encoding="utf-8")
    program = tmp_path / "keys-client.sh"
    program.write_text(f"#!/bin/sh\n[ \"$*\" = '--vault-id prod' ] && echo '{PASSWORD}'\n", encoding="utf-8")
    program.chmod(0o700)
    for path in ("plain", "keys-client.sh"):
        assert Keyring([Password("prod", str(tmp_path / path))]).open(text, HERE).decode() == RECORDED["text"]
    failing = tmp_path / "failing"
    failing.write_text("#!/bin/sh\necho locked >&2; exit 3\n")
    failing.chmod(0o700)
    detail = only(Keyring([Password("x", str(failing))]), text).detail
    assert "exit status 3: locked" in detail
    (tmp_path / "empty").write_text("\n")
    assert "it is empty" in only(Keyring([Password("x", str(tmp_path / "empty"))]), text).detail


def inline(text: str) -> str:
    return "!vault |\n" + "".join(f"      {line}\n" for line in text.splitlines())


def test_a_value_in_yaml_is_a_secret_and_no_template() -> None:
    ring = knowing("pw")
    document = yaml.load(f"a:\n  b: {inline(seal(b'x {{ y }}', b'pw').decode())}", "f")
    assert plain(document) == {"a": {"b": Secret("x {{ y }}")}}
    assert ring.known == ("x {{ y }}",)


def test_a_damaged_value_in_yaml_is_named_with_its_own_line() -> None:
    knowing("pw")
    with pytest.raises(FilesError) as error:
        yaml.load("a: 1\nb: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n  zz\n", "f")
    [found] = error.value.diagnostics
    assert found.position == Position("f", 5, 3)


def test_a_value_without_a_password_stays_as_it_is_and_is_noted() -> None:
    sealed = seal(b"x", b"pw").decode()
    document = yaml.load(f"b: {inline(sealed)}", "f")
    assert plain(document) == {"b": Secret(sealed)}
    assert [found.position for found in keyring().locked] == [Position("f", 2, 7)]


def test_all_values_of_an_encrypted_file_are_secret(tmp_path: Path) -> None:
    ring = knowing("pw")
    path = tmp_path / "vars"
    path.write_bytes(seal(b"a: text\nb: '{{ c }}!'\nd: [12345678, 80, true]\n", b"pw"))
    found = plain(yaml.read(path))
    assert found["a"] == Secret("text")
    assert type(found["b"]) is SecretTemplate
    assert found["d"] == [12345678, 80, True]
    assert set(ring.known) == {"text", "12345678"}
    knowing("other")
    with pytest.raises(OSError, match="Tried: 'default'"):
        read_clear(path, 1000)


def test_what_is_secret_is_registered_then_and_later() -> None:
    ring = knowing("pw")
    ring.note("before")
    registered: list[str] = []
    ring.follow(registered.append)
    ring.note("after")
    ring.note("after")
    assert registered == ["before", "after"]


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("pin: !!int hunter2secret\n", "A value can't be read"),
        ("b: *hunter2secret\n", "An alias can't be followed"),
        ("b: &hunter2secret [*hunter2secret]\n", "An alias can't be followed"),
        ("b: !hunter2secret 1\n", "Unknown tag"),
        ("b: !hunter2secret [1]\n", "Unknown tag"),
        ("b: !!hunter2secret {}\n", "Unknown tag"),
    ],
)
def test_a_mistake_in_an_encrypted_file_is_told_without_its_text(text: str, summary: str) -> None:
    for written, shown in ((text, True), (Decrypted(text), False)):
        with pytest.raises(FilesError) as error:
            yaml.load(written, "f.yml")
        [found] = error.value.diagnostics
        assert found.summary == summary
        assert ("hunter2secret" in found.detail) == shown
        assert ("What is here " in found.detail) != shown


def test_a_program_that_gives_no_password_is_run_once(tmp_path: Path) -> None:
    program = tmp_path / "failing"
    program.write_text(f"#!/bin/sh\necho run >>{tmp_path}/runs; echo locked >&2; exit 3\n")
    program.chmod(0o700)
    ring = Keyring([Password("x", str(program))])
    details = [only(ring, RECORDED["1.2"].encode()).detail for _ in range(3)]
    assert "exit status 3: locked" in details[0]
    assert len(set(details)) == 1
    assert (tmp_path / "runs").read_text() == "run\n"


def test_what_a_secret_template_gives_is_secret_numbers_too() -> None:
    ring = knowing("pw")
    template = SecretTemplate("{{ [base + 1, base / 4, 80, true] }}", HERE)
    assert Templating().render(template, {"base": 12345677}) == [12345678, 3086419.25, 80, True]
    assert set(ring.known) == {"12345678", "3086419.25"}
