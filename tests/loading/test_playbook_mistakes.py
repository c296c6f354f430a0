"""Playbooks that can't be run: what is wrong is said with file, line and column, all of it at once."""

from pathlib import Path

import pytest
from support.makers import Actions, Mistake, Mistakes, ReadPlaybook

from drumline.errors import FilesError
from drumline.loading.playbook import load_playbooks


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("ping:\nwhne: x", "5:7", "Unknown keyword. A task has no keyword 'whne'. Did you mean 'when'?"),
        ("debug:\nasync: 1\npoll: 0", "5:7", "'debug' works on this machine, or on the connection itself"),
        ("ping:\nasync: soon", "5:14", "'async' takes a number that isn't negative"),
        (
            "command: a\nasync: 1\nstart: {together: true}",
            "5:7",
            "waits for its command, which leaves nothing to 'async'",
        ),
        ("ansible.builtin.include_role: {}", "4:7", "'include_role' needs 'name'."),
        ("ping:\nvalidate_argspec: true", "5:7", "'validate_argspec' is not supported"),
        ("comand: x", "4:7", "Unknown action. No plugin offers the action 'comand'. Did you mean 'command'?"),
        *(
            (f"{name}: {{x: y}}", "4:7", f"Action not supported yet. '{name}' is not there yet")
            for name in ("monit", "pear", "composer", "openbsd_pkg")
        ),
        ("snap: {name: x}", "4:7", "'snap' is not there yet; until then: command: snap install NAME."),
        (
            "community.general.snap: {}",
            "4:7",
            "'community.general.snap' is not there yet; until then: command: snap",
        ),
        (
            "community.general.make: {}",
            "4:7",
            "'community.general.make' is not there yet; until then: command: make",
        ),
        ("my.own.thing: {}", "4:7", "Action not supported yet. 'my.own.thing' is not there yet."),
        ("ansible.windows.win_updates: {}", "4:7", "until then: win_shell, with a script"),
        ("win_quaint_thing: {}", "4:7", "'win_quaint_thing' is not there yet."),
        ("win_shel: x", "4:7", "Did you mean 'win_shell'?"),
        ("action: snap name=x", "4:15", "'snap' is not there yet"),
        ("local_action: {module: make, target: x}", "4:21", "'make' is not there yet; until then: command: make"),
        ("hosts_file: {x: y}", "4:7", "Unknown action. No plugin offers the action 'hosts_file'."),
        ("zzzzzz: x", "4:7", "No plugin offers the action 'zzzzzz'. `drumline plugins` lists all actions."),
        ("action: comand x", "4:15", "No plugin offers the action 'comand'. Did you mean 'command'?"),
        ("action: [x]", "4:15", "'action' takes text that begins with the name of an action"),
        ("ping:\ncommand: x", "5:7", "A task does one thing, not 'ping' and 'command'."),
        ("name: x", "4:7", "A task without an action."),
        ("file: {path: a, ownr: b}", "4:23", "Unknown argument. 'file' has no argument 'ownr'. Did you mean 'owner'?"),
        ("copy: {src: a}", "4:7", "A required argument is missing. 'copy' needs 'dest'."),
        ("copy: {src: a, dest: [b]}", "4:22", "'dest' of 'copy' takes text, but this is a list."),
        (
            "copy: {src: a, dest: b, force: maybe}",
            "4:31",
            "'force' of 'copy' takes true or false, but this is 'maybe'.",
        ),
        ("copy: src=a dest=b c", "4:13", "'copy' takes arguments written name=value, and 'c' isn't."),
        ("copy: src=a src=b dest=c", "4:13", "An argument is given twice. 'src' is given already."),
        ("copy: {src: a, dest: b}\nargs: {dest: c}", "5:14", "An argument is given twice."),
        ("command: echo hi\nargs: {cmd: echo}", "5:14", "An argument is given twice. 'cmd' is given already."),
        ("command: echo hi\nargs: chdir", "5:13", "'args' takes a dictionary of arguments, but this is 'chdir'."),
        ("command: [echo]", "4:16", "'command' takes a dictionary of arguments, or text, but this is a list."),
        ("win_shell: a\nargs: {output_encoding_override: b}", "5:14", "'shell' has no 'output_encoding_override' yet"),
        ("file: {path: x, state: diretory}", "4:23", "Did you mean 'directory'?"),
        ("wait_for: {port: ssh}", "4:18", "'port' of 'wait_for' takes a whole number, but this is 'ssh'."),
        ("ping:\nid: a b", "5:11", "An id has letters, digits, '_' and '-' only; 'a b' has others."),
        ("ping:\nid: a.b", "5:11", "An id has letters, digits, '_' and '-' only; 'a.b' has others."),
        ("ping:\nneeds: [nope]", "5:7", "Unknown name in needs. No task of this play and no play has the id 'nope'."),
        ("ping:\nneeds: {a: b}", "5:14", "'needs' takes a name or a list of names, but this is a dictionary."),
        ("ping:\nid: a\nneeds: [a]", "6:7", "A need on itself. 'a' needs 'a'. Remove one of these needs."),
        ("ping:\nwhen: {a: b}", "5:13", "'when' takes an expression, true or false, or a list of these"),
        ("ping:\nwhen: ''", "5:13", "'when' takes an expression, true or false, or a list of these"),
        ("ping:\nwhen: '{{ a }} == b'", "5:13", "'when' is already an expression; write it without braces."),
        ("ping:\nuntil: 3", "5:14", "'until' takes an expression, true or false, or a list of these"),
        (
            "ping:\nmodule_defaults: {coppy: {a: b}}",
            "5:25",
            "action 'coppy'. Did you mean 'copy'?",
        ),
        ("block: [{ping: }]\nmodule_defaults: {coppy: {a: b}}", "5:25", "Unknown action."),
        ("ping:\nmodule_defaults: [a]", "5:25", "'module_defaults' takes a dictionary such as {copy: {mode: '0644'}}"),
        ("ping:\nmodule_defaults: {copy: x}", "5:31", "'module_defaults: copy' takes a dictionary of arguments"),
        (
            "file: {path: x}\nmodule_defaults: {file: {pat: x}}",
            "5:32",
            "'file' has no argument 'pat'. Did you mean 'path'?",
        ),
        ("ping: '{{ a }} {{ b }}'", "4:13", "'ping' takes arguments written name=value"),
        ("ping:\ndebugger: on_failure", "5:17", "'debugger' can't be 'on_failure'. Did you mean 'on_failed'?"),
        ("ping:\ndelegate_facts: some", "5:23", "'delegate_facts' takes true or false"),
        ("ping:\nloop: hi", "5:13", "'loop' takes a list, or a template that gives one, but this is 'hi'."),
        ("ping:\nloop: [1]\nwith_items: [1]", "6:19", "'loop' and 'with_items' exclude each other."),
        ("ping:\nloop: [1]\nloop_control: {loop_vr: x}", "6:22", "Did you mean 'loop_var'?"),
        ("ping:\nwith_file: a\nwith_dict: '{{ x }}'", "6:18", "'with_file' and 'with_dict' exclude each other."),
        ("ping:\nloop: [1]\nloop_control: {extended: some}", "6:32", "'extended' takes true or false"),
        ("ping:\nloop: [1]\nloop_control: {loop_var: 1a}", "6:32", "'loop_var' is the name of a variable"),
        ("ping:\nregister: a-b", "5:17", "'register' is the name of a variable"),
        ("ping:\nvars: [a]", "5:13", "'vars' takes a dictionary of variables, but this is a list."),
        ("ping:\nvars: {a-b: 1}", "5:14", "Not a name for a variable."),
        ("ping:\nenvironment: x", "5:20", "'environment' takes a dictionary, but this is 'x'."),
        ("ping:\nenvironment: {A: [1]}", "5:24", "'environment: A' takes text, but this is a list."),
        ("ping:\nignore_errors: maybe", "5:22", "'ignore_errors' takes true or false, but this is 'maybe'."),
        ("ping:\ntimeout: soon", "5:16", "'timeout' takes a number that isn't negative, but this is 'soon'."),
        ("ping:\nretries: -1", "5:16", "'retries' takes a number that isn't negative, but this is -1."),
        ("ping:\ntrigger_rule: none_faild", "5:21", "Did you mean 'none_failed'?"),
        ("ping:\nbecome: true\nbecome_method: sodu", "6:22", "'become_method' is 'sodu': known are doas, dzdo, "),
        ("ping:\nbecome_method: ansible.netcommon.enable", "5:22", "it is for network devices."),
        ("becom: true\nname: a", "4:7", "A task has no keyword 'becom'. Did you mean 'become'?"),
        ("ping:\nname: [a]", "5:13", "'name' takes text, but this is a list."),
        ("ping:\nhosts: []", "5:14", "'hosts' names no host at all."),
    ],
)
def test_mistakes_in_a_task(mistake: Mistake, text: str, place: str, message: str) -> None:
    found_place, found = mistake(text)
    assert message in found
    assert found_place == place


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "This playbook is empty."),
        ("[]", "1:1", "This playbook is empty."),
        ("hosts: app", "1:1", "A playbook is a list of plays (each begins with '- '), but this is a dictionary."),
        ("just text", "1:1", "Not a playbook."),
        ("- just text", "1:3", "Not a play. A play is a dictionary with 'hosts' and 'tasks', but this is text."),
        ("- tasks: []", "1:3", "A play without hosts."),
        ("- hosts: a\n  tasks: {ping: }", "2:10", "'tasks' takes a list of tasks, but this is a dictionary."),
        ("- hosts: a\n  tasks: [ping]", "2:11", "Not a task. A task is a dictionary with an action in it"),
        ("- hosts: a\n  hots: b", "2:3", "Unknown keyword. A play has no keyword 'hots'. Did you mean 'hosts'?"),
        ("- hosts: a\n  roles: {}", "2:10", "'roles' takes a list of roles, but this is a dictionary."),
        ("- hosts: a\n  fact_path: [x]", "2:14", "'fact_path' takes text"),
        ("- hosts: a\n  remote_user: [x]", "2:16", "'remote_user' takes text, but this is a list."),
        ("- hosts: a\n  port: ssh", "2:9", "'port' takes a number that isn't negative, but this is 'ssh'."),
        ("- hosts: a\n  vars_files: [{a: b}]", "2:16", "'vars_files' takes names of files, and lists of them"),
        ("- import_playbook: nowhere.yml", "1:20", "A playbook isn't there. There is no file"),
        ("- import_playbook:", "1:3", "An import without a file."),
        ("- {import_playbook: '{{ x }}'}", "1:21", "it can't be a template."),
        ("- {name: x, include: x.yml}", "1:13", "Ansible 2.16 removed 'include': use 'include_tasks' or"),
        ("- hosts: a\n  gather_facts: 7", "2:17", "takes true or false"),
        ("- hosts: a\n  strategy: host_pinned", "2:13", "The strategies are 'waves'"),
        ("- hosts: a\n  any_errors_fatal: maybe", "2:21", "'any_errors_fatal' takes true or false"),
        ("- hosts: a\n  needs: [b]", "2:3", "No play has the id 'b'. A play may need only plays."),
        ("- hosts: a\n  hosts: b", "2:3", "A key is given twice."),
        ("- hosts: a\n\ttasks: []", "2:1", "A tab is used as indentation."),
        ("- hosts: a\n  tasks: ]", "2:10", "This file isn't valid YAML."),
        ("- {hosts: a, module_defaults: {coppy: {a: b}, group/aws: {}, snap: {a: b}}}", "1:32", "Unknown action."),
        ("- {hosts: a, vars_prompt: x}", "1:27", "'vars_prompt' takes a list of dictionaries with 'name' and 'prompt'"),
        ("- {hosts: a, vars_prompt: [x]}", "1:28", "'vars_prompt' takes dictionaries with 'name' and 'prompt'"),
        ("- {hosts: a, vars_prompt: [{prompt: x}]}", "1:28", "says under 'name' which variable it is about"),
        ("- {hosts: a, vars_prompt: [{name: x, promt: y}]}", "1:38", "Did you mean 'prompt'?"),
        ("- {hosts: a, vars_prompt: [{name: x, salt_size: y}]}", "1:49", "'salt_size' takes a whole number"),
        ("- {hosts: a, vars_prompt: [{name: a-b}]}", "1:35", "'name' is the name of a variable"),
    ],
)
def test_mistakes_in_a_play(mistakes: Mistakes, text: str, place: str, message: str) -> None:
    [(found_place, found)] = mistakes(text)
    assert message in found
    assert found_place == place


def test_all_mistakes_of_all_files_in_their_order(mistakes: Mistakes) -> None:
    one = "- hosts: a\n  tasks:\n    - {whne: x, ping: }\n    - {id: t, ping: , needs: [nope]}\n    - {id: t, png: }\n"
    found = mistakes(one, "- hosts: a\n  roles: {}\n", "]")
    assert [place for place, _ in found] == ["3:8", "4:23", "5:8", "5:15", "2:10", "1:1"]


def test_a_cycle_is_shown_with_its_whole_path(mistakes: Mistakes) -> None:
    tasks = "- hosts: x\n  tasks:\n" + "".join(
        f"    - {{id: {name}, ping: , needs: [{need}]}}\n" for name, need in ("ab", "bc", "ca", "de", "ed")
    )
    assert [text for _, text in mistakes(tasks)] == [
        "Needs form a cycle. 'a' needs 'b', which needs 'c', which needs 'a'. Remove one of these needs.",
        "Needs form a cycle. 'd' needs 'e', which needs 'd'. Remove one of these needs.",
    ]


def test_a_cycle_through_plays(mistakes: Mistakes) -> None:
    [(_, text)] = mistakes(
        "- {id: one, hosts: x, tasks: [{id: a, ping: , needs: [two.b]}]}\n"
        "- {id: two, hosts: x, tasks: [{id: b, ping: }]}\n"
    )
    assert "'a' needs 'two.b', which needs play 'one', which needs 'a'." in text


def test_a_task_can_not_wait_for_its_own_play(mistakes: Mistakes) -> None:
    [(_, text)] = mistakes("- {id: one, hosts: x, tasks: [{id: a, ping: , needs: [one]}]}")
    assert "'a' needs play 'one', which needs 'a'." in text


def test_ids_given_twice(mistakes: Mistakes) -> None:
    tasks = "- hosts: x\n  id: p\n  tasks:\n    - {id: a, ping: }\n    - {id: a, ping: }\n- {hosts: y, id: p}\n"
    task, play = mistakes(tasks)
    assert task[0] == "5:8"
    assert "Another task has the id 'a' already, in " in task[1]
    assert play[0] == "6:14"
    assert "Another play has the id 'p' already" in play[1]


def test_a_name_that_two_tasks_share_is_a_mistake_only_when_it_is_needed(
    mistakes: Mistakes, read_playbook: ReadPlaybook
) -> None:
    tasks = "- hosts: x\n  tasks:\n    - {name: Do it, ping: }\n    - {name: Do it, ping: }\n"
    assert len(read_playbook(tasks).plays[0].tasks) == 2
    [(place, text)] = mistakes(tasks + "    - {ping: , needs: [do-it]}\n")
    assert place == "5:16"
    assert "More than one task is named 'do-it'. Give the one that you mean its own id." in text


def test_an_unknown_need_is_looked_for_in_other_plays(mistakes: Mistakes) -> None:
    [(_, text)] = mistakes(
        "- {id: web, hosts: x, tasks: [{id: start, ping: }]}\n- {hosts: x, tasks: [{ping: , needs: [web.strat]}]}"
    )
    assert "Did you mean 'web.start'?" in text


def test_files_that_can_not_be_read(tmp_path: Path, actions: Actions) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\0\1")
    with pytest.raises(FilesError) as error:
        load_playbooks([tmp_path / "absent", tmp_path, tmp_path / "binary"], actions)
    assert len(error.value.diagnostics) == 3
    assert "absent doesn't exist" in error.value.render()
    assert "is a directory" in error.value.render()
    assert "binary:1:5: error: This file isn't text" in error.value.render()


def test_thousands_of_mistakes_are_found_quickly_and_not_all_shown(read_playbook: ReadPlaybook) -> None:
    text = "- hosts: app\n  tasks:\n" + "".join(f"    - {{comand: {number}}}\n" for number in range(5_000))
    with pytest.raises(FilesError) as error:
        read_playbook(text)
    assert len(error.value.diagnostics) == 5_000
    assert error.value.render().endswith("\n5000 mistakes; the first 50 are shown")
