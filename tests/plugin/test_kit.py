"""The kit of actions: what scripts are sent, and what comes of what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drumline.plugin import (
    Action,
    ActionFailed,
    Call,
    Completed,
    HostPath,
    Language,
    Platform,
    Result,
    Steps,
)
from drumline.plugin.kit import (
    Script,
    ask,
    expanding_word,
    powershell_value,
    result_of,
    script_run,
    sh_word,
)
from drumline.testing import collect, play
from drumline_local.transport import LocalSession

POSIX, WINDOWS = (Call(host="h", platform=platform, arguments={}) for platform in Platform)


def _answer(text: str, /, **variables: Any) -> Result:
    """What a script's answer becomes, on this machine."""
    script = Script(sh=text)

    def perform(call: Call) -> Steps:
        return result_of((yield from ask(call, script, **variables)), first=1)

    action = Action(name="it", perform=perform, help="It.")
    return play(action, answers=[collect(LocalSession(), script_run(POSIX, script, variables))])[1]


def test_an_answer_is_texts_json_and_lists() -> None:
    result = _answer(
        """
        say name "a=b
        c"
        say_json size 12
        say_json there true
        say_item names one
        say_item names 'two 2'
        say changed "$changed"
        """
    )
    assert not result.changed
    assert result.values == {
        "first": 1,
        "name": "a=b\nc",
        "size": 12,
        "there": True,
        "names": ["one", "two 2"],
    }


def test_changed_and_msg_are_the_results_own() -> None:
    result = _answer("changed=1\nsay changed $changed\nsay msg done\nsay path $(printf 'x\\377')")
    assert (result.changed, result.message) == (True, "done")
    assert result.values == {"first": 1, "path": "x\ufffd"}


def test_a_failure_has_the_scripts_words() -> None:
    with pytest.raises(ActionFailed, match="no such thing as x"):
        _answer('fail "no such thing as $name"', name="x")
    with pytest.raises(ActionFailed, match="No such file"):
        _answer("try mkdir /no/such/place\nsay changed 1")


def test_a_script_that_says_nothing_is_shown_with_what_it_did() -> None:
    with pytest.raises(ActionFailed, match=r"exit code 3.*oh no") as failed:
        _answer("echo oh no >&2; exit 3")
    assert failed.value.values["rc"] == 3


def test_variables_and_arguments() -> None:
    result = _answer(
        'say all "$text|$yes|$no|$none|$number|$#|$2"',
        text="it's $HOME",
        yes=True,
        no=False,
        none=None,
        number=3,
        words=["a", "b c"],
    )
    assert result.values["all"] == "it's $HOME|1|||3|2|b c"


def test_sh_has_one_list() -> None:
    with pytest.raises(AssertionError, match="sh has one list"):
        script_run(POSIX, Script(sh=""), {"a": [], "b": []})


def test_scripts_beside_a_module_are_read_once_and_sent_small(tmp_path: Path) -> None:
    module = tmp_path / "it.py"
    (tmp_path / "shared.sh").write_text("# Shared.\nshared() {\n    :\n}\n")
    (tmp_path / "it.sh").write_text("# What it is.\n\nif shared; then\n    say a 1\nfi\n")
    script = Script.beside(str(module), "it", needs=[Script.beside(str(module), "shared")])
    assert script.sh.endswith("shared() {\n:\n}\nif shared; then\nsay a 1\nfi")
    (tmp_path / "it.sh").unlink()
    assert script_run(POSIX, script, {"b": 1}).text == f"b=1\ncheck=''\ndiff=''\n{script.sh}"


def test_on_windows_the_functions_are_a_library() -> None:
    script = Script(powershell="$answer.a = $b")
    run = script_run(WINDOWS, script, {"b": "it's"}, timeout=3)
    assert (run.language, run.timeout) == (Language.POWERSHELL, 3)
    assert run.text.splitlines()[3:] == ["$b = 'it''s'", "$check = $false", "$diff = $false", "Write-Answer", "}"]
    assert run.library == script_run(WINDOWS, script, {}).library
    assert run.library.startswith("function Invoke-Action {")


def test_an_answer_of_windows_may_be_folded() -> None:
    action = Action(name="it", perform=lambda call: _perform(call), help="It.")
    said = Completed(code=0, stdout=b'noise {"changed": true, "na\r\nme": "a", "size": 3}\r\n')
    _, result = play(action, answers=[said], platform=Platform.WINDOWS)
    assert (result.changed, result.values) == (True, {"name": "a", "size": 3})


def _perform(call: Call) -> Steps:
    return result_of((yield from ask(call, Script(powershell=""))))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a b", "'a b'"),
        ("~/x y", "~/'x y'"),
        ("~root", "~root"),
        ("$A-${B}", '"${A-\\$A}"-"${B-\\${B\\}}"'),
        ("", "''"),
        ("$(id)", "'$(id)'"),
    ],
)
def test_words_in_which_variables_are_expanded(text: str, word: str) -> None:
    assert expanding_word(text) == word
    assert sh_word(HostPath(text)) == word or not text


def test_what_is_below_a_path_is_data() -> None:
    assert sh_word(HostPath("~", "/$HOME")) == "~/'$HOME'"
    assert powershell_value(HostPath("%TEMP%", "\\x")) == "@('%TEMP%', '\\x')"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "$null"),
        (True, "$true"),
        (3, "3"),
        (b"x", "'eA=='"),
        (["a", 1], "@('a', 1)"),
        ("\u2019", "'\u2019\u2019'"),
    ],
)
def test_values_of_powershell(value: object, text: str) -> None:
    assert powershell_value(value) == text
