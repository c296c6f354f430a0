"""What is wrong, as a person sees it: in colour and within the width at a terminal, plain elsewhere."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.program import call
from support.terminal import Terminal

from drumline import masking
from drumline.cli.messages import show_error, show_warning, show_warnings
from drumline.diagnostics import Diagnostic
from drumline.errors import FilesError, UsageError
from drumline.source.vault import keyring

PLAYBOOK = "- hosts: all\n  taskss: []\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    return tmp_path


def seen(directory: Path, **env: str) -> tuple[str, list[str]]:
    with Terminal(directory, "plan", "site.yml", "-i", "web1,", columns=60, env=env) as terminal:
        assert terminal.end() == 5
    return terminal.text, terminal.screen().lines


def test_mistakes_are_in_colour_at_a_terminal_and_their_number_comes_last(directory: Path) -> None:
    text, lines = seen(directory)
    assert "\x1b[1;31merror:\x1b[0m" in text
    assert "\x1b[1;31m^^^^^^\x1b[0m" in text
    assert lines[:3] == ["site.yml:2:3: error: Unknown keyword", "      taskss: []", "      ^^^^^^"]
    assert lines[-2:] == ["1 mistake", ""]


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_there_is_no_colour_where_none_is_wanted(directory: Path, env: dict[str, str]) -> None:
    text, _ = seen(directory, **env)
    assert "\x1b" not in text


def test_mistakes_are_plain_lines_elsewhere(directory: Path) -> None:
    ended = call(directory, "plan", "site.yml", "-i", "web1,")
    assert ended.status == 5
    assert "\x1b" not in ended.err
    assert ended.err.splitlines()[-1] == "1 mistake"


def test_long_sentences_are_broken_between_words(directory: Path) -> None:
    with Terminal(directory, "run", "site.yml", "-i", "nowhere.yml", columns=40) as terminal:
        assert terminal.end() == 5
    shown = {word for line in terminal.screen().lines for word in line.split()}
    said = call(directory, "run", "site.yml", "-i", "nowhere.yml").err.split()
    assert {word for word in said if len(word) < 36} <= shown


def test_a_working_directory_that_was_removed_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    ended = call(gone, "run", "x.yml", "-i", "a,", preexec_fn=gone.rmdir)
    assert (ended.status, "The working directory can't be used" in ended.err) == (5, True), ended.said


class _Narrow(io.StringIO):
    """A terminal of 40 columns, with ``COLUMNS``."""

    def isatty(self) -> bool:
        return True


SECRET = "correct horse battery staple"
QUOTING = Diagnostic(summary=f"It is {SECRET}", detail=f"This here is the value of the variable: {SECRET}.")


@pytest.mark.parametrize(
    "show",
    [
        lambda: show_error(FilesError([QUOTING])),
        lambda: show_error(UsageError(QUOTING.summary, QUOTING.detail)),
        lambda: show_warnings([QUOTING]),
        lambda: show_warning(QUOTING),
    ],
)
def test_a_secret_is_masked_where_the_end_of_a_line_would_break_it(
    show: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    terminal = _Narrow()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, terminal)
    keyring().note(SECRET)
    show()
    said = terminal.getvalue()
    assert said.count("********") == 2
    assert not {"correct", "horse", "battery", "staple"} & set(said.replace(".", " ").split())


def test_the_mask_is_made_once_for_all_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Counted(masking.Secrets):
        def __init__(self) -> None:
            made.append(self)
            super().__init__()

    monkeypatch.setattr(masking, "Secrets", Counted)
    keyring().note(SECRET)
    show_warnings([QUOTING] * 3)
    assert len(made) == 1
