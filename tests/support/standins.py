"""Stand-ins for commands of Windows that Wine lacks (``tests/windows/cmdlets``), as modules of PowerShell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from drumline.plugin import Language, Run
from drumline_lab.wsman import Windows

#: Where they are on the host; PowerShell looks for modules there where ``PSModulePath`` says so.
PLACE = r"C:\standins"
#: The modules, by their names.
MODULES = {file.stem: file for file in sorted((Path(__file__).parents[1] / "windows" / "cmdlets").glob("*.psm1"))}


def install(host: Windows) -> None:
    """Bring all of them to the host."""
    for name, file in MODULES.items():
        directory = host.path(PLACE) / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / file.name).write_bytes(file.read_bytes())


def with_environment(**variables: str) -> Callable[[Run], Run]:
    """Has PowerShell started with more variables; scripts of modules may run there."""

    def adapted(run: Run) -> Run:
        if run.language is not Language.POWERSHELL:
            return run
        return replace(run, environment={"PSExecutionPolicyPreference": "Bypass", **variables, **run.environment})

    return adapted
