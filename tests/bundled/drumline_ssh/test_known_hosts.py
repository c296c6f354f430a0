"""Reading files of known hosts, as ``ssh-keygen -F`` reads them."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from drumline_lab.sshd import make_key
from drumline_ssh.known_hosts import KnownHosts, KnownKey


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("key") / "id"
    make_key(path, "ed25519")
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@pytest.mark.parametrize(
    ("line", "name", "known"),
    [
        ("web1 {key}", "web1", True),
        ("WEB1 {key}", "web1", True),
        ("web1,10.0.0.1 {key} a comment", "10.0.0.1", True),
        ("web* {key}", "web1", True),
        ("web?,!web2 {key}", "web1", True),
        ("web?,!web2 {key}", "web2", False),
        ("!web1,web1 {key}", "web1", False),
        ("[web1]:2222 {key}", "[web1]:2222", True),
        ("[web*]:2222 {key}", "[web1]:2222", True),
        ("[web1]:2222 {key}", "web1", False),
        ("# web1 {key}", "web1", False),
        ("@cert-authority web1 {key}", "web1", False),
        ("@revoked web1 {key}", "web1", False),
        ("web1", "web1", False),
        ("|1|nonsense|? {key}", "web1", False),
        ("\ufffd\x00 web1", "web1", False),
        ("web1 ssh-ed25519 A", "web1", False),
        ("web1 ssh-ed25519 AAAA", "web1", False),
        ("web1 ssh-ed25519 !!AAAAC3NzaC1lZDI1NTE5", "web1", False),
        ("web1 ssh-rsa AAAAC3NzaC1lZDI1NTE5", "web1", False),
        ("web1 ssh-ed25519 \u00e4", "web1", False),
    ],
)
def test_lines(tmp_path: Path, key: str, line: str, name: str, known: bool) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(line.format(key=key) + "\n")
    found = KnownHosts.read(path).lookup(name)
    assert bool(found) is known
    if known:
        assert [str(place) for place in found.values()] == [f"{path}:1"]


def test_hashed_lines_and_fingerprints_are_those_of_openssh(tmp_path: Path, key: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"web1 {key}\n")
    subprocess.run(["ssh-keygen", "-H", "-f", str(path)], check=True, capture_output=True)
    known = KnownHosts.read(path)
    (found,) = known.lookup("web1")
    assert known.lookup("web2") == {}
    shown = subprocess.run(["ssh-keygen", "-lf", str(path)], check=True, capture_output=True, text=True).stdout
    assert found.fingerprint == shown.split()[1]


def test_a_missing_file_knows_nobody(tmp_path: Path) -> None:
    assert KnownHosts.read(tmp_path / "missing").lookup("web1") == {}


def test_a_long_file_is_no_trouble(tmp_path: Path, key: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("".join(f"web{number} {key}\n" for number in range(50_000)))
    began = time.process_time()
    known = KnownHosts.read(path)
    assert all(
        known.lookup(f"web{number}") == {KnownKey(*key.split()): (path, number + 1)} for number in range(0, 50_000, 50)
    )
    assert time.process_time() - began < 30
