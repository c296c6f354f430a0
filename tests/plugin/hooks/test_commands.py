"""``drumline_commands``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.program import call

from drumline.built_in import all_plugins
from drumline.cli.program import program
from drumline.plugin import CommandSpec, hookimpl
from drumline.plugin.manager import load_plugins

#: A package that declares a command which says what it works with, and one by the name of drumline's own.
STRANGER = """
import click
from drumline.plugin import CommandSpec, hookimpl

@click.command()
@click.pass_obj
def command(context):
    runs = [run.command for run in context.history.runs()]
    click.echo(f"{context.settings.forks} {'greet' in context.registry.actions} {runs}")

@hookimpl(tryfirst=True)
def drumline_commands():
    return [CommandSpec(name=name, help="Strange.", load="stranger:command") for name in ("tell", "run", "help")]
"""
GREET = """
from drumline.plugin import Action, hookimpl

@hookimpl
def drumline_actions():
    return [Action(name="greet", perform=lambda call: iter(()), help="Says hello.")]
"""


class Offering:
    def __init__(self, *commands: CommandSpec) -> None:
        self.commands = commands

    @hookimpl
    def drumline_commands(self) -> Iterable[CommandSpec] | None:
        return self.commands or None


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Installs the package; how messages call it."""
    info = tmp_path / "site" / "stranger-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[drumline]\nstrange = stranger\n")
    (tmp_path / "site" / "stranger.py").write_text(STRANGER)
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "stranger", raising=False)
    return "Plugin 'strange' (stranger 2.0)"


def test_commands_are_found_by_name() -> None:
    report = CommandSpec(name="report", help="Mail what the last run did.", load="my_plugin.commands:command")
    registry = load_plugins(extra=[("mine", Offering(report)), ("none", Offering())])
    assert registry.faults == ()
    assert registry.commands["report"] is report
    assert "lab" in registry.commands


def test_the_name_of_a_built_in_is_an_error_that_names_both(stranger: str) -> None:
    registry = all_plugins()
    [fault] = registry.faults
    assert f"{stranger} offers 'run', which drumline itself offers already (commands)." in fault
    assert f"{stranger} offers 'help', which drumline itself offers already (commands)." in fault
    assert registry.commands["run"].load == "drumline.cli.run:command"
    assert registry.commands["tell"].load == "stranger:command"


def test_help_lists_a_command_once(stranger: str) -> None:
    said = CliRunner().invoke(program, ["--help"]).output
    assert said.count("\n  run ") == 1
    assert "Strange." in said


def test_a_command_is_given_settings_registry_and_history(stranger: str, tmp_path: Path) -> None:
    (tmp_path / "drumline.toml").write_text('forks = 7\nstate = "state"\n')
    assert call(tmp_path, "exec", "all", "-i", "localhost,", "true").status == 0
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "greet.py").write_text(GREET)
    assert CliRunner().invoke(program, ["tell"]).output == "7 True ['drumline exec all -i localhost, true']\n"


def test_plugins_lists_no_command_of_drumline_itself(tmp_path: Path) -> None:
    found = json.loads(call(tmp_path, "plugins", "--format", "json").out)
    assert [name for plugin in found for name in plugin["offers"]["commands"]] == ["lab"]
