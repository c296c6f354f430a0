"""The options for passwords of vault data; their names, order and variables are Ansible's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click
from msgspec.structs import replace

from drumline.config import Settings, settings_and_sources
from drumline.errors import UsageError
from drumline.secret import Secret
from drumline.source.vault import DEFAULT, Keyring, Password, use_keyring

F = TypeVar("F", bound=Callable[..., Any])

#: Sources that mean a person; the first is what ``-J`` stands for.
PROMPTS = ("prompt_ask_vault_pass", "prompt")

_OPTIONS = (
    click.option(
        "--vault-id",
        "vault_ids",
        multiple=True,
        metavar="[LABEL@]SOURCE",
        help="A vault password with its label: a file, a program that prints it, or 'prompt'.",
    ),
    click.option(
        "--vault-password-file",
        "--vault-pass-file",
        "vault_password_files",
        multiple=True,
        metavar="FILE",
        help="A file with a password for vault data, or a program that prints it. "
        "Default: the setting vault_password_file.",
    ),
    click.option(
        "-J",
        "--ask-vault-pass",
        "--ask-vault-password",
        "ask_vault_pass",
        is_flag=True,
        help="Ask for a password for vault data.",
    ),
)


def vault_options(function: F) -> F:
    """Add the options to a command, and use these passwords while it runs.

    Where the command has an option ``--trust`` that isn't given, programs that a file of settings names aren't run.
    """

    @wraps(function)
    def command(*arguments: Any, **given: Any) -> Any:
        use_keyring(Keyring(passwords_of(taken(given, trusted=given.get("trust", True)))))
        return function(*arguments, **given)

    for option in reversed(_OPTIONS):
        command = option(command)
    return command  # type: ignore[return-value]  # wraps keeps the signature, which its type can't say


def taken(given: dict[str, Any], *, trusted: bool = True) -> list[tuple[str, str]]:
    """Label and source of each password named by options or settings; removes these options from ``given``."""
    ids, files = given.pop("vault_ids"), given.pop("vault_password_files")
    settings = _settings(trusted)
    if not files and settings.vault_password_file:
        files = (settings.vault_password_file,)
    asked = [(DEFAULT, PROMPTS[0])] if given.pop("ask_vault_pass") or settings.ask_vault_pass else []
    return [*map(split_id, (*settings.vault_identity_list, *ids)), *((DEFAULT, file) for file in files), *asked]


def _settings(trusted: bool) -> Settings:
    """Those of the working directory; if that isn't trusted, without programs that files there name for passwords."""
    loaded = settings_and_sources(Path(), os.environ)
    if trusted or loaded.file is None or loaded.file.parent != Path():
        return loaded.settings
    written = {name for name, source in loaded.sources.items() if source.startswith(f"{loaded.file}:")}
    settings = loaded.settings
    if "vault_password_file" in written and _is_program(settings.vault_password_file or ""):
        settings = replace(settings, vault_password_file=None)
    if "vault_identity_list" in written:
        kept = tuple(one for one in settings.vault_identity_list if not _is_program(split_id(one)[1]))
        settings = replace(settings, vault_identity_list=kept)
    return settings


def _is_program(source: str) -> bool:
    return source not in PROMPTS and os.access(Password(DEFAULT, source).path, os.X_OK)


def split_id(text: str) -> tuple[str, str]:
    """``LABEL@SOURCE`` as label and source; the label of a source alone is ``default``."""
    label, sign, source = text.partition("@")
    return (label or DEFAULT, source) if sign else (DEFAULT, text)


def passwords_of(named: Iterable[tuple[str, str]]) -> Iterator[Password]:
    """The passwords. People are asked now; a file has to exist now, and is read on use."""
    for label, source in named:
        if source in PROMPTS:
            yield typed(label, f"Vault password ({label}):")
            continue
        password = Password(label, source)
        if not password.path.is_file():
            raise UsageError("A file with a vault password isn't there", f"There is no file {source!r}.")
        yield password


def typed(label: str, question: str, again: str = "") -> Password:
    """A password that a person types; ``again`` asks for it a second time."""
    given = asked(question)
    if again and asked(again) != given:
        raise UsageError("The passwords differ", "They have to be the same both times.")
    return Password(label, "typed", Secret(given))


def asked(question: str) -> str:
    """What a person types, without showing it."""
    from drumline.plugin.terminal import NoTerminal, ask_person

    try:
        answer = ask_person([question], hidden=True)
    except NoTerminal as error:
        detail = f"{str(error).capitalize()}. Use --vault-password-file FILE, which may be a program."
        raise UsageError("A vault password can't be asked for", detail) from None
    if not answer:
        raise UsageError("A vault password is empty", "Type one, or leave the option out.")
    return answer
