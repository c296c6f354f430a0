"""``drumline_secrets``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.installed import install
from support.narrowing import expect
from support.program import call

from drumline import built_in
from drumline.app import prepare
from drumline.config import Settings
from drumline.diagnostics import Position
from drumline.errors import FilesError
from drumline.masking import Secrets
from drumline.model.value import Template
from drumline.plugin import Secret, SecretStore, SecretUnavailable, hookimpl
from drumline.plugin.manager import load_plugins
from drumline.templating.budget import Allowance, allow
from drumline.templating.failures import TemplateEnded, TemplateFailed
from drumline.templating.templates import Templating

WORD = "hunter2-horse"
PLUGIN = """
    from pathlib import Path
    from drumline.plugin import SecretStore, SecretUnavailable, hookimpl

    def from_safe(name):
        with open("asked.txt", "a") as asked:
            print(name, file=asked)
        if name != "db":
            raise SecretUnavailable("It isn't in the safe.")
        return "hunter2-horse"

    @hookimpl
    def drumline_secrets():
        return [SecretStore(name="safe", resolve=from_safe, help="The name of an entry.")]
"""
INVENTORY = """
all:
  vars: {ansible_connection: local, db_password: "{{ lookup('secret', 'safe:db') }}"}
  hosts: {web1: , web2: , web3: }
"""
PLAYBOOK = """
- hosts: all
  tasks:
    - {id: env, command: printenv DB, environment: {DB: "{{ db_password }}"}, register: said}
    - {id: same, assert: {that: "said.stdout | hash('md5') == '574516be94c41fcfc6b8ddbf9e6d6785'"}}
"""


class Offering:
    def __init__(self, *stores: SecretStore) -> None:
        self.stores = stores

    @hookimpl
    def drumline_secrets(self) -> Any:
        return self.stores or None


class Asked:
    """A store that remembers what it was asked."""

    def __init__(self, answer: Callable[[str], Any]) -> None:
        self.names: list[str] = []
        self._answer = answer
        self.store = SecretStore(name="safe", resolve=self.resolve)

    def resolve(self, name: str) -> Any:
        self.names.append(name)
        return self._answer(name)


def templating(store: Asked, seconds: float = 20.0) -> Templating:
    registry = load_plugins(built_in=built_in, extra=[("none", Offering()), ("mine", Offering(store.store))])
    assert registry.faults == ()
    return Templating(seconds, registry)


def render(templates: Templating, text: str = "{{ lookup('secret', 'safe:db') }}") -> Any:
    return templates.render(Template(text, Position("play.yml", 3)), {})


def failure(answer: Callable[[str], Any]) -> str:
    templates = templating(Asked(answer))
    templates.resolve_secrets(lambda _text: None)
    with pytest.raises(TemplateFailed) as raised:
        render(templates)
    assert raised.value.position == Position("play.yml", 3)
    return raised.value.summary


def slowly(seconds: float, answer: Callable[[str], str]) -> Callable[[str], Any]:
    def resolve(name: str) -> str:
        time.sleep(seconds)
        return answer(name)

    return resolve


def raising(error: BaseException) -> Callable[[str], Any]:
    def answer(_name: str) -> Any:
        raise error

    return answer


def test_an_installed_package_keeps_secrets(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "safe", PLUGIN)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    ended = call(tmp_path, "run", "site.yml", "-i", "inventory.yml", "-vv", env=env)
    assert ended.status == 0, ended.said
    assert "********" in ended.out
    assert WORD not in ended.said
    assert (tmp_path / "asked.txt").read_text() == "db\n"
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert kept
    assert WORD.encode() not in kept


def test_nothing_is_resolved_that_no_run_needs(tmp_path: Path) -> None:
    env = install(tmp_path / "site", "safe", PLUGIN)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    for arguments in (["plan"], ["plan", "--estimate"], ["simulate"]):
        assert call(tmp_path, *arguments, "site.yml", "-i", "inventory.yml", env=env).status == 0
    shown = call(tmp_path, "inventory", "host", "web1", "--reveal", "-i", "inventory.yml", env=env)
    assert "{{ lookup('secret', 'safe:db') }}" in shown.out
    (tmp_path / "site.yml").write_text("- {hosts: all, tasks: [{command: 'true'}]}\n")
    assert call(tmp_path, "run", "site.yml", "-i", "inventory.yml", env=env).status == 0
    assert not (tmp_path / "asked.txt").exists()


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("sage:db", "There is no kind of secret 'sage' ('sage:db'). Did you mean 'safe'?"),
        ("xyzzy:db", "There is no kind of secret 'xyzzy' ('xyzzy:db'). Known are env, file, pass, safe."),
        ("db", "'db' is no reference to a secret, which is KIND:NAME. Known kinds are env, file, pass, safe."),
        (
            "safe:",
            "'safe:' is no reference to a secret, which is KIND:NAME. Known kinds are env, file, pass, safe.",
        ),
    ],
)
def test_an_unknown_kind_is_told_with_its_place_before_anything_is_sent(
    tmp_path: Path, reference: str, told: str
) -> None:
    env = install(tmp_path / "site", "safe", PLUGIN)
    written = f"lookup('secret', '{reference}')"
    (tmp_path / "inventory.yml").write_text(INVENTORY.replace("lookup('secret', 'safe:db')", written))
    (tmp_path / "site.yml").write_text(
        f"- hosts: all\n  vars:\n    a: \"{{{{ query('secret', ['safe:db', '{reference}']) }}}}\"\n"
        f"  tasks:\n    - command: echo {{{{ {written} }}}}\n"
    )
    ended = call(tmp_path, "run", "site.yml", "-i", "inventory.yml", "-e", f"b='{{{{ {written} }}}}'", env=env)
    assert (ended.status, ended.out) == (5, "")
    assert ended.err.count(told) == 4
    for place in ("site.yml:3:", "site.yml:5:", "inventory.yml:3:", "-e:1:"):
        assert place in ended.err
    assert not (tmp_path / "asked.txt").exists()


def test_it_is_asked_once_in_a_run_by_however_many_threads() -> None:
    asked = Asked(slowly(0.3, lambda name: f"{WORD}-{name}"))
    templates = templating(asked)
    masked = Secrets()
    templates.resolve_secrets(masked.add)
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(render(templates))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [f"{WORD}-db"] * 8
    assert render(templates, "{{ query('secret', 'safe:db', ['safe:web:1']) }}") == [f"{WORD}-db", f"{WORD}-web:1"]
    assert asked.names == ["db", "web:1"]
    assert masked.mask(f"<{WORD}-db>") == "<********>"


def test_it_is_registered_before_anything_else_sees_it() -> None:
    seen: list[str] = []
    templates = templating(Asked(lambda _name: Secret(WORD)))
    templates.resolve_secrets(seen.append)
    assert (render(templates), seen) == (WORD, [WORD])


def test_before_the_run_it_is_not_resolved() -> None:
    asked = Asked(lambda _name: WORD)
    with pytest.raises(TemplateFailed, match="The secret 'safe:db' is needed before the run"):
        render(templating(asked))
    assert asked.names == []


def test_a_keyword_that_is_fixed_before_the_run_cannot_have_one(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text(
        "- hosts: localhost\n  serial: \"{{ lookup('secret', 'env:HOME') }}\"\n  tasks: [{command: 'true'}]\n"
    )
    with pytest.raises(FilesError) as raised:
        prepare([tmp_path / "site.yml"], Settings(inventory=("localhost,",), state=tmp_path))
    [found] = raised.value.diagnostics
    assert expect(Position, found.position).line == 2
    assert "The secret 'env:HOME' is needed before the run, and is resolved only in the run." in found.detail


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (raising(SecretUnavailable("It isn't there.")), "The secret 'safe:db' can't be had: It isn't there."),
        (raising(ValueError(WORD)), "Plugin 'mine' (given) failed to resolve the secret 'safe:db': ValueError."),
        (raising(SystemExit(WORD)), "Plugin 'mine' (given) failed to resolve the secret 'safe:db': SystemExit."),
        (lambda _name: 12345, "Plugin 'mine' (given) failed to resolve the secret 'safe:db': it gives no text."),
        (lambda _name: None, "Plugin 'mine' (given) failed to resolve the secret 'safe:db': it gives no text."),
        (lambda _name: "", "The secret 'safe:db' can't be used: it is empty."),
        (
            lambda _name: "ab\n",
            "The secret 'safe:db' can't be used: it has fewer than 3 characters, which can't be kept out of reports.",
        ),
    ],
)
def test_errors_name_the_reference_and_nothing_of_the_secret(answer: Callable[[str], Any], told: str) -> None:
    assert failure(answer) == told


def test_what_failed_once_is_not_asked_again() -> None:
    asked = Asked(raising(SecretUnavailable("It is locked.")))
    templates = templating(asked)
    templates.resolve_secrets(lambda _text: None)
    for _ in range(3):
        with pytest.raises(TemplateFailed, match="It is locked"):
            render(templates)
    assert asked.names == ["db"]


def test_options_are_a_mistake() -> None:
    with pytest.raises(TemplateFailed, match="The lookup 'secret' has no options, and this has 'default'"):
        render(templating(Asked(lambda _name: WORD)), "{{ lookup('secret', 'safe:db', default='x') }}")


def test_waiting_for_it_is_not_the_templates_time() -> None:
    templates = templating(Asked(slowly(1.5, lambda _name: WORD)), seconds=0.5)
    templates.resolve_secrets(lambda _text: None)
    assert render(templates) == WORD


def test_a_job_that_is_stopped_waits_no_longer() -> None:
    templates = templating(Asked(lambda _name: threading.Event().wait(30)))
    templates.resolve_secrets(lambda _text: None)
    stopped = threading.Event()
    threading.Timer(0.2, stopped.set).start()
    allow(Allowance(stopped=stopped.is_set))
    began = time.monotonic()
    try:
        with pytest.raises(TemplateEnded, match="The job was stopped"):
            render(templates)
    finally:
        allow(None)
    assert time.monotonic() - began < 10


def test_a_tasks_timeout_counts_the_waiting() -> None:
    templates = templating(Asked(lambda _name: threading.Event().wait(30)))
    templates.resolve_secrets(lambda _text: None)
    began = time.monotonic()
    allow(Allowance(timeout=0.5, deadline=began + 0.5))
    try:
        with pytest.raises(TemplateEnded, match=r"The time-out of 0\.5 s was up"):
            render(templates)
    finally:
        allow(None)
    assert time.monotonic() - began < 10


def test_a_bundled_kind_stays_bundled() -> None:
    registry = load_plugins(built_in=built_in, extra=[("mine", Offering(SecretStore(name="env", resolve=str)))])
    [fault] = registry.faults
    assert fault.startswith("Plugin 'mine' (given) offers 'env', which plugin 'secrets' (drumline ")
