from collections.abc import Callable, Mapping
from typing import Any

import pytest
from support.makers import MakePlay, MakeTask
from support.narrowing import expect

from drumline.diagnostics import Position
from drumline.lint.wanted import Wanted, brings, wanted_by
from drumline.model.value import Template

HERE = Position("site.yml", 5, 9)


def template(text: str) -> Template:
    return Template(text, HERE)


@pytest.fixture
def wanted(play: MakePlay, task: MakeTask) -> Callable[..., Wanted]:
    """What a ``wait_for`` with these arguments waits for."""

    def wanted(
        variables: Mapping[str, object] | None = None, extra: Mapping[str, object] | None = None, **arguments: Any
    ) -> Wanted:
        made = task("wait", arguments=arguments, action="wait_for", variables=variables or {})
        return expect(Wanted, wanted_by(play("p"), made, extra or {}))

    return wanted


@pytest.fixture
def brought(play: MakePlay, task: MakeTask, wanted: Callable[..., Wanted]) -> Callable[..., bool]:
    """Whether a task ends a wait for these arguments."""

    def brought(
        wait: dict[str, object], action: str, variables: Mapping[str, object] | None = None, **arguments: Any
    ) -> bool:
        made = task("t", action=action, arguments=arguments, variables=variables or {})
        return brings(play("p"), made, wanted(**wait), {})

    return brought


def test_a_wait_names_a_path_a_port_or_a_command(play: MakePlay, task: MakeTask, wanted: Callable[..., Wanted]) -> None:
    found = wanted(path="/srv/ready", search_regex="done")
    assert (found.argument, found.words, found.paths, found.ports) == ("path", "/srv/ready", ("/srv/ready",), ())
    found = wanted(port=8080, path=None)
    assert (found.argument, found.words, found.ports) == ("port", "port 8080", ("8080",))
    found = wanted(command="/bin/probe --file /srv/ready http://web:8080/health")
    assert (found.paths, found.ports) == (("/srv/ready",), ("8080",))
    assert found.words == "'/bin/probe --file /srv/ready http://web:8080/health'"
    assert wanted_by(play("p"), task("wait", action="wait_for", arguments={"timeout": 5}), {}) is None
    assert wanted_by(play("p"), task("t", arguments={"path": "/srv/ready"}), {}) is None


def test_plain_variables_are_put_in_but_not_shown(wanted: Callable[..., Wanted]) -> None:
    path = template("{{ root }}/{{ name | lower }}")
    found = wanted({"root": template("/srv/{{where}}")}, {"where": "north"}, path=path)
    assert found.paths == ("/srv/north/{{name | lower}}",)
    assert found.words == "{{ root }}/{{ name | lower }}"


def test_a_variable_that_is_defined_by_itself_is_left(wanted: Callable[..., Wanted]) -> None:
    assert wanted({"x": template("{{ x }}/a")}, path=template("{{ x }}")).paths[0].startswith("{{x}}/a")


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("copy", {"dest": "/srv/ready", "content": "x"}),
        ("copy", {"dest": "/srv/", "src": "ready"}),
        ("template", {"dest": "/srv/ready", "src": "ready.j2"}),
        ("file", {"path": "/srv/ready", "state": "touch"}),
        ("command", {"cmd": "touch /srv/ready"}),
        ("command", {"argv": ["touch", "/srv/ready"]}),
        ("command", {"cmd": "make-it", "creates": "/srv/ready"}),
        ("shell", {"cmd": "(sleep 1; echo > '/srv/ready') &"}),
        ("shell", {"cmd": "echo > ready", "chdir": "/srv/"}),
        ("their_action", {"target": {"file": "/srv/ready"}}),
    ],
)
def test_what_brings_a_path(brought: Callable[..., bool], action: str, arguments: dict[str, object]) -> None:
    assert brought({"path": "/srv/ready"}, action, **arguments)


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("copy", {"dest": "/srv/ready.old", "content": "x"}),
        ("shell", {"cmd": "touch /data/srv/ready"}),
        ("shell", {"cmd": "echo > ready", "chdir": "/other"}),
        ("shell", {"cmd": "ls", "chdir": "/srv/ready"}),
        ("file", {"path": "/srv/ready", "state": "absent"}),
        ("stat", {"path": "/srv/ready"}),
        ("wait_for", {"path": "/srv/ready"}),
        ("debug", {"msg": "/srv/ready"}),
    ],
)
def test_what_does_not_bring_a_path(brought: Callable[..., bool], action: str, arguments: dict[str, object]) -> None:
    assert not brought({"path": "/srv/ready"}, action, **arguments)


def test_what_takes_a_path_away(brought: Callable[..., bool]) -> None:
    absent = {"path": "/srv/lock", "state": "absent"}
    assert brought(absent, "file", path="/srv/lock", state="absent")
    assert brought(absent, "command", cmd="rm /srv/lock")
    assert not brought(absent, "file", path="/srv/lock", state="touch")


def test_what_brings_a_port(brought: Callable[..., bool]) -> None:
    assert brought({"port": 8080}, "shell", cmd="server --listen :8080 &")
    assert brought({"port": 8080}, "command", {"port": 8080}, cmd=template("server {{ port }}"))
    assert not brought({"port": 8080}, "shell", cmd="server --listen :80801")
    assert not brought({"port": 8080}, "copy", dest="/etc/server.conf", content="listen 8080")
