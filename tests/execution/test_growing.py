"""Includes add to the plan of a run: real playbooks, whose jobs really run."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from support.running import Ran, run_text

from drumline.errors import FilesError
from drumline.execution.growing import DEEPEST
from drumline.journal.keys import RunKey
from drumline.journal.reopening import read_back
from drumline.journal.store import Journal
from drumline.masking import Secrets
from drumline.model.event import PlanGrown, WaveReleased
from drumline.secret import MASK

HOSTS = """
all:
  vars: {ansible_connection: local}
  hosts:
    a: {kind: one}
    b: {kind: one}
    c: {kind: two}
"""


def write(directory: Path, **files: str) -> None:
    for name, text in files.items():
        (directory / f"{name}.yml").write_text(text)


def run(directory: Path, tasks: str, *, play: str = "", **options: object) -> Ran:
    lines = "\n".join(f"    {line}" for line in tasks.strip().splitlines())
    head = "\n".join(f"  {line}" for line in ["gather_facts: false", *play.splitlines()])
    return run_text(directory, f"- hosts: all\n{head}\n  tasks:\n{lines}\n", inventory=HOSTS, **options)  # type: ignore[arg-type]


def grown(ran: Ran) -> list[PlanGrown]:
    return [event for event in ran.events if isinstance(event, PlanGrown)]


def levels(ran: Ran) -> list[tuple[int, ...]]:
    """Where the waves stand that were released, in this order."""
    batch = ran.plan.plays[0].batches[0]
    return [batch.level(event.wave) for event in ran.events if isinstance(event, WaveReleased)]


def test_hosts_that_add_the_same_go_together_and_others_beside_them(tmp_path: Path) -> None:
    write(tmp_path, one="- command: echo 1\n- command: echo 2\n", two="- command: echo 3\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: '{{ kind }}.yml'}\n- {id: after, command: 'true'}")
    assert ran.exit_status == 0
    assert [[job.host for job in event.jobs] for event in grown(ran)] == [["a", "b"], ["c"]]
    assert levels(ran) == [(0,), (0, 0), (0, 2), (0, 1), (1,), (2,)]  # the last is for handlers of unknown roles
    assert ran.result("inc.command", "c")["stdout"] == "3"
    assert ran.result("inc.command-2", "b")["stdout"] == "2"


def test_all_hosts_share_what_they_add_however_few_run_at_once(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, command: 'true'}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml}", forks=1)
    assert [[job.host for job in event.jobs] for event in grown(ran)] == [["a", "b", "c"]]


def test_items_follow_each_other_with_their_variables(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, command: 'echo {{ it }}'}\n- {id: y, needs: [], command: 'echo {{ it }}'}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml, loop: [1, 2], loop_control: {loop_var: it}}")
    told = [(end.job.step, end.result["stdout"]) for end in ran.ends() if "stdout" in end.result]
    assert [text for _, text in sorted(told)] == ["1"] * 6 + ["2"] * 6
    assert levels(ran) == [(0,), (0, 0), (0, 1)]  # x and y of an item need nothing of each other
    assert [block.id for block in ran.plan.blocks] == ["inc", "inc"]


def test_an_item_is_data_although_it_looks_like_a_template(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, debug: {msg: '{{ item }}'}}\n")
    tasks = """
- {id: said, command: "echo '{{ '{{' }} 1 + 1 {{ '}}' }}'"}
- {id: inc, include_tasks: part.yml, loop: ["{{ results['said'][inventory_hostname].stdout }}"]}
"""
    ran = run(tmp_path, tasks)
    assert ran.result("inc.x")["msg"] == "{{ 1 + 1 }}"


def test_what_a_file_asks_for_that_is_fixed_before_its_tasks_run(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, run_once: '{{ once }}', command: 'true', tags: ['{{ word }}']}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml, vars: {once: true, word: w}}")
    [added] = grown(ran)
    [step] = added.growth.steps
    assert step.task.run_once
    assert step.task.tags == {"w"}


def test_what_is_added_takes_what_is_around_the_include(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, debug: {}, tags: t}\n")
    play = "any_errors_fatal: '{{ fatal }}'\nvars: {fatal: true}\nmodule_defaults: {debug: {msg: '{{ kind }}'}}"
    tasks = """
- id: b
  block: [{id: inc, include_tasks: part.yml}]
  tags: outer
  environment: {A: b}
  become: false
"""
    ran = run(tmp_path, tasks, play=play)
    assert ran.result("inc.x", "c")["msg"] == "two"
    [step] = grown(ran)[0].growth.steps
    assert step.task.any_errors_fatal
    assert step.task.tags == {"outer", "t"}
    assert step.task.environment == {"A": "b"}
    assert step.inside == ran.plan.steps[0].inside


def test_a_wrong_file_fails_the_include_with_the_places_of_its_mistakes(tmp_path: Path) -> None:
    wrong = "- debgu: {msg: x}\n- debug: {}\n  wehn: x\n- copy: {src: gone, dest: /tmp/x}\n- debug: {msg: '{{ x'}\n"
    write(tmp_path, one=wrong, two="[]")
    ran = run(tmp_path, "- {id: inc, include_tasks: '{{ kind }}.yml'}")
    assert ran.exit_status == 2
    told = ran.result("inc", "b")["msg"]
    file = tmp_path / "one.yml"
    assert f"{file}:1:3: Unknown action" in told
    assert f"{file}:3:3: Unknown keyword" in told
    assert f"{file}:5:16: " in told
    assert f"{file}:4:10: " in told, told
    assert ran.status("inc", "c") == "ok"


def test_a_file_that_has_no_list_and_one_that_is_empty(tmp_path: Path) -> None:
    write(tmp_path, one="key: value\n", two="\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: '{{ kind }}.yml'}")
    assert "Not a list of tasks" in ran.result("inc", "a")["msg"]
    assert ran.status("inc", "c") == "ok"


def test_a_file_that_includes_itself_for_ever_is_stopped(tmp_path: Path) -> None:
    write(tmp_path, again="- {id: r, include_tasks: again.yml}\n")
    ran = run(tmp_path, "- {id: r, include_tasks: again.yml}")
    assert ran.exit_status == 2
    assert len(grown(ran)) == DEEPEST
    [told] = {end.result["msg"] for end in ran.ends() if end.result.get("failed")}
    assert f"{DEEPEST} deep" in told
    assert f"{tmp_path / 'again.yml'}:1:3" in told


@pytest.mark.parametrize(
    ("keyword", "said"),
    [
        ("become: true", "Write it under 'apply'"),
        ("retries: 3", "Write it under 'apply'"),
        ("include_tasks: {file: x.yml, apply: {needs: [x]}}", "'apply' has no keyword 'needs'"),
        ("include_tasks: {apply: {}}", "needs 'file'"),
    ],
)
def test_keywords_that_an_include_has_not(tmp_path: Path, keyword: str, said: str) -> None:
    include = "" if keyword.startswith("include_tasks") else "\n  include_tasks: x.yml"
    with pytest.raises(FilesError) as raised:
        run(tmp_path, f"- {keyword}{include}")
    assert said in str(raised.value)


def test_the_plan_grows_only_by_what_is_for_the_host(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, hosts: b, command: 'true'}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml}\n- {id: after, command: 'true'}")
    assert [[job.host for job in event.jobs] for event in grown(ran)] == [["b"]]
    assert ran.exit_status == 0


def test_later_tasks_name_the_results_of_what_was_added(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, command: 'echo {{ inventory_hostname }}'}\n")
    ran = run(
        tmp_path,
        "- {id: inc, include_tasks: part.yml}\n- {id: use, debug: {msg: \"{{ results['inc.x']['b'].stdout }}\"}}",
    )
    assert ran.result("use")["msg"] == "b"


def test_secrets_in_what_an_include_gives_are_masked(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, command: 'echo {{ app_password }} hidden-7'}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml, vars: {app_password: hunter-2-secret}}")
    assert ran.result("inc.x")["stdout"] == f"{MASK} hidden-7"
    write(tmp_path, part="- {id: x, vars: {db_password: another-secret-3}, command: 'echo another-secret-3'}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml}")
    assert "another" not in ran.result("inc.x")["stdout"]
    assert b"another-secret-3" not in b"".join(path.read_bytes() for path in (tmp_path / "state").glob("journal*"))


def test_a_run_that_is_read_back_knows_what_was_added(tmp_path: Path) -> None:
    write(tmp_path, part="- {id: x, command: 'echo {{ item }} {{ given }}'}\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: part.yml, loop: [1, 2], vars: {given: '{{ kind }}'}}\n- fail:")
    with closing(Journal(tmp_path / "state")) as journal:
        [found] = journal.runs()
        reopened = read_back(journal, found, RunKey(tmp_path / "state", found.id), Secrets())
    assert reopened.state.finished
    added = [(step.task.id, step.wave, step.hosts, step.task.parameters) for step in reopened.state.plan.steps]
    assert added == [(step.task.id, step.wave, step.hosts, step.task.parameters) for step in ran.plan.steps]
    include = reopened.plan.steps[0].task
    assert include.below == ran.plan.steps[0].task.below


def role(directory: Path, name: str, **files: str) -> None:
    for path, text in files.items():
        file = directory / "roles" / name / f"{path.replace('__', '/')}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def test_each_host_includes_its_own_role(tmp_path: Path) -> None:
    role(tmp_path, "one", tasks__main="- {id: x, command: 'echo {{ d }}'}\n", defaults__main="d: default\n")
    role(tmp_path, "two", tasks__other="- {id: x, command: 'echo {{ d }}'}\n", vars__main="d: var\n")
    files = "{'one': 'main', 'two': 'other'}[kind]"
    ran = run(tmp_path, f"- {{id: inc, include_role: {{name: '{{{{ kind }}}}', tasks_from: \"{{{{ {files} }}}}\"}}}}")
    assert ran.result("inc.one.x", "b")["stdout"] == "default"
    assert ran.result("inc.two.x", "c")["stdout"] == "var"


def test_variables_of_a_public_role_hold_for_later_tasks(tmp_path: Path) -> None:
    role(tmp_path, "r", tasks__main="- debug:\n", defaults__main="d: default\n")
    tasks = """
- include_role: {name: r}
- {id: before, debug: {msg: "{{ d | default('none') }}"}}
- include_role: {name: r, public: true}
- {id: after, debug: {msg: "{{ d | default('none') }}"}}
"""
    ran = run(tmp_path, tasks)
    assert ran.result("before")["msg"] == "none"
    assert ran.result("after")["msg"] == "default"


def test_a_role_that_is_missing_fails_its_host_and_one_of_a_known_name_the_plan(tmp_path: Path) -> None:
    role(tmp_path, "one", tasks__main="- debug:\n")
    ran = run(tmp_path, "- {id: inc, include_role: {name: '{{ kind }}'}}")
    assert "There is no role 'two'" in ran.result("inc", "c")["msg"]
    assert ran.status("inc", "a") == "ok"
    with pytest.raises(FilesError, match="A role isn't there"):
        run(tmp_path, "- {id: inc, include_role: {name: two}}")


def test_a_role_that_brings_handlers_alone_and_is_known_only_to_the_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        handlers = tmp_path / "roles" / name / "handlers"
        handlers.mkdir(parents=True)
        (handlers / "main.yml").write_text("- name: of {{ part }}\n  command: echo {{ part }} {{ role_name }}\n")
    tasks = """
- {id: inc, include_role: {name: '{{ kind }}'}, vars: {part: x}}
- {id: change, command: 'true', notify: of x, when: inventory_hostname != 'b'}
- {id: unknown, command: 'true', notify: of y, ignore_errors: true, when: inventory_hostname == 'b'}
"""
    ran = run(tmp_path, tasks)
    assert ran.exit_status == 0
    said = {end.job.host: end.result["stdout"] for end in ran.ends() if "x " in end.result.get("stdout", "")}
    assert said == {"a": "x two", "c": "x two"}  # as in Ansible, of one name the last that was included counts
    assert "no handler of this play has that name" in ran.result("unknown", "b")["msg"]
    ended = [end.job for end in ran.ends()]
    assert len(ended) == len({*ended})
    with closing(Journal(tmp_path / "state")) as journal:
        [found] = journal.runs()
        reopened = read_back(journal, found, RunKey(tmp_path / "state", found.id), Secrets())
    assert [step.task.id for step in reopened.state.plan.steps] == [step.task.id for step in ran.plan.steps]
    assert [task.id for task in reopened.state.plan.plays[0].play.handlers] == ["of-part", "of-part-2"]


def test_an_include_that_adds_nothing_says_its_end_once(tmp_path: Path) -> None:
    write(tmp_path, one="- {id: x, command: 'true', tags: never}\n", two="[]\n")
    ran = run(tmp_path, "- {id: inc, include_tasks: '{{ kind }}.yml'}\n- {id: after, command: 'true'}")
    assert sorted(end.job.host for end in ran.ends() if ran.plan.steps[end.job.step].task.id == "inc") == [
        "a",
        "b",
        "c",
    ]
    assert ran.status("after", "c") == "changed"
