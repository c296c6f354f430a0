"""Filters, tests and lookups in files beside a playbook: ``filter_plugins/``, ``test_plugins/``, ``lookup_plugins/``.

Those of collections are in ``plugins/filter`` and so on of each, and are looked for when a template names one.

A file there is as in Ansible: it has a class ``FilterModule`` with ``filters()``, ``TestModule`` with ``tests()``, or
``LookupModule`` with ``run(terms, variables, **options)``. One that is plain Python is loaded. One that imports
something of Ansible's isn't: its names are read from it, so that whoever uses one of them learns why it isn't there.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from drumline.diagnostics import Diagnostic, Position
from drumline.plugin.registry import Offers, Registry
from drumline.source.collections import places_of
from drumline.source.inputs import note_content
from drumline.templating.functions import Unrun
from drumline.templating.lookups import of_all_terms

#: Directory to the class in its files, and the method that gives functions by name.
_KINDS = {
    "filter_plugins": ("FilterModule", "filters"),
    "test_plugins": ("TestModule", "tests"),
    "lookup_plugins": ("LookupModule", ""),
}
_OF_ANSIBLE = ("ansible", "ansible_collections")


def load_neighbours(directories: Iterable[Path], registry: Registry, *, trusted: bool = True) -> list[Diagnostic]:
    """Enter what stands in such directories, and say what can't be loaded. Names that are there already win.

    Of files that aren't ``trusted`` nothing is run: names that seem to be offered are there, and can't be used.
    """
    found: list[Diagnostic] = []
    kinds = {"filter_plugins": registry.filters, "test_plugins": registry.tests, "lookup_plugins": registry.lookups}
    for directory in dict.fromkeys(directories):
        for name, offers in kinds.items():
            found.extend(load_directory(directory / name, name, offers, trusted=trusted))
    return found


def load_of_collection(
    kind: str, offers: Offers[Any], name: str, directories: Iterable[Path], *, trusted: bool = True
) -> None:
    """Enter what the collection of a name has of a kind (``filter``); ``directories`` are those of collections."""
    namespace, collection, _ = name.split(".", 2)
    prefix = f"{namespace}.{collection}"
    place = next((place for place in places_of(prefix, directories) if place.is_dir()), None)
    if place is not None:
        files = place / "plugins" / kind
        wrong = list(load_directory(files, f"{kind}_plugins", offers, f"{prefix}.", trusted=trusted))
        if wrong and name not in offers.refused:
            offers.refuse(name, f"A file of its collection can't be loaded: {wrong[0].position}: {wrong[0].detail}")


def load_directory(
    directory: Path, kind: str, offers: Offers[Any], prefix: str = "", *, trusted: bool = True
) -> Iterator[Diagnostic]:
    """The same of one directory with files of one kind; ``prefix`` comes before their names."""
    if directory.is_dir():
        for path in sorted(directory.glob("[!_.]*.py")):
            yield from _load(path, kind, offers, prefix, trusted=trusted)


def _load(path: Path, kind: str, offers: Offers[Any], prefix: str, *, trusted: bool) -> Iterator[Diagnostic]:
    owner = f"The file {path}"
    if owner in offers.owners.values():  # another playbook of this run is beside it too
        return
    try:
        source = path.read_bytes()
        note_content(path, source)
        tree = ast.parse(source, str(path))
        needed = _needs_of_ansible(tree)
        if needed:
            for name in _written_names(tree, path, kind):
                offers.refuse(prefix + name, f"{path} has '{name}', and needs Ansible's own Python ('{needed}').")
            return
        functions = _functions(_imported(path), path, kind) if trusted else _unrun(tree, path, kind)
    except SyntaxError as error:
        yield _warning(f"{error.msg}.", Position(str(path), error.lineno or 1, error.offset or 1))
    except Exception as error:  # whatever a stranger's module raises
        yield _warning(f"{type(error).__name__}: {error}", Position(str(path)))
    else:
        for name, function in functions.items():
            if not offers.is_taken(prefix + name):
                offers.take(owner, [prefix + name], function)


def _warning(detail: str, position: Position) -> Diagnostic:
    return Diagnostic(summary="A file of filters, tests or lookups can't be loaded", detail=detail, position=position)


def _needs_of_ansible(tree: ast.Module) -> str:
    """The first module of Ansible's that is imported somewhere; empty for plain Python."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        for name in names:
            if name.split(".")[0] in _OF_ANSIBLE:
                return name
    return ""


def _written_names(tree: ast.Module, path: Path, kind: str) -> Iterator[str]:
    """The names that the file offers, as far as they are written out in it."""
    of_class, method = _KINDS[kind]
    if not method:
        yield path.stem
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == of_class:
            inner = (one for one in ast.walk(node) if isinstance(one, ast.Dict))
            for written in inner:
                for key in written.keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value


def _unrun(tree: ast.Module, path: Path, kind: str) -> Mapping[str, Callable[..., Any]]:
    """What the file may offer: every text in it may be a name, since a dictionary of them can be made in many ways."""
    of_kind = kind.removesuffix("_plugins")
    if not _KINDS[kind][1]:
        return {path.stem: Unrun(of_kind, path.stem)}
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    keywords = (node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg)
    return {name: Unrun(of_kind, name) for name in (*texts, *keywords) if name.isidentifier()}


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"drumline_beside_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _functions(module: ModuleType, path: Path, kind: str) -> Mapping[str, Callable[..., Any]]:
    of_class, method = _KINDS[kind]
    made = getattr(module, of_class)()
    if not method:
        return {path.stem: _lookup(made)}
    found = getattr(made, method)()
    return {str(name): function for name, function in found.items()}


def _lookup(made: Any) -> Callable[..., Any]:
    @of_all_terms
    def run(terms: list[Any], variables: Mapping[str, Any], **options: Any) -> Any:
        return made.run(terms, variables=variables, **options)

    return run
