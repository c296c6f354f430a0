"""``generate``: plays of tables and rules take its place; they are made before the run (``loading.generating``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from drumline.loading import keywords
from drumline.loading.generating.file import read_generator
from drumline.loading.keywords import GENERATE, KeywordReader
from drumline.loading.reading import Reading
from drumline.model.playbook import Play
from drumline.source.nodes import Entry

_KEYWORDS = frozenset({GENERATE, "name", "vars"})


def generated_plays(entries: Mapping[str, Entry], reading: Reading) -> list[Play]:
    """The plays of an entry with ``generate``: the name of a generator file, or what stands in one."""
    reader = KeywordReader(entries, reading.found)
    keywords.check_known(entries, _KEYWORDS, "'generate'", reading.found)
    given = reader.value("vars", reader.variables, {})
    node, path = entries[GENERATE].node, None
    if isinstance(node.value, str):
        name = reading.name(GENERATE, reader.text(GENERATE, node), lambda: given, node.position)
        if name is None:
            return []
        path, named = Path(node.position.path).parent / Path(name).expanduser(), node.position
        if not path.is_file():
            detail = f"There is no file '{path}'."
            reading.found.add("A generator isn't there", detail=detail, position=named, hides_names=True)
            return []
        document = reading.document(path, named)
        if document is None:
            return []
        node = document
    if not isinstance(node.value, dict):
        detail = f"A generator is a dictionary with 'tables', 'patterns' and 'plays', but this is {node.kind}."
        reading.found.add("Not a generator", detail=detail, position=node.position, hides_names=True)
        return []
    with reading.opened(path or Path(node.position.path)):
        return read_generator(node, given, reading)
