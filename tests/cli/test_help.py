"""``--help`` of everything: quick where it is asked for most, complete, and without cut sentences."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import drumline.cli
from drumline.cli.program import program

HELP = Path(drumline.cli.__file__).with_name("help.txt")


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands(program))


def test_the_prepared_help_is_what_click_says() -> None:
    """Write it anew with: ``COLUMNS=80 python -c 'from drumline.cli.program import program; program(["-h"])'``."""
    settings = program.context_settings
    said = program.get_help(click.Context(program, info_name="drumline", terminal_width=78, **settings))
    assert said + "\n" == HELP.read_text()


@pytest.mark.parametrize("words", [[], ["-h"], ["--help"]])
def test_the_prepared_help_loads_no_click(words: list[str]) -> None:
    script = "import sys; from drumline.cli import main; main(); assert 'click' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert done.stdout == HELP.read_text()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert not [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    shown = CliRunner().invoke(program, [*path, "--help"], env={"COLUMNS": "80"}).output
    assert "..." not in re.sub(r"(PLAYBOOK|PATH|COMMAND|\[ARGS\])\.\.\.", "", shown)
    assert max(map(len, shown.splitlines())) <= 80
