"""What asks a person is refused by the commands whose runs no one watches: ``schedule`` and ``export``."""

from __future__ import annotations

from pathlib import Path

import pytest

from drumline.cli.program import program
from drumline.source.vault_format import seal

#: What stands in ansible.cfg and in vars_prompt, the options of a run, and what is said of it; empty: nothing.
QUESTIONS = [
    ("", "", ["-k"], "Leave out --ask-pass"),
    ("", "", ["-K"], "Leave out --ask-become-pass"),
    ("", "", ["-J"], "Leave out --ask-vault-pass"),
    ("", "", ["--vault-id", "it@prompt"], "'prompt' as a source"),
    ("", "", ["--become-password-file", "-"], "but not '-'"),
    ("ask_pass = True", "", [], "setting 'ask_pass'"),
    ("ask_pass = True", "", ["--connection-password-file", "pw"], ""),
    ("ask_vault_pass = True", "", [], "the setting 'ask_vault_pass'"),
    ("", "{name: v}", [], "site.yml:4:17: error: A variable can't be asked for"),
    ("", "{name: v, private: false}, {name: w, default: x}", [], "No one is there to type 'v'"),
    ("", "{name: v, default: x}", [], ""),
    ("", "{name: v}", ["-e", "@given.yml"], ""),
    ("vault_password_file = pw", "", ["-e", "@sealed.yml"], ""),
]


@pytest.mark.parametrize("command", [["export", "airflow"], ["schedule", "add", "--every", "1h", "--show"]], ids=str)
def test_that_no_one_is_asked(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMLINE_STATE", str(tmp_path / "state"))
    Path("hosts").write_text("localhost ansible_connection=local\n")
    Path("pw").write_text("opens\n")
    Path("given.yml").write_text("v: x\n")
    Path("sealed.yml").write_bytes(seal(b"v: x\n", b"opens"))
    for settings, prompts, options, expected in QUESTIONS:
        Path("ansible.cfg").write_text(f"[defaults]\n{settings}\n")
        Path("site.yml").write_text(
            f"- id: one\n  hosts: all\n  gather_facts: false\n  vars_prompt: [{prompts}]\n  tasks: [ping: ]\n"
        )
        separated = ["--"] if command[0] == "schedule" else []
        with pytest.raises(SystemExit) as ended:
            program.main([*command, "site.yml", *separated, "-i", "hosts", *options], prog_name="drumline")
        shown = capsys.readouterr()
        case = (settings, prompts, options, shown)
        assert (ended.value.code, expected in " ".join(shown.err.split())) == (5 if expected else 0, True), case
        assert expected or not shown.err, case
