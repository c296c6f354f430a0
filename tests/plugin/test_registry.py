"""Names and their owners."""

from __future__ import annotations

from drumline.plugin.registry import Offers, PluginInfo, Registry


def test_the_first_owner_of_a_name_keeps_it() -> None:
    offers: Offers[int] = Offers("actions")
    assert offers.take("Plugin 'a' (one 1.0)", ["copy"], 1) == []
    assert offers.take("Plugin 'b' (two 2.0)", ["copy", "win_copy"], 2) == [
        "Plugin 'b' (two 2.0) offers 'copy', which plugin 'a' (one 1.0) offers already (actions)."
    ]
    assert offers == {"copy": 1, "win_copy": 2}


def test_faults_are_those_of_all_plugins() -> None:
    plugins = (
        PluginInfo(name="a", origin="x", fault="A."),
        PluginInfo(name="b", origin="x"),
        PluginInfo(name="c", origin="x", fault="C."),
    )
    assert Registry(plugins=plugins).faults == ("A.", "C.")
