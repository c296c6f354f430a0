"""``import_playbook``: the plays of another file take the place of the import; they are read before the run.

The import's keywords apply to all of them, as in Ansible: its ``vars`` override those of the plays, its ``tags`` are
added to those of the tasks, and its ``when`` comes before their conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from drumline.diagnostics import Diagnostics, Position
from drumline.loading import keywords
from drumline.loading.keywords import KeywordReader
from drumline.model.playbook import Play
from drumline.model.value import Template, Variables
from drumline.source.nodes import Entry

_IMPORT = "import_playbook"
#: Keywords that may accompany the file name. Those that a play passes on to its tasks are allowed without effect.
_KEYWORDS = keywords.INHERITED | {"name", "vars", "when"}


class Import(Struct, frozen=True, kw_only=True):
    """An import as written."""

    file: str
    position: Position
    variables: Variables
    tags: tuple[Any, ...]
    when: tuple[Template | bool, ...]

    def applied(self, play: Play) -> Play:
        """The play with the import's keywords applied."""
        tasks = tuple(
            replace(task, tags=task.tags.union(self.tags), when=(*self.when, *task.when)) for task in play.tasks
        )
        facts = play.gathering and replace(play.gathering, when=(*self.when, *play.gathering.when))
        return replace(play, tasks=tasks, gathering=facts, variables={**play.variables, **self.variables})


def keyword_of_import(entries: Mapping[str, Entry]) -> str | None:
    """The keyword that makes an entry an import; None for a play."""
    return next((key for key in entries if keywords.bare_name(key) == _IMPORT), None)


def read_import(keyword: str, entries: Mapping[str, Entry], found: Diagnostics) -> Import | None:
    """The import; None if it names no file. ``keyword`` is as :func:`keyword_of_import` gives it."""
    reader = KeywordReader(entries, found)
    keywords.check_known(entries, {*_KEYWORDS, keyword}, "An import of a playbook", found)
    file = reader.value(keyword, reader.constant)
    if not file:
        if reader.node(keyword) is None:
            detail = f"'{keyword}' needs the name of a playbook."
            found.add("An import without a file", detail=detail, position=entries[keyword].key_position)
        return None
    return Import(
        file=file,
        position=entries[keyword].node.position,
        variables=reader.value("vars", reader.variables, {}),
        tags=reader.value("tags", reader.tags, ()),
        when=reader.value("when", reader.conditions, ()),
    )
