"""``drumline_settings``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.installed import install
from support.program import call

from drumline import built_in
from drumline.config import load_settings
from drumline.errors import FilesError, PluginError, UsageError
from drumline.plugin import Duration, Setting, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.plugin.registry import Registry
from drumline.plugin_settings import read_plugin_settings

PLUGIN = """
    from drumline.plugin import Setting, hookimpl

    @hookimpl
    def drumline_settings():
        mark = Setting(name="mark", default="!", help="What a shout ends with.")
        return [mark, Setting(name="times", type=int, default=1, help="How often the mark stands there.")]

    @hookimpl
    def drumline_filters(settings):
        mark = settings["shouting.mark"] * settings["shouting.times"]
        return {"shout": lambda text: text.upper() + mark}
"""


class Declaring:
    def __init__(self, *settings: Setting) -> None:
        self.settings = settings
        self.given: list[Mapping[str, Any]] = []

    @hookimpl
    def drumline_settings(self) -> tuple[Setting, ...] | None:
        return self.settings or None

    @hookimpl
    def drumline_lookups(self, settings: Mapping[str, Any]) -> None:
        self.given.append(settings)


SETTINGS = (
    Setting(name="text", default="nothing"),
    Setting(name="number", type=int, default=3),
    Setting(name="wait", type=Duration),
    Setting(name="path", type=Path),
    Setting(name="names", type=list),
    Setting(name="table", type=dict),
    Setting(name="way", choices=("up", "down"), default="up"),
    Setting(name="on", type=bool, default=False),
)


def load(directory: Path, text: str = "", environment: Mapping[str, str] = {}, **plugins: Declaring) -> Registry:
    (directory / "drumline.toml").write_text(text)
    written = load_settings(directory, {"HOME": "/home/ann", **environment}).for_plugins
    read = partial(read_plugin_settings, written)
    return load_plugins(built_in=built_in, extra=plugins.items(), read=read)


def values(registry: Registry, plugin: str = "mine") -> dict[str, Any]:
    return {
        name.removeprefix(f"{plugin}."): value
        for name, value in registry.settings.items()
        if name.startswith(f"{plugin}.")
    }


def mistakes(directory: Path, text: str) -> list[tuple[str, str, int]]:
    with pytest.raises(FilesError) as raised:
        load(directory, text, mine=Declaring(*SETTINGS))
    return [(one.summary, one.detail, one.position.line) for one in raised.value.diagnostics if one.position]


def test_an_installed_package_has_settings(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "shouting", PLUGIN)
    (tmp_path / "site.yml").write_text("- hosts: localhost\n  tasks:\n    - debug: {msg: \"{{ 'hi' | shout }}\"}\n")
    run = ("run", "site.yml", "-i", "localhost,", "-v")
    assert "HI!\n" in call(tmp_path, *run, env=env).out
    (tmp_path / "drumline.toml").write_text('forks = 2\n[shouting]\nmark = "?"\ntimes = 2\n')
    assert "HI??\n" in call(tmp_path, *run, env=env).out
    assert "HI???\n" in call(tmp_path, *run, env={**env, "DRUMLINE_SHOUTING_TIMES": "3"}).out
    (tmp_path / "drumline.toml").write_text('[shouting]\nmarks = "?"\n')
    ended = call(tmp_path, *run, env=env)
    assert (ended.status, ended.out) == (5, "")
    assert "drumline.toml:2" in ended.err
    assert "Plugin 'shouting' has no setting 'marks'. Did you mean 'mark'?" in ended.err


def test_plugins_lists_them(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "shouting", PLUGIN)
    said = call(tmp_path, "plugins", env=env).out
    assert "  setting shouting.mark (DRUMLINE_SHOUTING_MARK): What a shout ends with. Default: !.\n" in said
    listed = json.loads(call(tmp_path, "plugins", "--format", "json", env=env).out)
    [settings] = [plugin["settings"] for plugin in listed if plugin["name"] == "shouting"]
    assert settings[1] == {
        "name": "shouting.times",
        "variable": "DRUMLINE_SHOUTING_TIMES",
        "type": "int",
        "default": 1,
        "choices": [],
        "help": "How often the mark stands there.",
    }


def test_without_anything_written_they_have_their_defaults(tmp_path: Path) -> None:
    plugin = Declaring(*SETTINGS)
    registry = load(tmp_path, mine=plugin, none=Declaring())
    assert registry.faults == ()
    assert values(registry) == {setting.name: setting.default for setting in SETTINGS}
    assert plugin.given == [registry.settings]


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(tmp_path: Path) -> None:
    text = """
[mine]
text = "file"
number = 4
wait = "10m"
path = "/somewhere"
names = ["a", "b"]
way = "down"
on = true
[mine.table]
a = "b"
"""
    found = values(load(tmp_path, text, mine=Declaring(*SETTINGS)))
    assert found == {
        "text": "file",
        "number": 4,
        "wait": 600.0,
        "path": Path("/somewhere"),
        "names": ["a", "b"],
        "table": {"a": "b"},
        "way": "down",
        "on": True,
    }
    environment = {
        "DRUMLINE_MINE_TEXT": "environment",
        "DRUMLINE_MINE_NUMBER": "5",
        "DRUMLINE_MINE_NAMES": "c, d",
        "DRUMLINE_MINE_TABLE": "a=c",
        "DRUMLINE_MINE_ON": "no",
        "DRUMLINE_MINE_WAY": "",
    }
    found = values(load(tmp_path, text, environment, mine=Declaring(*SETTINGS)))
    assert (found["text"], found["number"], found["names"]) == ("environment", 5, ["c", "d"])
    assert (found["table"], found["on"], found["way"]) == ({"a": "c"}, False, "down")


def test_all_mistakes_in_the_tables_are_found_with_their_lines(tmp_path: Path) -> None:
    text = """forks = 2
number = "in no table"
"""
    with pytest.raises(FilesError, match="There is no setting 'number'"):
        load(tmp_path, text, mine=Declaring(*SETTINGS))
    text = """forks = 2
[lab]
windows = "x"
[mine]
numbr = 1
number = "x"
way = "left"
[min]
number = 1
"""
    assert mistakes(tmp_path, text) == [
        ("Unknown setting", "Plugin 'mine' has no setting 'numbr'. Did you mean 'number'?", 5),
        ("This setting has an invalid value", "'mine.number' takes a whole number, but this is 'x'.", 6),
        ("This setting has an invalid value", "'mine.way' is one of up, down, not 'left'.", 7),
        (
            "Unknown setting",
            "There is no setting 'min', and no plugin 'min' with settings. Did you mean 'mine'?",
            8,
        ),
    ]


def test_other_ways_to_write_a_table_have_their_lines_too(tmp_path: Path) -> None:
    assert [line for _, _, line in mistakes(tmp_path, '\nmine = {number = "x"}\n')] == [2]
    assert [line for _, _, line in mistakes(tmp_path, '\nmine.text = "x"\nmine.number = "x"\n')] == [3]


def test_a_plugin_may_check_its_values(tmp_path: Path) -> None:
    def check(value: str) -> None:
        if value == "wrong":
            raise ValueError("is wrong, says its plugin.")
        if value == "worse":
            raise KeyError(value)

    plugin = Declaring(Setting(name="text", check=check, default="never checked"))
    assert values(load(tmp_path, '[mine]\ntext = "right"\n', mine=plugin)) == {"text": "right"}
    with pytest.raises(FilesError, match=r"'mine\.text' is wrong, says its plugin\."):
        load(tmp_path, '[mine]\ntext = "wrong"\n', mine=plugin)
    with pytest.raises(PluginError) as raised:
        load(tmp_path, '[mine]\ntext = "worse"\n', mine=plugin)
    assert raised.value.detail == "The check of its setting 'mine.text' failed: KeyError: 'worse'"


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load(tmp_path, "", {"DRUMLINE_MINE_NUMBER": "many"}, mine=Declaring(*SETTINGS))
    assert raised.value.detail == "DRUMLINE_MINE_NUMBER takes a whole number, but this is 'many'."


def test_a_variable_of_another_setting_stays_its_own(tmp_path: Path) -> None:
    limit = Setting(name="limit", type=int, default=1)
    registry = load(tmp_path, "", {"DRUMLINE_OUTPUT_LIMIT": "1 MiB"}, output=Declaring(limit))
    assert registry.faults == (
        "Plugin 'output' (given) offers 'DRUMLINE_OUTPUT_LIMIT', which drumline itself offers already (settings).",
    )
    assert values(registry, "output") == {}


def test_a_plugin_that_is_named_like_a_setting_of_drumline_has_none(tmp_path: Path) -> None:
    registry = load(tmp_path, forks=Declaring(Setting(name="a")))
    [fault] = registry.faults
    assert fault == "Plugin 'forks' (given) can't have settings: drumline itself has a setting 'forks'."


def test_the_list_of_commands_needs_no_settings(tmp_path: Path) -> None:
    (tmp_path / "drumline.toml").write_text("[nobody]\na = 1\n")
    assert call(tmp_path, "--help").status == 0
    assert call(tmp_path, "plugins").status == 5
