"""The map in ``architecture.md``, held by the syntax trees of all modules. Sizes are printed (``-rP``), not judged."""

from __future__ import annotations

import ast
import importlib
import inspect
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from drumline.loading import keywords

ROOT = Path(__file__).parent.parent
RUNNER = ROOT / "runner" / "drumline"
PLUGINS = ROOT / "plugins"

#: A module imports only what stands above it here, or beside it in its own package.
LAYERS = [
    {"booleans", "secret", "secret_forms", "clock", "missing", "processes", "regex_worker", "times", "signals"},
    {"diagnostics", "masking", "regexes"},
    {"errors"},
    {"config"},
    {"model"},
    {"plugin"},
    {"testing"},
    {"source"},
    {"templating"},
    {"inventory"},
    {"loading"},
    {"planning"},
    {"engine"},
    {"lint"},
    {"execution"},
    {"journal"},
    {"forecast"},
    {"reporting"},
    {"scheduling"},
    {"commands"},
    {"plugin_settings"},
    {"built_in"},
    {"app"},
    {"estimates"},
    {"exporting"},
    {"survey"},
    {"cli"},
    {"__main__"},
]
#: Third-party packages, and the only places that may import them.
HOMES = {
    "ahocorasick_rs": ("runner/drumline/masking.py",),
    "cryptography": ("runner/drumline/journal/keys.py", "runner/drumline/source/vault_format.py", "plugins/"),
    "click": ("runner/drumline/cli/", "plugins/*/command.py", "plugins/*/commands.py", "plugins/*/cli.py"),
    "gssapi": ("plugins/drumline_winrm/tickets.py",),
    "h11": ("plugins/drumline_lab/wsman/http.py",),
    "jinja2": ("runner/drumline/templating/", "runner/drumline/inventory/", "runner/drumline/loading/"),
    "jmespath": ("runner/drumline/templating/collection_filters.py",),
    "netaddr": ("runner/drumline/templating/address_filters.py", "runner/drumline/templating/ipaddr.py"),
    "ldap3": ("plugins/drumline_inventory/directory.py",),
    "lxml": ("plugins/drumline_actions/text/xml.py",),
    "passlib": ("runner/drumline/templating/password_filters.py", "plugins/drumline_actions/text/htpasswd.py"),
    "msgspec": ("runner/", "plugins/"),
    "paramiko": ("plugins/drumline_ssh/", "plugins/drumline_lab/"),
    "pluggy": ("runner/drumline/plugin/",),
    "psutil": (
        "runner/drumline/processes.py",
        "plugins/drumline_local/tree.py",
        "plugins/drumline_lab/processes.py",
    ),
    "pytest": tuple(f"runner/drumline/testing/{suite}" for suite in ("cases.py", "contract/", "staging.py")),
    "requests": ("plugins/drumline_winrm/",),
    "requests_ntlm": ("plugins/drumline_winrm/",),
    "rich": ("runner/drumline/reporting/", "runner/drumline/cli/", "plugins/*/command.py", "plugins/*/commands.py"),
    "spnego": ("plugins/drumline_lab/", "plugins/drumline_winrm/kerberos.py"),
    "sqlalchemy": ("runner/drumline/plugin/tables.py",),
    "urllib3": ("plugins/drumline_winrm/",),
    "winrm": ("plugins/drumline_winrm/",),
    "yaml": ("runner/drumline/source/",),
}
#: Public beside ``drumline.plugin`` itself.
_BESIDE = (
    "background",
    "becoming",
    "events",
    "history",
    "kit",
    "leftovers",
    "marks",
    "posix",
    "resolving",
    "runs",
    "staging",
    "tables",
    "terminal",
    "windows",
)
BESIDE = tuple(f"drumline.plugin.{name}" for name in _BESIDE)
#: What decides must not know: the same state runs real fleets, simulations and replays.
PURE = ("engine/", "lint/", "planning/", "model/")
IMPURE = {
    *("asyncio", "concurrent", "datetime", "logging", "multiprocessing", "os", "queue", "random", "secrets", "select"),
    *("selectors", "socket", "sqlite3", "subprocess", "threading", "time", "drumline.clock"),
}


def modules(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


RUNNER_MODULES = modules(RUNNER)
PLUGIN_MODULES = modules(PLUGINS)
ALL_MODULES = [*RUNNER_MODULES, *PLUGIN_MODULES]
on_every_module = pytest.mark.parametrize("path", ALL_MODULES, ids=where)
on_every_runner_module = pytest.mark.parametrize("path", RUNNER_MODULES, ids=where)
on_every_plugin_module = pytest.mark.parametrize("path", PLUGIN_MODULES, ids=where)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[str, str | None]]:
    """(module, imported name or None) of every import anywhere in the module; relative imports are refused."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{where(path)}:{node.lineno}: a relative import"
            yield from ((node.module or "", alias.name) for alias in node.names)


def layer_of(module: str) -> int:
    """The place of a part of drumline, named as in ``drumline.PART.more``."""
    part = module.split(".")[1]
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def part_of(path: Path) -> str:
    return path.relative_to(RUNNER).parts[0].removesuffix(".py")


def drumline_imports(path: Path) -> list[str]:
    """Modules of drumline that are imported; ``from drumline import x`` counts as ``drumline.x``."""
    found = []
    for module, name in imports(path):
        if module == "drumline" and name and name != "__version__":
            found.append(f"drumline.{name}")
        elif module.startswith("drumline."):
            found.append(module)
    return found


def test_every_part_has_a_layer() -> None:
    parts = {part_of(path) for path in RUNNER_MODULES} - {"__init__"}
    assert parts <= set().union(*LAYERS)


@on_every_runner_module
def test_imports_follow_the_layers(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        assert drumline_imports(path) == []
        return
    own = layer_of(f"drumline.{part}")
    wrong = [name for name in drumline_imports(path) if layer_of(name) > own or _is_beside(name, part)]
    assert wrong == []


def _is_beside(module: str, part: str) -> bool:
    """It is of the same layer, but another part."""
    other = module.split(".")[1]
    return other != part and layer_of(module) == layer_of(f"drumline.{part}")


@on_every_runner_module
def test_drumline_imports_no_plugin(path: Path) -> None:
    assert [module for module, _ in imports(path) if module.startswith("drumline_")] == []


@on_every_plugin_module
def test_plugins_import_only_the_public_api(path: Path) -> None:
    api = importlib.import_module("drumline.plugin")
    for module, name in imports(path):
        if module == "drumline.plugin":
            assert name in api.__all__ or f"{module}.{name}" in BESIDE, f"{name} is not public"
        elif module in BESIDE:
            assert name, "import names from it"
            assert not name.startswith("_"), f"{name} is not public"
        else:
            assert module.split(".")[0] != "drumline", f"{module} is not for plugins"


@on_every_plugin_module
def test_plugins_do_not_import_each_other(path: Path) -> None:
    own = path.relative_to(PLUGINS).parts[0]
    others = {module.split(".")[0] for module, _ in imports(path) if module.startswith("drumline_")} - {own}
    assert others == set()


@on_every_module
def test_vendor_packages_stay_at_home(path: Path) -> None:
    for package in {module.split(".")[0] for module, _ in imports(path)} & set(HOMES):
        assert any(_lies_in(path, home) for home in HOMES[package]), f"{package} may not be imported here"


def _lies_in(path: Path, home: str) -> bool:
    if home.endswith("/"):
        return where(path).startswith(home)
    return path.relative_to(ROOT).match(home)


def test_client_libraries_are_not_imported_at_start() -> None:
    """Plugins are loaded and asked for their offers at every start, even for ``--help``."""
    script = "import sys; from drumline.plugin.manager import load_plugins; load_plugins(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) & (set(HOMES) - {"msgspec", "pluggy"}) == set()


@pytest.mark.parametrize("place", PURE)
def test_what_decides_is_pure(place: str) -> None:
    paths = [path for path in RUNNER_MODULES if path.relative_to(RUNNER).as_posix().startswith(place)]
    assert paths, f"there is no {place}"
    for path in paths:
        named = {module for module, _ in imports(path)} | {module.split(".")[0] for module, _ in imports(path)}
        assert named & IMPURE == set(), where(path)


@pytest.mark.parametrize("package", ["drumline.plugin", "drumline.plugin.kit", "drumline.testing"])
def test_every_public_name_has_one_home_and_says_what_it_is(package: str) -> None:
    surface = importlib.import_module(package)
    assert sorted(surface.__all__) == sorted(set(surface.__all__))
    for name in surface.__all__:
        thing = getattr(surface, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert name == thing.__name__
            assert inspect.getdoc(thing), f"{name} has no docstring"
            assert _homes(name) == [thing.__module__]
        else:
            (home,) = _homes(name)
            assert _is_explained(home, name), f"{name} has neither a docstring nor a '#:' comment"


def _homes(name: str) -> list[str]:
    """The modules that define a name at their top."""
    return [_module_name(path) for path in RUNNER_MODULES if any(name in _defines(node) for node in tree(path).body)]


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(RUNNER.parent).with_suffix("").parts).removesuffix(".__init__")


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        return [node.name]
    if isinstance(node, ast.AnnAssign):
        return [node.target.id] if isinstance(node.target, ast.Name) else []
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []


def _is_explained(module: str, name: str) -> bool:
    """The name's assignment has a comment for readers before it, or speaks for itself as a type of one line."""
    path = Path(inspect.getfile(importlib.import_module(module)))
    lines = path.read_text(encoding="utf-8").splitlines()
    line = next(node.lineno for node in tree(path).body if name in _defines(node))
    return lines[line - 2].startswith("#:") or "#:" in lines[line - 1]


@on_every_module
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)), "no docstring"


def test_sizes_are_reported() -> None:
    lengths = {where(path): len(path.read_text(encoding="utf-8").splitlines()) for path in ALL_MODULES}
    functions = sorted(_functions(), reverse=True)
    assert functions
    print(f"\n{len(lengths)} modules, {sum(lengths.values())} lines; the longest:")
    for name, length in sorted(lengths.items(), key=lambda item: -item[1])[:10]:
        print(f"{length:6}  {name}")
    median = statistics.median(length for length, _ in functions)
    print(f"{len(functions)} functions, {median:g} lines in the median; the longest:")
    for length, name in functions[:10]:
        print(f"{length:6}  {name}")


def _functions() -> Iterator[tuple[int, str]]:
    for path in ALL_MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield (node.end_lineno or 0) - node.lineno + 1, f"{where(path)}:{node.lineno} {node.name}"


#: A ``match`` over what stands in one of these names every kind of it: a new kind is an error of types, not silence.
_UNIONS = ("drumline.model.event", "drumline.engine.instructions")


@on_every_runner_module
def test_a_match_over_events_or_instructions_has_no_silent_default(path: Path) -> None:
    kinds = {name for module, name in imports(path) if module in _UNIONS}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Match) and kinds & set(_matched(node)):
            assert _refuses_the_rest(node.cases[-1]), f"line {node.lineno}: it ends without assert_never"


def _matched(node: ast.Match) -> Iterator[str]:
    """The classes that a ``match`` asks for."""
    for pattern in (pattern for case in node.cases for pattern in ast.walk(case.pattern)):
        if isinstance(pattern, ast.MatchClass) and isinstance(pattern.cls, ast.Name):
            yield pattern.cls.id


def _refuses_the_rest(case: ast.match_case) -> bool:
    wild = isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and case.guard is None
    return wild and ast.unparse(case.body[0]).startswith("assert_never(")


#: Names that several classes have, and why.
SHARED_NAMES = {
    "Settings": "drumline_lab.wsman's is public",
}


def test_a_class_name_stands_for_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in (*RUNNER.rglob("*.py"), *PLUGINS.rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    twice = {name: where for name, where in places.items() if len(where) > 1 and name not in SHARED_NAMES}
    assert not twice, twice


def test_a_keyword_is_read_somewhere() -> None:
    named = {
        node.value
        for path in (RUNNER / "loading").glob("*.py")
        if path.stem != "keywords"
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
    }
    known = keywords.TASK | keywords.PLAY | keywords.LOOP_CONTROL | keywords.BARRIER | keywords.START
    assert known <= named, known - named
