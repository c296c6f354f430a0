"""Options that several commands share, each written once."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import replace

from drumline.cli.logins import login_options, login_settings, passwords
from drumline.cli.messages import show_warnings
from drumline.cli.passwords import vault_options
from drumline.config import Settings, settings_and_sources
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
    """A callback that completes words of this kind in a shell (:mod:`drumline.cli.completing`)."""

    def complete(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Any:
        from drumline.cli.completing import propose

        return propose(kind, context, incomplete)

    return complete


#: Where settings are kept that an option says and no command has to know: a key of ``click.Context.meta``.
_KEPT = "drumline.settings"


def _keep_setting(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    """Have :func:`settings_with` say it."""
    if value:
        context.meta.setdefault(_KEPT, {})[parameter.name] = value


#: ``inventory: tuple[str, ...]``: empty where ``-i`` wasn't given. The passwords of vault data are there to all code.
inventory_options = _several(
    click.option(
        "-i",
        "--inventory",
        multiple=True,
        metavar="SOURCE",
        shell_complete=completes("files"),
        help="Where hosts come from: a YAML or INI file, a directory of them, a program, or a list 'web1,web2,'. "
        "May be given several times. Default: ./inventory.",
    ),
    click.option(
        "--refresh-inventory",
        is_flag=True,
        expose_value=False,
        callback=_keep_setting,
        help="Ask inventory sources again, even if there is a copy of what they gave.",
    ),
    click.option(
        "--allow-missing-source",
        is_flag=True,
        expose_value=False,
        callback=_keep_setting,
        help="Go on without inventory sources that fail.",
    ),
    vault_options,
)

#: ``limit: str | None``, ``extra_vars: tuple[str, ...]``, ``strict: bool``.
scope_options = _several(
    click.option(
        "-l",
        "--limit",
        metavar="PATTERN|@FILE",
        shell_complete=completes("patterns"),
        help="Only those hosts that also match this pattern; @FILE: patterns, one per line.",
    ),
    click.option(
        "-e",
        "--extra-vars",
        multiple=True,
        metavar="KEY=VALUE|@FILE",
        help="A variable that overrides all others, or a YAML or JSON file of them.",
    ),
    click.option("--strict", is_flag=True, help="Treat warnings about the files as errors."),
)

#: ``tags: str | None``, ``skip_tags: str | None``: comma lists.
tag_options = _several(
    click.option(
        "-t",
        "--tags",
        metavar="TAGS",
        shell_complete=completes("tags"),
        help="Only tasks with one of these tags (comma-separated).",
    ),
    click.option(
        "--skip-tags", metavar="TAGS", shell_complete=completes("tags"), help="Leave out tasks with one of these tags."
    ),
)

#: ``only: tuple[str, ...]``.
only_option = click.option(
    "--only",
    multiple=True,
    metavar="PLAY.TASK",
    help="Only this task, or all of a play: PLAY. What it needs isn't run. May be given several times.",
)

#: ``force_handlers: bool``.
force_handlers_option = click.option(
    "--force-handlers", is_flag=True, help="Run the handlers that were notified on hosts that failed, too."
)

#: ``playbooks: tuple[Path, ...]`` and all of the above: what :func:`prepared_with` takes.
playbook_options = _several(
    click.argument(
        "playbooks",
        nargs=-1,
        required=True,
        type=click.Path(path_type=Path, readable=False),  # an unreadable file is reported with all other mistakes
        metavar="PLAYBOOK...",
    ),
    inventory_options,
    scope_options,
    login_options,
    tag_options,
    only_option,
    force_handlers_option,
)

#: ``forks: int | None``.
forks_option = click.option(
    "-f",
    "--forks",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many hosts to work on at once. Default: 50.",
)

#: ``check: bool``, ``diff: bool``.
check_options = _several(
    click.option("-C", "--check", is_flag=True, help="Change nothing: say for each task what it would change."),
    click.option("-D", "--diff", is_flag=True, help="Show what tasks change in files, line by line."),
)

#: ``trust: bool``.
trust_option = click.option(
    "--trust", is_flag=True, help="Run code of the project: its plugins, filters, tests, lookups and password programs."
)

#: ``state: Path | None``.
state_option = click.option(
    "--state",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory of the journal. Default: $DRUMLINE_STATE, else $XDG_STATE_HOME/drumline.",
)

#: ``events: str | None``.
events_option = click.option(
    "--events",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write every event as a line of JSON ('-': stdout).",
)

#: ``slow_reports: str | None``.
slow_reports_option = click.option(
    "--slow-reports",
    type=click.Choice(["drop", "wait"]),
    help="If whatever reads the console or --events is too slow: drop what it misses, or wait for it. Default: drop.",
)

#: ``verbose: int``.
verbose_option = click.option(
    "-v", "--verbose", count=True, help="Show the output of every host (-v), or the whole result (-vv)."
)

#: ``recap: bool``.
recap_option = click.option("--recap", is_flag=True, help="End with a recap of all hosts even if nothing failed.")


def settings_with(**given: Any) -> Settings:
    """Settings of the working directory and environment, overridden by those given; None and () mean not given."""
    import os

    loaded = settings_and_sources(working_directory(), os.environ)
    show_warnings(loaded.warnings)
    context = click.get_current_context(silent=True)
    kept = context.meta.get(_KEPT, {}) if context is not None else {}
    return replace(loaded.settings, **kept, **{key: value for key, value in given.items() if value not in (None, ())})


def working_directory() -> Path:
    """Where drumline was started. Raises ``UsageError`` if it can't be used."""
    try:
        return Path.cwd()
    except OSError as error:
        detail = f"{error.strerror}: it was removed, or you may not enter it. Change to a directory that exists."
        raise UsageError("The working directory can't be used", detail) from None


def prepared_with(playbooks: Sequence[Path], given: Mapping[str, Any], **more: Any) -> Prepared:
    """Call :func:`drumline.app.prepare` with all the options above; ``more`` is passed on unchanged."""
    from drumline.app import prepare

    options = {name: given.get(name) for name in ("inventory", "forks", "state", "slow_reports")}
    settings = settings_with(**options, **login_settings(given))
    if "diff" in more:
        more["diff"] = more["diff"] or settings.diff_always
    prepared = prepare(
        playbooks,
        settings,
        limit=given["limit"],
        extra_vars=given["extra_vars"],
        tags=split_tags(given["tags"]) or settings.run_tags,
        skip_tags=split_tags(given["skip_tags"]) or settings.skip_tags,
        only=given.get("only", ()),
        strict=given["strict"],
        force_handlers=given.get("force_handlers", False) or settings.force_handlers,
        **more,
    )
    show_warnings(prepared.warnings)
    return prepared


def with_passwords(prepared: Prepared) -> Prepared:
    """With the passwords that people type, or that are in files: for a plan that is going to be run."""
    return replace(prepared, passwords=passwords(prepared.settings))


def split_tags(text: str | None) -> list[str]:
    """``"a, b"`` as ``["a", "b"]``."""
    return [tag.strip() for tag in (text or "").split(",") if tag.strip()]


def called_as(words: Sequence[str]) -> str:
    """The command line for the journal; values of variables with secret-sounding names are masked."""
    return shlex.join(["drumline", *(mask_assignments(word)[0] for word in words)])
