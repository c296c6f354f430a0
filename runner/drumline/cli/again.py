"""The current command line limited to some of its hosts, which a recap offers for going on."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import click
from click.core import ParameterSource

from drumline.secret import mask_assignments


def again() -> Callable[[Sequence[str]], str]:
    """A function that makes the line for hosts, quoted for sh: ``drumline run site.yml -i hosts.yml --limit web2``.

    Values of variables with secret-sounding names are masked, and have to be filled in again.
    """
    context = click.get_current_context()
    return lambda hosts: shlex.join(_words(context, hosts))


def words_given(context: click.Context, without: Collection[str]) -> list[str]:
    """The arguments and options of the current command line, but for these options."""
    given = [one for one in context.command.params if one.name not in without]
    named = [word for one in given if isinstance(one, click.Option) for word in _option(context, one, masked=False)]
    return [*(word for one in given if isinstance(one, click.Argument) for word in _given(context, one)), *named]


def _words(context: click.Context, hosts: Iterable[str]) -> list[str]:
    parameters = context.command.params
    named = [word for option in parameters if isinstance(option, click.Option) for word in _option(context, option)]
    options = [*named, "--limit", ",".join(hosts)]
    arguments = [
        word for option in parameters if isinstance(option, click.Argument) for word in _given(context, option)
    ]
    program = ["drumline", *context.command_path.split()[1:]]
    if any(
        not isinstance(context.params[str(option.name)], tuple)
        for option in parameters
        if isinstance(option, click.Argument)
    ):
        [pattern, *command] = arguments  # what follows the pattern is the hosts' command with its options
        return [*program, *options, pattern, *(["--", *command] if command else [])]
    if any(word.startswith("-") for word in arguments):
        return [*program, *options, "--", *arguments]
    return [*program, *arguments, *options]


def _given(context: click.Context, option: click.Parameter) -> list[str]:
    value = context.params[str(option.name)]
    return [str(item) for item in (value if isinstance(value, tuple) else (value,))]


def _option(context: click.Context, option: click.Option, *, masked: bool = True) -> Iterator[str]:
    """An option that was given on the command line, as words; its longest name is the clearest."""
    name = str(option.name)
    if (name == "limit" and masked) or context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return
    if option.count:
        yield "-" + option.opts[0].lstrip("-")[0] * context.params[name]
    elif option.is_flag:
        yield max(option.opts, key=len)
    else:
        for value in _given(context, option):
            yield from (option.opts[0], mask_assignments(value)[0] if masked else value)
