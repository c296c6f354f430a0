"""What the smallest run imports: each module is a tenth of a millisecond or more of every start."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PLAYBOOK = "- hosts: localhost\n  tasks:\n    - command: echo 1\n"

#: Packages of others. msgspec takes typing_extensions where it is.
LIBRARIES = {"click", "msgspec", "pluggy", "typing_extensions", "yaml"}
#: Packages of drumline's for what most runs don't do; a package with its modules.
RARE = {
    "drumline.cli.completion",
    "drumline.execution.burst",
    "drumline.execution.clocks",
    "drumline.execution.growing",
    "drumline.execution.looping",
    "drumline.forecast",
    "drumline.inventory.changing",
    "drumline.journal.past",
    "drumline.journal.reopening",
    "drumline.journal.rescue",
    "drumline.lint",
    "drumline.loading.argument_specs",
    "drumline.planning.growing",
    "drumline.planning.views",
    "drumline.plugin.kit.delivery",
    "drumline.plugin.kit.editing",
    "drumline.plugin.staging",
    "drumline.regexes",
    "drumline.reporting.history",
    "drumline.reporting.live",
    "drumline.reporting.prompt",
    "drumline.reporting.recap",
    "drumline.secret_forms",
    "drumline.templating.jinja",
    "drumline.testing",
    "drumline_lab.lab",
    "drumline_local.files",
    "drumline_local.staging",
    "drumline_ssh.session",
    "drumline_trace.trace",
    "drumline_winrm.session",
}
#: Of the standard library, what takes a millisecond or more, alone or with what it imports.
SLOW = {
    "argparse",
    "asyncio",
    "concurrent.futures",
    "configparser",
    "csv",
    "ctypes",
    "dataclasses",
    "email",
    "http",
    "importlib.metadata",
    "importlib.resources",
    "json",
    "logging",
    "multiprocessing",
    "random",
    "secrets",
    "shutil",
    "socket",
    "ssl",
    "tempfile",
    "tomllib",
    "traceback",
    "urllib.request",
    "xml",
    "zipfile",
}
#: Modules of drumline and its plugins. More of them need a reason that is worth the time of every start.
MOST = 243


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that ``drumline run`` imports for one task on this machine, beyond those of an empty program."""
    directory = tmp_path_factory.mktemp("small")
    (directory / "playbook.yml").write_text(PLAYBOOK)
    drumline = Path(sys.executable).with_name("drumline")
    run = [str(drumline), "run", "-i", "localhost,", "playbook.yml", "--state", "state"]
    return _imports(run, directory) - _imports(["-c", "pass"], directory)


def _imports(arguments: list[str], directory: Path) -> set[str]:
    command = [sys.executable, "-X", "importtime", *arguments]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


def _of(packages: set[str]) -> Callable[[str], bool]:
    return lambda module: any(module == package or module.startswith(f"{package}.") for package in packages)


def test_a_small_run_imports_few_libraries(imported: set[str]) -> None:
    top = {module.partition(".")[0] for module in imported}
    ours = {name for name in top if name.startswith(("drumline", "__editable__"))}
    others = top - ours - sys.stdlib_module_names
    # What is looked for and isn't there is listed as well: "org" for Jython.
    assert others - {"org"} <= LIBRARIES
    assert {"click", "msgspec", "pluggy", "yaml"} <= others, "what this test looks at has changed"


def test_a_small_run_imports_nothing_slow_of_the_standard_library(imported: set[str]) -> None:
    assert sorted(filter(_of(SLOW), imported)) == []


def test_a_small_run_imports_nothing_for_what_it_does_not_do(imported: set[str]) -> None:
    assert sorted(filter(_of(RARE), imported)) == []


def test_a_small_run_imports_no_more_modules_than_before(imported: set[str]) -> None:
    own = [module for module in imported if module.partition(".")[0].startswith("drumline")]
    assert len(own) <= MOST
