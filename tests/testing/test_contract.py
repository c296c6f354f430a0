"""The contract suite: its documented example runs, and it catches transports that break their word."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from support.narrowing import expect

from drumline.testing import contract

#: Each breaks one promise; the tests named beside it must notice.
SABOTAGE = {
    "merges the streams": (
        "def run(self, request, emit): return super().run(request, lambda stream, data: emit('stdout', data))",
        ["test_keeps_the_streams_apart", "test_marks_on_both_streams"],
    ),
    "decodes output": (
        (
            "def run(self, request, emit):\n"
            "    return super().run(request, lambda s, data: emit(s, data.decode(errors='replace').encode()))"
        ),
        ["test_output_is_binary_safe"],
    ),
    "loses the exit code": (
        "def run(self, request, emit): return Exit(code=int(super().run(request, emit).code != 0))",
        ["test_exit_codes", "test_a_signal_gives_128_and_its_number"],
    ),
    "forgets stdin": (
        "def run(self, request, emit): return super().run(replace(request, stdin=b''), emit)",
        ["test_stdin[one byte]", "test_stdin[a megabyte]"],
    ),
    "strips the environment's values": (
        (
            "def run(self, request, emit):\n"
            "    stripped = {k: v.strip() for k, v in request.environment.items()}\n"
            "    return super().run(replace(request, environment=stripped), emit)"
        ),
        ["test_environment[awkward]", "test_environment[newlines]"],
    ),
    "ends the shell only": (
        (
            "def run(self, request, emit):\n"
            "    import drumline_local.tree as tree\n"
            "    tree.end_tree = lambda leader: (leader.kill(), leader.wait())\n"
            "    return super().run(request, emit)"
        ),
        ["test_interrupt_ends_the_tree"],
    ),
    "writes beside the file": (
        (
            "def put(self, request):\n"
            "    super().put(request)\n"
            "    super().put(replace(request, destination=request.destination + '.part'))"
        ),
        ["test_put_replaces_the_whole_file_and_leaves_nothing_else"],
    ),
    "ignores the mode": (
        "def put(self, request): super().put(replace(request, mode=None))",
        ["test_put_honours_the_mode[493--rwxr-xr-x]"],
    ),
    "reads files half": (
        (
            "def get(self, request):\n"
            "    super().get(request)\n"
            "    request.destination.write_bytes(request.destination.read_bytes()[:100])"
        ),
        ["test_put_and_get[every byte]", "test_put_and_get[10 MB]"],
    ),
}

HEADER = """
from msgspec.structs import replace
import pytest
from drumline.plugin import Exit, Target
from drumline.testing.contract import PosixContract
from drumline_local.transport import LocalConnection, LocalSession, LocalTransport

class Suite(PosixContract):
    patience = 5

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls):
        return Target(host="practice", transport="local")
"""

SUITE = """
class Session{number}(LocalSession):
{method}

class Connection{number}(LocalConnection):
    def open_session(self):
        return Session{number}()

class Transport{number}(LocalTransport):
    def connect(self, target):
        return Connection{number}()

class Test{number}(Suite):
    @pytest.fixture(scope="class")
    @classmethod
    def transport(cls):
        return Transport{number}()
"""


def run_pytest(path: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    nodes = [f"{path}::{test}" for test in tests]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--tb=no", "-c", "/dev/null"]
    return subprocess.run(
        [*command, f"--rootdir={path.parent}", *nodes], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_documented_example_runs(tmp_path: Path) -> None:
    example = expect(str, inspect.getdoc(contract)).split("::\n", 1)[1].split("\nA transport", 1)[0]
    path = tmp_path / "test_example.py"
    path.write_text(dedent(example))
    done = run_pytest(path, "TestLocal::test_keeps_the_streams_apart", "TestLocal::test_exit_codes")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Test by test, what the suite said of all saboteurs."""
    path = tmp_path_factory.mktemp("sabotage") / "test_sabotage.py"
    suites = [
        SUITE.format(number=number, method="\n".join(f"    {line}" for line in method.splitlines()))
        for number, (method, _) in enumerate(SABOTAGE.values())
    ]
    path.write_text(HEADER + "".join(suites))
    expected = [f"Test{number}::{test}" for number, (_, tests) in enumerate(SABOTAGE.values()) for test in tests]
    done = run_pytest(path, *expected)
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*?::(Test\d+::test_\w+(?:\[[^\]]*\])?)", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return {test: verdict for verdict, test in found}


@pytest.mark.parametrize("number", range(len(SABOTAGE)), ids=SABOTAGE)
def test_a_transport_that_breaks_its_word_is_caught(verdicts: dict[str, str], number: int) -> None:
    _, tests = list(SABOTAGE.values())[number]
    assert {test: verdicts.get(f"Test{number}::{test}") for test in tests} == dict.fromkeys(tests, "FAILED")
