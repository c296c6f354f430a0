"""What ``ansible.cfg`` says of a run: tags, diffs, handlers, what is shown at its end, and names in templates."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from support.program import Ended, call

HOSTS = ("-i", "a,b", "-e", "ansible_connection=local")


def run(directory: Path, settings: str, tasks: str, *options: str) -> Ended:
    (directory / "ansible.cfg").write_text(dedent(settings))
    head = "- hosts: all\n  gather_facts: false\n  tasks:\n"
    (directory / "site.yml").write_text(head + "".join(f"    {line}\n" for line in dedent(tasks).strip().splitlines()))
    return call(directory, "run", "site.yml", *HOSTS, *options)


def test_stats_are_shown_at_the_end_if_settings_say_so(tmp_path: Path) -> None:
    tasks = """
    - set_stats: {data: {hosts: ["{{ inventory_hostname }}"], count: 1, deep: {x: 1}}}
    - set_stats: {data: {count: "{{ item }}"}, per_host: true}
      loop: [2, 3]
    - set_stats: {data: {last: "{{ inventory_hostname }}"}, aggregate: false}
      when: inventory_hostname == 'b'
    """
    ended = run(tmp_path, "[defaults]\nshow_custom_stats = true\n", tasks)
    said = " ".join(ended.out.split())
    assert 'custom stats a: {"count": 5} b: {"count": 5} the run: {"count": 2, "deep": {"x": 2}, ' in said, ended.said
    assert '"last": "b"' in said
    assert "custom stats" not in run(tmp_path, "", tasks).out


def test_diffs_are_shown_with_so_many_lines_around_a_change(tmp_path: Path) -> None:
    tasks = "- copy: {dest: '{{ playbook_dir }}/it', content: \"a\\nb\\nc\\nNEW\\n\"}\n  run_once: true"
    for context, seen in (("1", "  c"), ("0", "")):
        (tmp_path / "it").write_text("a\nb\nc\nd\n")
        said = run(tmp_path, f"[diff]\nalways = true\ncontext = {context}\n", tasks).out
        lines = [line.strip() for line in said.splitlines() if line.startswith("      ")]
        assert ("c" in lines, "b" in lines, "+NEW" in lines) == (bool(seen), False, True), said


def test_tags_of_the_command_line_come_before_those_of_settings(tmp_path: Path) -> None:
    tasks = "- {debug: {msg: of one}, tags: one}\n- {debug: {msg: of two}, tags: two}"
    settings = "[tags]\nrun = one\n"
    assert "of two" not in run(tmp_path, settings, tasks).out
    assert "of two" in run(tmp_path, settings, tasks, "--tags", "two").out
    assert "of one" not in run(tmp_path, settings, tasks, "--tags", "two").out


def test_what_says_that_a_file_is_managed(tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("# {{ ansible_managed }}\n")
    tasks = "- template: {src: t.j2, dest: '{{ playbook_dir }}/out'}\n  run_once: true"
    assert run(tmp_path, "[defaults]\nansible_managed = ours: {file} %%Y is %Y\n", tasks).status == 0
    text = (tmp_path / "out").read_text()
    assert text.startswith(f"# ours: {tmp_path}/t.j2 %Y is 2")
    ended = run(tmp_path, "[defaults]\nansible_managed = {what}\n", tasks)
    assert "The setting 'ansible_managed' is wrong" in ended.said


def test_filters_in_directories_of_settings(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "loud.py").write_text(
        "class FilterModule:\n    def filters(self):\n        return {'loud': str.upper}\n"
    )
    tasks = "- debug: {msg: \"{{ 'it works' | loud }}\"}"
    assert "IT WORKS" in run(tmp_path, "[defaults]\nfilter_plugins = mine\n", tasks).out
