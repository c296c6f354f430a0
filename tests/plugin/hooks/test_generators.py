"""``drumline_generators``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drumline import built_in
from drumline.app import prepare
from drumline.config import Settings
from drumline.errors import FilesError
from drumline.plugin import hookimpl
from drumline.plugin.generators import GeneratedPlay, Metadata
from drumline.plugin.manager import load_plugins

FILE = """
generator: chain
vars: {last: web2}
tables: {nodes: [{name: web1, port: 80}, {name: web2, port: 81}]}
patterns: {p: {parameters: {port: {type: int}, note: {}}, tasks: [{command: "echo {{ port }} {{ note }}"}]}}
plays: {to: "{{ last }}", only: row.port > 1}
"""


def chain(given: Metadata) -> Iterator[GeneratedPlay]:
    """Every row after the one before it."""
    before: tuple[str, ...] = ()
    for key, row in given.tables["nodes"].rows.items():
        if given.holds(given.plays["only"], {"row": row.values}, given.place("only")):
            to = given.render(given.plays["to"], {})
            yield GeneratedPlay(
                id=f"on-{key}",
                table="nodes",
                hosts={key: key},
                pattern=given.patterns[0],
                needs=before,
                parameters={"note": f"up to {to}"},
                keywords={"gather_facts": False},
                position=given.place("to"),
            )
            before = (f"on-{key}",)


class Offering:
    @hookimpl
    def drumline_generators(self) -> object:
        return {"chain": chain, "wrong": wrong}


def wrong(given: Metadata) -> list[GeneratedPlay]:
    given.found.add("It can't be", detail="There is no play at all.", position=given.place("only"))
    return []


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    Path("gen.yml").write_text(FILE)
    return Settings(inventory=("web1,web2,",), state=tmp_path / "state")


def test_that_a_plugin_makes_plays_of_tables(settings: Settings) -> None:
    plugins = load_plugins(built_in=built_in, extra=[("mine", Offering())])
    first, second = prepare([Path("gen.yml")], settings, plugins=plugins).plan.plays
    assert (first.play.id, first.needs, first.hosts) == ("on-web1", (), ("web1",))
    assert (second.play.id, second.needs) == ("on-web2", (0,))
    assert second.play.variables == {"port": 81, "note": "up to web2"}
    assert str(second.play.position) == "gen.yml:6:9"


def test_that_its_mistakes_are_shown(settings: Settings) -> None:
    Path("gen.yml").write_text(FILE.replace("chain", "wrong"))
    with pytest.raises(FilesError) as caught:
        prepare([Path("gen.yml")], settings, plugins=load_plugins(built_in=built_in, extra=[("mine", Offering())]))
    [mistake] = caught.value.diagnostics
    assert (mistake.summary, str(mistake.position)) == ("It can't be", "gen.yml:6:27")


def test_that_a_name_stays_with_its_first_owner() -> None:
    class Other:
        @hookimpl
        def drumline_generators(self) -> object:
            return {"rules": chain, "chain": chain}

    registry = load_plugins(built_in=built_in, extra=[("mine", Offering()), ("other", Other())])
    assert registry.generators["chain"] is chain
    assert registry.generators["rules"] is not chain
    assert "offers 'rules', which drumline itself offers already (generators)" in registry.plugins[-1].fault
