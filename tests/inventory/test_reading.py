"""How sources are read: side by side, with time limits and copies on disk, and what happens when they fail."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.sources import written

from drumline import app, built_in
from drumline.config import Settings
from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.inventory.sources import load_inventory
from drumline.model.host import Inventory
from drumline.plugin import Argument, InventorySource, SourceCall, SourceData, SourceUnavailable, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.source.origins import Owner, origins_noted


class Offering:
    """A plugin with these sources."""

    def __init__(self, *sources: InventorySource) -> None:
        self._sources = sources

    @hookimpl
    def drumline_inventory_sources(self) -> tuple[InventorySource, ...]:
        return self._sources


class Cloud:
    """A source that gives hosts, or fails, as a test says."""

    def __init__(self) -> None:
        self.read: Callable[[SourceCall], SourceData | None] = lambda _call: SourceData(hosts={"c1": {}})
        self.asked = 0
        source = InventorySource(name="cloud", read=self._read, waits=True, options=(Argument(name="region"),))
        self.registry = load_plugins(built_in=built_in, extra=[("cloud", Offering(source))])

    def _read(self, call: SourceCall) -> SourceData | None:
        self.asked += 1
        return self.read(call)

    def inventory(self, *sources: Path, **settings: Any) -> Inventory:
        state = sources[0].parent / "state"
        return app.inventory_of(Settings(inventory=tuple(map(str, sources)), state=state, **settings), self.registry)

    def mistakes(self, *sources: Path, **settings: Any) -> list[Diagnostic]:
        with pytest.raises(FilesError) as caught:
            self.inventory(*sources, **settings)
        return list(caught.value.diagnostics)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    return written(tmp_path, "cloud.yml", "plugin: cloud\nregion: eu\n")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return written(tmp_path, "kept.yml", "plugin: cloud\ncache_timeout: 1h\n")


def unavailable(_call: SourceCall) -> SourceData:
    raise SourceUnavailable("It is Sunday.")


class TestFailures:
    def test_a_source_that_does_not_answer_is_named(self, cloud: Cloud, configured: Path) -> None:
        cloud.read = unavailable
        [found] = cloud.mistakes(configured)
        assert found.summary == "An inventory source failed"
        assert found.detail.splitlines() == [
            f"'cloud' of {configured}: It is Sunday.",
            "To go on without it: --allow-missing-source.",
        ]

    def test_one_that_raises_anything_is_named(self, cloud: Cloud, configured: Path) -> None:
        def broken(_call: SourceCall) -> SourceData:
            raise KeyError("oops")

        cloud.read = broken
        [found] = cloud.mistakes(configured)
        assert f"'cloud' of {configured}: KeyError: 'oops'" in found.detail

    def test_a_library_that_is_missing_is_named(self, cloud: Cloud, configured: Path) -> None:
        def lacking(_call: SourceCall) -> SourceData:
            import not_installed_anywhere  # type: ignore[import-not-found]  # noqa: F401

            return SourceData()

        cloud.read = lacking
        assert "'not_installed_anywhere' is not installed" in cloud.mistakes(configured)[0].detail

    def test_it_is_a_mistake_even_beside_others_in_a_directory(self, cloud: Cloud, tmp_path: Path) -> None:
        written(tmp_path, "sources/1.ini", "h\n")
        written(tmp_path, "sources/2.yml", "plugin: cloud\n")
        cloud.read = unavailable
        assert len(cloud.mistakes(tmp_path / "sources")) == 1

    def test_it_is_left_out_on_request(self, cloud: Cloud, configured: Path, tmp_path: Path) -> None:
        cloud.read = unavailable
        hosts = written(tmp_path, "hosts", "h\n")
        inventory = cloud.inventory(configured, hosts, allow_missing_source=True)
        assert list(inventory.hosts) == ["h"]
        assert [warning.summary for warning in inventory.warnings] == ["An inventory source failed"]

    def test_all_that_fail_are_told_at_once(self, cloud: Cloud, configured: Path, tmp_path: Path) -> None:
        cloud.read = unavailable
        assert len(cloud.mistakes(configured, tmp_path / "none", written(tmp_path, "b.yml", "[1]"))) == 3


class TestTime:
    def test_a_source_that_takes_too_long_is_ended(self, cloud: Cloud, tmp_path: Path) -> None:
        ended = threading.Event()

        def endless(call: SourceCall) -> SourceData:
            call.undo.append(ended.set)
            ended.wait(60)
            return SourceData()

        cloud.read = endless
        [found] = cloud.mistakes(written(tmp_path, "slow.yml", "plugin: cloud\ntimeout: 50ms\n"))
        assert "It took longer than 0.05 s, and was ended." in found.detail
        assert ended.is_set()

    def test_sources_are_read_side_by_side(self, cloud: Cloud, tmp_path: Path) -> None:
        meeting = threading.Barrier(3, timeout=60)

        def meets(call: SourceCall) -> SourceData:
            meeting.wait()
            return SourceData(hosts={call["region"]: {"from": call["region"]}, "all": {"from": call["region"]}})

        cloud.read = meets
        sources = [written(tmp_path, f"{name}.yml", f"plugin: cloud\nregion: {name}\n") for name in ("b", "a", "c")]
        inventory = cloud.inventory(*sources)
        assert list(inventory.hosts) == ["b", "all", "a", "c"]
        assert inventory.hosts["all"].variables == {"from": "c"}  # the last one wins, whichever was the first to answer

    def test_what_has_begun_is_ended_when_a_person_interrupts(self) -> None:
        began, ended = threading.Event(), threading.Event()

        def endless(call: SourceCall) -> SourceData:
            call.undo.append(ended.set)
            began.set()
            ended.wait(60)
            return SourceData()

        def interrupts(_text: str) -> bool:
            assert began.wait(60)
            raise KeyboardInterrupt

        waiting = InventorySource(name="w", claims=lambda text: text == "w", read=endless, waits=True)
        rude = InventorySource(name="r", claims=interrupts, read=endless)
        with pytest.raises(KeyboardInterrupt):
            load_inventory(["w", "r"], [waiting, rude])
        assert ended.is_set()


class TestCopies:
    @pytest.fixture(autouse=True)
    def now(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [1_000_000.0]
        monkeypatch.setattr("drumline.inventory.source_cache.now", lambda: now[0])
        return now

    def test_a_copy_is_used_while_it_is_young(self, cloud: Cloud, kept: Path, now: list[float]) -> None:
        for seconds, asked in ((0, 1), (3_600, 1), (1, 2)):
            now[0] += seconds
            assert list(cloud.inventory(kept).hosts) == ["c1"]
            assert cloud.asked == asked

    def test_one_that_asks_for_no_copy_is_always_asked(self, cloud: Cloud, configured: Path, tmp_path: Path) -> None:
        cloud.inventory(configured)
        cloud.inventory(configured)
        assert cloud.asked == 2
        assert not (tmp_path / "state").exists()

    def test_the_setting_counts_for_all_that_say_nothing(self, cloud: Cloud, configured: Path, tmp_path: Path) -> None:
        without = written(tmp_path, "none.yml", "plugin: cloud\ncache: false\n")
        for _ in range(2):
            cloud.inventory(configured, without, inventory_cache=60.0)
        assert cloud.asked == 3

    def test_it_is_made_anew_on_request(self, cloud: Cloud, kept: Path) -> None:
        cloud.inventory(kept)
        cloud.read = lambda _call: SourceData(hosts={"c2": {}})
        assert list(cloud.inventory(kept).hosts) == ["c1"]
        assert list(cloud.inventory(kept, refresh_inventory=True).hosts) == ["c2"]
        assert list(cloud.inventory(kept).hosts) == ["c2"]

    def test_it_stands_in_for_a_source_that_does_not_answer(self, cloud: Cloud, kept: Path, now: list[float]) -> None:
        cloud.inventory(kept)
        now[0] += 7_260
        cloud.read = unavailable
        inventory = cloud.inventory(kept)
        assert list(inventory.hosts) == ["c1"]
        [warning] = inventory.warnings
        assert warning.summary == "An inventory source doesn't answer"
        assert warning.detail == f"'cloud' of {kept}: It is Sunday. What it gave 2 h 1 m ago is used."

    def test_it_does_not_hide_a_mistake(self, cloud: Cloud, kept: Path, now: list[float]) -> None:
        cloud.inventory(kept)
        now[0] += 7_200

        def wrong(call: SourceCall) -> SourceData:
            call.refuse("Wrong", "It is wrong.", "cache_timeout")

        cloud.read = wrong
        [found] = cloud.mistakes(kept)
        assert (found.summary, str(found.position)) == ("Wrong", f"{kept}:2:1")

    def test_other_options_have_another_copy(self, cloud: Cloud, kept: Path) -> None:
        cloud.inventory(kept)
        kept.write_text(kept.read_text() + "region: us\n")
        cloud.inventory(kept)
        assert cloud.asked == 2

    def test_a_damaged_copy_is_none(self, cloud: Cloud, kept: Path, tmp_path: Path) -> None:
        cloud.inventory(kept)
        [copy] = (tmp_path / "state/inventory").iterdir()
        assert copy.stat().st_mode & 0o077 == 0  # it may hold passwords
        copy.write_text("{")
        assert list(cloud.inventory(kept).hosts) == ["c1"]
        assert cloud.asked == 2

    def test_everything_of_it_comes_back(self, cloud: Cloud, kept: Path) -> None:
        cloud.read = lambda _call: SourceData(
            hosts={"h": {"a": [1, {"b": None}]}},
            groups={"g": {"x": "{{ y }}"}},
            members={"g": ["h"]},
            children={"top": ["g"]},
            trusted=False,
        )
        assert cloud.inventory(kept) == cloud.inventory(kept)
        assert cloud.asked == 1


def test_places_of_variables_are_those_that_a_source_gives(cloud: Cloud, configured: Path) -> None:
    cloud.read = lambda _call: SourceData(hosts={"h": {"a": 1}}, places={"h": Position("rows", 7)})
    with origins_noted() as noted:
        cloud.inventory(configured)
    [origin] = noted.of([Owner("host", "h", "sources")], "a")
    assert origin.position == Position("rows", 7)


def test_options_are_checked_and_rendered(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGION", "moon")
    cloud.read = lambda call: SourceData(hosts={call["region"]: {}})
    source = written(tmp_path, "1.yml", "plugin: cloud\nregion: \"{{ lookup('env', 'REGION') }}\"\n")
    assert list(cloud.inventory(source).hosts) == ["moon"]
    wrong = written(tmp_path, "2.yml", "plugin: cloud\nregion: '{{ nowhere }}'\nregoin: x\ntimeout: soon\n")
    found = {(one.summary, one.position and one.position.line) for one in cloud.mistakes(wrong)}
    assert found == {
        ("Unknown argument", 3),
        ("An argument has a wrong value", 4),
        ("An option can't be rendered", 2),
    }
