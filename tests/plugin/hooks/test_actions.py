"""``drumline_actions``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from support.makers import no_steps

from drumline.plugin import Action, ActionSpec, PluginError, hookimpl
from drumline.plugin.manager import load_plugins


def make_action(name: str, *aliases: str) -> Action:
    return Action(name=name, perform=no_steps, help="Does nothing.", aliases=aliases)


class Offering:
    def __init__(self, *actions: Action | ActionSpec) -> None:
        self.actions = actions

    @hookimpl
    def drumline_actions(self) -> tuple[Action | ActionSpec, ...] | None:
        return self.actions or None


class First(Offering):
    @hookimpl(tryfirst=True)
    def drumline_actions(self) -> tuple[Action | ActionSpec, ...] | None:
        return self.actions


def test_actions_are_found_by_name_and_alias() -> None:
    action = make_action("dance", "jump")
    registry = load_plugins(extra=[("mine", Offering(action)), ("none", Offering())])
    assert registry.faults == ()
    assert registry.actions["dance"] is registry.actions["jump"] is action


@pytest.mark.parametrize(("kind", "winner"), [(Offering, 0), (First, 1)], ids=["in order", "tryfirst"])
def test_the_plugin_that_is_asked_first_keeps_a_name(kind: type[Offering], winner: int) -> None:
    actions = [make_action("dance"), make_action("dance")]
    registry = load_plugins(extra=[("one", Offering(actions[0])), ("two", kind(actions[1]))])
    first, second = [("one", "two"), ("two", "one")][winner]
    told = f"Plugin '{second}' (given) offers 'dance', which plugin '{first}' (given) offers already (actions)."
    assert registry.faults == (told,)
    assert registry.actions["dance"] is actions[winner]


MODULE = """
from drumline.plugin import Action
ACTIONS = (Action(name="dance", perform=print, help="Dances."), Action(name="sing", perform=print, help="Sings."))
"""


#: Runs drumline, and says at the end which modules of the bundled actions were imported.
TELLING = """
import os, sys
from drumline.cli import main
leave = os._exit
def told(status):
    print(*sorted(name for name in sys.modules if name.startswith("drumline_actions")), file=sys.stderr, flush=True)
    leave(status)
os._exit = told
main()
"""


def test_a_spec_is_imported_when_its_action_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lazy_dances.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    specs = [ActionSpec(name=name, load="lazy_dances", aliases=(f"a.{name}",)) for name in ("dance", "sing")]
    actions = load_plugins(extra=[("mine", Offering(*specs))]).actions
    assert {"dance", "a.dance", "sing", "a.sing"} <= set(actions)
    assert len(actions) == len(list(actions))
    assert "a.dance" in actions
    assert "lazy_dances" not in sys.modules
    assert actions["a.dance"].help == "Dances."
    assert actions["a.dance"] is actions["dance"]
    assert actions["dance"].aliases == ("a.dance",)
    del sys.modules["lazy_dances"]


@pytest.mark.parametrize(
    ("text", "said"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("ACTIONS = ()", "KeyError: 'dance'"), (None, "ModuleNotFound")],
)
def test_an_action_that_can_not_be_imported_names_its_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / "no_dances.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    actions = load_plugins(extra=[("mine", Offering(ActionSpec(name="dance", load="no_dances")))]).actions
    with pytest.raises(PluginError) as raised:
        actions["dance"]
    assert raised.value.detail.startswith("Plugin 'mine' (given): action 'dance' of no_dances failed: ")
    assert said in raised.value.detail
    sys.modules.pop("no_dances", None)


def test_a_run_imports_only_the_actions_that_it_uses(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: localhost\n  tasks:\n    - command: 'true'\n")
    options = ["-i", "localhost,", "--state", str(tmp_path / "state")]
    done = subprocess.run(
        [sys.executable, "-c", TELLING, "run", "site.yml", *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.split() == ["drumline_actions", "drumline_actions.commands"]


def test_the_bundled_ones_are_called_as_they_say() -> None:
    actions = load_plugins().actions
    own = {action.name for action in actions.values()}
    assert all(name in (action.name, *action.aliases) for name, action in actions.items())
    assert actions["ansible.windows.win_copy"].name == actions["win_copy"].name == "copy"
    assert {"approve", "ansible.builtin.raw"} <= set(actions)
    assert not {"win_raw", "ansible.builtin.approve"} & set(actions)
    assert len(own) > 25


def test_a_wrapper_changes_what_every_plugin_offers() -> None:
    class Wrapper:
        @hookimpl(wrapper=True)
        def drumline_actions(self) -> Generator[None, list[list[Action]], list[list[Action]]]:
            [offered] = yield
            return [[action for action in offered if action.name != "shell"]]

    registry = load_plugins(extra=[("mine", Offering(make_action("dance"))), ("wrapper", Wrapper())])
    assert registry.faults == ()
    assert {"dance", "command"} <= set(registry.actions)
    assert "shell" not in registry.actions
