"""The ``drumline`` program: commands imported on first use, and errors reported without a traceback."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from typing import Any

import click

import drumline
from drumline.cli import VARIABLE
from drumline.cli.groups import CommandGroup, explained
from drumline.cli.messages import show_error
from drumline.cli.surroundings import Surroundings
from drumline.commands import COMMANDS, HELP
from drumline.errors import DrumlineError


class Program(CommandGroup):
    """A click group whose commands live in their own modules; plugins may add more."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        if "obj" in extra:  # completion: the words on the line
            return super().make_context(*args, **extra)
        surroundings = Surroundings()
        context = super().make_context(*args, obj=surroundings, **extra)
        context.call_on_close(surroundings.close)
        return context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, _, _ in self._table()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        built_in = {name: load for name, load, _ in (*COMMANDS, HELP)}
        load = built_in.get(cmd_name) or {name: load for name, load, _ in self._table()}.get(cmd_name)
        return _load(load) if load else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, _, text in self._table()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        if VARIABLE in os.environ:
            from drumline.cli.completion import answer_shell

            raise SystemExit(answer_shell(self, os.environ[VARIABLE]))
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except DrumlineError as error:
            with suppress(OSError):  # the exit status says it too
                show_error(error)
            raise SystemExit(error.exit_status) from None
        except click.ClickException as error:
            answer = explained(error) if isinstance(error, click.NoSuchOption) else None
            with suppress(OSError):
                show_error(answer) if answer else error.show()
            raise SystemExit(5) from None  # click's own 2 would mean a failed job here
        except click.Abort:
            with suppress(OSError):
                click.echo("interrupted", err=True)
            raise SystemExit(130) from None
        raise SystemExit(status if isinstance(status, int) else 0)

    def _table(self) -> list[tuple[str, str, str]]:
        """drumline's own commands, then those of plugins."""
        from drumline.built_in import all_plugins

        own = {name for name, _, _ in (*COMMANDS, HELP)}
        added = (spec for spec in all_plugins().commands.values() if spec.name not in own)
        return [*COMMANDS, *((spec.name, spec.load, spec.help) for spec in added)]


def _load(load: str) -> click.Command:
    module, _, attribute = load.partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


@click.command(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="'drumline help COMMAND' explains a command. Plugins may add commands: see 'drumline plugins'.",
)
@click.version_option(drumline.__version__, prog_name="drumline", message="%(prog)s %(version)s")
def program() -> None:
    """Push playbooks to Windows and Linux fleets in waves.

    Tasks can depend on each other across hosts. Each wave goes out over warm SSH and WinRM connections, and ends at
    a barrier. Nothing is installed on the hosts.
    """


@click.command("help", hidden=True)
@click.argument(
    "words",
    nargs=-1,
    metavar="[COMMAND]...",
    shell_complete=lambda _context, _option, word: [name for name, _, _ in COMMANDS if name.startswith(word)],
)
def explain(words: tuple[str, ...]) -> None:
    """Explain a command, as 'drumline COMMAND --help' does."""
    program.main([*words, "--help"], prog_name="drumline")
