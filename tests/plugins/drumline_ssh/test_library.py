"""paramiko is loaded late and lean, and is whole again where that matters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(script: str) -> None:
    subprocess.run([sys.executable, "-c", script], check=True, stdin=subprocess.DEVNULL)


def test_the_transport_alone_loads_no_paramiko() -> None:
    run(
        "import sys; from drumline_ssh.transport import SshTransport; SshTransport();"
        "assert 'paramiko' not in sys.modules"
    )


def test_paramiko_is_loaded_without_invoke_and_invoke_can_be_imported_after_it() -> None:
    run(
        "import sys; from drumline_ssh.library import load_paramiko; load_paramiko();"
        "assert 'paramiko' in sys.modules and 'invoke' not in sys.modules; import invoke; assert invoke.run"
    )


def test_match_exec_is_obeyed(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("Match exec true\n  User yes\nMatch exec false\n  Port 99\n")
    run(
        "from pathlib import Path; from drumline_ssh.configfile import ConfigFile;"
        f"found = ConfigFile(Path({str(config)!r})).lookup('web1');"
        "assert (found['user'], found.get('port')) == ('yes', None), found"
    )
