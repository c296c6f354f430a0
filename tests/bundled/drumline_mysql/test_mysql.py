"""Actions for MySQL, on a real MariaDB, by its client; and what Ansible's modules say of the same."""

from __future__ import annotations

import copy
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.checking import changes
from support.compared import run_ansible
from support.mariadb import running_mariadb

from drumline.plugin import ActionFailed, Platform, Result, Run
from drumline.testing import ActionHost
from drumline_lab.sshd import Sshd
from drumline_local.transport import LocalSession

_PASSWORD = "hunter2 horse#x"


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    with running_mariadb(_PASSWORD) as socket:
        yield socket


class Database:
    """Performs actions on the server."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.host = ActionHost(platform=Platform.POSIX, session=LocalSession())
        self.way: dict[str, Any] = {
            "login_unix_socket": str(socket),
            "login_user": "root",
            "login_password": _PASSWORD,
            "config_file": "/nowhere",
        }

    def __call__(self, action: str, **arguments: Any) -> Result:
        return self.host(f"mysql_{action}", **{**self.way, **arguments})

    def changes(self, action: str, **arguments: Any) -> Result:
        return changes(self.host, f"mysql_{action}", **{**self.way, **arguments})

    def sql(self, text: str, user: str = "root", password: str = _PASSWORD) -> str:
        asked = ["mariadb", "--no-defaults", "-N", "-S", str(self.socket), "-u", user, "-e", text]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, env={"MYSQL_PWD": password})
        return done.stdout + done.stderr


@pytest.fixture
def database(server: Path) -> Database:
    return Database(server)


def test_databases_are_made_dumped_imported_and_dropped(database: Database, tmp_path: Path) -> None:
    made = database.changes("db", name=["shop `1", "b"], encoding="utf8mb4", collation="utf8mb4_bin")
    assert made.values["db_list"] == ["shop `1", "b"]
    assert "utf8mb4_bin" in database.sql("SHOW CREATE DATABASE `shop ``1`")
    database.sql("CREATE TABLE b.t (n int); INSERT INTO b.t VALUES (7)")
    for end in ("sql", "sql.gz", "sql.xz"):
        target = str(tmp_path / f"a dump.{end}")
        assert database("db", name=["b"], state="dump", target=target).changed
        assert database("db", name=["copy"], state="import", target=target).changed
        assert database.sql("SELECT n FROM copy.t") == "7\n"
        database("db", name=["copy"], state="absent")
    whole = database("db", name=["all"], state="dump", target="all.sql", chdir=str(tmp_path), single_transaction=True)
    assert whole.changed
    assert "CREATE TABLE `t`" in (tmp_path / "all.sql").read_text()
    for use, said in (
        ({"name": ["none"], "state": "dump", "target": "x"}, r"Cannot dump database\(s\) 'none' - not found"),
        ({"name": ["b"], "state": "import", "target": "/nowhere.gz"}, r"nowhere|the first of two"),
        ({"name": ["b"], "state": "dump"}, "target is required"),
        ({"name": ["all"]}, "not allowed to equal 'all'"),
        ({"name": ["b", "c"], "state": "import", "target": "x"}, "Multiple databases are not supported"),
        ({"name": ["c"], "encoding": "none"}, "Unknown character set"),
    ):
        with pytest.raises(ActionFailed, match=said):
            database("db", **use)
    database.changes("db", name=["shop `1", "b"], state="absent")


def test_users(database: Database) -> None:
    database.sql("CREATE DATABASE other; CREATE TABLE other.t (a int, B int)")
    secret = "se'c\"ret\\ #x"
    me = {"name": "me", "password": secret}
    made = database.changes("user", **me, priv="*.*:PROCESS/sh_op.*:SELECT,insert")
    assert (made.message, made.values["password_changed"], secret in str(made)) == ("User added", True, False)
    assert database.sql("SELECT 1", "me", secret) == "1\n"
    assert database("variables", variable="port", login_user="me", login_password=secret).message
    assert "GRANT SELECT, INSERT ON `sh_op`.*" in database.sql("SHOW GRANTS FOR me@localhost")
    database.changes("user", **me, priv={"sh_op.*": "ALL", "other.t": "SELECT (a, B),GRANT"})
    rights = database.sql("SHOW GRANTS FOR me@localhost")
    assert "GRANT ALL PRIVILEGES ON `sh_op`.*" in rights
    assert "WITH GRANT OPTION" in rights
    assert "PROCESS" not in rights
    database.changes("user", **me, priv="more.*:SELECT", append_privs=True)
    database.changes("user", **me, priv="more.*:SELECT/other.t:GRANT", subtract_privs=True)
    rights = database.sql("SHOW GRANTS FOR me@localhost")
    assert "`sh_op`" in rights
    assert "`more`" not in rights
    assert "WITH GRANT OPTION" not in rights
    database.changes("user", name="me", tls_requires={"SUBJECT": "/CN=me", "ISSUER": "/CN=ca"})
    database.changes("user", name="me", tls_requires={})
    database.changes("user", name="me", resource_limits={"MAX_QUERIES_PER_HOUR": 10, "max_user_connections": 3})
    assert not database("user", name="me", password="other", update_password="on_create").changed
    changed = database.changes("user", name="me", password="other")
    assert (changed.message, changed.values["password_changed"]) == ("Password updated", True)
    hashed = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # of 'password'
    database.changes("user", name="me", password=hashed, encrypted=True)
    assert database.sql("SELECT 1", "me", "password") == "1\n"
    database.changes("user", name="socket", plugin="unix_socket", host="%")
    database("user", name="me", host="%")
    database.changes("user", name="me", host_all=True, state="absent", sql_log_bin=False)
    database.changes("user", name="socket", host="%", state="absent", session_vars={"lock_wait_timeout": 5})
    assert database.sql("SELECT count(*) FROM mysql.user WHERE User IN ('me', 'socket')") == "0\n"
    proxy = "CREATE USER two@localhost IDENTIFIED BY 'x'; GRANT PROXY ON ''@'%' TO two@localhost WITH GRANT OPTION"
    database.sql(proxy)
    database.changes("user", name="two", priv="*.*:PROCESS")
    database.sql("DROP USER two@localhost")
    for use, said in (
        ({"priv": "*.*:FLY"}, "syntax"),
        ({"tls_requires": {"X": 1}}, "'tls_requires' has no X"),
        ({"resource_limits": {"X": 1}}, "'resource_limits' has no X"),
        ({"host_all": True}, "cannot be used when adding a user"),
    ):
        with pytest.raises(ActionFailed, match=said):
            database("user", name=f"bad{len(use)}{said}"[:20], **use)
    database("db", name=["other"], state="absent")


def test_variables(database: Database) -> None:
    for name, value in (("max_connections", "77"), ("slow_query_log", "on"), ("init_connect", "SET @a = 'b'")):
        result = database.changes("variables", variable=name, value=value)
        assert result.message.startswith("Variable change succeeded prev_value=")
    assert database("variables", variable="max_connections").message == "77"
    for name, said in (("none", 'Variable not available "none"'), ("a;b", "invalid variable name")):
        with pytest.raises(ActionFailed, match=said):
            database("variables", variable=name)


def test_passwords_are_in_no_list_of_processes_and_files_of_clients_count(database: Database, tmp_path: Path) -> None:
    """Their password is told by a descriptor; what the task doesn't say is as the file says."""
    file = tmp_path / "my.cnf"
    file.write_text(f'[client]\nuser=root\npassword="{_PASSWORD}"\nsocket={database.socket}\n')
    by_file = {"config_file": str(file), "login_user": None, "login_password": None, "login_unix_socket": None}
    assert database("variables", variable="port", **by_file).message
    [request] = database.host.requests
    assert isinstance(request, Run)
    told = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; done 2>/dev/null | grep -c '[h]unter2'"
    seen = tmp_path / "mysql"
    seen.write_text(f'#!/bin/sh\n{{ {told}; }} >{tmp_path}/seen\nexec /usr/bin/mariadb "$@"\n')
    seen.chmod(0o755)
    database.host.settings = {"environment": {"PATH": f"{tmp_path}:/usr/bin:/bin"}}
    assert database("variables", variable="port").message
    assert (tmp_path / "seen").read_text() == "0\n"
    database.host.settings = {}
    for wrong, said in (
        ({"login_password": "wrong"}, r"Access denied for user 'root'@'localhost'"),
        ({"login_unix_socket": "/nowhere"}, "Can't connect"),
        ({"login_password": "a\nb"}, "line end"),
    ):
        with pytest.raises(ActionFailed, match=said):
            database("variables", variable="port", **wrong)
    database.host.settings = {"environment": {"PATH": "/nowhere"}}
    with pytest.raises(ActionFailed, match="This host has no mysql"):
        database("variables", variable="port")


@pytest.mark.ansible
def test_does_what_ansible_does(database: Database, tmp_path: Path) -> None:
    """One after the other, each on a server that the uses before have changed alike."""
    database.sql("CREATE DATABASE shop; CREATE TABLE shop.t (a int, b int)")
    before = "SET GLOBAL max_connections = 66, GLOBAL slow_query_log = 1"
    database.sql(before)
    (tmp_path / "in.sql").write_text("CREATE TABLE IF NOT EXISTS n (a int);\n")
    uses: list[tuple[str, dict[str, Any]]] = [
        ("db", {"name": ["one", "two"], "encoding": "utf8mb4"}),
        ("db", {"name": ["one"], "state": "dump", "target": f"{tmp_path}/out.sql"}),
        ("db", {"name": ["one"], "state": "import", "target": f"{tmp_path}/in.sql"}),
        ("db", {"name": ["none"], "state": "dump", "target": f"{tmp_path}/out.sql"}),
        ("db", {"name": ["one", "two"], "state": "absent"}),
        ("user", {"name": "both", "password": "p", "priv": "*.*:PROCESS/shop.*:SELECT"}),
        ("user", {"name": "both", "password": "q"}),
        ("user", {"name": "both", "password": "x", "update_password": "on_create"}),
        ("user", {"name": "both", "priv": "shop.*:INSERT,UPDATE", "append_privs": True}),
        ("user", {"name": "both", "priv": "shop.*:UPDATE", "subtract_privs": True}),
        ("user", {"name": "both", "priv": {"shop.*": "ALL,GRANT"}}),
        ("user", {"name": "both", "priv": "shop.t:SELECT(a,b)/*.*:USAGE"}),
        ("user", {"name": "both", "priv": "*.*:ALL"}),
        ("user", {"name": "both", "priv": "*.*:ALL,GRANT"}),
        ("user", {"name": "both", "resource_limits": {"MAX_QUERIES_PER_HOUR": 9}}),
        ("user", {"name": "both", "tls_requires": {"SSL": None}}),
        ("user", {"name": "both", "host_all": True, "state": "absent"}),
        ("variables", {"variable": "max_connections", "value": "88"}),
        ("variables", {"variable": "slow_query_log", "value": "OFF"}),
        ("variables", {"variable": "port"}),
        ("variables", {"variable": "none", "value": "1"}),
    ]
    shown = "SHOW DATABASES; SELECT User, Host, ssl_type, max_questions FROM mysql.user; SHOW GRANTS FOR both@localhost"
    tasks: list[dict[str, Any]] = []
    for number, (action, use) in enumerate(uses):
        done = {f"community.mysql.mysql_{action}": {**database.way, **copy.deepcopy(use)}, "ignore_errors": True}
        tasks += [{**done, "register": f"r{number}_{time}"} for time in (0, 1)]
        words = {
            "argv": ["mariadb", "--no-defaults", "-S", str(database.socket), "-u", "root", "-N", "-f", "-e", shown]
        }
        looked = {"command": words, "environment": {"MYSQL_PWD": _PASSWORD}, "failed_when": False}
        tasks.append({**looked, "register": f"s{number}"})
    python = str(Path(os.environ["DRUMLINE_ANSIBLE"]).with_name("python"))
    with Sshd(tmp_path / "sshd") as ssh_server:
        theirs = run_ansible(ssh_server, tmp_path, tasks, python)
    database.sql(before)
    assert "both" not in database.sql(shown).partition("---")[0]
    wrong: list[Any] = []
    apart = {
        "queries",
        "executed_commands",
        "invocation",
        "failed",
        "exception",
        "warnings",
        "deprecations",
        "msg",
        "attributes",
    }
    for number, (action, use) in enumerate(uses):
        for time in (0, 1):
            their = theirs[f"r{number}_{time}"]
            try:
                result = database(action, **use)
                our = {"changed": result.changed, **result.values}
            except ActionFailed as error:
                our = {"changed": False, "failed": True, "msg": str(error)}
            names = set(their) - apart
            if bool(our.get("failed")) != bool(their.get("failed")) or {n: our.get(n) for n in names} != {
                n: their[n] for n in names
            }:
                wrong.append((action, use, time, our, their))
        if (now := database.sql(shown).split("---")[0].strip()) != theirs[f"s{number}"]["stdout"].strip():
            wrong.append((action, use, 2, now, theirs[f"s{number}"]["stdout"]))
    assert not wrong, "\n".join(map(str, wrong))
