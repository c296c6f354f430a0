"""For all tests."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from support.watchdog import watch

from drumline.plugin import Platform, Secret, Session, Target
from drumline.source.vault import Keyring, use_keyring
from drumline.testing import ActionHost

# How long an example takes tells of what else this machine does. And no examples are kept: a checkout may be another
# user's, who can't be written for.
hypothesis.settings.register_profile("drumline", deadline=None, database=None, max_examples=60)
hypothesis.settings.load_profile("drumline")

# What nohup or a shell's & ignores, the programs that tests start would ignore too, and some are sent just that.
# A handler here, unlike that, ends with the exec of what is started.
_HANDLERS = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
for _number in _HANDLERS:
    if _HANDLERS[_number] is signal.SIG_IGN:
        _HANDLERS[_number] = lambda *_: None
        signal.signal(_number, _HANDLERS[_number])

if TYPE_CHECKING:
    from drumline_lab.wsman import Windows


@pytest.fixture(autouse=True)
def no_vault_passwords() -> None:
    """What one test opened is unknown to the next one."""
    use_keyring(Keyring())


pytest.register_assert_rewrite("drumline.testing.cases", "drumline.testing.contract", "drumline.testing.staging")

#: Reads a line of JSON, base64 (names to scripts), and tells with PowerShell's own parser what is in each.
_PARSE = r"""
$scripts = ConvertFrom-Json -AsHashtable ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('%s')))
$newTypes = 'TernaryExpressionAst', 'PipelineChainAst'
$found = @{}
foreach ($name in $scripts.Keys) {
    $tokens = $faults = $null
    $tree = [Management.Automation.Language.Parser]::ParseInput($scripts[$name], [ref]$tokens, [ref]$faults)
    $nodes = $tree.FindAll({ $true }, $true)
    $syntax = @($nodes | Where-Object { $_.GetType().Name -in $newTypes } | ForEach-Object { $_.Extent.Text })
    $newer = { $_.NullConditional -or $_.Background -or $_.CleanBlock }
    $syntax += @($nodes | Where-Object $newer | ForEach-Object { $_.Extent.Text })
    $syntax += @($tokens | Where-Object { "$($_.Kind)" -like 'QuestionQuestion*' } | ForEach-Object { $_.Text })
    $members = @($nodes | Where-Object { $_.Static -and $_.Member } | ForEach-Object { "$($_.Member)" })
    $functions = @($nodes | Where-Object { $_.GetType().Name -eq 'FunctionDefinitionAst' } | ForEach-Object { $_.Name })
    $named = { $_.GetType().Name -eq 'CommandAst' -and $_.GetCommandName() }
    $commands = @($nodes | Where-Object $named | ForEach-Object {
        $parameters = @($_.CommandElements | Where-Object { $_.ParameterName } | ForEach-Object { $_.ParameterName })
        @{ name = $_.GetCommandName(); parameters = $parameters }
    })
    $found[$name] = @{
        faults = @($faults | ForEach-Object { "$($_.Extent.StartLineNumber): $($_.Message)" }); syntax = $syntax
        members = $members; functions = $functions; commands = $commands
    }
}
'parsed ' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes((ConvertTo-Json $found -Compress -Depth 9)))
"""

_TESTS = Path(__file__).parent
#: The files that take half of all the time, the longest first (``--durations`` tells).
_LONGEST = (
    "test_examples.py",
    "bundled/drumline_winrm/test_contract.py",
    "test_benchmarks.py",
    "test_release.py",
    "cli/test_runs.py",
    "engine/test_state.py",
    "test_bad_input.py",
    "bundled/drumline_lab/test_lab.py",
    "bundled/drumline_winrm/test_executable.py",
    "forecast/test_estimate.py",
    "test_transfers.py",
    "bundled/drumline_winrm/test_transfers.py",
    "test_interrupt.py",
    "bundled/drumline_ssh/test_misbehaving.py",
    "bundled/drumline_ssh/test_connect.py",
    "journal/test_damage.py",
    "cli/test_run.py",
    "bundled/drumline_ssh/test_contract.py",
    "test_secrets_end_to_end.py",
)

#: Static members of .NET that .NET Framework, on which 5.1 runs, lacks, and that are easily taken for granted.
_NEWER_MEMBERS = {"HashData", "ToHexString", "FromHexString", "GetRelativePath", "UnixEpoch", "ReadAllBytesAsync"}
_COMMON_PARAMETERS = {"erroraction", "errorvariable", "outvariable", "verbose", "warningaction", "whatif", "confirm"}


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts this machine into a time zone, as TZ names it."""

    def enter(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield enter
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def berlin(zone: Callable[[str], None]) -> None:
    """This machine is in a zone that changes its clocks."""
    zone("CET-1CEST,M3.5.0,M10.5.0/3")


@pytest.fixture(scope="session")
def windows_program() -> str:
    """What runs Windows command lines; tests that need it are skipped where there is none."""
    program = os.environ.get("DRUMLINE_LAB_WINDOWS")
    if not program:
        pytest.skip("DRUMLINE_LAB_WINDOWS names no program that runs Windows command lines")
    return program


@pytest.fixture(scope="session")
def windows_host(windows_program: str) -> Iterator[Windows]:
    """The Windows host of all tests of a process: another would take seconds to start."""
    from drumline_lab.wsman import Windows

    host = Windows(windows_program, f"drumline-test-{secrets.token_hex(4)}")
    yield host
    host.remove()


@pytest.fixture(scope="session")
def winrm_session(windows_host: Windows) -> Iterator[Session]:
    """A Windows as a server is reached: over NTLM, encrypted."""
    from drumline_lab import wsman
    from drumline_winrm.options import OPTIONS
    from drumline_winrm.transport import Winrm

    with wsman.WsmanServer(wsman.Settings(users={"user": "password"}), backend=windows_host) as server:
        options = {option.name: option.default for option in OPTIONS}
        options |= {"host": server.host, "port": server.port, "scheme": "http"}
        options |= {"user": "user", "password": Secret("password")}
        connection = Winrm().connect(Target(host="host", transport="winrm", options=options))
        yield connection.open_session()
        connection.close()


@pytest.fixture
def windows(winrm_session: Session) -> ActionHost:
    """A Windows with real PowerShell."""
    return ActionHost(platform=Platform.WINDOWS, session=winrm_session)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """No test leaves a signal ignored: programs that later tests start would ignore it too."""
    yield
    left = [number.name for number in _HANDLERS if signal.getsignal(number) is not _HANDLERS[number]]
    for number, handler in _HANDLERS.items():
        signal.signal(number, handler)
    assert not left, f"this test left another handler of {', '.join(left)}"


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark what needs a Windows: suites of cases make such tests by themselves."""
    if "windows_program" in getattr(item, "fixturenames", ()):
        item.add_marker("windows")


@pytest.fixture(scope="session")
def powershell_parser(windows_host: Windows) -> Callable[[Mapping[str, str]], dict[str, list[str]]]:
    """Takes scripts by name; gives, for each that Windows PowerShell 5.1 would not run, what is wrong with it."""
    known = _known_cmdlets()
    powershell = "powershell -NoProfile -NonInteractive -Command -"
    launch = windows_host.launch(powershell, direct=False, directory=None, variables={})

    def parse(scripts: Mapping[str, str]) -> dict[str, list[str]]:
        text = _PARSE % base64.b64encode(json.dumps(dict(scripts)).encode()).decode()
        # A script on standard input is read statement by statement; as one line it can't be misread.
        line = base64.b64encode(text.encode()).decode()
        command = f"Invoke-Expression ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{line}')))\n"
        done = subprocess.run(
            launch.argv, input=command.encode(), capture_output=True, env=dict(launch.environment), check=False
        )
        answer = done.stdout.partition(b"parsed ")[2]
        assert answer, done.stderr.decode(errors="replace")
        found = json.loads(base64.b64decode(answer))
        assert found.keys() == scripts.keys()
        complaints = {name: _complaints(parsed, known) for name, parsed in found.items()}
        return {name: lines for name, lines in complaints.items() if lines}

    return parse


def _known_cmdlets() -> dict[str, set[str]]:
    text = (Path(__file__).parent / "powershell-5.1.txt").read_text()
    lines = (line.lower().split() for line in text.splitlines() if not line.startswith("#"))
    return {name: {parameter[1:] for parameter in parameters} for name, *parameters in lines}


def _complaints(parsed: dict[str, Any], known: dict[str, set[str]]) -> list[str]:
    lines = [*parsed["faults"], *(f"5.1 lacks this syntax: {text}" for text in parsed["syntax"])]
    lines += [f"5.1 lacks the member {name}" for name in parsed["members"] if name in _NEWER_MEMBERS]
    own = {name.lower() for name in parsed["functions"]}
    for command in parsed["commands"]:
        name = command["name"].lower()
        if name in own or name.endswith(".exe"):
            continue
        if name not in known:
            lines.append(f"{command['name']} is not among the cmdlets that 5.1 is known to have")
            continue
        unknown = {parameter.lower() for parameter in command["parameters"]} - known[name] - _COMMON_PARAMETERS
        lines += [f"{command['name']} -{parameter} is not known to be in 5.1" for parameter in sorted(unknown)]
    return lines


def pytest_configure(config: pytest.Config) -> None:
    config.add_cleanup(watch())
    config.option.loadscopereorder = False  # by how many tests a file has, which says little about how long they take


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest where several work side by side, lest one of them is alone with it in the end.

    What runs in ansible-core or Airflow needs these, and is left out where nothing says where they are.
    """
    if hasattr(config, "workerinput"):
        places = {name: place for place, name in enumerate(_LONGEST)}
        items.sort(key=lambda item: places.get(item.path.relative_to(_TESTS).as_posix(), len(places)))
    for marker, variable in ("ansible", "DRUMLINE_ANSIBLE"), ("airflow", "DRUMLINE_AIRFLOW"):
        if variable not in os.environ:
            left_out = [item for item in items if item.get_closest_marker(marker)]
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item not in left_out]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="Fail when a test is skipped (CI has all that they need).")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if config.getoption("--no-skips") and skipped:
        terminalreporter.write_line(f"--no-skips: {len(skipped)} tests were skipped", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped")
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
