"""The check of templates and names before a run: what it finds, and what it must not find."""

import pytest

from drumline.loading.names import check_names
from drumline.loading.templating import Templating
from drumline.model.host import Host, Inventory
from drumline.plugin.protocols import Action

INVENTORY = Inventory(hosts={"web1": Host(name="web1", variables={"datacentre": "north"}), "web2": Host(name="web2")})


@pytest.fixture
def found(read_playbook):
    """What the check says about the tasks of one play, as ``(line, text)``."""

    def check(tasks, *, play="", **options):
        indented = "".join(f"    {line}\n" for line in tasks.strip("\n").splitlines())
        playbook = read_playbook(f"- hosts: all\n{play}  tasks:\n{indented}")
        diagnostics = check_names(playbook, INVENTORY, {"extra": 1}, Templating(), **options)
        return [(d.position.line, f"{d.summary}. {d.detail}") for d in diagnostics]

    return check


@pytest.mark.parametrize(
    ("tasks", "line", "message"),
    [
        ("- command: echo {{ datacenter }}", 3, "'datacenter' is defined nowhere"),
        ("- command: echo {{ datacenter }}", 3, "Did you mean 'datacentre'?"),
        ("- command: echo {{ inventory_hostnam }}", 3, "Did you mean 'inventory_hostname'?"),
        ("- command: echo {{ ansible_distribution }}", 3, "Facts are not gathered"),
        ("- ping:\n  when: nowhere == 1", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  when: [nowhere, extra]", 4, "'nowhere' is defined nowhere"),
        ("- ping:\n  loop: '{{ nowhere }}'", 4, "'nowhere' is defined nowhere"),
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
def test_finds(found, tasks, line, message):
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
        "- command: echo {{ x }}\n  vars: {x: '{{ y }}', y: 1}",
        "- ping:\n  vars: {x: '{{ nowhere }}'}",
        "- command: echo {{ x }}\n  loop: [1]\n  vars: {x: '{{ item }}'}",
        "- ping:\n  register: r\n  until: r.rc == 0\n  changed_when: r.changed",
        "- command: !unsafe echo {{ nowhere }}",
        "- command: echo {{ x }}\n  vars: {x: '{{ x2 }}', x2: '{{ x }}'}",
    ],
)
def test_finds_nothing_wrong_with(found, tasks):
    assert found(tasks) == []


def test_variables_of_the_play_are_known_and_followed_when_they_are_used(found):
    play = "  vars: {good: 1, bad: '{{ nowhere }}', unused: '{{ nothing }}'}\n"
    [(line, text)] = found("- command: echo {{ good }}\n- command: echo {{ bad }}", play=play)
    assert line == 2
    assert "'nowhere'" in text


def test_only_chosen_tasks_need_their_names(found):
    tasks = "- command: echo {{ nowhere }}\n  tags: never"
    assert len(found(tasks)) == 1
    assert found(tasks, chosen=lambda task: "never" not in task.tags) == []


def test_an_action_that_may_set_any_variable_ends_the_check_of_names(found):
    def perform(_call):
        yield

    gather = Action(name="ping", perform=perform, help="", sets_variables=True)
    assert found("- ping:\n- command: echo {{ kernel }}", actions={"ping": gather}) == []
