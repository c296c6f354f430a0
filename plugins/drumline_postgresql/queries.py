"""``postgresql_query``: any statements of SQL, and the rows that they give."""

from __future__ import annotations

import csv
import io
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

from drumline.plugin import Action, ActionFailed, Argument, Call, Checks, Result, Steps
from drumline_postgresql.psql import CONNECTION, POSIX, ask, database_argument, literal, name_of

#: Where a statement may end, and what a semicolon in it doesn't end.
_PARTS = re.compile(
    r"""[eE]'(?:''|\\.|[^'\\])*' | '(?:''|[^'])*' | "(?:""|[^"])*" | --[^\n]* | /\*.*?\*/
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | ;""",
    re.DOTALL | re.VERBOSE,
)
_HOLDER = re.compile(r"%(?:%|s|\((?P<name>\w+)\)s)")
#: Types whose text isn't their value.
_WHOLE = ("smallint", "integer", "bigint", "oid")
_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")
_TAG = re.compile(r"(INSERT \d+|UPDATE|DELETE|MERGE) \d+")
#: Variables of psql's own, which ``:USER`` would mean in a statement.
_OWN = ("DBNAME", "ENCODING", "HOST", "PORT", "USER", "VERSION")
#: Says nothing itself.
_TIMED = "\\set QUIET on\n\\timing on\n\\set QUIET off\n"
_UNTIMED = "\\set QUIET on\n\\timing off\n\\set QUIET off\n"


def perform(call: Call) -> Steps:
    if call.check and call["autocommit"]:
        raise ActionFailed("Using autocommit is mutually exclusive with check_mode")
    queries = [call["query"]] if isinstance(call["query"], str) else [str(query) for query in call["query"] or ()]
    filled = [_filled(call, query) for query in queries]
    word = secrets.token_hex(8)
    said = yield from ask(
        call, call["login_db"] or call["login_user"], "".join(_script(call, filled, word)), "--csv", **_client(call)
    )
    answers = [_read(text, word) for text in said.split(f"{word} end\n")[:-1]]
    status = [str(answer["status"]) for answer in answers]
    return Result(
        changed=any(map(_is_change, status)),
        values={
            "query": filled[-1] if filled else "",
            "query_list": queries,
            "query_result": answers[-1]["rows"] if answers else {},
            "query_all_results": [answer["rows"] for answer in answers],
            "statusmessage": status[-1] if status else "",
            "rowcount": sum(answer["count"] for answer in answers),
            "execution_time_ms": [answer["took"] for answer in answers],
        },
    )


def _client(call: Call) -> dict[str, str]:
    return {"PGCLIENTENCODING": call["encoding"]} if call["encoding"] else {}


def _filled(call: Call, query: str) -> str:
    """The query with its arguments, as psycopg puts them in."""
    given: Sequence[Any] | dict[str, Any] | None = call["positional_args"] or call["named_args"]
    if not given:
        return query
    row = iter(given if isinstance(given, Sequence) else ())

    def value(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        try:
            return literal(given[match["name"]] if isinstance(given, dict) else next(row))
        except (KeyError, StopIteration):
            raise ActionFailed(f"The query has {match[0]}, for which there is no argument: {query}") from None

    return _HOLDER.sub(value, query)


def _script(call: Call, queries: list[str], word: str) -> Iterator[str]:
    """What psql reads. Each statement is described before it is run, for the types of its columns."""
    yield f"\\pset null {word}\n\\timing off\n" + "".join(f"\\unset {name}\n" for name in _OWN)
    if call["search_path"]:
        yield f"SET search_path TO {', '.join(name_of(str(name).strip()) for name in call['search_path'])};\n"
    if not call["autocommit"]:
        yield "BEGIN;\n"
    yield f"\\echo {word} begin\n"
    for query in queries:
        statements = list(_statements(query))
        if not statements:
            raise ActionFailed(f"The query is empty: {query!r}")
        for statement in statements:
            yield f"\\echo {word} types\n{statement}\n\\gdesc\n\\echo {word} rows\n"
            yield f"{_TIMED}{statement}\n\\g\n{_UNTIMED}\\echo {word} count :ROW_COUNT\n"
        yield f"\\echo {word} end\n"
    if not call["autocommit"]:
        yield "ROLLBACK;\n" if call.check else "COMMIT;\n"


def _statements(query: str) -> Iterator[str]:
    start = 0
    for part in _PARTS.finditer(query):
        if part[0] == ";":
            yield from filter(_says_something, (query[start : part.start()].strip(),))
            start = part.end()
    yield from filter(_says_something, (query[start:].strip(),))


def _says_something(statement: str) -> bool:
    return bool(re.sub(r"--[^\n]*|/\*.*?\*/", "", statement, flags=re.DOTALL).strip())


def _read(text: str, word: str) -> dict[str, Any]:
    """What a query gave; of several statements in one, the last counts."""
    *_, last = text.split(f"{word} types\n")
    types, _, rest = last.partition(f"{word} rows\n")
    body, _, count = rest.rpartition(f"{word} count ")
    lines, _, timing = body.rstrip("\n").rpartition("\n")
    took = float(re.sub(r"[^\d.].*", "", timing.partition(": ")[2]) or 0)
    columns = [(row["Column"], row["Type"]) for row in csv.DictReader(io.StringIO(types)) if row.get("Type")]
    number = int(count)
    if not columns:
        status = lines.strip().splitlines()[-1] if lines.strip() else ""
        return {"rows": {}, "status": status, "count": number, "took": took}
    status = ""
    _, *rows = csv.reader(io.StringIO(lines + "\n"))
    if len(rows) > number and _TAG.fullmatch(",".join(rows[-1])):  # what a SELECT gives has none
        status = rows.pop()[0]
    read = [
        {name: _value(kind, cell, word) for (name, kind), cell in zip(columns, row, strict=True)}
        for row in (row or [""] for row in rows)
    ]
    return {"rows": read or {}, "status": status or f"SELECT {number}", "count": number, "took": took}


def _value(kind: str, text: str, null: str) -> Any:
    """A value as JSON has it."""
    if text == null:
        return None
    bare = kind.partition("(")[0]
    if kind.endswith("[]"):
        return [_value(kind.removesuffix("[]"), item, null) for item in _items(text, null)]
    if bare in _WHOLE:
        return int(text)
    if bare in ("numeric", "real", "double precision"):
        return float(text)
    if bare == "boolean":
        return text == "t"
    if bare in ("json", "jsonb"):
        return json.loads(text)
    if bare.startswith("timestamp"):
        return re.sub(r"([+-]\d\d)\Z", r"\1:00", text.replace(" ", "T", 1)) if " " in text else text
    return text


def _items(text: str, null: str) -> Iterator[str]:
    """Those of a list with one dimension: ``{a,"b c",NULL}``."""
    for quoted, plain in re.findall(r'"((?:\\.|[^"\\])*)"|([^,{}"]+)', text):
        yield re.sub(r"\\(.)", r"\1", quoted) if quoted or not plain else null if plain == "NULL" else plain


def _is_change(status: str) -> bool:
    if "SELECT" in status or "SHOW" in status:
        return False
    return not (status.startswith(_CHANGES) and status.split()[-1] == "0")


ACTIONS = (
    Action(
        name="postgresql_query",
        perform=perform,
        checks=Checks.FULLY,
        help="Run statements of SQL in PostgreSQL, by psql",
        arguments=(
            Argument(name="query", type=object, required=True, help="A query, or a list of them"),
            database_argument(),
            Argument(name="positional_args", type=list, help="What stands for each %s in it"),
            Argument(name="named_args", type=dict, help="What stands for %(name)s in it"),
            Argument(name="autocommit", type=bool, default=False, help="Each by itself, not all in one transaction"),
            Argument(name="search_path", type=list, help="Schemas in which names are looked for"),
            Argument(name="encoding", help="How the client reads and writes text"),
            *CONNECTION,
        ),
        exclusive=(("positional_args", "named_args"),),
        platforms=POSIX,
    ),
)
