"""``drumline completion``: the script that makes a shell complete drumline's command lines."""

from __future__ import annotations

import os
from contextlib import redirect_stderr
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

from drumline.cli import VARIABLE
from drumline.errors import UsageError

# Bash splits a pattern such as web:!db1 at the colon, and an option at its =. The whole line shows what was typed.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    COMPREPLY=()
    response=$(DRUMLINE_LINE="${COMP_LINE:0:COMP_POINT}" DRUMLINE_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null) || return 0
    for completion in $response; do
        IFS=, read -r type value <<<"$completion"
        case $type in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain)
                COMPREPLY+=("$value")
                case $value in *=) compopt -o nospace 2>/dev/null ;; esac
                ;;
        esac
    done
    return 0
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

# fish would lose what comes after the second comma of web1,web2.
_FISH = """\
function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) \\
        %(prog_name)s 2>/dev/null)
    for completion in $response
        set -l parts (string split -m 1 "," -- $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Within(ShellComplete):
    """Completes within the group named by the words: click 8.2.0 loses the words after ``runs output``."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        while args and isinstance(self.cli, click.Group):
            found = self.cli.get_command(click.Context(self.cli), args[0])
            if not isinstance(found, click.Group):
                break
            self.cli, args = found, args[1:]
        return super().get_completions(args, incomplete)


class Bash(_Within, BashComplete):
    """Bash, with the whole line instead of its words."""

    source_template = _BASH

    @staticmethod
    def _check_version() -> None:
        """Starting another bash to ask for its version takes longer than everything else; 4.4 is ten years old."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("DRUMLINE_LINE", "")
        words = split_arg_string(line)
        incomplete = words.pop() if words and not line[-1:].isspace() else ""
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """The completion without the part before bash's last word break, which bash keeps."""
        line = os.environ.get("DRUMLINE_LINE", "")
        word = "" if line[-1:].isspace() else (line.split() or [""])[-1]
        value = _option_before(word) + item.value
        is_quoted = "'" in word or '"' in word
        breaks = [word.rfind(char) for char in os.environ.get("DRUMLINE_BREAKS", "") if char in ":="]
        return f"{item.type},{value[0 if is_quoted else max([*breaks, -1]) + 1 :]}"


def _option_before(word: str) -> str:
    """``--limit=`` of ``--limit=web``: click proposes the value alone, and shells replace the whole word."""
    return word.partition("=")[0] + "=" if word.startswith("--") and "=" in word else ""


class Zsh(_Within, ZshComplete):
    """zsh, with values behind ``=``."""

    def format_completion(self, item: CompletionItem) -> str:
        words, at = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        item.value = _option_before(words[at] if at < len(words) else "") + item.value
        return super().format_completion(item)


class Fish(_Within, FishComplete):
    """fish, with words that hold commas."""

    source_template = _FISH

    def format_completion(self, item: CompletionItem) -> str:
        item.value = _option_before(os.environ["COMP_CWORD"]) + item.value
        return super().format_completion(item)


_CLASSES: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def answer_shell(program: click.Command, asked: str) -> int:
    """Answer a shell's request (``bash_source``, ``bash_complete``, …); returns the exit status.

    Neither errors nor warnings may disturb whoever is typing.
    """
    name, _, what = asked.partition("_")
    if name not in _CLASSES:
        return 1
    shell = _CLASSES[name](program, {}, "drumline", VARIABLE)
    try:
        with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
            if what != "source":
                shell.ctx_args = {"obj": shell.get_completion_args()[0]}  # all words; click leaves some out
            print(shell.source() if what == "source" else shell.complete())
    except (Exception, KeyboardInterrupt):
        return 0
    return 0


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_CLASSES)), required=False, metavar=f"[{'|'.join(_CLASSES)}]")
def command(shell: str | None) -> None:
    """Print the script that makes SHELL (default: yours) complete drumline's command lines.

        eval "$(drumline completion bash)"     # in ~/.bashrc

        eval "$(drumline completion zsh)"      # in ~/.zshrc, after compinit

        eval "$(drumline completion fish)"     # in config.fish (3.4 or newer)

    It completes options, hosts, groups, tags, tasks, actions and run numbers. It never starts inventory programs.
    """
    name = shell or Path(os.environ.get("SHELL", "")).name
    if name not in _CLASSES:
        raise UsageError(
            "The shell isn't known", f"$SHELL names '{name}'. Name bash, zsh or fish, as in: drumline completion bash."
        )
    click.echo(_CLASSES[name](click.Command("drumline"), {}, "drumline", VARIABLE).source(), nl=False)
