"""What ``setup.cfg`` promises is on the disk, and the other way round."""

from __future__ import annotations

import configparser
import importlib
import os
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import drumline

ROOT = Path(__file__).parent.parent
SOURCES = (ROOT / "runner", ROOT / "plugins")
#: Plugins that are distributions of their own.
APART = [path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml")]


def _is_apart(path: Path) -> bool:
    return any(path.is_relative_to(place) for place in APART)


def settings_of(section: str, key: str) -> list[str]:
    """The lines of one setting."""
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser.get(section, key).strip().split("\n")


def pairs(lines: list[str]) -> dict[str, str]:
    found = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, _, value in found}


PACKAGES = settings_of("options", "packages")
DEPENDENCIES = [re.split(r"[ <>=~!\[;]", line)[0] for line in settings_of("options", "install_requires")]
ENTRY_POINTS = {
    **pairs(settings_of("options.entry_points", "console_scripts")),
    **pairs(settings_of("options.entry_points", "drumline")),
}


def directory_of(package: str) -> Path:
    """Where ``package_dir`` says that a package is."""
    directories = pairs(settings_of("options", "package_dir"))
    top, _, rest = package.partition(".")
    base = ROOT / directories[top] if top in directories else ROOT / directories[""] / top
    return base.joinpath(*rest.split(".")) if rest else base


def test_the_package_list_is_what_is_on_the_disk() -> None:
    found = {
        ".".join(path.parent.relative_to(source).parts)
        for source in SOURCES
        for path in source.rglob("__init__.py")
        if not _is_apart(path)
    }
    assert sorted(PACKAGES) == sorted(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_lies_where_package_dir_says(package: str) -> None:
    assert (directory_of(package) / "__init__.py").is_file()


@pytest.mark.parametrize("package", sorted({package.split(".")[0] for package in PACKAGES}))
def test_every_top_package_is_marked_as_typed(package: str) -> None:
    assert (directory_of(package) / "py.typed").is_file()


def test_no_module_lies_outside_a_package() -> None:
    directories = {directory_of(package) for package in PACKAGES}
    strays = [path for source in SOURCES for path in source.rglob("*.py") if path.parent not in directories]
    assert [path for path in strays if not _is_apart(path)] == []


def test_every_file_beside_the_modules_is_packaged() -> None:
    (patterns,) = [line.split(", ") for line in settings_of("options.package_data", "*")]
    for source in SOURCES:
        others = [path for path in source.rglob("*") if path.is_file() and _is_ours(path) and path.suffix != ".py"]
        assert [path for path in others if not any(path.match(pattern) for pattern in patterns)] == []


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    apart = any(part == "__pycache__" or part.startswith(".") or part.endswith(".egg-info") for part in parts)
    return not (apart or _is_apart(path))


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_entry_points_can_be_loaded(name: str) -> None:
    module, _, attribute = ENTRY_POINTS[name].partition(":")
    loaded = importlib.import_module(module)
    assert not attribute or callable(getattr(loaded, attribute))


def test_every_bundled_plugin_is_an_entry_point() -> None:
    plugins = pairs(settings_of("options.entry_points", "drumline"))
    bundled = [path.name for path in (ROOT / "plugins").glob("drumline_*") if path not in APART]
    assert plugins == {name.removeprefix("drumline_"): name for name in bundled}


@pytest.mark.parametrize("place", APART, ids=lambda place: place.name)
def test_a_distribution_of_its_own_says_what_it_is(place: Path) -> None:
    with (place / "pyproject.toml").open("rb") as file:
        said = tomllib.load(file)
    packages = {".".join((place.name, *path.parent.relative_to(place).parts)) for path in place.rglob("__init__.py")}
    assert set(said["tool"]["setuptools"]["packages"]) == packages
    assert said["project"]["license"] != "MIT"
    assert all((place / name).is_file() for name in said["project"]["license-files"])
    assert drumline.__version__ == importlib.import_module(f"{place.name}.version").VERSION
    extra = place.name.removeprefix("drumline_")
    assert settings_of("options.extras_require", extra) == [f"{said['project']['name']}"]
    assert said["project"]["entry-points"]["drumline"] == {extra: place.name}
    patterns = said["tool"]["setuptools"]["package-data"]["*"]
    others = [path for path in place.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".toml")]
    kept = [path for path in others if path.name not in said["project"]["license-files"]]
    assert [path for path in kept if not any(path.match(pattern) for pattern in patterns)] == []


def test_the_installed_version_is_that_of_the_source() -> None:
    assert version("drumline") == drumline.__version__


# requirements/, which scripts/lock writes.


def _locked(name: str) -> dict[str, Requirement]:
    """The requirements of one file, by name, those for this Python and system only; each has a hash."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(" --hash=sha256:" in line for line in lines)
    found = [Requirement(line.split(" --hash=")[0]) for line in lines]
    return {canonicalize_name(one.name): one for one in found if one.marker is None or one.marker.evaluate()}


def _pinned(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version


_RUN = settings_of("options", "install_requires")
_TEST = settings_of("options.extras_require", "test")
_LINT = settings_of("options.extras_require", "lint")
_RELEASE = settings_of("options.extras_require", "release")


@pytest.mark.parametrize(
    ("name", "ranges"),
    [
        ("run", _RUN),
        ("test", _RUN + _TEST),
        ("lint", _RUN + _LINT),
        ("release", _RUN + _RELEASE),
        ("oldest", _RUN + _TEST),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_locked_versions_are_within_the_ranges(name: str, ranges: list[str]) -> None:
    locked = _locked(name)
    for wanted in map(Requirement, ranges):
        assert _pinned(locked[canonicalize_name(wanted.name)]) in wanted.specifier, f"run scripts/lock: {wanted}"


def test_one_environment_can_hold_the_program_and_what_tests_lints_and_releases_it() -> None:
    found: dict[str, set[str]] = {}
    for name in ("run", "test", "lint", "release"):
        for package, requirement in _locked(name).items():
            found.setdefault(package, set()).add(_pinned(requirement))
    assert {package: versions for package, versions in found.items() if len(versions) > 1} == {}


@pytest.mark.skipif(
    os.environ.get("DRUMLINE_VERSIONS", "locked") == "newest", reason="the newest versions are looked up each time"
)
def test_the_environment_has_the_locked_versions() -> None:
    name = "oldest" if os.environ.get("DRUMLINE_VERSIONS") == "oldest" else "test"
    locked = {package: _pinned(requirement) for package, requirement in _locked(name).items()}
    assert {package: version(package) for package in locked} == locked


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_the_readme_names_every_dependency_with_its_reason(dependency: str) -> None:
    """A line or a table row with the name in code or link marks, and at least a few words more."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.compile(rf"[`\[]{re.escape(dependency)}[`\]]", re.IGNORECASE)
    lines = [line for line in readme.splitlines() if named.search(line)]
    assert any(len(re.findall(r"[A-Za-z]{2,}", line)) >= 5 for line in lines), (
        f"no reason for {dependency} in README.md"
    )
