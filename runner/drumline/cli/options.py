"""Options that several commands share, each written once."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import replace

from drumline.cli.messages import show_warnings
from drumline.config import Settings, load_settings
from drumline.errors import UsageError
from drumline.secret import mask_assignments

if TYPE_CHECKING:
    from drumline.app import Prepared

F = TypeVar("F", bound=Callable[..., Any])


def _several(*decorators: Callable[[Any], Any]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def completes(kind: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """What proposes words of some kind to a shell (:mod:`drumline.cli.completing`)."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Any:
        from drumline.cli.completing import propose

        return propose(kind, context, incomplete)

    return complete


#: ``inventory: tuple[str, ...]``: empty where ``-i`` wasn't given.
inventory_options = click.option(
    "-i",
    "--inventory",
    multiple=True,
    metavar="SOURCE",
    shell_complete=completes("files"),
    help="Where hosts come from: a YAML or INI file, a directory of them, a program, or a list 'web1,web2,'. "
    "May be given several times. Default: ./inventory.",
)

#: ``limit: str | None``, ``extra_vars: tuple[str, ...]``, ``strict: bool``.
scope_options = _several(
    click.option(
        "-l",
        "--limit",
        metavar="PATTERN|@FILE",
        shell_complete=completes("patterns"),
        help="Only hosts that match this pattern as well; @FILE: patterns, one a line.",
    ),
    click.option(
        "-e",
        "--extra-vars",
        multiple=True,
        metavar="KEY=VALUE|@FILE",
        help="A variable that wins over all others, or a YAML or JSON file of them.",
    ),
    click.option("--strict", is_flag=True, help="What is a warning about the files otherwise is an error."),
)

#: ``tags: str | None``, ``skip_tags: str | None``: comma lists.
tag_options = _several(
    click.option(
        "-t",
        "--tags",
        metavar="TAGS",
        shell_complete=completes("tags"),
        help="Only tasks with one of these tags (a comma list).",
    ),
    click.option(
        "--skip-tags", metavar="TAGS", shell_complete=completes("tags"), help="No task with one of these tags."
    ),
)

#: ``playbooks: tuple[Path, ...]`` and all of the above: what :func:`prepared_with` takes.
playbook_options = _several(
    click.argument(
        "playbooks",
        nargs=-1,
        required=True,
        type=click.Path(path_type=Path, readable=False),  # a file that can't be read is told with all other mistakes
        metavar="PLAYBOOK...",
    ),
    inventory_options,
    scope_options,
    tag_options,
)

#: ``forks: int | None``.
forks_option = click.option(
    "-f",
    "--forks",
    type=click.IntRange(min=1),
    metavar="N",
    help="Number of hosts worked on at once. Default: 50.",
)

#: ``state: Path | None``.
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory of the journal. Default: DRUMLINE_STATE, else drumline's directory in XDG_STATE_HOME.",
)

#: ``events: str | None``.
events_option = click.option(
    "--events", type=click.Path(dir_okay=False), metavar="FILE", help="Write every event as a JSON line; '-': stdout."
)

#: ``slow_reports: str | None``.
slow_reports_option = click.option(
    "--slow-reports",
    type=click.Choice(["drop", "wait"]),
    help="Where the reader of the console or of --events is too slow: leave events out, or wait for it. Default: drop.",
)

#: ``verbose: int``.
verbose_option = click.option(
    "-v", "--verbose", count=True, help="Show more: results of every host (-v), all of it (-vv)."
)

#: ``recap: bool``.
recap_option = click.option(
    "--recap", is_flag=True, help="End with a recap of all hosts, also when nothing failed. Default: after failures."
)


def settings_with(**given: Any) -> Settings:
    """Settings of this directory and environment, with what the command line gives; None and () mean not given."""
    import os

    settings = load_settings(_working_directory(), os.environ)
    return replace(settings, **{key: value for key, value in given.items() if value not in (None, ())})


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        detail = f"{error.strerror}: it was removed, or may not be entered. Change into one that is there."
        raise UsageError("The working directory can't be used", detail) from None


def prepared_with(playbooks: Sequence[Path], given: Mapping[str, Any], **more: Any) -> Prepared:
    """What :func:`drumline.app.prepare` makes of all the options above; ``more`` goes to it as it is."""
    from drumline.app import prepare

    prepared = prepare(
        playbooks,
        settings_with(**{name: given.get(name) for name in ("inventory", "forks", "state", "slow_reports")}),
        limit=given["limit"],
        extra_vars=given["extra_vars"],
        tags=split_tags(given["tags"]),
        skip_tags=split_tags(given["skip_tags"]),
        strict=given["strict"],
        **more,
    )
    show_warnings(prepared.warnings)
    return prepared


def split_tags(text: str | None) -> list[str]:
    """``"a, b"`` as a list."""
    return [tag.strip() for tag in (text or "").split(",") if tag.strip()]


def called_as(words: Sequence[str]) -> str:
    """How the program was called, for the journal: values of variables whose names say that they are secret masked."""
    return shlex.join(["drumline", *(mask_assignments(word)[0] for word in words)])
