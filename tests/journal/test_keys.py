"""The salt of a journal's digests: one for all processes, however they meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from drumline.journal.keys import salted_with


def test_processes_that_begin_together_have_one_salt(tmp_path: Path) -> None:
    for number in range(5):
        directory = tmp_path / str(number)
        directory.mkdir()
        together = Barrier(4)

        def first(directory: Path = directory, together: Barrier = together) -> bytes:
            together.wait()
            return salted_with(directory)(b"content")

        with ThreadPoolExecutor(4) as threads:
            found = {made.result() for made in [threads.submit(first) for _ in range(4)]}
        assert found == {salted_with(directory)(b"content")}
        assert [path.name for path in directory.iterdir()] == ["salt"]
