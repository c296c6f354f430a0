"""The options about log-ins and other users; names and meaning are Ansible's.

Most stand for a setting. Passwords are asked for when everything else is known to be right, and only where something is
sent to hosts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drumline.errors import UsageError
from drumline.secret import Secret

if TYPE_CHECKING:
    from drumline.config import Settings

F = TypeVar("F", bound=Callable[..., Any])

#: The settings that options of the same names stand for.
LOGIN_SETTINGS = (
    "become",
    "become_method",
    "become_user",
    "remote_user",
    "transport",
    "private_key_file",
    "ssh_common_args",
    "ssh_extra_args",
    "ask_pass",
    "connection_password_file",
    "become_ask_pass",
    "become_password_file",
)
#: Of each password the settings that ask for it and that name a file with it, and the options for these.
PASSWORDS = (
    ("ask_pass", "connection_password_file", "--ask-pass", "--connection-password-file"),
    ("become_ask_pass", "become_password_file", "--ask-become-pass", "--become-password-file"),
)
_OPTIONS = (
    click.option("-u", "--user", "remote_user", metavar="USER", help="Log in as this user. Default: you."),
    click.option("-c", "--connection", "transport", metavar="NAME", help="How to reach hosts: ssh, winrm, local."),
    click.option(
        "--private-key",
        "--key-file",
        "private_key_file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="Private key to log in with.",
    ),
    click.option("--ssh-common-args", metavar="ARGS", help="Arguments of ssh, such as '-J bastion'."),
    click.option("--ssh-extra-args", metavar="ARGS", help="More arguments of ssh."),
    click.option("-k", "--ask-pass", is_flag=True, default=None, help="Ask for the password to log in with."),
    click.option(
        "--connection-password-file",
        "--conn-pass-file",
        metavar="FILE",
        help="A file with that password, or a program that prints it; '-': stdin.",
    ),
    click.option("-b", "--become", is_flag=True, default=None, help="Run as another user. Default: root, by sudo."),
    click.option("--become-method", metavar="NAME", help="By which program: sudo, su, doas, …"),
    click.option("--become-user", metavar="USER", help="As whom."),
    click.option(
        "-K",
        "--ask-become-pass",
        "become_ask_pass",
        is_flag=True,
        default=None,
        help="Ask for the password that this takes.",
    ),
    click.option(
        "--become-password-file",
        "--become-pass-file",
        metavar="FILE",
        help="A file with that password, or a program that prints it; '-': stdin.",
    ),
)


def login_options(function: F) -> F:
    """Add the options to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def login_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that options give; a command need not have them.

    Raises ``UsageError`` where a file isn't there, or one password is given twice.
    """
    key = given.get("private_key_file")
    if key is not None and not Path(key).expanduser().is_file():
        raise UsageError("A key file isn't there", f"--private-key: there is no file '{key}'.")
    found = {name: given.get(name) for name in LOGIN_SETTINGS}
    for ask, file, asking, named in PASSWORDS:
        path = given.get(file)
        if path is not None and given.get(ask):
            raise UsageError("A password is given twice", f"{asking} asks for what {named} has. Leave one of them out.")
        if path not in (None, "-") and not _path(path).is_file():
            raise UsageError("A file with a password isn't there", f"{named}: there is no file '{path}'.")
        if given.get(ask):  # what is asked for isn't read from the file of a setting
            found[file] = ""
        elif path is not None:
            found[ask] = False
    return found


def passwords(settings: Settings) -> dict[str, Secret]:
    """Ask for the passwords, or read them: as variables of hosts, which are weaker than all others."""
    found = {}
    login = _password(settings.ask_pass, settings.connection_password_file, "SSH password: ")
    if login is not None:
        found["ansible_password"] = login
    default = "[defaults to SSH password]" if settings.ask_pass else ""
    become = _password(settings.become_ask_pass, settings.become_password_file, f"BECOME password{default}: ", login)
    if become is not None:
        found["ansible_become_password"] = become
    return found


def _path(name: str) -> Path:
    return Path(os.path.expandvars(name)).expanduser()


def _password(asked: bool | None, file: str | None, question: str, default: Secret | None = None) -> Secret | None:
    if file:
        text = _from_file(file)
    elif asked:
        text = _typed(question)
        if not text and default is not None:
            return default
    else:
        return None
    if not text:
        raise UsageError("A password is empty", "Type one, or leave the option out.")
    return Secret(text)


def _typed(question: str) -> str:
    from drumline.plugin.terminal import NoTerminal, ask_person

    try:
        return ask_person([question], hidden=True)
    except NoTerminal as error:
        detail = f"{str(error).capitalize()}. Use --connection-password-file or --become-password-file."
        raise UsageError("A password can't be asked for", detail) from None


def _from_file(name: str) -> str:
    from drumline.source.vault import Unreadable, read_password

    if name == "-":
        return sys.stdin.readline().rstrip("\r\n")
    try:
        return read_password(_path(name))
    except Unreadable as error:
        raise UsageError("A password can't be read", f"{name}: {error}.") from None
