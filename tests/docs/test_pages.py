"""The pages agree with the code, and with one another."""

from __future__ import annotations

import inspect
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest
from support.documents import EVERY_PAGE, PAGES, ROOT, prose
from support.narrowing import expect
from support.tables import Table, expected, names, registry, tables

from drumline import plugin, testing
from drumline.cli.program import program
from drumline.plugin import Platform, generators, history, kit, runs, spec
from drumline.testing import cases

#: A page that is named by its path, or the rules however they are, with the number of the section, if any.
_CITATION = re.compile(r"((?:docs/)?\bsemantics\.md|\bdocs/[\w/]+\.md)`*(?: section (\d+))?")
#: Of a table such as ``| of an `Action` | what it is |``, the class and the rows.
_PARTS = re.compile(r"^\| of (?:an? )?`(\w+)` \|.*\n\|[-|]+\n((?:\|.*\n)+)", re.MULTILINE)
#: The modules whose classes the page of plugins describes.
_DESCRIBED = (plugin, runs, history, generators, cases)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("table", tables(), ids=str)
def test_tables_say_what_the_code_declares(table: Table) -> None:
    """``python -m support.tables``, in ``tests``, writes them anew."""
    assert table.text == expected(table.name)


def test_everything_that_is_declared_has_its_table() -> None:
    assert sorted(table.name for table in tables()) == sorted(names())


def test_every_hook_is_described_with_its_signature() -> None:
    hooks = [hook for name, hook in vars(spec).items() if hasattr(hook, f"{spec.PROJECT}_spec")]
    signatures = [f"{hook.__name__}{inspect.signature(hook)}".replace("'", "") for hook in hooks]
    shown = re.findall(r"^### `(drumline_.*)`$", (ROOT / "docs" / "plugins.md").read_text(), re.MULTILINE)
    assert shown == signatures


def _parts_tables() -> list[object]:
    """The tables of what a class of the plugin API has, and the names in their first columns."""
    found = _PARTS.findall((ROOT / "docs" / "plugins.md").read_text(encoding="utf-8"))
    return [pytest.param(kind, rows, id=kind) for kind, rows in found]


@pytest.mark.parametrize(("kind", "rows"), _parts_tables())
def test_what_is_said_of_a_class_is_said_of_all_its_parts(kind: str, rows: str) -> None:
    described = next(
        getattr(module, kind) for module in (plugin, runs, history, generators, cases) if hasattr(module, kind)
    )
    named = {name for row in rows.splitlines() for name in re.findall(r"`(\w+)", row.split("|")[1])}
    own = {name for name, part in vars(described).items() if not name.startswith("_") and _is_declared(part)}
    fields = set(getattr(described, "__struct_fields__", ()) or getattr(described, "__dataclass_fields__", ()) or own)
    assert fields - {"_"} <= named <= set(dir(described)) | fields


@pytest.mark.parametrize("module", [kit, testing], ids=lambda module: module.__name__)
def test_what_authors_of_actions_work_with_is_described(module: ModuleType) -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert [name for name in module.__all__ if not re.search(rf"^\|.*`(\w+\()?{name}\b", page, re.MULTILINE)] == []


def _is_declared(part: object) -> bool:
    return callable(part) or isinstance(part, property)


def _links() -> list[object]:
    return [
        pytest.param(page, link, id=f"{page.relative_to(ROOT)}: {link}")
        for page in EVERY_PAGE
        for link in dict.fromkeys(_LINK.findall(prose(page)))
        if not link.startswith("http")
    ]


@pytest.mark.parametrize(("page", "link"), _links())
def test_links_lead_somewhere(page: Path, link: str) -> None:
    name, _, anchor = link.partition("#")
    # A fragment is read as a part of CHANGELOG.md.
    home = ROOT if page.parent.name == "changelog.d" and page.name != "README.md" else page.parent
    target = (home / name).resolve() if name else page
    assert target.exists()
    if anchor:
        assert anchor in _anchors(target.read_text())


def _anchors(text: str) -> list[str]:
    """The names that GitHub gives to headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def _commands() -> list[object]:
    return [
        pytest.param(words, id=f"{page.relative_to(ROOT)}: {words}")
        for page in PAGES
        for words in dict.fromkeys(re.findall(r"`drumline ([a-z]+(?: [a-z]+)?)", prose(page)))
    ]


@pytest.mark.parametrize("words", _commands())
def test_commands_named_in_the_text_exist(words: str) -> None:
    command: click.Command | None = program
    for word in words.split():
        if command is not None and any(isinstance(parameter, click.Argument) for parameter in command.params):
            return  # the rest is what it is given
        group = expect(click.Group, command)
        command = group.get_command(click.Context(group), word)
    assert command is not None


def test_every_command_is_named() -> None:
    assert set(_all_commands(program, "drumline")) <= set(
        re.findall(r"`(drumline [a-z]+(?: [a-z-]+)?)", (ROOT / "docs" / "operating.md").read_text())
    )


def _all_commands(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _all_commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}"


@pytest.mark.parametrize("path", re.findall(r"`([\w.]+/[\w./]*)`", (ROOT / "docs" / "architecture.md").read_text()))
def test_paths_named_in_the_architecture_exist(path: str) -> None:
    assert any((base / path).exists() for base in (ROOT, ROOT / "runner" / "drumline"))


def _citations() -> list[object]:
    """Pages that the code names, with the section where it names one: a place, a page, a number or nothing."""
    sources = sorted(path for name in ("runner", "plugins", "tests") for path in (ROOT / name).rglob("*.py"))
    return [
        pytest.param(page, section, id=f"{path.relative_to(ROOT)}: {page} {section}")
        for path in sources
        for page, section in sorted(set(_CITATION.findall(path.read_text(encoding="utf-8"))))
    ]


@pytest.mark.parametrize(("page", "section"), _citations())
def test_pages_and_sections_that_the_code_names_exist(page: str, section: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not section or re.search(rf"^## {section}\. ", text, re.MULTILINE)


def test_the_picture_is_one() -> None:
    assert ElementTree.parse(ROOT / "docs" / "console.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_table_of_verbs_agrees_with_the_actions() -> None:
    """Verbs for both platforms, each with the arguments that both have."""
    actions = registry().actions
    part = (ROOT / "docs/actions.md").read_text(encoding="utf-8").partition("## One verb for both platforms\n")[2]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| [")]
    shown = {re.sub(r"\[(\w+)\].*", r"\1", verb): set(re.findall(r"`(\w+)`", names)) for verb, _, names, _ in rows}
    page = (ROOT / "docs/actions_posix.md").read_text(encoding="utf-8")
    verbs = [actions[name] for name in re.findall("<!-- table: action (\\w+) -->", page)]
    both = [verb for verb in verbs if Platform.WINDOWS in verb.platforms]
    assert shown == {
        verb.name: {one.name for one in verb.arguments if Platform.WINDOWS in one.platforms} for verb in both
    }
    for _, by, _, _ in rows:
        assert actions[re.sub(r"\[(\w+)\].*", r"\1", by)].platforms == (Platform.WINDOWS,)
