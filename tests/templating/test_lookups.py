"""Lookups whose answers depend on this machine, and how long and how large each may get."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.secret import Secret
from drumline.source.vault import Keyring, Password, keyring, use_keyring
from drumline.source.vault_format import seal
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating

TEMPLATING = Templating(0.5)
PATIENT = Templating(20)


def rendered(text: str, templating: Templating = PATIENT, **variables: Any) -> Any:
    return templating.render(Template(text, Position("play.yml", 3)), variables)


@pytest.mark.parametrize(
    "text",
    [
        "{{ lookup('pipe', 'yes') }}",
        "{{ query('sequence', '1-100000000') }}",
        "{{ query('sequence', start=1, count=1, format='%099999999d') }}",
        "{{ query('nested', range(3000) | list, range(3000) | list) }}",
        "{{ '10.0.0.0/8' | ansible.utils.usable_range }}",
        "{{ lookup('password', '/dev/null', length=100000000) }}",
        "{{ 'x' | password_hash('sha512', 'abcdefgh', rounds=900000000) }}",
        "{{ 'x' | password_hash('bcrypt', rounds=30) }}",
    ],
)
def test_what_would_get_too_large_is_refused(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateFailed):
        rendered(text)
    assert time.monotonic() - began < 15


def test_a_program_is_ended_with_the_template_and_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(TemplateFailed, match="took longer"):
        rendered("{{ lookup('pipe', 'echo $$ >" + str(tmp_path / "id") + "; sleep 60 | cat') }}", TEMPLATING)
    assert time.monotonic() - began < 10
    process = int((tmp_path / "id").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_a_program_runs_beside_the_playbook(tmp_path: Path) -> None:
    assert rendered("{{ lookup('pipe', 'pwd') }}", playbook_dir=str(tmp_path.resolve())) == str(tmp_path.resolve())


def test_a_password_is_made_once_and_kept_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "new" / "password"
    first = rendered("{{ lookup('password', p, length=12, chars=['digits']) }}", p=str(path))
    assert len(first) == 12
    assert first.isdigit()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert rendered("{{ lookup('password', p ~ ' length=5') }}", p=str(path)) == first
    hashed = "{{ lookup('password', p, encrypt='md5_crypt') }}"
    made = rendered(hashed, p=str(path))
    assert made.startswith("$1$")
    assert rendered(hashed, p=str(path)) == made
    salt = made.split("$")[2]
    assert path.read_text() == f"{first} salt={salt}\n"
    assert rendered("{{ w | password_hash('md5', s) }}", w=first, s=salt) == made


KEPT = "{{ lookup('password', p) }}"


def test_an_empty_file_is_no_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("\n")
    with pytest.raises(TemplateFailed, match="password is empty; remove it for a new password"):
        rendered(KEPT, p=str(tmp_path / "password"))


def test_a_password_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("theirs\n")
    path.chmod(0o640)
    with path.open() as before:
        rendered("{{ lookup('password', p, encrypt='md5_crypt') }}", p=str(path))
        assert before.read() == "theirs\n"
    assert path.read_text().startswith("theirs salt=")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["password"]


def test_two_programs_that_make_a_password_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "password"
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(TemplateFailed, match="took longer"):
        rendered(KEPT, TEMPLATING, p=str(path))
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(rendered(KEPT, p=str(path))))
    thread.start()
    thread.join(0.2)
    path.write_text("theirs\n")
    os.close(other)
    thread.join()
    assert found == ["theirs"]


def test_a_value_of_an_ini_file_is_taken_as_it_stands_where_interpolation_is_off(tmp_path: Path) -> None:
    (tmp_path / "f.ini").write_text("[s]\nbase = x\npath = %(base)s/y\n")
    text = f"section=s file={tmp_path}/f.ini"
    assert rendered(f"{{{{ lookup('ini', 'path {text}') }}}}") == "x/y"
    assert rendered(f"{{{{ lookup('ini', 'path {text} interpolation=false') }}}}") == "%(base)s/y"
    assert rendered(f"{{{{ lookup('ini', 'path {text}', interpolation=false) }}}}") == "%(base)s/y"


def test_options_say_yes_in_the_words_of_the_filter_bool(tmp_path: Path) -> None:
    (tmp_path / "f.ini").write_text("[s]\nName = x\n")
    text = f"section=s file={tmp_path}/f.ini case_sensitive"
    assert rendered(f"{{{{ lookup('ini', 'Name {text}=Y') }}}}") == "x"
    assert rendered(f"{{{{ lookup('ini', 'name {text}=no') }}}}") == "x"
    assert rendered(f"{{{{ lookup('ini', 'name {text}=t') }}}}") == ""
    for word in ("on", "y", "True"):
        assert rendered("{{ query('subelements', [{}], 'x', skip_missing=w) }}", w=word) == []


@pytest.mark.parametrize("text", ["{{ lookup('file', p) }}", "{{ lookup('unvault', p) }}"])
def test_encrypted_files_are_decrypted_and_secret(tmp_path: Path, text: str) -> None:
    use_keyring(Keyring([Password("default", "typed", Secret("pw"))]))
    (tmp_path / "f").write_bytes(seal(b"hunter2-and-more", b"pw"))
    assert rendered(text, p=str(tmp_path / "f")) == "hunter2-and-more"
    assert keyring().known == ("hunter2-and-more",)


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(2)
        text = f"one\n{self.headers.get('X-Word')} {self.headers.get('Authorization')}".encode()
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server."""
    with HTTPServer(("127.0.0.1", 0), _Answer) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_what_a_server_answers(server: str) -> None:
    text = "{{ query('url', u, headers={'X-Word': 'hi'}, username='me', password='pw', use_proxy=false) }}"
    assert rendered(text, u=server) == ["one", "hi Basic bWU6cHc="]
    assert rendered("{{ lookup('url', u, split_lines=false, use_proxy=false) }}", u=server) == "one\nNone None"
    with pytest.raises(TemplateFailed, match="answers 404"):
        rendered("{{ lookup('url', u ~ '/gone', use_proxy=false) }}", u=server)
    with pytest.raises(TemplateFailed, match="took longer"):
        rendered("{{ lookup('url', u ~ '/slow', use_proxy=false) }}", TEMPLATING, u=server)
    with pytest.raises(TemplateFailed, match="an address with http"):
        rendered("{{ lookup('url', 'file:///etc/passwd') }}")


GROUPS = {"all": ["web1", "web2", "db1"], "web": ["web1", "web2"], "db": ["db1"]}


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("all", ["web1", "web2", "db1"]),
        ("web:db", ["web1", "web2", "db1"]),
        ("all:!web", ["db1"]),
        ("!web1,web", ["web2"]),
        ("web:&web2", ["web2"]),
        ("*1", ["web1", "db1"]),
        ("~^d", ["db1"]),
        ("nothing", []),
    ],
)
def test_hosts_by_patterns(pattern: str, hosts: list[str]) -> None:
    assert rendered("{{ query('inventory_hostnames', p) }}", p=pattern, groups=GROUPS) == hosts


def test_errors_of_a_lookup_can_be_ignored() -> None:
    assert rendered("{{ lookup('file', 'nowhere', errors='ignore') }}") is None
    assert rendered("{{ query('file', 'nowhere', errors='warn') }}") == []
    with pytest.raises(TemplateFailed, match="There is no file 'nowhere'"):
        rendered("{{ lookup('file', 'nowhere', errors='strict') }}")


def test_an_expression_that_is_nested_too_deeply_is_called_so() -> None:
    with pytest.raises(TemplateFailed, match="nested too deeply"):
        rendered("{{ {} | json_query('[' * 3000) }}")


def test_a_setting_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_REMOTE_USER", "deploy")
    assert rendered("{{ lookup('config', 'DEFAULT_REMOTE_USER') }}") == "deploy"


def test_a_tree_of_files(tmp_path: Path) -> None:
    for name in ("files/one/b/x", "files/one/a", "files/two/a", "files/two/c~"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "files/one/l").symlink_to("a")
    (tmp_path / "files/one/a").chmod(0o640)
    os.mkfifo(tmp_path / "files/one/pipe")
    text = "{{ query('filetree', 'one/', 'two', 'nowhere', exclude='.*~$') }}"
    found = rendered(text, playbook_dir=str(tmp_path))
    assert [(one["path"], one["state"]) for one in found] == [
        ("b", "directory"),
        ("a", "file"),
        ("l", "link"),
        ("b/x", "file"),
    ]
    _, file, link, _ = found
    assert (file["root"], file["src"]) == (str(tmp_path / "files/one"), str(tmp_path / "files/one/a"))
    assert (file["mode"], file["size"], file["uid"], link["src"]) == ("0640", 11, os.getuid(), "a")
