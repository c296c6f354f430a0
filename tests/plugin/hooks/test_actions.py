"""``drumline_actions``."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from support.makers import no_steps

from drumline.plugin import Action, hookimpl
from drumline.plugin.manager import load_plugins


def make_action(name: str, *aliases: str) -> Action:
    return Action(name=name, perform=no_steps, help="Does nothing.", aliases=aliases)


class Offering:
    def __init__(self, *actions: Action) -> None:
        self.actions = actions

    @hookimpl
    def drumline_actions(self) -> tuple[Action, ...] | None:
        return self.actions or None


class First(Offering):
    @hookimpl(tryfirst=True)
    def drumline_actions(self) -> tuple[Action, ...] | None:
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
