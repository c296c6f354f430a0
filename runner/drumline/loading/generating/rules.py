"""The bundled generator: rules that say for which rows there are plays, and what these need of each other.

::

    plays:
      - for_each: nodes
        when: row.site != 'lab'
        group_by: [component, site]
        pattern: "{{ tables.components[row.component].pattern }}"
        needs:
          - where: {component: "{{ tables.components[row.component].depends_on }}"}
            same: site

Each row gives a play of its own, or, with ``group_by``, those with the same values together. What it needs is found by
the keys of rows, or by cells, among the rows of the same rule, or of another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct, field

from drumline.diagnostics import did_you_mean
from drumline.errors import FilesError
from drumline.loading import keywords
from drumline.loading.ids import slug
from drumline.plugin.generators import GeneratedPlay, Metadata, RowTable
from drumline.plugin.tables import Row

#: Keywords of plays that a rule passes on; what the plays do is their patterns'.
PASSED_ON = keywords.PLAY - {"handlers", "post_tasks", "pre_tasks", "roles", "tasks", "vars", "vars_prompt"}
_OWN = frozenset({"for_each", "group_by", "loop", "parameters", "pattern", "rule", "when"})
#: Those that are the play's as they are.
_AS_IT_IS = PASSED_ON - {"hosts", "id", "name", "needs"}
KEYS = _OWN | PASSED_ON
_NEED = frozenset({"across", "of", "plays", "rows", "same", "where"})
#: The column that stands for the item of ``loop``.
ITEM = "item"
#: What stands between the words of an id that is made.
_JOINT = "-"

Cells: TypeAlias = Mapping[str, Any]


class _Part(Struct, frozen=True, kw_only=True):
    """A row, or one item of its loop, for which there is a play."""

    key: str
    row: Row
    cells: Cells  #: Those of the row, and the item.
    seen: Mapping[str, Any]  #: What templates see.
    pattern: str


class _PlayOfRows(Struct, kw_only=True):
    """The parts of one play."""

    rule: _Rule
    parts: list[_Part] = field(default_factory=list)
    id: str = ""


class _Rule(Struct, kw_only=True):
    """One rule as written, and what it gives."""

    path: str  #: Its place among the rules.
    name: str
    table: RowTable
    written: Mapping[str, Any]
    columns: tuple[str, ...]  #: Of ``group_by``.
    groups: list[_PlayOfRows] = field(default_factory=list)
    _index: dict[str, dict[str, list[_PlayOfRows]]] = field(default_factory=dict)

    def by(self, column: str | None) -> Mapping[str, list[_PlayOfRows]]:
        """The plays of the rows with each value in a column; None: with each key."""
        name = column or ""
        if name not in self._index:
            index = self._index[name] = {}
            for group in self.groups:
                for part in group.parts:
                    for value in [part.key] if column is None else _texts(part.cells.get(column)):
                        index.setdefault(value, []).append(group)
        return self._index[name]


def generate(given: Metadata) -> Iterable[GeneratedPlay]:
    """The plays of all rules. Mistakes are noted."""
    if not isinstance(given.plays, list):
        detail = "'plays' is a list of rules, each of which begins with '- '."
        given.found.add("Not a list of rules", detail=detail, position=given.place(""))
        return []
    reader = _Rules(given)
    rules = [rule for number, written in enumerate(given.plays) if (rule := reader.read(str(number), written))]
    for rule in rules:
        rule.groups = reader.groups(rule)
    return [play for rule in rules for group in rule.groups if (play := reader.play(group, rules))]


class _Rules:
    def __init__(self, given: Metadata) -> None:
        self._given, self._found = given, given.found
        self._tables = {
            name: {key: row.values for key, row in table.rows.items()} for name, table in given.tables.items()
        }

    def read(self, path: str, written: Any) -> _Rule | None:
        if not isinstance(written, dict):
            detail = "A rule is a dictionary with 'for_each' and 'pattern'."
            self._found.add("Not a rule", detail=detail, position=self._given.place(path))
            return None
        for key in written:
            if key not in KEYS:
                detail = f"A rule has no keyword '{key}'.{did_you_mean(key, KEYS)}"
                self._found.add("Unknown keyword", detail=detail, position=self._given.place(f"{path}.{key}"))
        missing = [key for key in ("for_each", "pattern") if written.get(key) is None]
        if missing:
            detail = f"A rule needs {' and '.join(map(repr, missing))}: a table, and what is done for its rows."
            self._found.add("A rule that isn't complete", detail=detail, position=self._given.place(path))
            return None
        table = self._given.tables.get(str(written["for_each"]))
        if table is None:
            hint = did_you_mean(str(written["for_each"]), self._given.tables)
            detail = f"There is no table '{written['for_each']}'.{hint}"
            self._found.add("Unknown table", detail=detail, position=self._given.place(f"{path}.for_each"))
            return None
        name = str(written.get("rule") or slug(written["pattern"]) or path)
        columns = tuple(_texts(written.get("group_by")))
        return _Rule(path=path, name=name, table=table, written=written, columns=columns)

    # Which plays there are.

    def groups(self, rule: _Rule) -> list[_PlayOfRows]:
        """The plays of a rule, in the order of the table."""
        groups: dict[Any, _PlayOfRows] = {}
        for part in self._parts(rule):
            own = tuple(_text(part.cells.get(column)) for column in rule.columns)
            alone = () if rule.columns else (part.key, _text(part.cells.get(ITEM)))
            groups.setdefault((part.pattern, own, alone), _PlayOfRows(rule=rule)).parts.append(part)
        for group in groups.values():
            group.id = self._id(group)
        return list(groups.values())

    def _parts(self, rule: _Rule) -> Iterator[_Part]:
        for key, row in rule.table.rows.items():
            try:
                yield from self._parts_of(rule, key, row)
            except FilesError as error:
                self._add(error, rule, key)

    def _parts_of(self, rule: _Rule, key: str, row: Row) -> Iterator[_Part]:
        seen = {"row": row.values, "key": key, "tables": self._tables}
        items = self._given.render(rule.written["loop"], seen) if "loop" in rule.written else [None]
        for item in _items(items):
            own = seen if item is None else {**seen, ITEM: item}
            cells = row.values if item is None else {**row.values, ITEM: item}
            conditions = rule.written.get("when", True)
            if self._given.holds(conditions, own, self._given.place(f"{rule.path}.when")):
                pattern = _text(self._given.render(rule.written["pattern"], own))
                yield _Part(key=key, row=row, cells=cells, seen=own, pattern=pattern)

    def _id(self, group: _PlayOfRows) -> str:
        rule, first = group.rule, group.parts[0]
        if "id" in rule.written:
            return _text(self._rendered(rule, "id", first))
        if rule.columns:
            words = [_text(first.cells.get(column)) for column in rule.columns]
        else:
            words = [first.key, _text(first.cells.get(ITEM))]
        named = rule.name if "rule" in rule.written else first.pattern
        return _JOINT.join(dict.fromkeys(filter(None, map(slug, [named, *words]))))

    def _name(self, group: _PlayOfRows) -> str:
        rule, first = group.rule, group.parts[0]
        if "name" in rule.written:
            return _text(self._rendered(rule, "name", first))
        words = [first.cells.get(column) for column in rule.columns] or [first.key, first.cells.get(ITEM)]
        return (
            f"{first.pattern}: {', '.join(text for word in words if (text := _text(word)) not in ('', first.pattern))}"
        )

    # What each of them says.

    def play(self, group: _PlayOfRows, rules: Sequence[_Rule]) -> GeneratedPlay | None:
        """The play of a group; None where a template in it can't be rendered, which is noted."""
        rule, first = group.rule, group.parts[0]
        try:
            own = {key: self._rendered(rule, key, first) for key in rule.written if key in _AS_IT_IS}
            return GeneratedPlay(
                id=group.id,
                table=rule.table.name,
                hosts=self._hosts(group),
                pattern=first.pattern,
                name=self._name(group),
                needs=self._needs(group, rules),
                parameters=self._parameters(group),
                keywords=own,
                position=self._given.place(rule.path),
                places={key: self._given.place(f"{rule.path}.{key}") for key in ("parameters", "pattern", *own)},
            )
        except FilesError as error:
            self._add(error, rule, first.key)
            return None

    def _hosts(self, group: _PlayOfRows) -> dict[str, str]:
        hosts: dict[str, list[str]] = {}
        for part in group.parts:
            written = self._rendered(group.rule, "hosts", part) if "hosts" in group.rule.written else part.key
            hosts.setdefault(part.key, []).extend(_texts(written))
        return {key: ",".join(dict.fromkeys(patterns)) for key, patterns in hosts.items()}

    def _parameters(self, group: _PlayOfRows) -> dict[str, Any]:
        written = group.rule.written.get("parameters") or {}
        first, *others = group.parts
        if not isinstance(written, dict):
            detail = "'parameters' is a dictionary: the names of parameters, and their values."
            position = self._given.place(f"{group.rule.path}.parameters")
            self._found.add("Not parameters", detail=detail, position=position)
            return {}
        found: dict[str, Any] = dict(self._given.render(written, first.seen))
        for part in others if written else ():
            for name, value in self._given.render(written, part.seen).items():
                if value != found.get(name):
                    self._differs(group.rule, name, first, part)
        return found

    def _differs(self, rule: _Rule, name: str, first: _Part, other: _Part) -> None:
        detail = (
            f"'{name}' differs between row '{first.key}' ({first.row.position}) and row '{other.key}' "
            f"({other.row.position}) of '{rule.table.name}', which are in one play. "
            "Add what it depends on to 'group_by'."
        )
        position = self._given.place(f"{rule.path}.parameters")
        self._found.add("A parameter with several values in one play", detail=detail, position=position)

    def _rendered(self, rule: _Rule, keyword: str, part: _Part) -> Any:
        return self._given.render(rule.written[keyword], part.seen)

    def _add(self, error: FilesError, rule: _Rule, key: str) -> None:
        """Note what went wrong for a row."""
        where = rule.table.rows[key].position
        for one in error.diagnostics:
            detail = f"{one.detail} It was read for row '{key}' of '{rule.table.name}' ({where})."
            self._found.add(one.summary, detail=detail, position=one.position, hides_names=True)

    # What they need.

    def _needs(self, group: _PlayOfRows, rules: Sequence[_Rule]) -> tuple[str, ...]:
        written = group.rule.written.get("needs")
        items = written if isinstance(written, list) else [] if written is None else [written]
        needed: dict[str, None] = {}
        for part in group.parts:
            for number, item in enumerate(items):
                path = f"{group.rule.path}.needs.{number}" if isinstance(written, list) else f"{group.rule.path}.needs"
                needed.update(dict.fromkeys(self._needed(item, path, part, group.rule, rules)))
        return tuple(needed)

    def _needed(self, item: Any, path: str, part: _Part, rule: _Rule, rules: Sequence[_Rule]) -> Iterator[str]:
        """The ids of the plays that one entry of ``needs`` means for a row."""
        if not isinstance(item, dict):
            item = {"rows": item}
        self._check_need(item, path)
        yield from _texts(self._given.render(item.get("plays"), part.seen))
        other = self._rule(item.get("of"), path, rule, rules)
        if other is None or item.keys() <= {"plays"}:
            return
        groups = self._named(item, path, part, other)
        for condition, wanted in (("same", True), ("across", False)):
            for column in _texts(item.get(condition)):
                own = _text(part.cells.get(column))
                groups = [
                    one for one in groups if any((_text(each.cells.get(column)) == own) is wanted for each in one.parts)
                ]
        yield from (one.id for one in groups)

    def _named(self, item: Mapping[str, Any], path: str, part: _Part, other: _Rule) -> list[_PlayOfRows]:
        """The plays of the rows that are named, by their keys or by cells."""
        groups = other.groups
        if "rows" in item:
            keys = _texts(self._given.render(item["rows"], part.seen))
            for key in keys:
                if key not in other.table.rows:
                    self._unknown_row(key, path, part, other)
            groups = [group for key in keys for group in other.by(None).get(key, ())]
        where = item.get("where") or {}
        if not isinstance(where, dict):
            detail = "'where' is a dictionary: columns, and the values that they have."
            self._found.add("Not a condition", detail=detail, position=self._given.place(path))
            return []
        for column, wanted in where.items():
            values = _texts(self._given.render(wanted, part.seen))
            index = other.by(column)
            found = {id(group): group for value in values for group in index.get(value, ())}
            groups = list(found.values()) if groups is other.groups else [one for one in groups if id(one) in found]
        return list({id(group): group for group in groups}.values())

    def _unknown_row(self, key: str, path: str, part: _Part, other: _Rule) -> None:
        hint = did_you_mean(key, other.table.rows)
        detail = (
            f"Row '{part.key}' ({part.row.position}) needs '{key}', and '{other.table.name}' has no row of that key."
            f"{hint} What isn't a row is named under 'plays'."
        )
        self._found.add("Unknown row in needs", detail=detail, position=self._given.place(path))

    def _check_need(self, item: Mapping[str, Any], path: str) -> None:
        for key in item.keys() - _NEED:
            detail = f"A need has no '{key}'.{did_you_mean(key, _NEED)}"
            self._found.add("Unknown key in needs", detail=detail, position=self._given.place(f"{path}.{key}"))

    def _rule(self, name: Any, path: str, rule: _Rule, rules: Sequence[_Rule]) -> _Rule | None:
        """The rule whose rows are meant."""
        if name is None:
            return rule
        found = next((other for other in rules if other.name == name), None)
        if found is None:
            hint = did_you_mean(str(name), [other.name for other in rules])
            detail = (
                f"There is no rule '{name}'.{hint} A rule has the name that 'rule' gives it, or that of its pattern."
            )
            self._found.add("Unknown rule in needs", detail=detail, position=self._given.place(f"{path}.of"))
        return found


def _items(value: Any) -> Sequence[Any]:
    """The items of a loop; text is split at commas, as lists of arguments are."""
    return value if isinstance(value, list) else _texts(value)


def _texts(value: Any) -> list[str]:
    """A list, or text with commas, as texts; nothing for nothing."""
    if isinstance(value, (list, tuple)):
        return [_text(item) for item in value if item is not None]
    return [part.strip() for part in _text(value).split(",") if part.strip()]


def _text(value: Any) -> str:
    return "" if value is None else str(value)
