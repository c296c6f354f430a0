"""``--tags`` and ``--skip-tags``, as Ansible reads them: ``all``, ``tagged``, ``untagged``, ``always``, ``never``."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from drumline.model.playbook import Task

_UNTAGGED = frozenset({"untagged"})


class Selection(Struct, frozen=True, kw_only=True):
    """What the command line leaves of a playbook."""

    limit: str | None = None
    tags: Collection[str] = ()
    skip_tags: Collection[str] = ()


WHOLE = Selection()


def selected(task: Task, tags: Collection[str] = (), skip_tags: Collection[str] = ()) -> bool:
    """Whether the task takes part; one that is repeated or left out doesn't, handlers always do.

    No ``tags`` means ``all``.
    """
    if task.handler is not None:
        return True
    own = task.tags or _UNTAGGED
    return (
        not (task.repeated or task.left_out)
        and _wanted(own, set(tags or ("all",)))
        and not _unwanted(own, set(skip_tags))
    )


def _wanted(own: frozenset[str], tags: set[str]) -> bool:
    if "always" in own or own & tags:
        return True
    if "never" in own:
        return False
    return "all" in tags or ("tagged" in tags and own != _UNTAGGED)


def _unwanted(own: frozenset[str], skipped: set[str]) -> bool:
    if "all" in skipped:
        return "always" not in own or "always" in skipped
    return bool(own & skipped) or ("tagged" in skipped and own != _UNTAGGED)
