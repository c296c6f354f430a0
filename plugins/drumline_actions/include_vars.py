"""``include_vars``: variables of a host from files of the project, read when the task runs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    NeededFile,
    Result,
    Sets,
    Steps,
    Traits,
    Written,
)

_DIRECTORY = "vars"
_OF_DIRECTORIES = ("depth", "files_matching", "ignore_files", "ignore_unknown_extensions")


def perform(call: Call) -> Steps:
    try:
        return _included(call)
    except ActionFailed as failed:
        failed.values = {"ansible_included_var_files": [], **failed.values}
        raise
    yield  # a generator, like every action


def _included(call: Call) -> Result:
    if call["dir"] is not None:
        files = list(_files_in(call, call.find_file(call["dir"], _DIRECTORY)))
    elif call["file"]:
        files = [call.find_file(call["file"], _DIRECTORY)]
    else:
        raise ActionFailed("it needs 'file' or 'dir'.")
    found: dict[str, Any] = {}
    for path in files:
        found.update(call.variables_in(path))
    if call["name"] is not None:
        found = {call["name"]: found}
    if call["hash_behaviour"] == "merge":
        found = {name: _merged(call, name, value) for name, value in found.items()}
    shown = [os.path.abspath(path) for path in files]
    return Result(facts=found, values={"ansible_facts": found, "ansible_included_var_files": shown})


def _merged(call: Call, name: str, value: Any) -> Any:
    """The value laid over the one that the variable has."""
    try:
        before = call.lookup(name)
    except ActionFailed:  # nothing defines it
        return value
    return _laid_over(before, value)


def _laid_over(before: Any, value: Any) -> Any:
    if not isinstance(before, Mapping) or not isinstance(value, Mapping):
        return value
    both = {name: _laid_over(before[name], item) if name in before else item for name, item in value.items()}
    return {**before, **both}


def _files_in(call: Call, directory: Path) -> Iterator[Path]:
    """The files below a directory that are wanted, in the order of their names."""
    if not directory.is_dir():
        raise ActionFailed(f"{directory} is not a directory")
    _require_patterns(call)
    deepest = call["depth"]
    for place, names, files in os.walk(directory, followlinks=True):
        names.sort()
        level = len(Path(place).relative_to(directory).parts) + 1
        if deepest and level >= deepest:
            names.clear()
        for name in sorted(files):
            if _is_wanted(call, name):
                yield Path(place) / name


def _require_patterns(call: Call) -> None:
    given = {"files_matching": [call["files_matching"] or ""], "ignore_files": call["ignore_files"] or ()}
    for name, patterns in given.items():
        for pattern in patterns:
            try:
                re.compile(str(pattern))
            except re.error as error:
                raise ActionFailed(
                    f"'{name}' has to be a regular expression, and {pattern} isn't one: {error}"
                ) from None


def _is_wanted(call: Call, name: str) -> bool:
    ignored = call["ignore_files"] or ()
    if name.startswith(".") or any(re.search(rf"{pattern}$", name) for pattern in ignored):
        return False
    if call["files_matching"] is not None and not re.search(call["files_matching"], name):
        return False
    extension = name.rpartition(".")[2] if "." in name else ""
    if extension in call["extensions"]:
        return True
    if call["ignore_unknown_extensions"]:
        return False
    raise ActionFailed(f"{name} does not have a valid extension: {', '.join(call['extensions'])}")


def perform_vars_files(call: Call) -> Steps:
    found: dict[str, Any] = {}
    for entry in call["files"]:
        path = _first(call, entry if isinstance(entry, list) else [entry])
        if path is not None:
            found.update(call.variables_in(path))
    return Result(facts=found, values={"ansible_facts": found})
    yield  # a generator, like every action


def _first(call: Call, names: list[str]) -> Path | None:
    """The first of these files that is there; none is needed, as with Ansible."""
    for name in names:
        try:
            return call.find_file(str(name), _DIRECTORY)
        except ActionFailed:
            continue
    return None


def needed_files(written: Written) -> Iterator[NeededFile]:
    for name in ("file", "dir"):
        source = written.arguments.get(name)
        if source is not None:
            yield name, source, _DIRECTORY


def check(written: Written) -> Iterator[tuple[str, str]]:
    """Mistakes that don't depend on the host."""
    if written.given("file"):
        for name in written.given(*_OF_DIRECTORIES):
            if written.arguments.get(name) not in (0, False):
                yield name, f"'{name}' is for 'dir', and this has a 'file'."


ACTIONS = (
    Action(
        name="include_vars",
        foreground=True,
        perform=perform,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.INCLUDED, renders="file"),
        help="Set variables of the host from files of the project",
        free_form="file",
        free_form_named=True,
        arguments=(
            Argument(name="file", help="File of variables, looked for in vars/ of the role and beside the task first"),
            Argument(name="dir", help="Directory whose files are read, in the order of their names"),
            Argument(name="name", help="Variable that gets all of them as a dictionary"),
            Argument(name="depth", type=int, default=0, help="How many levels of the directory are read; 0: all"),
            Argument(name="files_matching", help="Pattern that names of files have to contain"),
            Argument(name="ignore_files", type=list, help="Patterns of names' ends that are left out"),
            Argument(name="extensions", type=list, default=["yaml", "yml", "json"], help="Extensions of files"),
            Argument(
                name="ignore_unknown_extensions", type=bool, default=False, help="Leave out files with other extensions"
            ),
            Argument(
                name="hash_behaviour",
                choices=("replace", "merge"),
                help="merge: lay dictionaries over what the variables have",
            ),
        ),
        exclusive=(("file", "dir"),),
        one_of=(("file", "dir"),),
        check=check,
        files=needed_files,
    ),
    Action(
        name="vars_files",
        foreground=True,
        perform=perform_vars_files,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.PLAY),
        help="What plays do with vars_files whose names differ between hosts",
        arguments=(Argument(name="files", type=list, required=True, help="Names, and lists of them to choose from"),),
    ),
)
