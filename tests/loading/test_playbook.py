"""What a playbook means once it is read. Mistakes are in test_playbook_mistakes.py."""

import time
from functools import partial

import pytest
from support.makers import MakeTask, ReadPlaybook
from support.narrowing import expect

from drumline.diagnostics import Position
from drumline.model.playbook import Debugger, InBackground, Loop, Retries, Strategy, TriggerRule
from drumline.model.value import Template

HERE = Position("site.yml")
expression = partial(Template, position=HERE, bare=True)
template = partial(Template, position=HERE)


def test_arguments_of_ansible_without_effect_are_taken(read_task: MakeTask) -> None:
    assert read_task("command: a warn=no executable=/bin/sh").arguments["cmd"] == "a"
    assert read_task("file: {path: a, unsafe_writes: true}").arguments["unsafe_writes"] is True
    assert read_task("win_shell: a\nargs: {no_profile: true}").arguments["cmd"] == "a"


def test_a_play_with_everything(read_playbook: ReadPlaybook) -> None:
    [play] = read_playbook(
        """
- id: rollout
  name: Roll out
  hosts: [app, "db:!db2"]
  vars: {version: "1.2", url: "http://{{ host }}"}
  needs: []
  strategy: free
  any_errors_fatal: yes
  gather_facts: no
  tasks: [{command: ls}]
"""
    ).plays
    assert (play.id, play.name, play.hosts, play.needs) == ("rollout", "Roll out", "app,db:!db2", ())
    assert play.variables == {"version": "1.2", "url": template("http://{{ host }}")}
    [task] = play.tasks
    assert (play.strategy, task.any_errors_fatal) == (Strategy.FREE, True)
    assert play.position[1:] == (2, 3)
    assert play.positions["strategy"][1:] == (7, 3)


def test_linear_means_waves(read_playbook: ReadPlaybook) -> None:
    assert read_playbook("- {hosts: a, strategy: linear}").plays[0].strategy is Strategy.WAVES


def test_plays_of_several_files_follow_each_other(read_playbook: ReadPlaybook) -> None:
    made = read_playbook("- {hosts: a, name: One}", "- {hosts: b, name: Two}\n- {hosts: c}")
    assert [play.name for play in made.plays] == ["One", "Two", "c"]
    assert [play.id for play in made.plays] == ["one", "two", "c"]


def test_hosts_with_a_template_in_a_list_are_one_template(read_playbook: ReadPlaybook) -> None:
    assert read_playbook("- hosts: [a, '{{ b }}']").plays[0].hosts == template("a,{{ b }}")


def test_a_task_with_everything(read_playbook: ReadPlaybook) -> None:
    first, task = (
        read_playbook(
            """
- hosts: app
  tasks:
    - {id: c, ping: }
    - id: migrate
      name: Migrate to {{ version }}
      needs: [c]
      trigger_rule: all_done
      hosts: db[0]
      command: migrate
      when: [go, "{{ really }}", true]
      register: result
      vars: {x: 1}
      environment: {LANG: C}
      ignore_errors: "{{ lenient }}"
      ignore_unreachable: yes
      timeout: 30
      retries: "3"
      delay: 0.5
      until: result.rc == 0
      changed_when: false
      failed_when: [result.rc > 1]
      run_once: true
      delegate_to: "{{ other }}"
      no_log: on
      tags: a, b
      become: true
      become_user: postgres
"""
        )
        .plays[0]
        .tasks
    )
    assert first.needs is None
    assert (task.id, task.name, task.action) == ("migrate", template("Migrate to {{ version }}"), "command")
    assert (task.needs, task.trigger_rule, task.hosts) == (("c",), TriggerRule.ALL_DONE, "db[0]")
    assert task.when == (expression("go"), expression("really"), True)
    assert (task.register, task.variables, task.environment) == ("result", {"x": 1}, {"LANG": "C"})
    assert (task.ignore_errors, task.ignore_unreachable, task.timeout) == (template("{{ lenient }}"), True, 30)
    assert task.retries == Retries(until=(expression("result.rc == 0"),), count=3, delay=0.5)
    assert (task.changed_when, task.failed_when) == ((False,), (expression("result.rc > 1"),))
    assert (task.run_once, task.delegate_to, task.no_log) == (True, template("{{ other }}"), True)
    assert (task.tags, task.become, task.become_user) == (frozenset("ab"), True, "postgres")
    assert task.positions["when"][1:] == (11, 7)


def test_defaults_of_a_task_are_those_of_the_model(read_task: MakeTask) -> None:
    task = read_task("ping:")
    assert (task.id, task.name, task.needs, task.when, task.loop, task.retries) == (
        "ping",
        "ping",
        None,
        (),
        None,
        None,
    )
    assert (task.become, task.become_user, task.environment, task.tags) == (False, None, {}, frozenset())


def test_a_task_takes_what_its_play_says(read_playbook: ReadPlaybook) -> None:
    text = """
- hosts: app
  become: true
  become_user: deploy
  environment: {A: play, B: play}
  tags: [play]
  timeout: 9
  no_log: true
  ignore_errors: true
  run_once: true
  tasks:
    - ping:
    - ping:
      become: false
      become_user: root
      environment: {B: task, C: task}
      tags: task
      timeout: 1
      no_log: false
      ignore_errors: false
      run_once: false
"""
    one, two = read_playbook(text).plays[0].tasks
    assert (one.become, one.become_user, one.timeout, one.no_log, one.run_once) == (True, "deploy", 9, True, True)
    assert (one.environment, one.tags, one.ignore_errors) == ({"A": "play", "B": "play"}, frozenset({"play"}), True)
    assert (two.become, two.become_user, two.timeout, two.no_log, two.run_once) == (False, "root", 1, False, False)
    assert two.environment == {"A": "play", "B": "task", "C": "task"}
    assert (two.tags, two.ignore_errors) == (frozenset({"play", "task"}), False)


def test_environments_that_are_templates_are_laid_over_each_other_later(read_task: MakeTask) -> None:
    task = read_task("ping:\nenvironment: '{{ own }}'", play="  environment: {A: '1'}\n")
    assert task.environment == [{"A": "1"}, template("{{ own }}")]
    assert read_task("ping:\nenvironment: '{{ own }}'").environment == template("{{ own }}")
    assert read_task("ping:\nenvironment: [{A: 1}, {A: 2}]").environment == {"A": 2}


def test_a_template_may_give_arguments(read_task: MakeTask) -> None:
    task = read_task("file: {path: a}\nargs: '{{ more }}'")
    assert (task.arguments, task.more_arguments) == ({"path": "a"}, (template("{{ more }}"),))
    whole = read_task("copy: '{{ all }}'\nargs: {mode: '0600'}")
    assert (whole.arguments, whole.more_arguments) == ({"mode": "0600"}, (template("{{ all }}"),))
    assert read_task("command: '{{ it }}'").more_arguments == ()


def test_free_text_has_a_name_of_its_own_for_any_action(read_task: MakeTask) -> None:
    assert read_task("shell: {_raw_params: a b, chdir: /}").arguments == {"cmd": "a b", "chdir": "/"}
    task = read_task("action:\n  module: copy content=x dest=y\n  mode: '0600'")
    assert task.arguments == {"content": "x", "dest": "y", "mode": "0600"}


def test_arguments_by_default(read_task: MakeTask) -> None:
    play = "  module_defaults: {ansible.builtin.file: {path: p, mode: '1'}, group/aws: {a: b}, win_file: {owner: x}}\n"
    task = read_task("file: {dest: own}\nmodule_defaults: [{file: {mode: '2'}}, {file: {group: g}}]", play=play)
    assert task.arguments == {"dest": "own", "mode": "2", "group": "g"}
    assert task.positions["arguments.mode"].line == 6
    assert read_task("win_file: {path: a}", play=play).arguments == {"path": "a", "owner": "x"}
    assert read_task("command: ls", play=play).arguments == {"cmd": "ls"}


def test_arguments_by_default_lie_below_those_of_templates(read_task: MakeTask) -> None:
    play = "  module_defaults: {file: {path: p}}\n"
    task = read_task("file: {state: file}\nargs: '{{ own }}'\nmodule_defaults: {file: '{{ of_task }}'}", play=play)
    assert task.arguments == {"state": "file"}
    assert task.more_arguments == ({"path": "p"}, template("{{ of_task }}"), template("{{ own }}"))


def test_delegation_of_a_block_holds_for_its_tasks(read_playbook: ReadPlaybook) -> None:
    text = "- hosts: a\n  debugger: on_failed\n  tasks:\n    - {delegate_to: b, delegate_facts: yes, block: [ping: ]}\n"
    [task] = read_playbook(text).plays[0].tasks
    assert (task.delegate_to, task.delegate_facts, task.debugger) == ("b", True, Debugger.ON_FAILED)


def test_commands_in_the_background(read_task: MakeTask) -> None:
    assert read_task("shell: a\nasync: 60\npoll: 0").background == InBackground(seconds=60, poll=0)
    assert read_task("file: {path: a}\nasync: '{{ s }}'").background == InBackground(seconds=template("{{ s }}"))
    assert read_task("shell: a\nasync: 0\npoll: 0").background is None
    assert read_task("shell: a\npoll: 5").background is None


def test_prompts(read_playbook: ReadPlaybook) -> None:
    full = "{name: b, prompt: B, default: 1, private: no, confirm: yes, encrypt: md5_crypt, salt_size: 7, unsafe: yes}"
    first, second = read_playbook(f"- hosts: a\n  vars_prompt:\n    - name: a\n    - {full}\n").plays[0].prompts
    assert (first.name, first.question, first.default, first.private, first.confirm) == ("a", "a", None, True, False)
    assert (second.question, second.default, second.private, second.confirm) == ("B", 1, False, True)
    assert (second.encrypt, second.salt_size) == ("md5_crypt", 7)


def test_loops(read_task: MakeTask) -> None:
    control = "loop_control: {loop_var: x, index_var: i, label: '{{ x.a }}', pause: 2}"
    assert read_task(f"ping:\nloop: [1, '{{{{ b }}}}']\n{control}").loop == Loop(
        items=[1, template("{{ b }}")], variable="x", index_variable="i", label=template("{{ x.a }}"), pause=2
    )
    assert read_task("ping:\nloop: '{{ many }}'").loop == Loop(items=template("{{ many }}"))
    assert read_task("ping:\nwith_items: [1, [2, [3]]]").loop == Loop(items=[1, 2, [3]])
    assert read_task("ping:\nwith_items: one").loop == Loop(items=["one"])
    assert read_task("ping:\nwith_items: '{{ x }}'").loop == Loop(items=template("{{ x }}"), flatten=True)


def test_loops_over_what_lookups_find(read_task: MakeTask) -> None:
    found = expect(Loop, read_task("ping:\nwith_dict: '{{ x }}'").loop)
    assert (found.items, found.query, found.lenient) == (
        template("{{ x }}"),
        expression("query('dict', *_terms)"),
        False,
    )
    first = expect(Loop, read_task("win_template: {src: '{{ item }}', dest: x}\nwith_first_found: [a]").loop)
    assert expect(Template, first.query).text == "query('first_found', *_terms, subdir='templates')"
    assert first.lenient
    control = "loop_control: {extended: true, extended_allitems: '{{ no }}', break_when: [a, b]}"
    extended = read_task(f"ping:\nloop: [1]\n{control}").loop
    assert extended == Loop(
        items=[1], extended=True, all_items=template("{{ no }}"), break_when=(expression("a"), expression("b"))
    )


def test_retries_without_until_wait_for_success(read_task: MakeTask) -> None:
    assert read_task("ping:\nretries: 2").retries == Retries(until=(), count=2, delay=5)
    assert read_task("ping:\nuntil: ok").retries == Retries(until=(expression("ok"),), count=3, delay=5)
    assert read_task("ping:\ndelay: 2").retries is None


def test_ids_are_slugs_of_names_and_numbered_when_they_clash(read_playbook: ReadPlaybook) -> None:
    text = """
- hosts: app
  tasks:
    - {name: "Stop the App!", ping: }
    - {name: stop the app, ping: }
    - {id: ping, ping: }
    - {ping: }
    - {name: "Größe {{ x }}", ping: }
    - {name: "日本", ping: }
"""
    assert [task.id for task in read_playbook(text).plays[0].tasks] == [
        "stop-the-app",
        "stop-the-app-2",
        "ping",
        "ping-2",
        "grosse-x",
        "ping-3",
    ]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("command: echo hi", {"cmd": "echo hi"}),
        ("command: echo  'a  b' chdir=/tmp", {"cmd": "echo  'a  b'", "chdir": "/tmp"}),
        ("command: chdir=/tmp echo a=b", {"cmd": "echo a=b", "chdir": "/tmp"}),
        ("command: {cmd: echo, chdir: /tmp}", {"cmd": "echo", "chdir": "/tmp"}),
        ("command: echo hi\nargs: {chdir: /tmp}", {"cmd": "echo hi", "chdir": "/tmp"}),
        ("command: true", {"cmd": "true"}),
        ("command: echo {{ x }}", {"cmd": template("echo {{ x }}")}),
        ("command: !unsafe echo {{ x }}", {"cmd": "echo {{ x }}"}),
        ("copy: src=a dest='b c'", {"src": "a", "dest": "b c"}),
        ("copy: src={{ a b }} dest=c", {"src": template("{{ a b }}"), "dest": "c"}),
        ("ansible.builtin.copy: {src: a, dest: b}", {"src": "a", "dest": "b"}),
        ("action: copy src=a dest=b", {"src": "a", "dest": "b"}),
        ("action: {module: copy, src: a, dest: b}", {"src": "a", "dest": "b"}),
        ("set_fact: {a: 1, b: '{{ c }}'}", {"a": 1, "b": template("{{ c }}")}),
        ("set_fact: a=1", {"a": "1"}),
        ("assert: {that: a == b}", {"that": expression("a == b")}),
        ("assert: {that: [a, '{{ b }}', true]}", {"that": [expression("a"), expression("b"), True]}),
        ("ping:", {}),
    ],
)
def test_arguments_in_all_their_forms(read_task: MakeTask, text: str, arguments: dict[str, object]) -> None:
    task = read_task(text)
    assert task.arguments == arguments
    assert all(f"arguments.{name}" in task.positions for name in arguments)


def test_aliases_give_the_actions_own_name(read_task: MakeTask) -> None:
    assert read_task("ansible.windows.win_copy: {src: a, dest: b}").action == "copy"


def test_local_action_is_carried_out_here(read_task: MakeTask) -> None:
    task = read_task("local_action: command echo hi")
    assert (task.action, task.arguments, task.delegate_to) == ("command", {"cmd": "echo hi"}, "localhost")


def test_a_playbook_of_two_megabytes_is_read(read_playbook: ReadPlaybook) -> None:
    task = "    - name: task number {}\n      command: echo hello world\n      when: ready\n"
    text = "- hosts: app\n  tasks:\n" + "".join(map(task.format, range(26_000)))
    assert len(text) > 2_000_000
    started = time.process_time()
    assert len(read_playbook(text).plays[0].tasks) == 26_000
    assert time.process_time() - started < 24
