"""Inventory programs: real ones are run, good and bad."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.narrowing import expect
from support.sources import call_of

from drumline.diagnostics import Position
from drumline.errors import FilesError
from drumline.inventory.reading import SourceRules
from drumline.inventory.sources import load_inventory
from drumline.plugin import SourceData
from drumline.plugin.manager import load_plugins
from drumline_inventory import is_program
from drumline_inventory.script import SOURCE

Program = Callable[[str], str]
READERS = load_plugins().inventory_sources


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Write an executable shell script; its path as text."""

    def write(text: str) -> str:
        path = tmp_path / "hosts.sh"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    return write


def failure(source: str, timeout: float = 60) -> str:
    with pytest.raises(FilesError) as caught:
        load_inventory([source], READERS, rules=SourceRules(timeout=timeout))
    (found,) = caught.value.diagnostics
    assert found.summary == "An inventory source failed"
    assert found.detail.startswith(source)
    return found.detail.removesuffix("\nTo go on without it: --allow-missing-source.")


def read(source: str) -> SourceData:
    data = SOURCE.read(call_of(source))
    assert data is not None
    return data


def test_the_plugin_is_installed_and_offers_it() -> None:
    assert "script" in [source.name for source in load_plugins().inventory_sources]


def test_groups_hosts_and_variables(program: Program) -> None:
    source = program("""echo '{"web": {"hosts": ["w1"], "vars": {"a": 1}}, "db": ["d1"], "none": {},
        "site": {"children": ["web"]}, "_meta": {"hostvars": {"w1": {"b": 2}}}}'""")
    data = read(source)
    assert data.members == {"web": ["w1"], "db": ["d1"]}
    assert data.groups == {"web": {"a": 1}, "db": {}, "none": {}, "site": {}}
    assert data.children == {"site": ["web"]}
    assert data.hosts == {"w1": {"b": 2}, "d1": {}}


def test_without_meta_the_program_is_asked_for_each_host(program: Program) -> None:
    source = program(
        'if [ "$1" = --list ]; then echo \'{"g": ["a", "b"]}\'; elif [ "$2" = a ]; then echo \'{"x": 1}\'; fi'
    )
    assert read(source).hosts == {"a": {"x": 1}, "b": {}}


def test_a_program_may_be_named_without_a_directory(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(program('echo \'{"g": ["a"], "_meta": {}}\'')).parent)
    assert list(read("hosts.sh").hosts) == ["a"]


def test_only_programs_are_claimed(tmp_path: Path, program: Program) -> None:
    text = tmp_path / "hosts.yml"
    text.write_text("all:\n")
    text.chmod(0o755)
    claims = is_program
    assert claims(program("true"))
    assert claims("/bin/true")
    for source in (str(text), str(tmp_path), str(tmp_path / "none"), "web1,web2", "a\0b"):
        assert not claims(source)


def test_a_program_that_is_not_executable(program: Program) -> None:
    source = program("echo '{}'")
    os.chmod(source, 0o644)
    with pytest.raises(FilesError, match="chmod"):
        load_inventory([source], READERS)


def test_a_program_that_fails_shows_its_last_words(program: Program) -> None:
    text = failure(program("for n in $(seq 100); do echo line $n >&2; done; echo no credentials >&2; exit 3"))
    assert "exit status 3" in text
    assert text.endswith("no credentials")
    assert "line 50" not in text


def test_a_program_that_is_killed(program: Program) -> None:
    assert "signal 9" in failure(program("kill -9 $$"))


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    assert "can't be started" in failure(str(path))


def test_a_program_that_takes_too_long_is_ended_with_its_children(program: Program, tmp_path: Path) -> None:
    mark = tmp_path / "child"
    source = program(f"echo waiting >&2; sleep 60 & echo $! > {mark}; wait")
    begin = time.monotonic()
    text = failure(source, timeout=1)
    assert time.monotonic() - begin < 20
    assert "longer than 1 s" in text
    assert text.endswith("waiting")
    child = int(mark.read_text())
    deadline = time.monotonic() + 10
    while is_running(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("", "isn't JSON"),
        ("hello", "It begins: 'hello"),
        ("[1]", "a JSON object"),
        ('{"web": 1}', "'web' has to be an object or a list"),
        ('{"web": {"host": []}}', "Did you mean 'hosts'?"),
        ('{"web": {"hosts": "w1"}}', "'hosts' of group 'web' has to be a list"),
        ('{"web": {"hosts": [1]}}', "'hosts' of group 'web' has to be a list"),
        ('{"web": {"vars": [1]}}', "'vars' of group 'web' has to be an object"),
        ('{"web": ["w1"], "_meta": []}', "_meta"),
        ('{"web": ["w1"], "_meta": {"hostvars": {"w1": 1}}}', "variables of host 'w1'"),
    ],
)
def test_output_that_is_no_inventory(program: Program, output: str, words: str) -> None:
    assert words in failure(program(f"echo '{output}'"))


def test_a_host_that_the_program_cannot_tell_about(program: Program) -> None:
    text = failure(program('[ "$1" = --list ] && echo \'{"g": ["a"]}\' || { echo unknown >&2; exit 1; }'))
    assert "--host a" in text
    assert "unknown" in text


def test_wrong_names_are_told_with_the_programs_path(program: Program) -> None:
    source = program('echo \'{"web": {"hosts": ["a b"]}, "_meta": {"hostvars": {}}}\'')
    with pytest.raises(FilesError) as caught:
        load_inventory([source], READERS)
    (found,) = caught.value.diagnostics
    assert found.summary == "Not a host name"
    assert found.position is not None
    assert found.position.path == source


def test_a_host_whose_name_is_a_path(program: Program) -> None:
    source = program("""echo '{"web": ["../../../x"], "_meta": {"hostvars": {"a/b": {}}}}'""")
    with pytest.raises(FilesError) as caught:
        load_inventory([source], READERS)
    told = {(found.summary, expect(Position, found.position).path) for found in caught.value.diagnostics}
    assert told == {("Not a host name", source)}
