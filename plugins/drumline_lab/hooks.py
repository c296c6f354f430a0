"""The hook of the practice fleet, for other plugins to implement."""

from __future__ import annotations

from drumline.plugin import hookspec


@hookspec(firstresult=True)
def drumline_lab_program() -> str | None:
    """Name the program that runs the command lines of the practice fleet's Windows hosts.

    Called: by ``drumline lab up``, unless ``--windows-program`` or the setting ``lab.windows`` names a program.
    Parameters: none.
    None: it knows of none; without any, PowerShell and ``sh`` of this machine are used.
    Which answer wins: the first that isn't None.
    Who may implement it: any plugin, those of a project included.
    Bundled user: none; ``drumline_lab`` calls it.
    """
