"""Actions for PostgreSQL, on a real server, by the real ``psql``; and what Ansible's modules say of the same."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.checking import changes
from support.compared import run_ansible
from support.postgres import running_postgres

from drumline.plugin import ActionFailed, Platform, Result, Run
from drumline.testing import ActionHost
from drumline_lab.sshd import Sshd
from drumline_local.transport import LocalSession

_PASSWORD = "hunter2 'horse\\"


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with running_postgres("postgres", _PASSWORD) as directory:
        yield directory


class Database:
    """Performs actions on the server."""

    def __init__(self, server: Path) -> None:
        self.host = ActionHost(platform=Platform.POSIX, session=LocalSession())
        self.way: dict[str, Any] = {"login_unix_socket": str(server), "login_password": _PASSWORD}

    def __call__(self, action: str, **arguments: Any) -> Result:
        return self.host(f"postgresql_{action}", **{**self.way, **arguments})

    def changes(self, action: str, **arguments: Any) -> Result:
        return changes(self.host, f"postgresql_{action}", **{**self.way, **arguments})

    def rows(self, query: str, database: str = "postgres") -> Any:
        return self("query", query=query, login_db=database).values["query_result"]

    def value(self, query: str, database: str = "postgres") -> Any:
        [row] = self.rows(query, database)
        [value] = row.values()
        return value


@pytest.fixture
def database(server: Path) -> Database:
    return Database(server)


def test_databases_are_made_changed_dumped_restored_renamed_and_dropped(database: Database, tmp_path: Path) -> None:
    made = database.changes(
        "db", name='shop "1', encoding="UTF-8", template="template0", comment="it's", conn_limit="5"
    )
    assert made.values["executed_commands"][0].startswith('CREATE DATABASE "shop ""1" TEMPLATE "template0" ENCODING')
    database.changes("user", name="owner.x", password="p")
    database.changes("db", name='shop "1', owner="owner.x", conn_limit="7", comment="")
    with pytest.raises(ActionFailed, match="encoding can't be changed"):
        database("db", name='shop "1', encoding="LATIN1")
    database("query", login_db='shop "1', query="CREATE TABLE t AS SELECT 7 AS n")
    for end in ("sql", "sql.gz", "tar", "dir"):
        target = str(tmp_path / f"a dump.{end}")
        assert database("db", name='shop "1', state="dump", target=target).changed
        database("db", name="copy")
        restored = database("db", name="copy", state="restore", target=target)
        assert restored.changed, restored
        assert database.value("SELECT n FROM t", "copy") == 7
        database("db", name="copy", state="absent", force=True)
    with pytest.raises(ActionFailed, match="none"):
        database("db", name="none", state="dump", target=str(tmp_path / "none.sql.gz"))
    with pytest.raises(ActionFailed, match=r"No such file|the first of two"):
        database("db", name='shop "1', state="restore", target=str(tmp_path / "missing.gz"))
    database.changes("db", name='shop "1', state="rename", target="store")
    with pytest.raises(ActionFailed, match="The source and the target databases do not exist"):
        database("db", name="shpo", state="rename", target="no store")
    assert database.changes("db", name="store", state="absent").values["db"] == "store"
    database.changes("user", name="owner.x", state="absent")


def test_users(database: Database) -> None:
    secret = "se'cret\\ü"
    made = database.changes(
        "user", name="me", password=secret, role_attr_flags="CREATEDB,NOLOGIN", expires="2030-01-31", conn_limit=3
    )
    assert secret not in str(made)
    assert "%(password)s" in made.values["queries"][0]
    row = "SELECT rolcreatedb, rolcanlogin, rolconnlimit, rolvaliduntil::date::text FROM pg_roles WHERE rolname = 'me'"
    assert list(database.rows(row)[0].values()) == [True, False, 3, "2030-01-31"]
    database.changes("user", name="me", role_attr_flags="LOGIN,NOCREATEDB", comment="of all")
    way = {**database.way, "login_user": "me", "login_password": secret, "login_db": "postgres"}
    assert database.host("postgresql_query", **way, query="SELECT 1 AS one").values["rowcount"] == 1
    database.changes("user", name="me", password="other")
    assert not database("user", name="me", password="third", no_password_changes=True).changed
    with pytest.raises(ActionFailed, match="password authentication failed"):
        database.host("postgresql_query", **way, query="SELECT 1")
    hashed = database.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'me'")
    assert not database("user", name="me", password=hashed).changed
    database.changes("user", name="me", configuration={"work_mem": "16MB", "application_name": "it's"})
    database.changes("user", name="me", configuration={"work_mem": "8MB"}, reset_unspecified_configuration=True)
    assert database.value("SELECT rolconfig FROM pg_roles WHERE rolname = 'me'") == ["work_mem=8MB"]
    # One who may not read passwords can't compare them.
    database.changes("user", name="boss", password="b", role_attr_flags="CREATEROLE")
    boss = {"login_user": "boss", "login_password": "b", "login_db": "postgres"}
    assert database("user", name="me", password="other", **boss).changed
    assert not database("user", name="me", role_attr_flags="LOGIN", **boss).changed
    database("query", query="CREATE TABLE theirs (); ALTER TABLE theirs OWNER TO me")
    with pytest.raises(ActionFailed, match="Unable to remove user"):
        database("user", name="me", state="absent")
    assert not database("user", name="me", state="absent", fail_on_user=False).changed
    database("query", query="DROP TABLE theirs")
    for name in ("me", "boss"):
        assert database.changes("user", name=name, state="absent").values["user_removed"]
    database.changes("user", name="bare")
    database.changes("user", name="bare", state="absent")
    with pytest.raises(ActionFailed, match="Invalid role_attr_flags specified: FLYING"):
        database("user", name="x", role_attr_flags="FLYING")


#: Rights, and how a query shows that they are there.
_RIGHTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"objs": "t", "privs": "SELECT,INSERT"}, "has_table_privilege('reader', 't', 'SELECT')"),
    ({"objs": "ALL_IN_SCHEMA", "privs": "update"}, "has_table_privilege('reader', 'u', 'UPDATE')"),
    ({"objs": "s", "type": "sequence", "privs": "USAGE"}, "has_sequence_privilege('reader', 's', 'USAGE')"),
    ({"type": "database", "privs": "CREATE"}, "has_database_privilege('reader', 'rights', 'CREATE')"),
    ({"objs": "own", "type": "schema", "privs": "ALL"}, "has_schema_privilege('reader', 'own', 'CREATE')"),
    (
        {"objs": "add(int:int)", "type": "function", "privs": "EXECUTE", "schema": "own"},
        "has_function_privilege('reader', 'own.add(int,int)', 'EXECUTE')",
    ),
    ({"objs": "team", "type": "group", "privs": None}, "pg_has_role('reader', 'team', 'MEMBER')"),
    (
        {"objs": "TABLES", "type": "default_privs", "privs": "SELECT"},
        "EXISTS (SELECT FROM pg_default_acl WHERE defaclacl::text LIKE '%reader=r/%')",
    ),
    ({"objs": "work_mem", "type": "parameter", "privs": "SET"}, "has_parameter_privilege('reader', 'work_mem', 'SET')"),
)


def _prepare_rights(database: Database) -> None:
    database("db", name="rights")
    for role in ("reader", "team"):
        database("user", name=role, role_attr_flags="NOLOGIN")
    database(
        "query",
        login_db="rights",
        query=[
            "CREATE TABLE t (); CREATE TABLE u (); CREATE SEQUENCE s; CREATE SCHEMA own",
            "CREATE FUNCTION own.add(a int, b int) RETURNS int LANGUAGE sql AS $$ SELECT a + b; $$",
            "REVOKE ALL ON FUNCTION own.add FROM PUBLIC",
        ],
    )


def _remove_rights(database: Database) -> None:
    database("db", name="rights", state="absent", force=True)
    for role in ("reader", "team"):
        database("user", name=role, state="absent")


def test_rights(database: Database) -> None:
    _prepare_rights(database)
    for use, query in _RIGHTS:
        use = {"login_db": "rights", "roles": "reader", **use}
        assert database.value(f"SELECT {query}", "rights") is False, use
        database.changes("privs", **use)
        assert database.value(f"SELECT {query}", "rights") is True, use
        database.changes("privs", **use, state="absent")
        assert database.value(f"SELECT {query}", "rights") is False, use
    to_reader = {"login_db": "rights", "roles": "reader"}
    database.changes("privs", **to_reader, objs="t", privs="SELECT", grant_option=True)
    database.changes("privs", **to_reader, objs="t", privs="SELECT", grant_option=False)
    nobody = {**to_reader, "roles": "nobody,public,reader", "objs": "u", "privs": "SELECT"}
    with pytest.raises(ActionFailed, match='role "nobody" does not exist'):
        database("privs", **nobody)
    database.changes("privs", **nobody, fail_on_role=False)
    for wrong, said in (
        ({"objs": "t", "privs": "FLY"}, "Invalid privileges specified: FLY"),
        ({"objs": "t"}, "is required"),
        ({"objs": "x", "type": "group", "privs": "SELECT"}, "is not allowed"),
        ({"objs": "missing", "privs": "SELECT"}, "does not exist"),
    ):
        with pytest.raises(ActionFailed, match=said):
            database("privs", **to_reader, **wrong)
    _remove_rights(database)


def test_queries_give_rows_of_their_types(database: Database) -> None:
    given = database(
        "query",
        query="SELECT 1 i, 1.50 AS n, true AS b, NULL AS z, '' AS e, E'a\\n\"b\",c' AS t, '{\"k\": [1]}'::jsonb AS j, "
        "ARRAY[1, NULL] AS l, ARRAY['a b', 'c,\"d'] AS w, timestamp '2030-01-31 01:02:03' AS s -- the end",
    )
    assert given.values["query_result"] == [
        {
            "i": 1,
            "n": 1.5,
            "b": True,
            "z": None,
            "e": "",
            "t": 'a\n"b",c',
            "j": {"k": [1]},
            "l": [1, None],
            "w": ["a b", 'c,"d'],
            "s": "2030-01-31T01:02:03",
        }
    ]
    assert (given.changed, given.values["statusmessage"], given.values["rowcount"]) == (False, "SELECT 1", 1)
    database.host.settings = {"check": True}
    assert database("query", query="CREATE TABLE gone ()").changed
    database.host.settings = {}
    made = database(
        "query",
        query=["CREATE TABLE q (a int, b text)", "INSERT INTO q VALUES (%s, %s), (2, '%%;') RETURNING b", "TABLE q"],
        positional_args=[1, "it's \\ %s :USER"],
    )
    assert made.values["query_all_results"][1] == [{"b": "it's \\ %s :USER"}, {"b": "%;"}]
    assert made.values["rowcount"] == 4
    assert len(made.values["execution_time_ms"]) == 3
    none = database("query", query="UPDATE q SET b = %(b)s WHERE a = %(a)s", named_args={"a": 9, "b": "x"})
    assert (none.changed, none.values["statusmessage"], none.values["query_result"]) == (False, "UPDATE 0", {})
    assert not database("query", query="SELECT * FROM q WHERE a = 5").values["query_result"]
    for rows in (["INSERT", "UPDATE"], ["DELETE 5"]):  # no tags, though they look like some
        shown = database("query", query="SELECT unnest(%s::text[]) AS said", positional_args=[rows])
        assert (shown.changed, [row["said"] for row in shown.values["query_result"]]) == (False, rows)
    with pytest.raises(ActionFailed, match='relation "gone" does not exist'):
        database("query", query=["DELETE FROM q", "SELECT * FROM gone"])
    assert database.value("SELECT count(*) FROM q") == 2
    assert database("query", query="VACUUM q", autocommit=True).changed
    assert database("query", query="SHOW search_path", search_path=["a b", "public"]).values["query_result"] == [
        {"search_path": '"a b", public'}
    ]
    with pytest.raises(ActionFailed, match=r"no argument"):
        database("query", query="SELECT %(x)s", named_args={"y": 1})
    database("query", query="DROP TABLE q")


def test_extensions(database: Database) -> None:
    made = database.changes("ext", name="plpgsql", login_db="template1", state="absent")
    assert (made.values["prev_version"], made.values["version"]) == ("1.0", "")
    made = database.changes("ext", name="plpgsql", login_db="template1", comment="it's")
    assert (made.values["prev_version"], made.values["version"]) == ("", "1.0")
    with pytest.raises(ActionFailed, match="no valid update path"):
        database("ext", name="plpgsql", login_db="template1", version="9.9")
    with pytest.raises(ActionFailed, match="Extension none is not available"):
        database("ext", name="none", login_db="template1")


def test_passwords_are_in_no_list_of_processes_and_refusals_say_who(database: Database) -> None:
    database("query", query="SELECT 1")
    [request] = database.host.requests
    assert isinstance(request, Run)
    assert "hunter2" not in request.text
    for wrong, said in (
        ({"login_password": "wrong"}, 'password authentication failed for user "postgres"'),
        ({"login_unix_socket": "/nowhere"}, "No such file or directory"),
        ({"connect_params": {"color": "red"}}, "'connect_params' has no 'color'"),
        ({"session_role": 'no"one'}, "does not exist"),
    ):
        with pytest.raises(ActionFailed, match=said):
            database("query", query="SELECT 1", **wrong)
    database.host.settings = {"environment": {"PATH": "/nowhere"}}
    with pytest.raises(ActionFailed, match="This host has no psql"):
        database("query", query="SELECT 1")


@pytest.mark.ansible
def test_does_what_ansible_does(database: Database, tmp_path: Path) -> None:
    """One after the other, each on a server that the uses before have changed alike."""
    uses: list[tuple[str, dict[str, Any]]] = [
        ("db", {"name": "both", "encoding": "UTF8", "template": "template0", "comment": "a"}),
        ("db", {"name": "both", "conn_limit": "4"}),
        ("user", {"name": "both", "password": "p", "role_attr_flags": "CREATEDB", "conn_limit": 2}),
        ("user", {"name": "both", "password": "p"}),
        ("user", {"name": "both", "password": "q", "expires": "2031-01-01", "configuration": {"work_mem": "9MB"}}),
        ("query", {"login_db": "both", "query": "CREATE TABLE t (a int, n numeric, d timestamptz, x text[], j json)"}),
        (
            "query",
            {
                "login_db": "both",
                "query": "INSERT INTO t VALUES (%s, 1.5, '2030-01-31 01:02:03+00', '{a,NULL}', '[1]')",
                "positional_args": [7],
            },
        ),
        ("query", {"login_db": "both", "query": ["UPDATE t SET n = 2 RETURNING n, a", "TABLE t"]}),
        ("query", {"login_db": "both", "query": "DELETE FROM t WHERE a = 1"}),
        ("query", {"login_db": "both", "query": "SELECT * FROM missing"}),
        ("privs", {"login_db": "both", "roles": "both", "objs": "t", "privs": "SELECT,UPDATE"}),
        ("privs", {"login_db": "both", "roles": "both", "objs": "ALL_IN_SCHEMA", "privs": "SELECT"}),
        ("privs", {"login_db": "both", "roles": "both", "type": "database", "privs": "ALL", "grant_option": True}),
        ("privs", {"login_db": "both", "roles": "both", "type": "default_privs", "objs": "TABLES", "privs": "SELECT"}),
        ("privs", {"login_db": "both", "roles": "both", "type": "default_privs", "objs": "TABLES", "privs": "SELECT"}),
        ("privs", {"login_db": "both", "roles": "both", "objs": "t", "privs": "UPDATE", "state": "absent"}),
        ("ext", {"login_db": "both", "name": "plpgsql", "state": "absent"}),
        ("ext", {"login_db": "both", "name": "plpgsql", "version": "latest"}),
        ("user", {"name": "both", "state": "absent", "fail_on_user": False}),
        ("db", {"name": "both", "state": "absent"}),
        ("user", {"name": "both", "state": "absent"}),
    ]
    tasks = [
        {
            f"community.postgresql.postgresql_{action}": {**database.way, **copy.deepcopy(use)},
            "register": f"r{number}_{time}",
            "ignore_errors": True,
        }
        for number, (action, use) in enumerate(uses)
        for time in (0, 1)
    ]
    # psycopg is in the environment of these tests.
    with Sshd(tmp_path / "sshd") as ssh_server:
        theirs = run_ansible(ssh_server, tmp_path, tasks, sys.executable)
    wrong = []
    apart = {"queries", "execution_time_ms", "executed_commands", "query", "invocation", "failed", "msg", "exception"}
    for number, (action, use) in enumerate(uses):
        for time in (0, 1):
            their = theirs[f"r{number}_{time}"]
            try:
                result = database(action, **use)
                our = {"changed": result.changed, **result.values}
            except ActionFailed as error:
                our = {"changed": False, "failed": True, "msg": str(error)}
            names = set(their) - apart - {"warnings", "deprecations", "stderr", "rc"}
            if bool(our.get("failed")) != bool(their.get("failed")) or {n: our.get(n) for n in names} != {
                n: their[n] for n in names
            }:
                wrong.append((action, use, time, our, their))
    assert not wrong, "\n".join(map(str, wrong))
