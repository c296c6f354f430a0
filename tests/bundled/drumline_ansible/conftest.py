"""A host that both programs reach by SSH."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.bridged import Sides

from drumline_lab.sshd import Sshd


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    # ansible's own sockets need a short name
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="b") as name:
        directory = tmp_path_factory.mktemp("host")
        with Sshd(directory) as server:
            yield Sides(server=server, place=Path(name))
