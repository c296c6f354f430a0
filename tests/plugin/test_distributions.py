"""Entry points are read as importlib.metadata reads them, without importing it."""

from __future__ import annotations

import importlib.metadata
import os.path
import sys
from pathlib import Path

import pytest

import drumline
from drumline.plugin.distributions import EntryPoint, entry_points


def declare(directory: Path, text: str, *, name: str = "some-thing", file: str = "METADATA") -> None:
    """A distribution in this directory, with these entry points."""
    information = directory / f"{name.replace('-', '_')}-1.0.{'dist' if file == 'METADATA' else 'egg'}-info"
    information.mkdir(parents=True)
    (information / file).write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nName: of the text\n")
    (information / "entry_points.txt").write_text(text)


@pytest.mark.parametrize("group", sorted(importlib.metadata.entry_points().groups))
def test_all_of_this_environment_are_found(group: str) -> None:
    wanted = {
        (entry.name, entry.module, entry.attr or "", f"{entry.dist.name} {entry.dist.version}")
        for entry in importlib.metadata.entry_points(group=group)
        if entry.dist is not None
    }
    found = {
        (entry.name, *entry.value.replace(" ", "").partition(":")[::2], entry.origin)
        for entry in entry_points(group, sys.path)
    }
    assert found == wanted


def test_a_distribution_that_is_found_twice_counts_once() -> None:
    """As an editable install does, whose directory is on the path as well."""
    entries = list(entry_points("drumline", [*sys.path, *sys.path]))
    assert len(entries) == len(set(entries))
    assert ("local", f"drumline {drumline.__version__}") in [(entry.name, entry.origin) for entry in entries]


@pytest.mark.parametrize("file", ["METADATA", "PKG-INFO"])
def test_a_section_ends_where_the_next_one_begins(tmp_path: Path, file: str) -> None:
    declare(
        tmp_path, "[a]\nx = no\n[drumline]\n# y = no\n\n z=some.module : it [extra]\n[drumline.b]\nx = no\n", file=file
    )
    assert list(entry_points("drumline", [str(tmp_path)])) == [EntryPoint("z", "some.module : it", "some-thing 1.0")]


def test_the_first_directory_hides_later_ones(tmp_path: Path) -> None:
    declare(tmp_path / "a", "[drumline]\nx = first\n")
    declare(tmp_path / "b", "[drumline]\nx = second\ny = second\n")
    directories = [str(tmp_path / name) for name in ("none", "a", "b")]
    assert [entry.value for entry in entry_points("drumline", directories)] == ["first"]


@pytest.mark.parametrize(("value", "thing"), [("os.path", os.path), ("os : path.join", os.path.join), ("os:", None)])
def test_what_an_entry_point_names_is_imported(value: str, thing: object) -> None:
    assert EntryPoint("x", value, "").load() is (thing or sys.modules["os"])
