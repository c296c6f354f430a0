"""Names of hosts while name servers are silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.namespaces import run_with_silent_name_servers


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_time_to_connect_counts_for_names_too(tmp_path: Path, scheme: str) -> None:
    said = run_with_silent_name_servers(
        tmp_path,
        f"""
        from drumline.plugin import HostError, Secret, Target
        from drumline_winrm.transport import Winrm
        transport = Winrm()
        options = {{option.name: option.default for option in transport.options}}
        options |= {{"host": "win1.example", "user": "u", "password": Secret("hush-hush")}}
        options |= {{"connect_timeout": 1.0, "scheme": "{scheme}"}}
        began = time.monotonic()
        try:
            transport.connect(Target(host="win1.example", transport="winrm", options=options))
        except HostError as error:
            print(f"{{time.monotonic() - began:.0f}} {{type(error).__name__}} {{error}}")
        """,
    )
    seconds, kind, words = said.split(" ", 2)
    assert (int(seconds) < 6, kind) == (True, "NameNotResolved")
    assert "win1.example: no name server answered within 1 s" in words
