"""What commands share that have drumline run where no one is watching."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from drumline.cli.logins import PASSWORDS
from drumline.cli.passwords import PROMPTS, taken
from drumline.diagnostics import Diagnostic
from drumline.errors import FilesError, UsageError
from drumline.secret import mask_assignments

if TYPE_CHECKING:
    from drumline.app import Prepared
    from drumline.scheduling.moments import Times

F = TypeVar("F", bound=Callable[..., Any])

_NO_ONE = "No one is there to type a password"


def unattended(function: F) -> F:
    """Of a command with options for vault passwords: refuse those that would ask a person, before one is asked."""

    @wraps(function)
    def command(*arguments: Any, **given: Any) -> Any:
        refuse_vault_prompts(given)
        return function(*arguments, **given)

    return command  # type: ignore[return-value]  # wraps keeps the signature, which its type can't say


def refuse_vault_prompts(given: Mapping[str, Any]) -> None:
    """Raise ``UsageError`` if options or settings have a person type a password for vault data."""
    if any(source in PROMPTS for _, source in taken(dict(given))):
        detail = (
            "Leave out --ask-vault-pass, the setting 'ask_vault_pass', and 'prompt' as a source. Give "
            "--vault-password-file FILE, which may be a program."
        )
        raise UsageError(_NO_ONE, detail)


def refuse_questions(prepared: Prepared) -> None:
    """Raise ``UsageError`` if a run asks for passwords to log in with, ``FilesError`` if it asks for variables."""
    settings = prepared.settings
    for ask, file, asking, named in PASSWORDS:
        path = getattr(settings, file)
        if path == "-" or (getattr(settings, ask) and not path):
            detail = (
                f"Leave out {asking} and the setting '{ask}'. Give {named} FILE, which may be a program, but not '-'."
            )
            raise UsageError(_NO_ONE, detail)
    asked = [
        Diagnostic(
            summary="A variable can't be asked for",
            detail=f"No one is there to type '{prompt.name}'. Give it with -e @FILE, or a 'default'.",
            position=prompt.position,
        )
        for play in prepared.plan.playbook.plays
        for prompt in play.prompts
    ]
    if asked:
        raise FilesError(asked)


#: A value that is nothing but a reference to a secret.
_REFERENCE = re.compile(
    r"""(?<=[=:])\s*(["']?)\{\{\s*lookup\(\s*(["'])secret\2\s*,\s*(["'])[^"'{}]*\3\s*\)\s*\}\}\1(?=\s*(?:[,}]|\s\w+=|$))"""
)


def refuse_secrets(words: Iterable[str]) -> None:
    """Raise ``UsageError`` for words of a command line that can't be kept in a file."""
    for word in words:
        if "\n" in word or "\0" in word:
            raise UsageError("A word of the command line has several lines", "It can't be kept for later runs.")
        without = _REFERENCE.sub("", word)
        if mask_assignments(without)[0] != without:
            detail = (
                f"'{mask_assignments(word)[0]}' would stand in files that others can read. Put it into a file that "
                "is given by -e @FILE, or into a secret store, named by {{ lookup('secret', 'KIND:NAME') }} alone."
            )
            raise UsageError("A secret can't be scheduled", detail)


def times_given(at: str | None, every: str | None) -> Times:
    """The times that ``--at`` or ``--every`` says. Raises ``UsageError``."""
    from drumline.scheduling.moments import times_at, times_every

    if (at is None) == (every is None):
        raise UsageError("When to run isn't clear", "Give either --at TIME or --every DURATION.")
    return times_every(every) if every is not None else times_at(str(at), datetime.now())
