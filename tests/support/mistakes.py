"""The corpus of mistakes: wrong files, and beside each what a user is told about it, word for word.

``python -m support.mistakes``, run in ``tests``, renews what is told. Read the difference as a user would, at two
in the morning.

====================  ======================================================================================
``playbooks/``        playbooks, planned with the hosts of ``hosts.yml``; ``vault/`` likewise
``roles/NAME/``       ``site.yml`` and its roles, likewise
``inventories/``      inventories, for ``site.yml``
``settings/``         files that are read as ``drumline.toml`` or ``ansible.cfg``
====================  ======================================================================================
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

from drumline.app import prepare, registry
from drumline.config import Settings, load_settings
from drumline.diagnostics import PLAIN, headline, indented
from drumline.errors import DrumlineError, FilesError
from drumline.source.vault import Keyring, use_keyring

MISTAKES = Path(__file__).parents[1] / "mistakes"
_SUFFIX = ".txt"
#: Files that are read as these.
_SETTINGS = {".toml": "drumline.toml", ".cfg": "ansible.cfg"}
_HELPERS = ("hosts.yml", "site.yml")


def cases() -> list[Path]:
    """Every wrong file; of a role, its playbook."""
    return sorted(_cases())


def _cases() -> Iterator[Path]:
    yield from (path for path in (MISTAKES / "roles").glob("*/site.yml"))
    for kind in ("playbooks", "vault", "inventories", "settings"):
        for path in (MISTAKES / kind).iterdir():
            if path.is_file() and path.suffix != _SUFFIX and path.name not in _HELPERS:
                yield path


def expected(case: Path) -> Path:
    """The file with what is told: ``NAME.txt`` beside the case, or in the directory of a role's."""
    return case.with_name(f"{case.name}{_SUFFIX}")


def said(case: Path) -> str:
    """What a user is told of it now."""
    use_keyring(Keyring())
    os.environ["HOME"] = "/home/me"  # messages name the places below it
    kind = case.relative_to(MISTAKES).parts[0]
    with tempfile.TemporaryDirectory() as state:
        if kind == "settings":
            return _of_settings(case, Path(state)) + "\n"
        inventory, playbook = ("../hosts.yml" if kind == "roles" else "hosts.yml"), case.name
        if kind == "inventories":
            inventory, playbook = case.name, "site.yml"
        with chdir(case.parent):
            settings = Settings(inventory=(inventory,), state=Path(state))
            return _told(lambda: prepare([Path(playbook)], settings, sends=True)) + "\n"


def _of_settings(case: Path, directory: Path) -> str:
    shutil.copy(case, directory / _SETTINGS[case.suffix])
    with chdir(directory):
        return _told(lambda: registry(load_settings(Path(), {"HOME": "/nonexistent"})))


def _told(step: object) -> str:
    assert callable(step)
    try:
        result = step()
    except FilesError as error:
        return error.render(PLAIN).replace(os.getcwd() + os.sep, "")
    except DrumlineError as error:
        return "\n".join([headline("error", error.summary, PLAIN), *indented(error.detail, PLAIN)])
    warnings = getattr(result, "warnings", ())
    told = "\n".join(warning.render("warning") for warning in warnings)
    return told.replace(os.getcwd() + os.sep, "") or "nothing"


def _renew() -> None:
    for case in cases():
        expected(case).write_text(said(case), encoding="utf-8")


if __name__ == "__main__":
    _renew()
