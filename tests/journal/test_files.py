"""Which files a run was made of, and whether they are still the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from support.program import call

from drumline.journal.store import Journal

PLAYBOOK = """
- hosts: all
  tasks:
    - {copy: {src: motd, dest: "/nowhere/motd"}, ignore_errors: true}
    - {template: {src: deep.j2, dest: "/nowhere/x"}, ignore_errors: true}
    - {script: hello.sh, ignore_errors: true}
    - debug: {msg: "{{ a }} {{ b }} {{ lookup('file', 'looked-up') }}"}
"""


def project(directory: Path) -> set[str]:
    """A project whose plan is made of many files; their paths."""
    contents = {
        "site.yml": PLAYBOOK,
        "hosts/main": "web1 ansible_connection=local\n",
        "hosts/more.json": json.dumps({"all": {"vars": {"b": 1}}}),
        "hosts/group_vars/all.yml": "a: 1\n",
        "extra.yml": "c: 3\n",
        "limit": "web1\n",
        "files/motd": "welcome\n",
        "templates/deep.j2": "{{ a }}\n",
        "files/hello.sh": "echo hello\n",
    }
    for name, content in contents.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    (directory / "looked-up").write_text("seen\n")  # when a job runs, which is no part of the plan
    return {str(directory / name) for name in contents}


def run(directory: Path) -> None:
    options = ("-i", "hosts", "-e", "@extra.yml", "--limit", "@limit")
    ended = call(directory, "run", "site.yml", *options)
    assert ended.status == 0, ended.said


def test_every_file_that_went_into_a_run_is_in_its_journal(tmp_path: Path) -> None:
    expected = project(tmp_path)
    run(tmp_path)
    shown = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)
    found = {file["path"]: file for file in shown["files"]}
    assert set(found) == expected
    assert found[str(tmp_path / "limit")]["size"] == 5
    # A digest can't be tried out: it isn't the content's alone.
    assert found[str(tmp_path / "limit")]["digest"] != hashlib.sha256(b"web1\n").hexdigest()


def test_files_that_have_changed_since_are_shown(tmp_path: Path) -> None:
    project(tmp_path)
    for _ in range(2):
        run(tmp_path)

    def changed(run: str) -> list[str]:
        shown = json.loads(call(tmp_path, "runs", "show", run, "--format", "json").out)
        return [str(Path(file["path"]).relative_to(tmp_path)) for file in shown["files"] if file["changed"]]

    assert changed("1") == changed("2") == []
    assert "changed since" not in call(tmp_path, "runs", "show").out
    (tmp_path / "files" / "motd").write_text("goodbye\n")
    (tmp_path / "limit").write_text("web2\n")  # which is as long as before
    (tmp_path / "extra.yml").touch()
    (tmp_path / "hosts" / "group_vars" / "all.yml").unlink()
    assert changed("1") == ["files/motd", "hosts/group_vars/all.yml", "limit"]
    assert "changed since, or gone: files/motd, hosts/group_vars/all.yml, limit\n" in call(tmp_path, "runs", "show").out
    (tmp_path / "state" / "salt").unlink()
    assert "changed since" not in call(tmp_path, "runs", "show").said
    shown = json.loads(call(tmp_path, "runs", "show", "--format", "json").out)
    assert {file["changed"] for file in shown["files"]} == {None}


def test_the_salt_is_its_owners_and_files_go_with_their_run(tmp_path: Path) -> None:
    project(tmp_path)
    run(tmp_path)
    assert (tmp_path / "state" / "salt").stat().st_mode & 0o777 == 0o600
    assert call(tmp_path, "runs", "prune", "--keep", "0").status == 0
    journal = Journal(tmp_path / "state")
    assert journal._database.execute("SELECT count(*) FROM files").fetchone() == (0,)
    journal.close()


def test_a_playbook_whose_path_is_no_unicode_can_be_run(tmp_path: Path) -> None:
    (tmp_path / "host\udcff.yml").write_text("- hosts: all\n  tasks: [{debug: {msg: hello}}]\n")
    ended = call(tmp_path, "run", "host\udcff.yml", "-i", "localhost,")
    assert (ended.status, "Traceback" in ended.said) == (0, False), ended.said
    assert "\\udcff" in call(tmp_path, "runs", "list", "--format", "json").out
