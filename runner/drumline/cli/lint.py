"""``drumline lint``: all checks without hosts, and advice."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from drumline.cli.messages import look_of
from drumline.cli.options import settings_with, trust_option
from drumline.cli.passwords import vault_options


@click.command("lint")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="Text for people, JSON for programs, SARIF for code scanners, lines for GitHub's logs.",
)
@click.option(
    "--skip", metavar="IDS", help="Advice to leave out (ids with commas), beside what the setting lint_skip names."
)
@click.option("--errors-only", is_flag=True, help="Only what a run would refuse.")
@trust_option
@vault_options
def command(paths: tuple[Path, ...], form: str, skip: str | None, errors_only: bool, trust: bool) -> None:
    """Say what is wrong with playbooks, roles, task files and inventories, and give advice. No host is needed.

    PATH is a file or a directory. Undefined variables and hosts that aren't there are left to 'drumline plan', which
    knows the inventory. A comment '# noqa: ID' turns advice off for its line.

    No code of what is looked at is run; what depends on it counts as unknown. --trust changes that.

    Exit status: 0 if there is nothing to say, 2 for warnings and advice, 5 for errors.
    """
    from drumline.survey.lint_formats import FORMATS, as_text
    from drumline.survey.linting import Level, lint

    skipped = {name.strip() for name in (skip or "").split(",") if name.strip()}
    findings = lint(paths, skipped | set(settings_with().lint_skip), trusted=trust)
    if errors_only:
        findings = [one for one in findings if one.level is Level.ERROR]
    text = as_text(findings, look_of(sys.stdout)) if form == "text" else FORMATS[form](findings)
    if text:
        click.echo(text)
    levels = {one.level for one in findings}
    raise SystemExit(5 if Level.ERROR in levels else 2 if levels else 0)
