"""Functions that templates may call: ``lookup``, ``query``, ``now``.

A lookup reads something of this machine. Its terms are those of ansible-core's lookup of the same name.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import nodes, pass_context
from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context
from jinja2.utils import missing

from drumline.diagnostics import did_you_mean
from drumline.plugin import ActionFailed
from drumline.source.files import find_file, read_file
from drumline.templating import not_yet
from drumline.templating.bounds import MOST


@pass_context
def query(context: Context, name: str, *terms: Any, **options: Any) -> list[Any]:
    """What the lookup finds, as a list with an item (or several) for each term."""
    short = name.removeprefix("ansible.builtin.")
    if short not in _LOOKUPS:
        raise FilterArgumentError(_no_lookup(name))
    flat = [item for term in terms for item in (term if isinstance(term, list) else [term])]
    return [found for term in flat for found in _LOOKUPS[short](context, str(term), options)]


def unknown_lookups(tree: nodes.Node) -> Iterator[tuple[str, int]]:
    """What is wrong with the lookups in a template of which there are none with that name, and their lines."""
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in ("lookup", "query", "q") and call.args:
            name = call.args[0].value if isinstance(call.args[0], nodes.Const) else None
            if isinstance(name, str) and name.removeprefix("ansible.builtin.") not in _LOOKUPS:
                yield _no_lookup(name), call.lineno


def _no_lookup(name: str) -> str:
    short = name.removeprefix("ansible.builtin.")
    return not_yet.plugin("lookup", name) or f"There is no lookup '{name}'.{did_you_mean(short, _LOOKUPS)}"


@pass_context
def lookup(context: Context, name: str, *terms: Any, wantlist: bool = False, **options: Any) -> Any:
    """The same as one value: texts are joined with commas."""
    found = query(context, name, *terms, **options)
    if wantlist:
        return found
    return found[0] if len(found) == 1 else ",".join(map(str, found))


def now(utc: bool = False, fmt: str | None = None) -> datetime | str:
    """This moment, or its text in a format of ``strftime``."""
    moment = datetime.now(UTC).replace(tzinfo=None) if utc else datetime.now()
    return moment.strftime(fmt) if fmt else moment


def _env(_context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    return [os.environ.get(term, options.get("default", ""))]


def _file(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    text = _read(_found(context, term, "files"))
    text = text.lstrip() if options.get("lstrip", False) else text
    return [text.rstrip() if options.get("rstrip", True) else text]


def _template(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    path = _found(context, term, "templates")
    variables = {**context.get_all(), **options.get("template_vars", {})}
    return [context.environment.render_file(_read(path), str(path), variables)]  # type: ignore[attr-defined]


def _fileglob(context: Context, term: str, _options: dict[str, Any]) -> list[Any]:
    pattern = os.path.expanduser(term)
    directory = _playbook_dir(context)
    places = [pattern] if os.path.isabs(pattern) else [str(directory / "files" / pattern), str(directory / pattern)]
    found = [sorted(path for path in glob.glob(place) if os.path.isfile(path)) for place in places]
    return next((paths for paths in found if paths), [])


def _vars(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    value = context.resolve_or_missing(term)
    if value is not missing:
        return [value]
    return [options["default"] if "default" in options else context.environment.undefined(name=term)]


def _found(context: Context, term: str, directory: str) -> Path:
    try:
        return find_file(term, directory, _playbook_dir(context))
    except ActionFailed as failure:
        raise FilterArgumentError(failure.message) from None


def _playbook_dir(context: Context) -> Path:
    directory = context.resolve_or_missing("playbook_dir")
    return Path.cwd() if directory is missing else Path(directory)


def _read(path: Path) -> str:
    try:
        return read_file(path, MOST).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise FilterArgumentError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None


_LOOKUPS: dict[str, Callable[[Context, str, dict[str, Any]], list[Any]]] = {
    "env": _env,
    "file": _file,
    "fileglob": _fileglob,
    "template": _template,
    "vars": _vars,
}

GLOBALS: dict[str, Callable[..., Any]] = {"lookup": lookup, "now": now, "q": query, "query": query}
