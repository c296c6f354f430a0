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
#: Those of them with functions named like what Wine has, and which would be found first.
IN_FRONT = ("Directory", "Dsc", "Icacls", "Machine", "PowerShellGet", "Secedit")
#: Has them begin anew when they are loaded next: what they remember lies in the process.
FORGET = "; ".join(f"[AppDomain]::CurrentDomain.SetData('{name}', $null)" for name in MODULES)


def install(host: Windows) -> None:
    """Bring all of them to the host."""
    for name, file in MODULES.items():
        directory = host.path(PLACE) / name
        directory.mkdir(parents=True, exist_ok=True)
        (directory / file.name).write_bytes(file.read_bytes())


def with_environment(**variables: str) -> Callable[[Run], Run]:
    """Has PowerShell started with more variables, by which it finds the modules or not; their scripts may run there."""
    first = f"Import-Module {', '.join(IN_FRONT)}\n" if variables.get("PSModulePath") == PLACE else ""

    def adapted(run: Run) -> Run:
        if run.language is not Language.POWERSHELL:
            return run
        known = {"PSExecutionPolicyPreference": "Bypass", **variables, **run.environment}
        return replace(run, environment=known, text=first + run.text)

    return adapted
