"""Lookups that read files of this machine beyond a whole one, and settings.

Terms, options and results are those that ansible-core documents for its lookups of the same names.
"""

from __future__ import annotations

import configparser
import csv
import fcntl
import io
import os
import re
import secrets
import string
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context

from drumline.plugin import ActionFailed
from drumline.source.files import find_file
from drumline.source.replacing import replace_file
from drumline.source.vault import keyring
from drumline.templating import regular
from drumline.templating.bounds import limit
from drumline.templating.filters import to_bool
from drumline.templating.lookups import found_file, of_all_terms, playbook_dir, search_path, text_of_file
from drumline.templating.table_filters import Ini
from drumline.templating.waiting import TICK

Options = Mapping[str, Any]

_PAIR = re.compile(r"""(\w+)=("[^"]*"|'[^']*'|\S*)""")


def csvfile(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """A column of the row of a table that begins with the term."""
    key, given = term_and_options(term, options)
    delimiter = str(given.get("delimiter", "TAB"))
    delimiter = "\t" if delimiter in ("TAB", "t", "\\t") else delimiter
    text = text_of_file(found_file(context, str(given.get("file", "ansible.csv")), "files"))
    column, key_column = int(given.get("col", 1)), int(given.get("keycol", 0))
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            if len(row) > key_column and row[key_column] == key:
                return [row[column]]
    except (csv.Error, TypeError, IndexError) as error:
        raise FilterArgumentError(f"the 'csvfile' lookup: {error}.") from None
    return [given["default"]] if given.get("default") is not None else []


def ini(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """The value of a key in a section of an INI file, or in a file of properties."""
    key, given = term_and_options(term, options)
    text = text_of_file(found_file(context, str(given.get("file", "ansible.ini")), "files"))
    section = str(given.get("section", "global"))
    if given.get("type", "ini") == "properties":
        section, text = "java_properties", f"[java_properties]\n{text}"
    kind = Ini if to_bool(given.get("case_sensitive", False)) else configparser.RawConfigParser
    parser = kind(
        interpolation=configparser.BasicInterpolation() if to_bool(given.get("interpolation", True)) else None,
        allow_no_value=to_bool(given.get("allow_no_value", given.get("allow_none", False))),
        strict=False,
    )
    try:
        parser.read_string(text)
        if to_bool(given.get("re", False)):
            return [value for name, value in parser.items(section) if regular.match("test", key, 0, name, "match")]
        return [parser.get(section, key)]
    except (configparser.NoOptionError, configparser.NoSectionError):
        return [given.get("default", "")]
    except configparser.Error as error:
        raise FilterArgumentError(f"the 'ini' lookup: {error}.") from None


def unvault(context: Context, term: str, _options: dict[str, Any]) -> list[Any]:
    """What is in a file, decrypted if need be, with all white space."""
    return [text_of_file(found_file(context, term, "files"))]


@of_all_terms
def first_found(context: Context, terms: Sequence[Any], options: Options) -> list[Any]:
    """The first of some files that is there; ``subdir`` is where ``with_first_found`` looks before anywhere else."""
    names, skip = _candidates(terms, options)
    directories = [options["subdir"]] if "subdir" in options else ("files", "templates", "vars", "tasks")
    for name in names:
        for directory in directories:
            try:
                return [str(find_file(name, directory, search_path(context)))]
            except ActionFailed:
                continue
    if skip:
        return []
    raise FilterArgumentError(f"None of these files is there: {', '.join(names) or 'none was named'}.")


def _candidates(terms: Sequence[Any], options: Options) -> tuple[list[str], bool]:
    """The paths in the order in which they are tried, and whether it's fine that none is there."""
    skip = to_bool(options.get("skip", False))
    wanted: list[str] = [] if terms else list(_paths(options.get("files"), options.get("paths")))
    for term in _flat(terms):
        if isinstance(term, Mapping):
            skip = to_bool(term.get("skip", skip))
            wanted += _paths(term.get("files"), term.get("paths"))
        else:
            wanted += _paths([term], options.get("paths"))
    return wanted, skip


def _flat(terms: Sequence[Any]) -> Iterator[Any]:
    for term in terms:
        if isinstance(term, (list, tuple)):
            yield from _flat(term)
        else:
            yield term


def _paths(files: Any, paths: Any) -> Iterator[str]:
    # Texts are lists with commas or semicolons, of paths also with colons.
    names = re.split("[,;]", files) if isinstance(files, str) else list(files or ())
    places = re.split("[,:;]", paths) if isinstance(paths, str) else list(paths or ())
    for name in names or [""]:
        for place in places or [""]:
            path = os.path.join(str(place).strip(), str(name).strip())
            if path:
                yield path


#: Ansible's settings that playbooks ask for, and what holds where the environment says nothing.
_SETTINGS: dict[str, Any] = {
    "COLOR_CHANGED": "yellow",
    "COLOR_ERROR": "red",
    "COLOR_OK": "green",
    "COLOR_SKIP": "cyan",
    "DEFAULT_BECOME": False,
    "DEFAULT_BECOME_METHOD": "sudo",
    "DEFAULT_BECOME_USER": "root",
    "DEFAULT_EXECUTABLE": "/bin/sh",
    "DEFAULT_FORKS": 5,
    "DEFAULT_LOCAL_TMP": "/tmp",
    "DEFAULT_MANAGED_STR": "Ansible managed",
    "DEFAULT_REMOTE_PORT": None,
    "DEFAULT_REMOTE_USER": None,
    "DEFAULT_ROLES_PATH": ["~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles"],
    "DEFAULT_TIMEOUT": 10,
    "DEFAULT_TRANSPORT": "ssh",
    "HOST_KEY_CHECKING": True,
    "RETRY_FILES_ENABLED": False,
    "RETRY_FILES_SAVE_PATH": None,
}


def config(_context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """A setting of Ansible's, by its environment variable or its default."""
    name = term.upper()
    for variable in (f"ANSIBLE_{name}", f"ANSIBLE_{name.removeprefix('DEFAULT_')}"):
        if os.environ.get(variable):
            return [os.environ[variable]]
    if name in _SETTINGS:
        found = _SETTINGS[name]
        return [[os.path.expanduser(item) for item in found] if isinstance(found, list) else found]
    how = options.get("on_missing", "error")
    if how in ("skip", "warn"):
        return []
    raise FilterArgumentError(f"There is no setting '{term}' here.")


#: ``chars`` by name, which are attributes of Python's module string.
_NAMED = ("ascii_letters", "ascii_lowercase", "ascii_uppercase", "digits", "hexdigits", "octdigits", "punctuation")


def password(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """A password that is made once and kept in a file; ``/dev/null`` keeps none."""
    name, given = term_and_options(term, options)
    path = Path(os.path.expanduser(name))
    path = path if path.is_absolute() else playbook_dir(context) / path
    alone: AbstractContextManager[None] = nullcontext() if name == os.devnull else alone_in(path)
    with alone:
        text, salt, kept_ident = _kept(path)
        made = text is None
        if text is None:
            text = _random(given)
        scheme = given.get("encrypt")
        if scheme and not salt:
            salt, made = _salt_for(str(scheme)), True
        ident = given.get("ident") or kept_ident
        keyring().note(text)
        if made and name != os.devnull:
            _keep(path, text, salt if scheme else None, ident)
    if not scheme:
        return [text]
    from drumline.templating.password_filters import password_hash

    return [password_hash(text, str(scheme), salt, ident=ident)]


def _salt_for(scheme: str) -> str:
    from drumline.templating.password_filters import random_salt

    length = 22 if scheme in ("bcrypt", "blowfish") else 16 if "sha" in scheme else 8
    return random_salt(length)


def _random(given: Mapping[str, Any]) -> str:
    length = int(given.get("length", 20))
    limit(length)
    letters = _letters(given.get("chars", ["ascii_letters", "digits", ".,:-_"]))
    if not letters:
        raise FilterArgumentError("the 'password' lookup has no 'chars' to choose from.")
    if given.get("seed") is not None:
        import random

        source = random.Random(given["seed"])
        return "".join(source.choice(letters) for _ in range(length))
    return "".join(secrets.choice(letters) for _ in range(length))


def _letters(chars: Any) -> str:
    if isinstance(chars, str):
        doubled = ",," in chars
        chars = [part for part in chars.replace(",,", ",").split(",") if part] + ([","] if doubled else [])
    found = "".join(getattr(string, part) if part in _NAMED else str(part) for part in chars)
    return "".join(dict.fromkeys(found)).replace('"', "").replace("'", "")


@contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Meanwhile no other thread or program looks for a password in the file's directory, or makes one there."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        while not _locked(directory):
            time.sleep(TICK)
        yield
    finally:
        os.close(directory)


def _locked(directory: int) -> bool:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unwritable(path: Path, error: OSError) -> FilterArgumentError:
    return FilterArgumentError(f"{path} can't be written: {error.strerror}.")


def _kept(path: Path) -> tuple[str | None, str | None, str | None]:
    """Password, salt and kind of hash that a file keeps."""
    if str(path) == os.devnull or not path.exists():
        return None, None, None
    text = text_of_file(path).rstrip("\r\n")
    if not text:
        raise FilterArgumentError(f"{path} is empty; remove it for a new password.")
    text, _, ident = text.partition(" ident=") if " salt=" in text else (text, "", "")
    text, _, salt = text.rpartition(" salt=") if " salt=" in text else (text, "", "")
    return text, salt or None, ident or None


def _keep(path: Path, text: str, salt: str | None, ident: str | None) -> None:
    line = text + (f" salt={salt}" if salt else "") + (f" ident={ident}" if salt and ident else "")
    try:
        replace_file(path, f"{line}\n".encode())
    except OSError as error:
        raise _unwritable(path, error) from None


def term_and_options(term: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A term such as ``key file=a.csv col=2`` as what stands first and the options in it, which win."""
    pairs = list(_PAIR.finditer(term))
    first = term[: pairs[0].start()] if pairs else term
    return first.strip(), {**options, **{pair[1]: pair[2].strip("\"'") for pair in pairs}}
