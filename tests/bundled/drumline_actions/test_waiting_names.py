"""``wait_for`` of a port while name servers are silent: with each program that can try a port."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.namespaces import run_with_silent_name_servers
from support.needs import need

_USUAL = ("sh", "date", "sleep", "grep", "printf", "kill", "mktemp", "rm", "cat", "tr", "sed", "dash", "id", "env")


@pytest.mark.parametrize("programs", [("bash", "timeout"), ("python3",), ("perl",)], ids=" ".join)
def test_a_name_costs_the_time_that_is_allowed(tmp_path: Path, programs: tuple[str, ...]) -> None:
    need(*programs)
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for name in (*_USUAL, *programs):
        if found := shutil.which(name):
            (bin_directory / name).symlink_to(found)
    (tmp_path / "play.yml").write_text(
        "- hosts: localhost\n  tasks:\n    - wait_for: {host: web1.example, port: 22, timeout: 1, connect_timeout: 1}\n"
        f"      environment: {{PATH: {bin_directory}}}\n"
    )
    said = run_with_silent_name_servers(
        tmp_path,
        f"""
        import subprocess, sys
        began = time.monotonic()
        call = [sys.executable, "-c", "from drumline.cli import main; main()", "run", "{tmp_path}/play.yml"]
        done = subprocess.run([*call, "-i", "localhost,"], capture_output=True, text=True)
        print(f"{{time.monotonic() - began:.0f}}", done.returncode, done.stdout, done.stderr)
        """,
        env={"DRUMLINE_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)},
    )
    seconds, status, words = said.split(" ", 2)
    assert (int(seconds) < 8, status) == (True, "2"), said
    assert "Timeout when waiting for web1.example:22" in words
