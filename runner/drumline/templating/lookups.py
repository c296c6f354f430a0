"""Functions that templates may call: ``lookup``, ``query``, ``now``.

A lookup reads something of this machine. Its terms are those of ansible-core's lookup of the same name.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from jinja2 import nodes, pass_context
from jinja2.exceptions import FilterArgumentError
from jinja2.runtime import Context
from jinja2.utils import missing

from drumline.diagnostics import did_you_mean
from drumline.plugin import ActionFailed
from drumline.source.files import find_file, read_clear
from drumline.templating import not_yet
from drumline.templating.bounds import MOST
from drumline.templating.functions import Functions, short_name
from drumline.templating.plain import data

if TYPE_CHECKING:
    from drumline.templating.jinja import DataEnvironment
    from drumline.templating.secret_references import SecretReferences

F = TypeVar("F", bound=Callable[..., Any])


@pass_context
def query(context: Context, name: str, *terms: Any, **options: Any) -> list[Any]:
    """What the lookup finds, as a list with an item (or several) for each term."""
    lookups = cast("DataEnvironment", context.environment).lookups
    if name not in lookups:
        raise FilterArgumentError(_no_lookup(name, lookups))
    tolerant = options.pop("errors", "strict") != "strict"
    try:
        return _found(context, lookups[name], terms, options)
    except FilterArgumentError:
        if not tolerant:
            raise
        return []


def _found(
    context: Context, look_up: Callable[..., list[Any]], terms: tuple[Any, ...], options: dict[str, Any]
) -> list[Any]:
    if getattr(look_up, "takes_all_terms", False):
        return look_up(context, [data(term) for term in terms], options)
    flat = [item for term in terms for item in (term if isinstance(term, list) else [term])]
    return [found for term in flat for found in look_up(context, str(term), options)]


def of_all_terms(look_up: F) -> F:
    """Marks a lookup that takes the list of its terms, as they are, instead of one text at a time."""
    look_up.takes_all_terms = True  # type: ignore[attr-defined]  # a function of any type is marked
    return look_up


def unknown_lookups(tree: Iterable[nodes.Node], known: Functions) -> Iterator[tuple[str, int]]:
    """What to say about the lookups in a template (all its nodes) whose names are unknown, and their lines."""
    for name, call in _named_lookups(tree):
        if name not in known:
            yield _no_lookup(name, known), call.lineno


def wrong_references(tree: Iterable[nodes.Node], secrets: SecretReferences) -> Iterator[tuple[str, int]]:
    """What is wrong with the references to secrets that a template writes out, and their lines."""
    for name, call in _named_lookups(tree):
        if short_name(name) == "secret":
            terms = [
                item for term in call.args[1:] for item in (term.items if isinstance(term, nodes.List) else [term])
            ]
            written = (term.value for term in terms if isinstance(term, nodes.Const))
            yield from ((wrong, call.lineno) for value in written if (wrong := secrets.mistake(str(value))))


def _named_lookups(tree: Iterable[nodes.Node]) -> Iterator[tuple[str, nodes.Call]]:
    """The lookups whose name is written out."""
    for call in tree:
        if (
            isinstance(call, nodes.Call)
            and isinstance(call.node, nodes.Name)
            and call.node.name in ("lookup", "query", "q")
            and call.args
        ):
            name = call.args[0].value if isinstance(call.args[0], nodes.Const) else None
            if isinstance(name, str):
                yield name, call


def _no_lookup(name: str, known: Functions) -> str:
    if why := known.refusal(name):
        return why
    hint = did_you_mean(short_name(name), known)
    return not_yet.plugin("lookup", name) or f"There is no lookup '{name}'.{hint}"


@pass_context
def lookup(context: Context, name: str, *terms: Any, wantlist: bool = False, **options: Any) -> Any:
    """The same as one value: a single item as it is, texts joined with commas, other items as a list."""
    found = query(context, name, *terms, **options)
    if wantlist:
        return found
    if not found:
        return None if options.get("errors", "strict") != "strict" else []
    if len(found) == 1:
        return found[0]
    return ",".join(found) if all(isinstance(item, str) for item in found) else found


def now(utc: bool = False, fmt: str | None = None) -> datetime | str:
    """This moment, or its text in a format of ``strftime``."""
    moment = datetime.now(UTC).replace(tzinfo=None) if utc else datetime.now()
    return moment.strftime(fmt) if fmt else moment


# Lookups: what each finds for one term, with the options that the template gives.


def of_environment(_context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """A variable of the environment that drumline was started in."""
    return [os.environ.get(term, options.get("default", ""))]


def file(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """What is in a file of the project."""
    text = text_of_file(found_file(context, term, "files"))
    text = text.lstrip() if options.get("lstrip", False) else text
    return [text.rstrip() if options.get("rstrip", True) else text]


def template(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """The same, rendered as a template."""
    path = found_file(context, term, "templates")
    variables = {**context.get_all(), **options.get("template_vars", {})}
    return [cast("DataEnvironment", context.environment).render_file(text_of_file(path), str(path), variables)]


def glob_files(pattern: str) -> list[str]:
    """The filter ``fileglob``: the files that match a pattern, which begins at the working directory."""
    return [path for path in glob.glob(os.path.expanduser(pattern)) if os.path.isfile(path)]


def fileglob(context: Context, term: str, _options: dict[str, Any]) -> list[Any]:
    """The paths of the files that match a pattern."""
    pattern = os.path.expanduser(term)
    places = [pattern]
    if not os.path.isabs(pattern):
        places = [str(place / inner / pattern) for place in search_path(context) for inner in ("files", "")]
    found = [sorted(path for path in glob.glob(place) if os.path.isfile(path)) for place in places]
    return next((paths for paths in found if paths), [])


def variable(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """The variable whose name is the term."""
    value = context.resolve_or_missing(term)
    if value is not missing:
        return [value]
    return [options["default"] if "default" in options else context.environment.undefined(name=term)]


def secret(context: Context, term: str, options: dict[str, Any]) -> list[Any]:
    """The secret that a reference means."""
    if options:
        raise FilterArgumentError(f"The lookup 'secret' has no options, and this has '{next(iter(options))}'.")
    return [cast("DataEnvironment", context.environment).secrets.resolve(term)]


def found_file(context: Context, term: str, directory: str) -> Path:
    """A file of the project that a term names, beside the playbook or in the directory for its kind."""
    try:
        return find_file(term, directory, search_path(context))
    except ActionFailed as failure:
        raise FilterArgumentError(failure.message) from None


def search_path(context: Context) -> list[Path]:
    """The directories in which files of the project are looked for."""
    places = context.resolve_or_missing("ansible_search_path")
    return [playbook_dir(context)] if places is missing else [Path(place) for place in places]


def playbook_dir(context: Context) -> Path:
    """Where the playbook stands."""
    directory = context.resolve_or_missing("playbook_dir")
    return Path.cwd() if directory is missing else Path(directory)


def text_of_file(path: Path) -> str:
    """What is in a file, decrypted if need be."""
    try:
        return read_clear(path, MOST).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise FilterArgumentError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}.") from None


GLOBALS: dict[str, Callable[..., Any]] = {"lookup": lookup, "now": now, "q": query, "query": query}
