"""The composition root: what stands in a playbook's templates reaches the plan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from support.makers import MakePlan
from support.narrowing import expect

from drumline.app import Prepared, prepare
from drumline.config import Settings
from drumline.diagnostics import Position
from drumline.errors import FilesError
from drumline.model.plan import Plan

PLAYBOOK = """
- hosts: web
  vars: {share: 50%}
  serial: ["{{ first }}", "{{ share }}"]
  order: "{{ 'reverse_inventory' if backwards | default(false) | bool else omit }}"
  keep_available: "{{ {'web': groups['web'] | length - 2} }}"
  tasks:
    - {id: fetch, command: a, throttle: "{{ first }}"}
- hosts: web
  tasks:
    - {id: cutover, tags: cutover, command: b, start: {at: "{{ cutover }}"}}
"""

#: Prepares tasks; its keywords are those of ``prepare``.
Make: TypeAlias = Callable[..., Prepared]


@pytest.fixture
def plan(tmp_path: Path) -> MakePlan:
    """The plan of the playbook with these options."""
    (tmp_path / "site.yml").write_text(PLAYBOOK)
    (tmp_path / "hosts").write_text("[web]\nweb[1:4]\n")
    settings = Settings(inventory=(str(tmp_path / "hosts"),), state=tmp_path / "state")

    def make(*extra: str, **options: Any) -> Plan:
        return prepare([tmp_path / "site.yml"], settings, extra_vars=extra, **options).plan

    return make


def test_keywords_that_are_templates_shape_the_plan(plan: MakePlan) -> None:
    made = plan("first=1", "cutover=2099-12-01T02:00:00Z", "backwards=yes")
    assert [batch.hosts for batch in made.plays[0].batches] == [("web4",), ("web3", "web2"), ("web1",)]
    assert made.steps[0].task.throttle == 1
    start = made.steps[-1].task.start
    assert start is not None
    assert start.at == 4_099_773_600
    assert made.plays[0].keep[0].least == 2


def test_what_tags_leave_out_needs_no_variables(plan: MakePlan) -> None:
    made = plan("first=1", skip_tags=["cutover"])
    assert {step.task.id for step in made.steps} == {"fetch"}
    with pytest.raises(FilesError, match="'cutover' is undefined"):
        plan("first=1")


def test_a_place_is_told_of_once(plan: MakePlan, tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: web\n  serial: '{{ 1 | no_filter }}'\n  tasks: [{command: a}]\n")
    with pytest.raises(FilesError) as error:
        plan()
    [found] = error.value.diagnostics
    assert (found.summary, expect(Position, found.position).line) == ("Unknown filter", 2)


def test_a_part_of_a_pattern_that_matches_nothing_is_a_warning_or_an_error_as_asked(
    plan: MakePlan, tmp_path: Path
) -> None:
    (tmp_path / "site.yml").write_text("- hosts: web:nope\n  tasks: [{command: a}]\n")
    settings = Settings(inventory=(str(tmp_path / "hosts"),), state=tmp_path / "state")
    prepared = prepare([tmp_path / "site.yml"], settings, limit="web[0]:gone")
    assert prepared.plan.steps[0].hosts == ("web1",)
    assert [warning.detail.split(".")[0] for warning in prepared.warnings] == [
        "--limit: No host and no group is called 'gone'",
        "No host and no group is called 'nope'",
    ]
    with pytest.raises(FilesError, match="2 mistakes"):
        prepare([tmp_path / "site.yml"], settings, limit="web[0]:gone", strict=True)


@pytest.fixture
def prepared(tmp_path: Path) -> Make:
    """What is prepared of tasks in these lines of YAML, on one host."""

    def make(tasks: str, *, play: str = "", **options: Any) -> Prepared:
        lines = "".join(f"    {line}\n" for line in tasks.strip().splitlines())
        (tmp_path / "site.yml").write_text(f"- hosts: h\n  vars: {{a: x, b: x, n: 1}}\n{play}  tasks:\n{lines}")
        settings = Settings(inventory=("h,",), state=tmp_path / "state")
        return prepare([tmp_path / "site.yml"], settings, **options)

    return make


def test_tags_and_run_once_may_be_templates(prepared: Make) -> None:
    made = prepared(
        "- {debug: , tags: ['{{ a }}', 'y, z']}\n- {debug: , tags: \"{{ ['q', a] }}\", run_once: '{{ n == 1 }}'}\n"
        "- {debug: , tags: '{{ c }}', vars: {c: 'k,l'}}\n- {debug: , tags: w}",
        play='  tags: "p{{ n }}"\n',
        tags=["x", "k"],
    )
    assert [sorted(step.task.tags) for step in made.plan.steps] == [
        ["p1", "x", "y", "z"],
        ["p1", "q", "x"],
        ["k", "l", "p1"],
    ]
    assert [step.task.run_once for step in made.plan.steps] == [False, True, False]


def test_tags_of_hosts_variables_are_refused(prepared: Make) -> None:
    with pytest.raises(FilesError, match=r"'tags': 'site' is undefined. It is fixed before the run"):
        prepared("- {debug: , tags: '{{ site }}'}")


def test_braces_within_an_expression_are_warned_about(prepared: Make) -> None:
    made = prepared('- debug:\n  when: a == "{{ b }}"')
    assert [warning.summary for warning in made.warnings] == ["Braces within an expression"]
    with pytest.raises(FilesError, match="'nope' is defined nowhere"):
        prepared("- debug:\n  when: a == '{{ nope }}'")


@pytest.mark.parametrize(
    "mistake",
    [
        "command: {cmdd: x}",
        "no_such_action: {}",
        "monit: {name: x}",
        "command: x\n  whne: y",
        "command: x\n  notify: y",
    ],
)
def test_one_mistake_hides_no_other(prepared: Make, mistake: str) -> None:
    tasks = [
        f"- {mistake}",
        "- debug: {msg: '{{ 1 | no_such_filter }}'}",
        "- debug: {msg: '{{ nowhere }}'}",
        "- debug:",
        "  hosts: no_such_group",
    ]
    with pytest.raises(FilesError) as error:
        prepared("\n".join(tasks))
    summaries = [found.summary for found in error.value.diagnostics]
    assert len(summaries) >= 4
    assert {"Unknown filter", "Undefined variable", "A host pattern matches nothing"} <= set(summaries)


def test_mistakes_in_arguments_hide_no_missing_file(prepared: Make) -> None:
    tasks = [
        "- file: {path: /x, state: odd}",
        "- copy: {src: no-such-file, dest: /x}",
        "- shell: ''",
        "- debug: {msg: '{{ 1 | no_such_filter }}'}",
    ]
    with pytest.raises(FilesError) as error:
        prepared("\n".join(tasks))
    assert [(found.summary, expect(Position, found.position).line) for found in error.value.diagnostics] == [
        ("An argument has a wrong value", 4),
        ("A file isn't there", 5),
        ("Arguments can't be used", 6),
        ("Unknown filter", 7),
    ]


def test_no_mistake_is_told_that_only_follows_from_another(prepared: Make) -> None:
    with pytest.raises(FilesError) as error:
        prepared("- shell: echo \"x\n- shell:\n    cmdd: x\n- raw: ''\n")
    assert [(found.summary, expect(Position, found.position).line) for found in error.value.diagnostics] == [
        ("Quotes don't match", 4),
        ("Unknown argument", 6),
        ("Arguments can't be used", 7),
    ]


def test_templates_of_an_unknown_action_are_checked(prepared: Make) -> None:
    with pytest.raises(FilesError) as error:
        prepared("- monit: {url: '{{ 1 | nofilter }}'}\n- no_such: a={{ nowhere }}\n")
    assert [(found.summary, expect(Position, found.position).line) for found in error.value.diagnostics] == [
        ("Action not supported yet", 4),
        ("Unknown filter", 4),
        ("Unknown action", 5),
        ("Undefined variable", 5),
    ]


_HIDING = ["include_vars: x.yml", "add_host: {name: x}", "service_facts: {}", "thing_info: {}"]
_PLAIN = ["ping:\n  become_method: enable", "monit: {name: x}", "no_such: {}"]


@pytest.mark.parametrize("mistake", [*_HIDING, "[a task]", *_PLAIN])
def test_what_can_not_be_read_may_define_names(prepared: Make, mistake: str) -> None:
    with pytest.raises(FilesError) as error:
        prepared(f"- {mistake}\n- debug: {{msg: '{{{{ perhaps }}}}'}}\n- debug: {{msg: '{{{{ 1 | nofilter }}}}'}}\n")
    [_, *others] = [found.summary for found in error.value.diagnostics]
    assert others == [*(["Undefined variable"] if mistake in _PLAIN else []), "Unknown filter"]


@pytest.mark.parametrize("broken", ["- hosts: [", "- hosts: all\n\ttasks: []\n", "- a: 1\n  a: 2\n", "{}", "[play]"])
def test_a_playbook_that_can_not_be_read_may_define_names(tmp_path: Path, broken: str) -> None:
    """What another playbook of the run registers or sets is perhaps in there."""
    (tmp_path / "hosts").write_text("web1\n")
    (tmp_path / "first.yml").write_text(broken)
    (tmp_path / "site.yml").write_text("- hosts: all\n  tasks: [{debug: {msg: '{{ perhaps }} {{ 1 | nofilter }}'}}]\n")
    settings = Settings(inventory=(str(tmp_path / "hosts"),), state=tmp_path / "state")
    with pytest.raises(FilesError) as error:
        prepare([tmp_path / "first.yml", tmp_path / "site.yml"], settings)
    assert [found.summary for found in error.value.diagnostics][1:] == ["Unknown filter"]
