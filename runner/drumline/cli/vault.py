"""``drumline vault``: files and values in the format of ansible-vault."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import click
from msgspec import Struct

from drumline.cli.groups import CommandGroup
from drumline.cli.passwords import asked, passwords_of, split_id, typed, vault_options
from drumline.cli.vault_files import edited, replace_content
from drumline.diagnostics import Position
from drumline.errors import UsageError
from drumline.source.mistakes import gathered
from drumline.source.vault import DEFAULT, UNREADABLE, VAULT, Keyring, Password, Unreadable, keyring, use_keyring

#: The most bytes of a file, since it is encrypted in memory.
_MOST = 1024 * 1024 * 1024
_STANDARD = "-"
#: How far a value in YAML is indented, as ansible-vault does it.
_INDENT = " " * 10

files_argument = click.argument("files", nargs=-1, metavar="[FILES]", type=click.Path(), default=None)
output_option = click.option(
    "--output", type=click.Path(), metavar="FILE", help="Write the result of a single file here instead ('-': stdout)."
)
encrypt_id_option = click.option(
    "--encrypt-vault-id",
    "chosen",
    metavar="LABEL",
    help="The label of the password to encrypt with, if there are several.",
)


class _Content(Struct, frozen=True):
    """The content of a file, or of standard input."""

    name: str
    data: bytes

    @property
    def place(self) -> Position:
        return Position("standard input" if self.name == _STANDARD else self.name)


@click.group(cls=CommandGroup, short_help="Encrypt and decrypt files and values as ansible-vault does.")
def command() -> None:
    """Encrypt and decrypt files and values in the format of ansible-vault, which reads them, too.

    Passwords come from --vault-id, --vault-password-file or -J. Without any of these, drumline asks for one.
    """


@command.command("encrypt", short_help="Encrypt files.")
@files_argument
@vault_options
@encrypt_id_option
@output_option
def encrypt(files: Sequence[str], chosen: str | None, output: str | None) -> None:
    """Encrypt FILES in place, or standard input to standard output."""
    found = _contents(files, output)
    for content in found:
        if content.data.startswith(VAULT):
            raise UsageError(
                "This is already encrypted", f"{content.place.path}. 'drumline vault rekey' changes its password."
            )
    password = _to_encrypt_with(chosen)
    _write(((content, _sealed(content.data, password)) for content in found), output, "Encrypted")


@command.command("decrypt", short_help="Decrypt files.")
@files_argument
@vault_options
@output_option
def decrypt(files: Sequence[str], output: str | None) -> None:
    """Decrypt FILES in place, or standard input to standard output."""
    _write(_opened(_contents(files, output)), output, "Decrypted")


@command.command("view", short_help="Show what is in encrypted files.")
@files_argument
@vault_options
def view(files: Sequence[str]) -> None:
    """Show what is in encrypted FILES, or in standard input."""
    _write(_opened(_contents(files, _STANDARD if len(files) < 2 else None)), _STANDARD, "")


@command.command("edit", short_help="Edit an encrypted file.")
@click.argument("file", type=click.Path())
@vault_options
def edit(file: str) -> None:
    """Edit an encrypted FILE with $VISUAL or $EDITOR (vi without them), and encrypt it again.

    Meanwhile the clear text is in a private temporary file, which is always removed.
    """
    [content] = _contents([file], None)
    _require_passwords()
    with gathered() as mistakes:
        found = mistakes.of(lambda: keyring().find(content.data, content.place))
    clear, password, label = found
    changed = edited(Path(file).name, clear)
    if changed == clear:
        click.echo(f"Not changed: {file}", err=True)
        return
    _write([(content, _sealed(changed, password, label))], None, "Encrypted")


@command.command("rekey", short_help="Encrypt files with another password.")
@files_argument
@vault_options
@click.option("--new-vault-id", metavar="[LABEL@]SOURCE", help="The new password: a file, a program, or 'prompt'.")
@click.option("--new-vault-password-file", metavar="FILE", help="A file with the new password, or a program.")
def rekey(files: Sequence[str], new_vault_id: str | None, new_vault_password_file: str | None) -> None:
    """Encrypt FILES with another password. Nothing is written unless all of them can be decrypted."""
    if not files:
        raise UsageError("No file is named", "Name the files whose password should change.")
    opened = _opened(_contents(files, None))
    if new_vault_id and new_vault_password_file:
        raise UsageError("There are two new passwords", "Give --new-vault-id or --new-vault-password-file.")
    if new_vault_id or new_vault_password_file:
        named = split_id(new_vault_id) if new_vault_id else (DEFAULT, str(new_vault_password_file))
        [password] = passwords_of([named])
    else:
        password = _new_password()
    _write([(content, _sealed(clear, password)) for content, clear in opened], None, "Encrypted again")


@command.command("encrypt-string", short_help="Encrypt values for YAML files.")
@click.argument("texts", nargs=-1, metavar="[TEXTS]")
@vault_options
@encrypt_id_option
@click.option(
    "-n",
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    help="The variable for the value; may be given once per value.",
)
@click.option("--stdin-name", metavar="NAME", help="Read a value from standard input, for this variable.")
@click.option("-p", "--prompt", is_flag=True, help="Ask for a value.")
@output_option
def encrypt_string(
    texts: Sequence[str],
    chosen: str | None,
    names: Sequence[str],
    stdin_name: str | None,
    prompt: bool,
    output: str | None,
) -> None:
    """Encrypt each TEXT, or standard input, as a value for a YAML file (!vault).

    Other users of this machine can see a TEXT in the process list while it is being encrypted: standard input and
    --prompt are safer.
    """
    values = _values(texts, names, stdin_name, prompt)
    password = _to_encrypt_with(chosen)
    lines = [_as_yaml(name, _sealed(text.encode("utf-8", "surrogateescape"), password)) for name, text in values]
    written = "\n".join(lines) + "\n"
    if output in (None, _STANDARD):
        click.echo(written, nl=False)
    else:
        replace_content(Path(str(output)), written.encode())


def _values(
    texts: Sequence[str], names: Sequence[str], stdin_name: str | None, prompt: bool
) -> list[tuple[str | None, str]]:
    """Name and text of each value."""
    found: list[tuple[str | None, str]] = []
    if prompt:
        found.append((None, asked("Value:")))
    if stdin_name is not None or (not texts and not prompt):
        found.append((stdin_name, _standard_input().decode("utf-8", "surrogateescape")))
    if not texts and found:
        return [(name or next(iter(names), None), text) for name, text in found]
    if len(names) > len(texts):
        raise UsageError("There are more names than values", "Give --name once for each TEXT.")
    named = [*names, *([None] * (len(texts) - len(names)))]
    return [*found, *zip(named, texts, strict=True)]


def _as_yaml(name: str | None, sealed: bytes) -> str:
    head = f"{name}: !vault |" if name else "!vault |"
    return "\n".join([head, *(f"{_INDENT}{line}" for line in sealed.decode().splitlines())])


def _contents(files: Sequence[str], output: str | None) -> list[_Content]:
    """What the files hold; of none: standard input."""
    if output not in (None, _STANDARD) and len(files) > 1:
        raise UsageError("One file can't take several", "Leave --output out, or name one file.")
    return [_Content(name, _read(name)) for name in files or (_STANDARD,)]


def _read(name: str) -> bytes:
    if name == _STANDARD:
        return _standard_input()
    try:
        with Path(name).open("rb") as file:
            data = file.read(_MOST + 1)
    except OSError as error:
        raise UsageError("A file can't be read", f"{name}: {error.strerror}.") from None
    if len(data) > _MOST:
        raise UsageError("A file can't be read", f"{name} is larger than {_MOST // 1024**3} GiB.")
    return data


def _standard_input() -> bytes:
    if sys.stdin.isatty():
        click.echo("Reading from the terminal; Ctrl-D ends it.", err=True)
    return sys.stdin.buffer.read()


def _opened(contents: Iterable[_Content]) -> list[tuple[_Content, bytes]]:
    """All of them in clear, or ``FilesError`` with every one that can't be."""
    found = []
    _require_passwords()
    with gathered() as mistakes:
        for content in contents:
            clear = mistakes.of(partial(keyring().open, content.data, content.place))
            found.append((content, clear))
    return found


def _require_passwords() -> None:
    if not keyring().passwords:
        use_keyring(Keyring([typed(DEFAULT, "Vault password:")]))


def _to_encrypt_with(label: str | None) -> Password:
    """The one password, or the one with this label."""
    known = keyring().passwords
    labels = ", ".join(f"'{password.label}'" for password in known) or "none"
    if label is not None:
        found = next((password for password in known if password.label == label), None)
        if found is None:
            raise UsageError("There is no password with this label", f"--encrypt-vault-id {label}: there are {labels}.")
        return found
    if len(known) > 1:
        raise UsageError("There are several passwords", f"Say which with --encrypt-vault-id: {labels}.")
    return known[0] if known else _new_password()


def _new_password() -> Password:
    return typed(DEFAULT, "New vault password:", again="The same again:")


def _sealed(clear: bytes, password: Password, label: str | None = None) -> bytes:
    from drumline.source.vault_format import seal

    if label is None:
        label = "" if password.label == DEFAULT else password.label
    try:
        return seal(clear, password.reveal(), label)
    except Unreadable as error:
        raise UsageError(UNREADABLE, str(error)) from None


def _write(found: Iterable[tuple[_Content, bytes]], output: str | None, done: str) -> None:
    """Where each belongs, and say so."""
    for content, data in list(found):
        place = output or content.name
        if place == _STANDARD:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
            continue
        replace_content(Path(place), data)
        click.echo(f"{done}: {place}", err=True)
