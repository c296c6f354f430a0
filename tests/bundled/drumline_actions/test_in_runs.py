"""Actions of POSIX hosts in whole runs: what they need of the rest of drumline."""

from __future__ import annotations

from pathlib import Path

from support.running import run_text


def test_a_file_larger_than_what_a_job_holds_is_edited_in_a_loop(tmp_path: Path) -> None:
    """The output of such requests doesn't count toward that, and isn't kept in the journal."""
    file = tmp_path / "file"
    file.write_text("a line of a file\n" * 150_000)
    ran = run_text(
        tmp_path,
        f"""
        - hosts: a
          gather_facts: false
          tasks:
            - id: edit
              lineinfile: {{path: {file}, line: "new {{{{ item }}}}"}}
              loop: [1, 2]
        """,
    )
    assert (ran.exit_status, ran.status("edit")) == (0, "changed")
    assert file.read_text().endswith("a line of a file\nnew 1\nnew 2\n")
    assert "kept" not in ran.result("edit")


def test_facts_have_the_names_that_the_action_declares(tmp_path: Path) -> None:
    """They are known to the check of names, are in ansible_facts, and aren't secrets because of their names."""
    ran = run_text(
        tmp_path,
        """
        - hosts: a
          gather_facts: false
          tasks:
            - getent: {database: passwd, key: root}
            - id: said
              debug: {msg: "{{ getent_passwd.root[1] }} {{ ansible_facts.getent_passwd.root[4] }}"}
        """,
    )
    assert ran.exit_status == 0
    assert ran.result("said")["msg"] == "0 /root"


def test_a_check_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "1").write_text("1")
    ran = run_text(
        tmp_path,
        f"""
        - hosts: a
          gather_facts: false
          tasks:
            - {{id: one, lineinfile: {{path: {tmp_path}/f, line: a, create: true}}, check_mode: true}}
            - {{id: two, assemble: {{src: {tmp_path}/d, dest: {tmp_path}/g}}, check_mode: true}}
            - {{id: three, lineinfile: {{path: {tmp_path}/d/1, line: "1", mode: "0600"}}, check_mode: true}}
        """,
    )
    assert [ran.status(name) for name in ("one", "two", "three")] == ["changed", "changed", "changed"]
    assert not (tmp_path / "f").exists()
    assert not (tmp_path / "g").exists()
    assert (tmp_path / "d" / "1").stat().st_mode & 0o777 != 0o600
