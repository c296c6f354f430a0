"""``drumline lint``: what is found, in which form, and how it is turned off."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from support.program import call

Project = Callable[[Mapping[str, str]], Path]

FILES = {
    "site.yml": (
        "- hosts: web\n  tasks:\n    - name: Wait\n      comand: uptime\n    - name: Run it\n      shell: uptime\n"
    ),
    "group_vars/web.yml": "port: '{{ 80 | nofilter }}'\n",
    "inventory/hosts": "[web]\na ansible_connection=no_such\n",
    "inventory/broken.yml": "all: [\n",
    "notes.yml": "- buy milk\n",
}


def test_everything_is_found_with_its_place(project: Project) -> None:
    ended = call(project(FILES), "lint", ".", "--format", "json")
    found = [(one["level"], one["id"], one.get("path"), one.get("line")) for one in json.loads(ended.out)]
    assert found == [
        ("error", "unknown-transport", None, None),
        ("error", "unknown-filter", "group_vars/web.yml", 1),
        ("error", "this-file-isn-t-valid-yaml", "inventory/broken.yml", 2),
        ("error", "unknown-action", "site.yml", 4),
        ("advice", "always-changed", "site.yml", 6),
        ("advice", "needless-shell", "site.yml", 6),
    ]
    assert ended.status == 5


def test_text_names_the_ids_of_advice(project: Project) -> None:
    root = project({"site.yml": "- hosts: all\n  tasks:\n    - ping:\n"})
    ended = call(root, "lint", "site.yml")
    assert ended.out == (
        "site.yml:3:7: advice: A task without a name\n    - ping:\n      ^^^^\n".replace(
            "    - ping", "        - ping"
        ).replace("      ^^^^", "          ^^^^")
        + "  Reports call it 'ping'. Say with 'name' what it is for.\n  [unnamed-task]\n"
        "0 errors, 0 warnings, 1 piece of advice\n"
    )
    assert ended.status == 2


def test_nothing_to_say(project: Project) -> None:
    ended = call(project({"site.yml": "- hosts: all\n  tasks: [{name: Look, ping: }]\n"}), "lint", ".")
    assert (ended.status, ended.out, ended.err) == (0, "Nothing to say.\n", "")


def test_advice_is_turned_off_by_comment_option_and_setting(project: Project) -> None:
    task = "    - shell: uptime  # noqa: needless-shell,always-changed\n    - ping:  # noqa\n"
    root = project({"site.yml": f"- hosts: all\n  tasks:\n{task}"})
    assert "[unnamed-task]" in call(root, "lint", ".").out
    assert "[always-changed]" not in call(root, "lint", ".").out
    assert call(root, "lint", ".", "--skip", "unnamed-task").status == 0
    (root / "drumline.toml").write_text("lint_skip = ['unnamed-task']\n")
    assert call(root, "lint", ".").status == 0
    (root / "site.yml").write_text("- hosts: all\n  tasks:\n    - pingg:  # noqa\n")
    assert call(root, "lint", ".").status == 5


def test_an_unknown_id_is_a_mistake(project: Project) -> None:
    ended = call(project({}), "lint", ".", "--skip", "unamed-task")
    assert (ended.status, "Did you mean 'unnamed-task'?" in ended.err) == (5, True)


def test_waits_that_may_never_end_are_advice(project: Project) -> None:
    tasks = "  tasks:\n    - name: Ask\n      approve: {message: Go on?}\n"
    found = json.loads(call(project({"site.yml": f"- hosts: all\n{tasks}"}), "lint", ".", "--format", "json").out)
    assert [one["id"] for one in found] == ["endless-wait"]


def test_sarif(project: Project) -> None:
    log = json.loads(call(project(FILES), "lint", "site.yml", "--format", "sarif").out)
    [run] = log["runs"]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "drumline")
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("unknown-action", "error")
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "site.yml"},
        "region": {"startLine": 4, "startColumn": 7},
    }
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_lines_for_github(project: Project) -> None:
    [line] = call(project(FILES), "lint", "site.yml", "--format", "github", "--errors-only").out.splitlines()
    properties, text = line.removeprefix("::").split("::")
    assert properties == "error file=site.yml,line=4,col=7,title=Unknown action (unknown-action)"
    assert text == "No plugin offers the action 'comand'. Did you mean 'command'?"


def test_what_was_made_up_is_not_named(project: Project) -> None:
    ended = call(project({"tasks/x.yml": "- comand: a\n", "roles/r/tasks/main.yml": "- comand: a\n"}), "lint", ".")
    assert "made-up" not in ended.said


def test_each_role_is_looked_at_for_itself(project: Project) -> None:
    root = project({"roles/a/tasks/main.yml": "- comand: a\n", "roles/b/tasks/main.yml": "- shel: b\n"})
    found = json.loads(call(root, "lint", ".", "--format", "json").out)
    assert [(one["id"], one["path"]) for one in found if one["level"] == "error"] == [
        ("unknown-action", "roles/a/tasks/main.yml"),
        ("unknown-action", "roles/b/tasks/main.yml"),
    ]
