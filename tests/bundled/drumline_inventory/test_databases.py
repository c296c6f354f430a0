"""``sql``: hosts from SQLite, and from a real PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.postgres import running_postgres
from support.sources import groups, read_inventory, refused, variables, written

from drumline.source.vault import Keyring, keyring, use_keyring

TABLES = """
CREATE TABLE machine (host varchar(40), site varchar(40), port integer, note varchar(40));
INSERT INTO machine VALUES ('w1', 'north', 2222, '{{ 1 }}');
INSERT INTO machine VALUES ('w2', 'south', NULL, 'b');
CREATE TABLE member (grp varchar(40), host varchar(40), child varchar(40));
INSERT INTO member VALUES ('web', 'w1', NULL);
INSERT INTO member VALUES ('top', NULL, 'web');
CREATE TABLE variable (host varchar(40), grp varchar(40), name varchar(40), value varchar(40));
INSERT INTO variable VALUES ('w2', NULL, 'rack', 'r7');
INSERT INTO variable VALUES (NULL, 'web', 'owner', 'ada');
"""
QUERIES = {
    "hosts": "SELECT host, port AS ansible_port, note, site FROM machine ORDER BY host",
    "members": 'SELECT grp AS "group", host, child FROM member',
    "variables": 'SELECT host, grp AS "group", name, value FROM variable',
    "keyed_groups": [{"key": "site", "prefix": "site"}, {"key": "rack", "prefix": "rack"}],
}


def check(inventory: Any) -> None:
    assert groups(inventory) == {"w1": ["site_north", "top", "web"], "w2": ["rack_r7", "site_south"]}
    assert variables(inventory) == {
        "w1": {"ansible_port": 2222, "note": "{{ 1 }}", "site": "north", "owner": "ada"},
        "w2": {"note": "b", "site": "south", "rack": "r7"},
    }


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of a database with the tables."""
    connection = sqlite3.connect(tmp_path / "cmdb.db")
    connection.executescript(TABLES)
    connection.close()
    return f"sqlite:///{tmp_path}/cmdb.db"


def asking(directory: Path, url: str, **options: Any) -> Path:
    return written(directory, "1.yml", {"plugin": "sql", "url": url, **QUERIES, **options})


def test_sqlite(tmp_path: Path, sqlite: str) -> None:
    check(read_inventory(asking(tmp_path, sqlite)))


@pytest.mark.parametrize(
    ("options", "summary", "words"),
    [
        ({"hosts": "SELECT site FROM machine"}, "There is no column for hosts", "It has: site"),
        ({"hosts": "SELECT missing FROM machine"}, "A query can't be used", "no such column: missing"),
        ({"hosts": "DELETE FROM machine"}, "A query can't be used", "gives no rows"),
        ({"members": "SELECT host FROM member"}, "A query lacks a column", "'members' needs a column 'group'"),
        ({"variables": "SELECT name FROM variable"}, "A query lacks a column", "'variables' needs a column 'host'"),
        ({"url": "sqlite:///none.db"}, "A query can't be used", "There is no file 'none.db'"),
        ({"url": "no url"}, "A query can't be used", "URL"),
        ({"url": "oracle+nothing://h/d"}, "A query can't be used", "oracle.nothing"),
    ],
)
def test_mistakes(tmp_path: Path, sqlite: str, options: dict[str, Any], summary: str, words: str) -> None:
    source = asking(tmp_path, **{"url": sqlite, **options})
    found = refused(source)
    assert found.summary == summary
    assert words in found.detail
    assert found.position is not None
    assert (found.position.path, found.position.line) == (str(source), 1)


def test_a_query_that_fails_changes_nothing(tmp_path: Path, sqlite: str) -> None:
    refused(asking(tmp_path, sqlite, hosts="DELETE FROM machine"))
    check(read_inventory(asking(tmp_path, sqlite)))


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a server with the tables, which wants a password; without it."""
    with running_postgres("reader", "hunter2-horse") as directory:
        psql = ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(directory), "-U", "reader", "postgres"]
        environment = {**os.environ, "PGPASSWORD": "hunter2-horse"}
        subprocess.run(psql, input=TABLES, text=True, check=True, env=environment, capture_output=True)
        yield f"postgresql+psycopg://reader:PASSWORD@/postgres?host={directory}"


def test_postgresql(tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CMDB_PASSWORD", "hunter2-horse")
    use_keyring(Keyring())
    url = postgres.replace("PASSWORD", "{{ lookup('secret', 'env:CMDB_PASSWORD') }}")
    check(read_inventory(asking(tmp_path, url)))
    assert "hunter2-horse" in keyring().known


def test_postgresql_that_refuses(tmp_path: Path, postgres: str) -> None:
    found = refused(asking(tmp_path, postgres.replace("PASSWORD", "hunter3-mouse")))
    assert found.summary == "An inventory source failed"
    assert "password authentication failed" in found.detail
    assert "hunter3" not in found.detail


def test_postgresql_that_does_not_answer(tmp_path: Path) -> None:
    url = f"postgresql+psycopg://reader@/postgres?host={tmp_path}"
    assert refused(asking(tmp_path, url)).summary == "An inventory source failed"
