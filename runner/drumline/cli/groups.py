"""Command groups that suggest what an unknown command or option was meant to be."""

from __future__ import annotations

from typing import Any

import click

from drumline.errors import UsageError


class CommandGroup(click.Group):
    """A click group that suggests what an unknown command was meant to be."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            from drumline.cli.suggestions import no_such_command

            raise no_such_command(name, ctx.command_path, self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def group(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("cls", CommandGroup)
        return super().group(*args, **kwargs)


def explained(error: click.NoSuchOption) -> UsageError | None:
    """The error in drumline's words; None if click doesn't say which command it was for."""
    from drumline.cli.suggestions import no_such_option

    context = error.ctx
    if context is None:
        return None
    known = [name for option in context.command.get_params(context) for name in option.opts]
    return no_such_option(
        error.option_name, context.command_path, known, is_group=isinstance(context.command, click.Group)
    )
