"""``drumline_lookups``."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from support.narrowing import expect
from support.program import call

from drumline import built_in
from drumline.diagnostics import Position
from drumline.model.value import Template
from drumline.plugin import LookupCall, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.templating.budget import Allowance, allow
from drumline.templating.failures import TemplateEnded, TemplateFailed, VariableUndefined
from drumline.templating.templates import Templating

PLUGIN = """
from drumline.plugin import hookimpl

def owner(call):
    for line in call.find_file("owners.txt", "files").read_text().splitlines():
        name, _, hosts = line.partition(":")
        if call.term in hosts.split():
            yield name

@hookimpl
def drumline_lookups():
    return {"owner": owner}
"""
PLAYBOOK = """
- hosts: localhost
  tasks:
    - debug: {msg: "{{ lookup('owner', 'web1') }} {{ query('owner', 'web1', 'web2') }}"}
    - debug: {msg: "{{ lookup('owner', ['web1', 'web2']) }}"}
"""


class Offering:
    def __init__(self, **lookups: Any) -> None:
        self.lookups = lookups

    @hookimpl
    def drumline_lookups(self) -> Any:
        return self.lookups or None


def render(text: str, work: Any, seconds: float = 20.0, **variables: Any) -> Any:
    registry = load_plugins(built_in=built_in, extra=[("none", Offering()), ("mine", Offering(work=work))])
    return Templating(seconds, registry).render(Template(text, Position("play.yml", 3)), variables)


def test_a_plugin_of_the_project_adds_lookups(tmp_path: Path) -> None:
    for name, text in [("plugins/owners.py", PLUGIN), ("files/owners.txt", "Ada: web1\nBob: web1 web2\n")]:
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    ended = call(tmp_path, "run", "site.yml", "-i", "localhost,", "--events", "-")
    said = [event["result"]["msg"] for event in ended.events() if event["event"] == "JobFinished"]
    assert said == ["Ada,Bob ['Ada', 'Bob', 'Bob']", "Ada,Bob,Bob"]
    (tmp_path / "files/owners.txt").unlink()
    ended = call(tmp_path, "run", "site.yml", "-i", "localhost,")
    assert ended.status == 2
    assert "'owner': There is no file 'owners.txt' on this machine." in ended.out


def test_it_is_given_its_term_and_options() -> None:
    def work(given: LookupCall) -> Any:
        return f"{given.term} {given.options}"

    assert render("{{ lookup('work', 7, a=[1], b=range(2)) }}", work) == "7 {'a': [1], 'b': [0, 1]}"


def test_one_value_is_a_list_of_one() -> None:
    assert render("{{ query('work', 'a') }}", lambda given: {"a": given.term}) == [{"a": "a"}]
    assert render("{{ query('work', 'a') }}", lambda given: []) == []


@pytest.mark.parametrize("text", ["{{ lookup('work', x) }}", "{{ lookup('work', 'a', b=x) }}"])
def test_it_is_not_called_with_what_is_undefined(text: str) -> None:
    with pytest.raises(VariableUndefined, match="'x' is undefined"):
        render(text, lambda _given: "called")


def test_its_faults_are_the_plugins_and_its_value_errors_for_the_author() -> None:
    with pytest.raises(TemplateFailed, match=r"^Plugin 'mine' \(given\) failed in its lookup 'work': KeyError: 'a'\.$"):
        render("{{ lookup('work', 'a') }}", lambda given: {}[given.term])

    def refuse(given: LookupCall) -> Any:
        raise ValueError(f"there is no '{given.term}'")

    with pytest.raises(TemplateFailed, match=r"^'work': there is no 'a'\.$"):
        render("{{ lookup('work', 'a') }}", refuse)


def wait_long(_given: LookupCall) -> Any:
    """A call into C, which nothing interrupts."""
    threading.Event().wait(30)


def test_one_that_waits_is_left_behind_when_the_time_is_up() -> None:
    began = time.monotonic()
    with pytest.raises(TemplateEnded, match=r"took longer than 0\.3 s"):
        render("{{ lookup('work', 'a') }}", wait_long, 0.3)
    assert time.monotonic() - began < 10


def test_one_that_waits_is_left_behind_when_its_job_is_stopped() -> None:
    stopped = threading.Event()
    threading.Timer(0.2, stopped.set).start()
    allow(Allowance(stopped=stopped.is_set))
    try:
        with pytest.raises(TemplateEnded, match="The job was stopped"):
            render("{{ lookup('work', 'a') }}", wait_long)
    finally:
        allow(None)


def test_an_unknown_one_is_told_with_its_place_and_a_bundled_name_stays_bundled() -> None:
    registry = load_plugins(built_in=built_in, extra=[("mine", Offering(work=wait_long, env=wait_long))])
    [fault] = registry.faults
    assert fault.startswith("Plugin 'mine' (given) offers 'env', which drumline itself offers already")
    [found] = Templating(plugins=registry).check(Template("a\n{{ lookup('worc') }}", Position("play.yml", 3)))
    assert (found.summary, expect(Position, found.position).line) == ("Unknown lookup", 4)
    assert found.detail == "There is no lookup 'worc'. Did you mean 'work'?"
