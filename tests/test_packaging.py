"""What ``setup.cfg`` promises is on the disk, and the other way round."""

from __future__ import annotations

import configparser
import importlib
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import drumline

ROOT = Path(__file__).parent.parent
SOURCES = (ROOT / "runner", ROOT / "plugins")


def setup(section: str, key: str) -> list[str]:
    """The lines of one setting."""
    parser = configparser.RawConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser.get(section, key).strip().split("\n")


def pairs(lines: list[str]) -> dict[str, str]:
    return dict(tuple(part.strip() for part in line.split("=", 1)) for line in lines)


PACKAGES = setup("options", "packages")
DEPENDENCIES = [re.split(r"[ <>=~!\[;]", line)[0] for line in setup("options", "install_requires")]
ENTRY_POINTS = {
    **pairs(setup("options.entry_points", "console_scripts")),
    **pairs(setup("options.entry_points", "drumline")),
}


def folder_of(package: str) -> Path:
    """Where ``package_dir`` says that a package is."""
    folders = pairs(setup("options", "package_dir"))
    top, _, rest = package.partition(".")
    base = ROOT / folders[top] if top in folders else ROOT / folders[""] / top
    return base.joinpath(*rest.split(".")) if rest else base


def test_the_package_list_is_what_is_on_the_disk() -> None:
    found = {
        ".".join(path.parent.relative_to(source).parts) for source in SOURCES for path in source.rglob("__init__.py")
    }
    assert sorted(PACKAGES) == sorted(found)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_lies_where_package_dir_says(package: str) -> None:
    assert (folder_of(package) / "__init__.py").is_file()


@pytest.mark.parametrize("package", sorted({package.split(".")[0] for package in PACKAGES}))
def test_every_top_package_is_marked_as_typed(package: str) -> None:
    assert (folder_of(package) / "py.typed").is_file()


def test_no_module_lies_outside_a_package() -> None:
    folders = {folder_of(package) for package in PACKAGES}
    strays = [path for source in SOURCES for path in source.rglob("*.py") if path.parent not in folders]
    assert strays == []


def test_every_file_beside_the_modules_is_packaged() -> None:
    (patterns,) = [line.split(", ") for line in setup("options.package_data", "*")]
    for source in SOURCES:
        others = [path for path in source.rglob("*") if path.is_file() and _is_ours(path) and path.suffix != ".py"]
        assert [path for path in others if not any(path.match(pattern) for pattern in patterns)] == []


def _is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not any(part == "__pycache__" or part.startswith(".") or part.endswith(".egg-info") for part in parts)


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_entry_points_can_be_loaded(name: str) -> None:
    module, _, attribute = ENTRY_POINTS[name].partition(":")
    loaded = importlib.import_module(module)
    assert not attribute or callable(getattr(loaded, attribute))


def test_every_bundled_plugin_is_an_entry_point() -> None:
    plugins = pairs(setup("options.entry_points", "drumline"))
    assert plugins == {path.name.removeprefix("drumline_"): path.name for path in (ROOT / "plugins").glob("drumline_*")}


def test_the_installed_version_is_that_of_the_source() -> None:
    assert version("drumline") == drumline.__version__


@pytest.mark.parametrize("dependency", DEPENDENCIES)
def test_the_readme_names_every_dependency_with_its_reason(dependency: str) -> None:
    """A line or a table row with the name in code or link marks, and at least a few words more."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.compile(rf"[`\[]{re.escape(dependency)}[`\]]", re.IGNORECASE)
    lines = [line for line in readme.splitlines() if named.search(line)]
    assert any(len(re.findall(r"[A-Za-z]{2,}", line)) >= 5 for line in lines), (
        f"no reason for {dependency} in README.md"
    )
