"""The check of templates and names before a run: what it finds, and what it must not find."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from support.makers import Actions, ReadPlaybook, no_steps
from support.narrowing import expect

from drumline.diagnostics import Diagnostic, Position
from drumline.loading.names import check_names, references
from drumline.loading.playbook import load_playbooks
from drumline.model.host import Host, Inventory
from drumline.model.traits import Sets, Traits
from drumline.model.value import Template
from drumline.plugin.actions import Action
from drumline.templating.templates import Templating

INVENTORY = Inventory(hosts={"web1": Host(name="web1", variables={"datacentre": "north"}), "web2": Host(name="web2")})


#: What the check finds: lines and texts.
Found: TypeAlias = Callable[..., list[tuple[int, str]]]
#: A task, the task and the host that it asks for, and the line and column where it does.
Use: TypeAlias = tuple[int | None, str | None, str | None, int, int]
Used: TypeAlias = Callable[..., list[Use]]


@pytest.fixture
def found(read_playbook: ReadPlaybook) -> Found:
    """What the check says about the tasks of one play, as ``(line, text)``."""

    def check(tasks: str, *, play: str = "", **options: Any) -> list[tuple[int, str]]:
        indented = "".join(f"    {line}\n" for line in tasks.strip("\n").splitlines())
        playbook = read_playbook(f"- hosts: all\n{play}  tasks:\n{indented}")
        diagnostics = check_names(playbook, INVENTORY, {"extra": 1}, Templating(), **options)
        return [(expect(Position, d.position).line, f"{d.summary}. {d.detail}") for d in diagnostics]

    return check


OF_ANSIBLE = [
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_forks",
    "ansible_limit",
    "template_host",
    "template_path",
]


@pytest.mark.parametrize(
    ("tasks", "line", "message"),
    [
        ("- command: echo {{ datacenter }}", 3, "'datacenter' is defined nowhere"),
        ("- command: echo {{ datacenter }}", 3, "Did you mean 'datacentre'?"),
        ("- command: echo {{ inventory_hostnam }}", 3, "Did you mean 'inventory_hostname'?"),
        ("- command: echo {{ ansible_distribution }}", 3, "nothing gathers facts before it is used"),
        *((f"- command: echo {{{{ {name} }}}}", 3, f"Ansible's '{name}' is not there yet.") for name in OF_ANSIBLE),
        ("- ping:\n  when: nowhere == 1", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  when: [nowhere, extra]", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  loop: '{{ nowhere }}'", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  with_dict: '{{ nowhere }}'", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  with_dic: '{{ extra }}'", 4, "There is no lookup 'dic'. Did you mean 'dict'?"),
        ("- ping:\n  with_first_found: ['{{ a b }}']", 4, "Not a valid template"),
        ("- ping:\n  loop: [1]\n  loop_control: {break_when: a b}", 5, "Not a valid template"),
        ("- command: echo {{ item }}", 3, "'item' is defined nowhere"),
        ("- command: echo {{ x }}\n  vars: {x: '{{ nowhere }}'}", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  failed_when: nowhere", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  environment: {A: '{{ nowhere }}'}", 4, "'nowhere' is defined nowhere"),
        ("- assert: {that: [nowhere == 1]}", 3, "'nowhere' is defined nowhere"),
        ("- command: echo {{ extra | no_filter }}", 3, "no_filter"),
        ("- command: echo {{ extra | bsename }}", 3, "Did you mean 'basename'?"),
        ("- ping:\n  when: extra is no_test", 4, "no_test"),
        ("- command: echo {{ extra", 3, "Not a valid template"),
        ("- ping:\n  when: extra ==", 4, "Not a valid template"),
        ("- name: '{{ x'\n  ping:", 3, "Not a valid template"),
        ("- command: echo {{ never_used }}\n  when: false\n- ping:\n  when: a b", 6, "Not a valid template"),
    ],
)
def test_finds(found: Found, tasks: str, line: int, message: str) -> None:
    [(at, text)] = found(tasks)
    assert message in text
    assert at == line


@pytest.mark.parametrize(
    "tasks",
    [
        "- command: echo {{ extra }} {{ datacentre }} {{ inventory_hostname }} {{ groups.all }} {{ hostvars.x }}",
        "- command: echo {{ range(3) | list }}",
        "- command: echo {{ later }}\n- ping:\n  register: later",
        "- set_fact: {a: 1}\n- command: echo {{ a }}",
        "- set_fact: {'{{ extra }}': 1}\n- command: echo {{ anything }}",
        "- command: echo {{ nowhere | default('x') }}",
        "- command: echo {{ nowhere }}\n  when: nowhere is defined",
        "- command: echo {{ nowhere }}\n  when: [extra, nowhere is defined]",
        "- command: echo {{ 'x' if nowhere is defined else 'y' }}",
        "- command: echo {{ nowhere }}\n  when: false",
        "- command: echo {{ nowhere }}\n  when: extra == 2",
        "- ping:\n  when: [extra, nowhere]",
        "- command: echo {% for x in extra %}{{ x }}{% endfor %}",
        "- command: echo {% set y = 1 %}{{ y }}",
        "- command: echo {% macro m(z) %}{{ z }}{% endmacro %}{{ m(1) }}",
        "- command: echo {{ item }} {{ i }}\n  loop: [1]\n  loop_control: {index_var: i}",
        "- command: echo {{ x }}\n  loop: [1]\n  loop_control: {loop_var: x}",
        "- command: echo {{ ansible_loop.index }} {{ ansible_loop_var }}\n  with_first_found: ['{{ nowhere }}']",
        "- command: echo {{ x }}\n  vars: {x: '{{ y }}', y: 1}",
        "- ping:\n  vars: {x: '{{ nowhere }}'}",
        "- command: echo {{ x }}\n  loop: [1]\n  vars: {x: '{{ item }}'}",
        "- ping:\n  register: r\n  until: r.rc == 0\n  changed_when: r.changed",
        "- command: !unsafe echo {{ nowhere }}",
        "- command: echo {{ x }}\n  vars: {x: '{{ x2 }}', x2: '{{ x }}'}",
    ],
)
def test_finds_nothing_wrong_with(found: Found, tasks: str) -> None:
    assert found(tasks) == []


def test_variables_of_the_play_are_known_and_followed_when_they_are_used(found: Found) -> None:
    play = "  vars: {good: 1, bad: '{{ nowhere }}', unused: '{{ nothing }}'}\n"
    [(line, text)] = found("- command: echo {{ good }}\n- command: echo {{ bad }}", play=play)
    assert line == 2
    assert "'nowhere'" in text


def test_only_chosen_tasks_need_their_names(found: Found) -> None:
    tasks = "- command: echo {{ nowhere }}\n  tags: never"
    assert len(found(tasks)) == 1
    assert found(tasks, chosen=lambda task: "never" not in task.tags) == []


def test_an_action_that_may_set_any_variable_ends_the_check_of_names(tmp_path: Path, actions: Actions) -> None:
    gather = Action(name="gather", perform=no_steps, help="", traits=Traits(sets=Sets.UNKNOWN))
    (tmp_path / "it.yml").write_text("- hosts: all\n  tasks:\n    - gather:\n    - command: echo {{ kernel }}\n")
    playbook = load_playbooks([tmp_path / "it.yml"], {**actions, "gather": gather})
    assert not check_names(playbook, INVENTORY, {}, Templating())


@pytest.mark.parametrize(
    ("tasks", "line", "message"),
    [
        ("- ping:\n  register: play_batch", 4, "'play_batch' is one of drumline's own variables"),
        ("- ping:\n  loop: [1]\n  loop_control: {loop_var: play_batch}", 5, "'play_batch'"),
        ("- ping:\n  loop: [1]\n  loop_control: {index_var: play_batch}", 5, "'play_batch'"),
        ("- ping:\n  vars: {a: 1, play_batch: 1}", 4, "'play_batch'"),
        ("- set_fact:\n    play_batch: 1", 4, "'play_batch'"),
    ],
)
def test_a_name_of_drumlines_own_is_not_given_to_something_else(
    found: Found, tasks: str, line: int, message: str
) -> None:
    [(at, text)] = found(tasks)
    assert text.startswith("This name is taken")
    assert message in text
    assert at == line


def test_a_name_of_drumlines_own_is_not_given_by_an_option_or_a_play(read_playbook: ReadPlaybook, found: Found) -> None:
    playbook = read_playbook("- hosts: all\n  tasks: [{ping: }]")
    [taken] = check_names(playbook, INVENTORY, {"play_batch": 1}, Templating())
    assert taken.detail.startswith("-e play_batch: 'play_batch' is one of")
    [(line, _)] = found("- ping:", play="  vars: {play_batch: 1}\n")
    assert line == 2


def test_templates_of_keywords_that_are_fixed_before_the_run_are_checked(found: Found) -> None:
    [(line, text)] = found("- ping:\n  throttle: '{{ 1 | no_filter }}'", play="")
    assert (line, "no_filter" in text) == (4, True)
    [(line, text)] = found("- ping:", play="  serial: [1, '{{ 1 + }}']\n")
    assert (line, text.partition(".")[0]) == (2, "Not a valid template")


# Uses of ``results``.


@pytest.fixture
def used(read_playbook: ReadPlaybook) -> Used:
    """What the tasks of one play ask ``results`` for, as ``(task, task asked for, host, line, column)``.

    The task is its number in the play.
    """

    def uses(tasks: str, *, play: str = "", extra: dict[str, object] | None = None) -> list[Use]:
        indented = "".join(f"    {line}\n" for line in tasks.strip("\n").splitlines())
        playbook = read_playbook(f"- hosts: all\n{play}  tasks:\n{indented}")
        [play_read] = playbook.plays
        numbers = {play_read.path_of(task): number for number, task in enumerate(play_read.tasks)}
        return [
            (numbers[at], found.task, found.host, place.line, place.column)
            for at, found, place in references(playbook, extra or {}, Templating())
        ]

    return uses


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("results['migrate']['db1'].stdout", [("migrate", "db1")]),
        ("results.migrate.db1.stdout", [("migrate", "db1")]),
        ("results['migrate'][inventory_hostname].stdout", [("migrate", None)]),
        ("results['site.migrate']['db1']", [("site.migrate", "db1")]),
        ("results['migrate'].values() | map(attribute='rc')", [("migrate", None)]),
        ("results.get('migrate').get('db1', {})", [("migrate", None)]),
        ("results.items() | list", [(None, None)]),
        ("results | length", [(None, None)]),
        ("results[task]['db1']", [(None, "db1")]),
        ("results['a' ~ 'b'].h", [("ab", "h")]),
        ("results['a' ~ x].h", [(None, "h")]),
        ("results['a'][results['b']['h'].stdout]", [("a", None), ("b", "h")]),
        ("results.a[results.b.h.stdout | trim].rc + results.c.h.rc", [("a", None), ("b", "h"), ("c", "h")]),
        ("results['a'].get(results['b']['h'].stdout)", [("a", None), ("b", "h")]),
        ("results['a']['h'] is defined", [("a", "h")]),
        ("results['a']['h'].stdout | default('none')", [("a", "h")]),
        ("1 if x else results.a.h.rc", [("a", "h")]),
        ("registered.results[0].stdout", []),
        ("hostvars['results'].x", []),
        ("'results'", []),
    ],
)
def test_uses_of_results_in_a_template(template: str, expected: object) -> None:
    found = Templating().references(Template(f"{{{{ {template} }}}}", Position("x", 3, 5)))
    assert [(use.task, use.host) for use, _ in found] == expected
    assert all(place == ("x", 3, 5) for _, place in found)


def test_uses_of_results_are_told_with_their_line() -> None:
    text = "first\n{{ results.a.h }}\n{{\n  results.b.h }}"
    found = Templating().references(Template(text, Position("x", 3, 5)))
    assert [(use.task, place.line) for use, place in found] == [("a", 4), ("b", 6)]


@pytest.mark.parametrize("text", ["{{ results.", "{% for results in [1] %}{{ results.x }}{% endfor %}"])
def test_a_template_that_is_wrong_or_means_a_name_of_its_own_uses_nothing(text: str) -> None:
    assert Templating().references(Template(text, Position("x"))) == []


@pytest.mark.parametrize(
    ("task", "place"),
    [
        ("command: echo {{ results.a.h }}", (3, 16)),
        ("ping:\n  when: results.a.h is changed", (4, 13)),
        ("ping:\n  when: [true, results.a.h.rc]", (4, 20)),
        ("ping:\n  loop: '{{ results.a.h.stdout_lines }}'", (4, 13)),
        ("ping:\n  until: [true, results.a.h.rc]", (4, 21)),
        ("ping:\n  failed_when: [false, results.a.h.rc]", (4, 28)),
        ("ping:\n  changed_when: results.a.h.rc", (4, 21)),
        ("ping:\n  delegate_to: '{{ results.a.h.stdout }}'", (4, 20)),
        ("ping:\n  environment: {A: '{{ results.a.h.stdout }}'}", (4, 24)),
        ("command: echo {{ x }}\n  vars: {x: '{{ y }}', y: '{{ results.a.h.stdout }}'}", (4, 31)),
        ("command: echo {{ x | default(1) }}\n  vars: {x: '{{ results.a.h.stdout }}'}", (4, 17)),
    ],
)
def test_every_use_of_results_in_a_task_is_found(used: Used, task: str, place: tuple[int, ...]) -> None:
    assert used(f"- {task}") == [(0, "a", "h", *place)]


def test_only_tasks_that_use_a_variable_of_the_play_use_its_results(used: Used) -> None:
    play = "  vars: {x: '{{ results.a.h.stdout }}', unused: '{{ results.b.h }}'}\n"
    tasks = "- ping:\n- command: echo {{ x }}\n- command: echo {{ x }}{{ x }}"
    assert used(tasks, play=play) == [(1, "a", "h", 2, 13), (2, "a", "h", 2, 13)]
    assert used(tasks, play=play, extra={"x": 1}) == []


def test_names_of_arguments_and_all_conditions_are_looked_at(found: Found) -> None:
    text = """
- set_fact: {"{{ extra | nof1 }}": 1}
- command: x
  register: r
  changed_when: [r.rc == 0, r.rc | nof2]
  failed_when: [r.rc == 0, r.rc is not1]
  until: [r.rc == 0, r.rc | nof3]
"""
    assert sorted(message.split("'")[1] for _, message in found(text)) == ["nof1", "nof2", "nof3", "not1"]


def test_templates_of_a_role_are_checked_once_however_often_it_is_used(tmp_path: Path, actions: Actions) -> None:
    role = tmp_path / "roles" / "web"
    for part, text in {"defaults": "port: '{{ base }}'", "tasks": "- meta: noop"}.items():
        (role / part).mkdir(parents=True)
        (role / part / "main.yml").write_text(text)
    path = tmp_path / "site.yml"
    path.write_text("- {hosts: all, roles: [web]}\n" * 3)
    checked: list[str] = []

    class Noting(Templating):
        def check(self, template: Template) -> list[Diagnostic]:
            checked.append(template.text)
            return super().check(template)

    check_names(load_playbooks([path], actions), Inventory(), {}, Noting(), undefined=False)
    assert checked == ["{{ base }}"]
