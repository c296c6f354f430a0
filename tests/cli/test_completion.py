"""Tab in real shells: bash, zsh and fish propose what can stand there, and nothing disturbs whoever is typing."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import DRUMLINE, call, environment, wait_until

INVENTORY = "[web]\nweb[1:3]\n[db]\ndb1\n"
SITE = """
- hosts: web
  tags: [rollout]
  tasks:
    - {id: stop, command: "true", tags: "config, slow"}
"""

#: A line up to the cursor, and the word that Tab makes of its last one.
LINES = {
    "a command": ("drumline simu", "simulate"),
    "a command of a group": ("drumline runs sh", "show"),
    "an option": ("drumline run --skip", "--skip-tags"),
    "a host": ("drumline exec db1", "db1"),
    "a pattern": ("drumline exec web,d", "web,db"),
    "a pattern with a colon": ("drumline exec web1:db1", "web1:db1"),
    "a limit": ("drumline run site.yml -l web1,web", "web1,web"),
    "the value behind an equals sign": ("drumline run site.yml --limit=db1", "--limit=db1"),
    "an inventory that is named": ("drumline exec -i other,more, oth", "other"),
    "a tag": ("drumline run site.yml --tags config,sl", "config,slow"),
    "a tag of a play": ("drumline run site.yml -t roll", "rollout"),
    "a task": ("drumline simulate site.yml --take st", "stop="),
    "an action": ("drumline exec web -m templ", "template"),
    "a task of a run": ("drumline runs output sto", "stop"),
    "a host of a run": ("drumline runs output stop we", "web1"),
    "a host of the inventory": ("drumline inventory host db", "db1"),
    "a file": ("drumline run sit", "site.yml"),
    "a command to explain": ("drumline help simu", "simulate"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an inventory, a playbook and one run, and drumline in its bin."""
    directory = tmp_path_factory.mktemp("project")
    (directory / "inventory").write_text(INVENTORY)
    (directory / "site.yml").write_text(SITE)
    (directory / "bin").mkdir()
    program = directory / "bin" / "drumline"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(DRUMLINE)} "$@"\n')
    program.chmod(0o755)
    extra = ["-e", "ansible_connection=local", "-l", "web1"]
    assert call(directory, "run", "site.yml", *extra).status == 0
    return directory


def surroundings(project: Path, **more: str) -> dict[str, str]:
    path = f"{project / 'bin'}:{os.environ['PATH']}"
    return environment(project, {"PATH": path, "PS1": "$ ", "HISTFILE": "", "INPUTRC": "/dev/null", **more})


class Shell:
    """An interactive shell on a terminal, to press keys in."""

    def __init__(self, project: Path, *words: str) -> None:
        self._master, slave = os.openpty()
        self._popen = subprocess.Popen(
            words,
            cwd=project,
            env=surroundings(project),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._written = bytearray()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            if not data:
                return
            self._written += data

    @property
    def text(self) -> str:
        """What was written, without the sequences that move the cursor."""
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\x1b[=>]|[\x07\r\x08]", "", self._written.decode(errors="replace"))

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, text: str) -> None:
        try:
            wait_until(lambda: text in self.text)
        except AssertionError:
            raise AssertionError(f"{text!r} isn't in {self.text!r}") from None

    def completed(self, line: str, number: int) -> str:
        """What Tab makes of a line: it becomes the argument of a command that prints it."""
        self.type(f"{line}\t")
        self.type(f" ;\x01print_it '\x05'; echo said-{number}-'done'\n")
        self.wait_for(f"said-{number}-done")
        found: str
        [found] = re.findall(rf"<([^<>]*)>\s*said-{number}-done", self.text)
        return found.removesuffix(";").rstrip()

    def close(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._reader.join(10)
        os.close(self._master)


@pytest.fixture(scope="module")
def bash(project: Path) -> Iterator[Shell]:
    shell = Shell(project, "bash", "--norc", "--noprofile", "-i")
    shell.type("bind 'set enable-bracketed-paste off'; print_it() { printf '<%s>\\n' \"$1\"; }\n")
    shell.type("eval \"$(_DRUMLINE_COMPLETE=bash_source drumline)\"; echo rea''dy\n")
    shell.wait_for("ready")
    yield shell
    shell.close()


@pytest.fixture(scope="module")
def zsh(project: Path) -> Iterator[Shell]:
    shell = Shell(project, "zsh", "-f", "-i")
    shell.type(
        "unsetopt zle_bracketed_paste; unset zle_bracketed_paste; bindkey -e; print_it() { printf '<%s>\\n' \"$1\"; }\n"
    )
    shell.type("autoload -Uz compinit; compinit -u -D; eval \"$(drumline completion zsh)\"; echo rea''dy\n")
    shell.wait_for("ready")
    yield shell
    shell.close()


@pytest.mark.parametrize("what", LINES)
def test_bash(bash: Shell, what: str) -> None:
    line, word = LINES[what]
    expected = f"{line.rpartition(' ')[0]} {word}"
    assert bash.completed(line, list(LINES).index(what)) == expected


@pytest.mark.parametrize("what", LINES)
def test_zsh(zsh: Shell, what: str) -> None:
    line, word = LINES[what]
    expected = f"{line.rpartition(' ')[0]} {word}"
    assert zsh.completed(line, list(LINES).index(what)) == expected


@pytest.mark.parametrize("what", LINES)
def test_fish(project: Path, what: str) -> None:
    line, word = LINES[what]
    said = fish(project, f"complete -C {shlex.quote(line)}")
    assert word in [proposed.partition("\t")[0] for proposed in said.splitlines()]


def fish(project: Path, command: str) -> str:
    script = f'eval "$(drumline completion fish)"; {command}'
    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        cwd=project,
        env=surroundings(project),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


def test_runs_are_proposed_by_number_with_their_commands(project: Path) -> None:
    assert fish(project, "complete -C 'drumline runs show '").splitlines()[0].startswith("1\tdrumline run site.yml")


@pytest.mark.parametrize(
    "line",
    [
        "drumline run -i broken -l ",
        "drumline run broken.yml --tags ",
        "drumline simulate broken.yml --take ",
        "drumline runs show ",
        "drumline runs output ",
        "drumline nonsense ",
        "drumline run --nonsense ",
        "drumline exec web echo -",
        "drumline exec -i program ",
        "drumline run 'unclosed ",
    ],
)
def test_whatever_is_wrong_nothing_is_said(tmp_path: Path, line: str) -> None:
    (tmp_path / "broken").write_text("[web\n")
    (tmp_path / "broken.yml").write_text("- [\n")
    (tmp_path / "program").write_text("#!/bin/sh\ntouch began\n")
    (tmp_path / "program").chmod(0o755)
    (tmp_path / "drumline.toml").write_text("[" if "nonsense" in line else "")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.sqlite3").write_bytes(b"no database" * 100)
    asked = {"_DRUMLINE_COMPLETE": "bash_complete", "DRUMLINE_LINE": line, "DRUMLINE_BREAKS": " :="}
    ended = call(tmp_path, env=asked)
    assert (ended.status, ended.err) == (0, "")
    assert {proposed.partition(",")[0] for proposed in ended.out.splitlines()} <= {"", "plain", "file"}
    assert not (tmp_path / "began").exists()


def test_the_script_is_that_of_the_shell_that_is_used(tmp_path: Path) -> None:
    assert call(tmp_path, "completion", env={"SHELL": "/usr/bin/fish"}).out.startswith("function _drumline")
    assert call(tmp_path, "completion", "bash", env={"SHELL": "/usr/bin/fish"}).out.startswith("_drumline")
    ended = call(tmp_path, "completion", env={"SHELL": "/bin/csh"})
    assert ended.status == 5
    assert "The shell isn't known" in ended.err


def test_a_tab_makes_no_journal(tmp_path: Path) -> None:
    for line in ("drumline runs show ", "drumline runs output "):
        call(tmp_path, env={"_DRUMLINE_COMPLETE": "bash_complete", "DRUMLINE_LINE": line})
    assert list(tmp_path.iterdir()) == []


def test_a_tab_loads_no_plugin_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text("open('began', 'w')\n")
    for line in ("drumline ", "drumline exec -m ", "drumline simulate --take "):
        call(tmp_path, env={"_DRUMLINE_COMPLETE": "bash_complete", "DRUMLINE_LINE": line})
    assert not (tmp_path / "began").exists()
