"""Rows of CSV text and of queries, with the places of their cells."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from drumline.errors import FilesError
from drumline.plugin import Position
from drumline.plugin.tables import rows_of_csv, rows_of_query

_HERE = Position("tables.yml", 3, 5)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_that_cells_are_text_and_know_where_they_stand(separator: str) -> None:
    text = "name,port\nweb1,80\n\n web2 ,\n".replace(",", separator)
    first, second = rows_of_csv(text, "nodes.csv")
    assert (first.values, first.position) == ({"name": "web1", "port": "80"}, Position("nodes.csv", 2, 1))
    assert first.place("port") == Position("nodes.csv", 2, 6)
    assert (second.values, second.place("port")) == ({"name": "web2"}, Position("nodes.csv", 4, 1))


def test_that_quoted_cells_may_have_separators_quotes_and_lines() -> None:
    text = 'name,note,port\nweb1,"a ""good"", old\nserver",80\nweb2,,81\n'
    first, second = rows_of_csv(text, "nodes.csv")
    assert first.values == {"name": "web1", "note": 'a "good", old\nserver', "port": "80"}
    assert first.place("port") == Position("nodes.csv", 3, 9)
    assert second.place("port") == Position("nodes.csv", 4, 7)


@pytest.mark.parametrize(
    ("text", "place", "summary"),
    [
        ("name,site,name\nweb1,n,2\n", (1, 1), "A column is there twice"),
        ("name\nweb1,80,x\n", (2, 6), "A row with more cells than columns"),
        ('name\n"web"1\n', (2, 1), "This isn't CSV"),
        ('name\n"web1\n', (2, 1), "This isn't CSV"),
    ],
)
def test_that_mistakes_have_places(text: str, place: tuple[int, int], summary: str) -> None:
    with pytest.raises(FilesError) as caught:
        rows_of_csv(text, "nodes.csv")
    [mistake] = caught.value.diagnostics
    assert (mistake.summary, mistake.position) == (summary, Position("nodes.csv", *place))


def test_that_an_empty_text_has_no_rows() -> None:
    assert rows_of_csv("", "nodes.csv") == rows_of_csv("name,port\n", "nodes.csv") == []


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "cmdb.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table nodes (name text, port integer)")
        connection.execute("insert into nodes values ('web1', 80), ('web2', null)")
    connection.close()
    return f"sqlite:///{path}"


def test_that_a_query_gives_rows_with_types(database: str) -> None:
    first, second = rows_of_query(database, "select name, port from nodes order by name", _HERE)
    assert (first.values, second.values) == ({"name": "web1", "port": 80}, {"name": "web2"})
    assert second.position == Position(database, 2)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from noddes", "The database says: no such table: noddes"),
        ("update nodes set port = 1 where name = 'none'", "It gives no rows"),
        ("select name, port as name from nodes", "Two of its columns are named 'name'"),
    ],
)
def test_that_a_query_that_gives_no_table_is_refused_where_it_stands(database: str, query: str, said: str) -> None:
    _refused(database, query, said)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nowhere/cmdb.db", "There is no file '/nowhere/cmdb.db'"),
        ("cmdb", "The database says: Could not parse SQLAlchemy URL"),
        ("postgresql+no_such_driver://root:hunter2@localhost/x", "The database says: Can't load plugin"),
    ],
)
def test_that_a_database_that_cannot_be_asked_is_refused(url: str, said: str) -> None:
    assert "hunter2" not in _refused(url, "select 1", said)


def _refused(url: str, query: str, said: str) -> str:
    with pytest.raises(FilesError) as caught:
        rows_of_query(url, query, _HERE)
    [mistake] = caught.value.diagnostics
    assert (mistake.summary, mistake.position) == ("A query can't be used", _HERE)
    assert mistake.detail.startswith(said)
    return mistake.detail
