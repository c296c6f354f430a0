"""Settings: which of two wins, and what is said about mistakes."""

from pathlib import Path

import pytest

from drumline.config import Settings, load_settings
from drumline.errors import FilesError, UsageError


def mistakes(directory: Path, text: str) -> list[tuple[str, str, int]]:
    (directory / "drumline.toml").write_text(text, encoding="utf-8")
    with pytest.raises(FilesError) as caught:
        load_settings(directory, {})
    return [(found.summary, found.detail, found.position.line) for found in caught.value.diagnostics if found.position]


def test_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"HOME": "/home/ann"}) == Settings(
        inventory=(), forks=50, sessions=4, state=Path("/home/ann/.local/state/drumline")
    )


def test_the_state_directory_follows_the_xdg_rules(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"XDG_STATE_HOME": "/s"}).state == Path("/s/drumline")
    assert load_settings(tmp_path, {"XDG_STATE_HOME": "s", "HOME": "/h"}).state == Path("/h/.local/state/drumline")


def test_the_file_wins_over_defaults_and_the_environment_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "drumline.toml").write_text('inventory = "hosts.yml"\nforks = 7\nsessions = 2\nstate = "/var/runs"\n')
    assert load_settings(tmp_path, {}) == Settings(
        inventory=("hosts.yml",), forks=7, sessions=2, state=Path("/var/runs")
    )
    environment = {"DRUMLINE_FORKS": "9", "DRUMLINE_INVENTORY": "a:web1,web2,", "DRUMLINE_STATE": "2024", "HOME": "/h"}
    assert load_settings(tmp_path, environment) == Settings(
        inventory=("a", "web1,web2,"), forks=9, sessions=2, state=Path("2024")
    )


def test_an_empty_variable_and_those_of_others_say_nothing(tmp_path: Path) -> None:
    environment = {"DRUMLINE_FORKS": "", "DRUMLINE_LAB_WINDOWS": "x", "HOME": "/h"}
    assert load_settings(tmp_path, environment).forks == 50


def test_home_is_meant_by_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    (tmp_path / "drumline.toml").write_text('inventory = ["~/hosts"]\nstate = "~/runs"\n')
    settings = load_settings(tmp_path, {})
    assert (settings.inventory, settings.state) == (("/home/ann/hosts",), Path("/home/ann/runs"))


def test_all_mistakes_of_the_file_are_found_with_their_lines(tmp_path: Path) -> None:
    text = '# forks = 1\nforks = "x"\nsesions = 3\nsessions = 0\nstate = ""\n[inventory]\na = 1\n'
    assert mistakes(tmp_path, text) == [
        ("This setting has an invalid value", "'forks' has to be a whole number from 1 up, not 'x'.", 2),
        ("Unknown setting", "There is no setting 'sesions'. Did you mean 'sessions'?", 3),
        ("This setting has an invalid value", "'sessions' has to be a whole number from 1 up, not 0.", 4),
        ("This setting has an invalid value", "'state' has to be the name of a directory, not ''.", 5),
        (
            "This setting has an invalid value",
            "'inventory' has to be the name of a source or a list of them, not {'a': 1}.",
            6,
        ),
    ]


@pytest.mark.parametrize("value", ["true", "1.5", "-1"])
def test_a_number_is_a_whole_one(tmp_path: Path, value: str) -> None:
    assert [line for _, _, line in mistakes(tmp_path, f"forks = {value}\n")] == [1]


def test_a_file_that_does_not_parse(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "forks = 1\nstate = \n") == [("This isn't valid TOML", "Invalid value.", 2)]
    (tmp_path / "drumline.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(FilesError, match="isn't UTF-8 text"):
        load_settings(tmp_path, {})


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="DRUMLINE_FORKS has to be a whole number from 1 up, not 'many'"):
        load_settings(tmp_path, {"DRUMLINE_FORKS": "many"})
