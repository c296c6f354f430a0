"""Variables of hosts and groups in addition to those of the sources: from files and from plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from drumline.diagnostics import Position
from drumline.errors import FilesError, UsageError
from drumline.inventory.author_text import author_text
from drumline.inventory.draft import Draft
from drumline.inventory.merging import LOCAL_NAMES, STAGES
from drumline.inventory.vars_files import variables_in_files
from drumline.plugin.hooks import BUILT_IN, failed
from drumline.plugin.sources import HostVariables, SourceData

HOOK = "drumline_host_vars"
#: The implementations of the hook, and what calls them.
Giver: TypeAlias = tuple[str, Callable[..., Iterable[HostVariables] | None]]
#: Only files, for an inventory that is read without plugins.
FILES: tuple[Giver, ...] = ((BUILT_IN, variables_in_files),)


def ask_givers(
    givers: Iterable[Giver], draft: Draft, directories: Sequence[Path], playbook_directories: Sequence[Path]
) -> list[HostVariables]:
    """What all of them return, the weakest first; mistakes are noted in the draft."""
    parameters = {
        "inventory": _outline(draft),
        "directories": tuple(directories),
        "playbook_directories": tuple(playbook_directories),
    }
    answers = [_answer(owner, call, parameters, draft) for owner, call in givers]
    return [given for answer in reversed(answers) for given in answer]


def _outline(draft: Draft) -> SourceData:
    return SourceData(
        groups={name: group.variables for name, group in draft.groups.items()},
        members={name: group.hosts for name, group in draft.groups.items()},
        children={name: group.children for name, group in draft.groups.items()},
        hosts=draft.hosts,
    )


def _answer(
    owner: str, call: Callable[..., Iterable[HostVariables] | None], parameters: Mapping[str, Any], draft: Draft
) -> list[HostVariables]:
    try:
        given = list(call(**parameters) or ())
        # Variables from files already have their places.
        return given if owner == BUILT_IN else [_placed(one, Position(owner), draft) for one in given]
    except FilesError as error:
        draft.mistakes.extend(error.diagnostics)
    except UsageError as error:
        draft.mistakes.add(error.summary, detail=error.detail)
    except Exception as error:  # whatever a plugin raises stops the run: without its variables, hosts may be harmed
        draft.mistakes.add("A plugin has failed", detail=failed(owner, HOOK, error))
    return []


def _placed(given: HostVariables, place: Position, draft: Draft) -> HostVariables:
    """The same for hosts and groups that exist, with its texts trusted."""
    if given.stage not in STAGES:
        raise ValueError(f"there is no stage {given.stage!r}")
    hosts = draft.hosts.keys() | LOCAL_NAMES
    return HostVariables(
        groups={name: author_text(given.groups[name], place) for name in given.groups if name in draft.groups},
        hosts={name: author_text(given.hosts[name], place) for name in given.hosts if name in hosts},
        stage=given.stage,
    )
