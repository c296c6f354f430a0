"""Users, groups, names, jobs, keys and settings of a host that tests may change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.compared import HERE, Reference, Use

from drumline.plugin import ActionFailed, Completed, ConnectionLost, ConnectionRefused, Platform
from drumline.testing import ActionHost, HostFile
from drumline.testing.cases import ActionCases, Case, here
from drumline.testing.hosts import HostEntry

PROGRAMS = Path(__file__).with_name("programs")
HASH = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g."


def test_a_user_is_made_changed_and_removed(disposable: ActionHost) -> None:
    common = {"name": "anna", "comment": "Anna ü", "shell": "/bin/sh", "groups": ["games", "users"]}
    disposable.settings = {"check": True}
    assert disposable("user", **common).changed
    disposable.settings = {}
    made = disposable.twice("user", **common, password=HASH, uid=4001)
    assert len(disposable.requests) == 1
    assert made.values == {
        "name": "anna",
        "state": "present",
        "create_home": True,
        "system": False,
        "uid": 4001,
        "group": 4001,
        "groups": "games,users",
        "comment": "Anna ü",
        "home": "/home/anna",
        "shell": "/bin/sh",
        "password": "NOT_LOGGING_PASSWORD",
    }
    disposable.run(f"getent shadow anna | grep -qF '{HASH}' && id -Gn anna | grep -q 'games users'")
    disposable.twice("user", name="anna", groups=["audio"], append=True)
    disposable.run("for group in anna games audio users; do id -Gn anna | grep -qw $group || exit 1; done")
    disposable.twice("user", name="anna", groups=[])
    disposable.run('test "$(id -Gn anna)" = anna')
    disposable.twice("user", name="anna", home="/home/ann", move_home=True, expires=1893456000.0, password_lock=True)
    disposable.run("test -d /home/ann && ! test -d /home/anna && getent shadow anna | grep -q '!'")
    disposable.twice("user", name="anna", expires=-1.0, password_lock=False, password_expire_max=90)
    key = disposable.twice("user", name="anna", generate_ssh_key=True, ssh_key_type="ed25519")
    assert key.values["ssh_key_file"] == "/home/ann/.ssh/id_ed25519"
    assert key.values["ssh_public_key"].startswith("ssh-ed25519 ")
    gone = disposable.twice("user", name="anna", state="absent", remove=True)
    assert gone.values == {"name": "anna", "state": "absent", "force": False, "remove": True}
    disposable.run("! id anna && ! test -d /home/ann")


def test_a_password_is_in_no_command_line(disposable: ActionHost) -> None:
    """It goes to chpasswd by its input, where everybody's ps would see the words of useradd."""
    script = '#!/bin/sh\\necho "$@" >/opt/seen/words\\nexec /usr/sbin/useradd "$@"\\n'
    disposable.run(f"mkdir -p /opt/seen && printf '{script}' >/opt/seen/useradd && chmod +x /opt/seen/useradd")
    disposable.settings = {"environment": {"PATH": "/opt/seen:/usr/sbin:/usr/bin:/sbin:/bin"}}
    assert disposable("user", name="berta", password=HASH).changed
    disposable.run("grep berta /opt/seen/words && ! grep -F salt /opt/seen/words")


def test_a_passphrase_is_in_no_command_line(disposable: ActionHost) -> None:
    script = '#!/bin/sh\\necho "$@" >>/opt/seen/key\\nexec /usr/bin/ssh-keygen "$@"\\n'
    disposable.run(f"mkdir -p /opt/seen && printf '{script}' >/opt/seen/ssh-keygen && chmod +x /opt/seen/ssh-keygen")
    disposable.settings = {"environment": {"PATH": "/opt/seen:/usr/sbin:/usr/bin:/sbin:/bin"}}
    given = {"generate_ssh_key": True, "ssh_key_type": "ed25519", "ssh_key_passphrase": "s3 \\cr'3t"}
    disposable.twice("user", name="emma", **given)
    disposable.run("grep -q ed25519 /opt/seen/key && ! grep -F s3 /opt/seen/key")
    disposable.run('ssh-keygen -y -P "s3 \\\\cr\'3t" -f /home/emma/.ssh/id_ed25519')


def test_a_user_in_a_group_that_is_not_there(disposable: ActionHost) -> None:
    with pytest.raises(ActionFailed, match="Group nowhere does not exist"):
        disposable("user", name="carl", groups=["users", "nowhere"])
    with pytest.raises(ActionFailed, match="invalid user"):
        disposable("user", name="no:name")


def test_a_group(disposable: ActionHost) -> None:
    made = disposable.twice("group", name="staffs", gid=4100)
    assert made.values == {"name": "staffs", "state": "present", "gid": 4100, "system": False}
    disposable.twice("group", name="staffs", gid=4101)
    with pytest.raises(ActionFailed, match="4101"):
        disposable("group", name="others", gid=4101)
    assert disposable.twice("group", name="staffs", state="absent").values == {"name": "staffs", "state": "absent"}


def test_getent(disposable: ActionHost) -> None:
    found = disposable("getent", database="passwd", key="root").facts
    assert found == {"getent_passwd": {"root": ["x", "0", "0", "root", "/root", "/bin/bash"]}}
    assert disposable("getent", database="passwd", key="nobody-here", fail_key=False).facts == {
        "getent_passwd": {"nobody-here": None}
    }
    with pytest.raises(ActionFailed, match="could not be found"):
        disposable("getent", database="passwd", key="nobody-here")
    with pytest.raises(ActionFailed, match="database unknown"):
        disposable("getent", database="nonsense")
    assert "daemon" in disposable("getent", database="group").facts["getent_group"]


def test_a_hostname(disposable: ActionHost) -> None:
    disposable.settings = {"check": True}
    assert disposable("hostname", name="web1.example.com").changed
    disposable.settings = {}
    changed = disposable.twice("hostname", name="web1.example.com")
    assert changed.facts["ansible_hostname"] == "web1"
    assert changed.values == {"name": "web1.example.com"}
    disposable.run('test "$(hostname)" = web1.example.com && grep -qx web1.example.com /etc/hostname')


@pytest.mark.ansible
def test_users_as_the_reference(disposable_reference: Reference) -> None:
    users: list[dict[str, Any]] = [
        {"name": "u1"},
        {"name": "u1", "comment": "One", "groups": ["games"]},
        {"name": "u1", "groups": ["users"], "append": True, "shell": "/bin/sh"},
        {"name": "u1", "groups": []},
        {"name": "u1", "password": HASH},
        {"name": "u2", "system": True, "create_home": False, "home": "/opt/u2"},
        {"name": "u3", "group": "users", "uid": 4321},
        {"name": "u1", "state": "absent"},
        {"name": "u2", "state": "absent", "remove": True},
        {"name": "u3", "state": "absent", "remove": True},
        {"name": "nobody-here", "state": "absent"},
        {"name": "u4", "group": "nowhere"},
    ]
    without = frozenset({"stderr", "stdout", "uid", "group"})
    uses = [Use(str(arguments), arguments, without=without) for arguments in users]
    disposable_reference.compare("user", uses)
    groups: list[dict[str, Any]] = [
        {"name": "g1", "gid": 4200},
        {"name": "g1", "gid": 4201},
        {"name": "g2", "system": True, "gid": 420},
        {"name": "g1", "state": "absent"},
        {"name": "g2", "state": "absent"},
    ]
    disposable_reference.compare("group", [Use(str(arguments), arguments) for arguments in groups])


# Jobs.

CRON = {"environment": {"PATH": f"{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin", "CRONTABS": here()}}


class TestCron(ActionCases):
    action = "cron"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a job is added",
            {"name": "back up", "job": "back-up --all", "hour": "4", "minute": "30"},
            before={"root": "# mine\n0 0 * * * other\n"},
            call=CRON,
            changed=True,
            values={"jobs": ["back up"], "envs": []},
            after={"root": "# mine\n0 0 * * * other\n#Ansible: back up\n30 4 * * * back-up --all\n"},
        ),
        Case(
            "it is changed in its place",
            {"name": "a", "job": "new", "special_time": "daily", "disabled": True},
            before={"root": "#Ansible: a\n* * * * * old\n1 * * * * b\n"},
            call=CRON,
            changed=True,
            after={"root": "#Ansible: a\n#@daily new\n1 * * * * b\n"},
        ),
        Case(
            "it is removed",
            {"name": "a", "state": "absent"},
            before={"root": "#Ansible: a\n* * * * * old\n1 * * * * b\n"},
            call=CRON,
            changed=True,
            after={"root": "1 * * * * b\n"},
        ),
        Case(
            "a variable",
            {"name": "MAILTO", "job": "a@b.c", "env": True, "user": "anna"},
            call=CRON,
            changed=True,
            values={"envs": ["MAILTO"]},
            after={"anna": 'MAILTO="a@b.c"\n'},
        ),
        Case(
            "a file",
            {"name": "a", "job": "b", "cron_file": here("shop"), "user": "root", "weekday": "1-5"},
            changed=True,
            after={"shop": "#Ansible: a\n* * * * 1-5 root b\n"},
        ),
        Case(
            "a job that is there without a name",
            {"name": "a", "job": "b"},
            before={"root": "# mine\n* * * * * b\n1 * * * * c\n"},
            call=CRON,
            changed=True,
            after={"root": "# mine\n#Ansible: a\n* * * * * b\n1 * * * * c\n"},
        ),
        Case(
            "lines of others, with what Unicode calls ends of lines",
            {"name": "a", "job": "b", "cron_file": here("shop"), "user": "root"},
            before={"shop": "# \f \v \x85 \u2028 others\n"},
            changed=True,
            after={"shop": "# \f \v \x85 \u2028 others\n#Ansible: a\n* * * * * root b\n"},
        ),
        Case("a check", {"name": "a", "job": "b"}, call={**CRON, "check": True}, changed=True, after={}, repeats=False),
        Case("no job", {"name": "a"}, answers=(), failed="You must specify 'job'"),
        Case("no user", {"name": "a", "job": "b", "cron_file": "c"}, answers=(), failed="you must specify user"),
    )


def test_a_host_without_crontab(posix: ActionHost, tmp_path: Path) -> None:
    for program in Path("/usr/bin").iterdir():
        if program.name != "crontab":
            (tmp_path / program.name).symlink_to(program)
    posix.settings = {"environment": {"PATH": str(tmp_path)}}
    with pytest.raises(ActionFailed, match='Failed to find required executable "crontab"'):
        posix("cron", name="a", job="b")


# Keys.

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFxzZXZlcmFsIGxldHRlcnMgb2YgYSBrZXkgYWJj anna@home"
OTHER_KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7 berta"
OTHER = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQ berta"


def test_keys_of_a_user(disposable: ActionHost) -> None:
    disposable.run("id dora >/dev/null 2>&1 || useradd -m dora")
    disposable.settings = {"check": True}
    assert disposable("authorized_key", user="dora", key=KEY).changed
    disposable.settings = {}
    added = disposable.twice("authorized_key", user="dora", key=KEY)
    assert added.values["keyfile"] == "~dora/.ssh/authorized_keys"
    file = "/home/dora/.ssh/authorized_keys"
    disposable.run(f"test \"$(stat -c '%U %a' /home/dora/.ssh {file} | tr '\\n' ' ')\" = 'dora 700 dora 600 '")
    disposable.twice("authorized_key", user="dora", key=OTHER, key_options='no-pty,command="a b"')
    disposable.run(f"grep -qxF 'no-pty,command=\"a b\" {OTHER}' {file} && grep -qxF '{KEY}' {file}")
    disposable.twice("authorized_key", user="dora", key=OTHER, exclusive=True)
    disposable.run(f"test \"$(cat {file})\" = '{OTHER}'")
    disposable.twice("authorized_key", user="dora", key=OTHER, state="absent")
    disposable.run(f"printf '# \\302\\205 \\f others\\n' >{file}")
    disposable.twice("authorized_key", user="dora", key=KEY)
    disposable.run(f"printf '# \\302\\205 \\f others\\n%s\\n' '{KEY}' | cmp - {file}")
    with pytest.raises(ActionFailed, match="invalid key"):
        disposable("authorized_key", user="dora", key="nonsense")
    with pytest.raises(ActionFailed, match="no such user"):
        disposable("authorized_key", user="nobody-here", key=KEY)


class TestKnownHosts(ActionCases):
    action = "known_hosts"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        Case(
            "a key is added",
            {"name": "db1", "key": "db1 ssh-rsa AAAA", "path": here("d/known")},
            changed=True,
            after={"d/": None, "d/known": HostFile("db1 ssh-rsa AAAA\n", 0o600)},
        ),
        Case(
            "another takes its place",
            {"name": "db1", "key": "ssh-rsa BBBB", "path": here("known")},
            before={"known": "db1,10.0.0.1 ssh-rsa AAAA\nweb ssh-rsa AAAA\ndb1 ssh-ed25519 CCCC\n"},
            changed=True,
            after={"known": "web ssh-rsa AAAA\ndb1 ssh-ed25519 CCCC\ndb1 ssh-rsa BBBB\n"},
        ),
        Case(
            "lines that are damaged, and with what Unicode calls ends of lines",
            {"name": "db1", "key": "ssh-rsa BBBB", "path": here("known")},
            before={"known": "|1|x ssh-rsa A\n|1|a|b ssh-rsa A\n# \f \v \x85 \u2028 others\n"},
            changed=True,
            after={"known": "|1|x ssh-rsa A\n|1|a|b ssh-rsa A\n# \f \v \x85 \u2028 others\ndb1 ssh-rsa BBBB\n"},
        ),
        Case(
            "its name is hashed",
            {"name": "db1", "key": "ssh-rsa A", "path": here("known"), "hash_host": True},
            before={"known": "db1 ssh-rsa A\n"},
            changed=True,
        ),
        Case(
            "all are removed",
            {"name": "[db1]:2222", "state": "absent", "path": here("known")},
            before={"known": "[db1]:2222 ssh-rsa AAAA\nweb ssh-rsa AAAA\n"},
            changed=True,
            after={"known": "web ssh-rsa AAAA\n"},
        ),
        Case("no key", {"name": "db1", "path": here("known")}, answers=(), failed="No key specified"),
        Case("the key of another", {"name": "db1", "key": "db2 ssh-rsa A"}, answers=(), failed="does not match"),
    )


def test_names_are_hashed_as_openssh_does(posix: ActionHost) -> None:
    posix.settings = {"environment": {"PATH": os.environ["PATH"]}}
    with posix.directory() as there:
        posix.twice("known_hosts", name="db1", key=f"db1 {KEY}", path=there.at("known"), hash_host=True)
        posix.run(f"PATH={os.environ['PATH']}; ssh-keygen -F db1 -f {there.at('known')}")


# Reboots.


def test_a_reboot(posix: ActionHost) -> None:
    with posix.directory() as there:
        there.fill({"boot": "1\n"})
        common = {"boot_time_command": f"cat {there.at('boot')}", "test_command": "true"}
        posix.settings = {"check": True}
        assert posix("reboot", **common, reboot_command="false").changed
        posix.settings = {}
        result = posix("reboot", **common, reboot_command=f"echo 2 >{there.at('boot')}")
        assert result.values == {"rebooted": True, "elapsed": 0}
        assert [waiting.reason for waiting in posix.waits] == ["for the reboot"]
        with pytest.raises(ActionFailed, match="Reboot command failed"):
            posix("reboot", **common, reboot_command="exit 3")
        with pytest.raises(ActionFailed, match="Timed out waiting for last boot time check"):
            posix("reboot", **common, reboot_command="true", reboot_timeout=0)
        with pytest.raises(ActionFailed, match="doesn't say when it was started"):
            posix("reboot", boot_time_command="true")


def test_a_host_that_is_gone_for_a_while(posix: ActionHost) -> None:
    """Attempts to connect fail until it is back."""
    answers: list[Any] = [Completed(code=0, stdout=b"1"), None, ConnectionLost("gone", ""), None]
    answers += [ConnectionRefused("refused", ""), None, None, Completed(code=0, stdout=b"2"), Completed(code=0)]
    posix.answer = lambda request: answers.pop(0)
    assert posix("reboot").values["rebooted"] is True
    assert not answers


@pytest.mark.ansible
def test_jobs_and_keys_as_the_reference(disposable_reference: Reference) -> None:
    jobs: list[dict[str, Any]] = [
        {"name": "a", "job": "b", "hour": "4"},
        {"name": "a", "job": "b", "special_time": "daily", "disabled": True},
        {"name": "a", "state": "absent"},
        {"name": "MAILTO", "job": "a@b.c", "env": True},
        {"name": "X", "job": "1", "env": True, "insertafter": "PATH"},
    ]
    before: dict[str, HostEntry] = {"root": 'PATH="/bin"\n#Ansible: a\n* * * * * old\n1 * * * * b\n'}
    environment = {"PATH": f"{PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin", "CRONTABS": HERE}
    uses = [Use(str(given), {"user": "root", **given}, before=before) for given in jobs]
    disposable_reference.compare("cron", uses, environment=environment)
    lines: list[dict[str, Any]] = [
        {"name": "db1", "key": f"db1 {KEY.rpartition(' ')[0]}"},
        {"name": "web", "key": "web ssh-rsa AAAB"},
    ]
    known: dict[str, HostEntry] = {"f": "web ssh-rsa AAAA\n"}
    uses = [Use(str(given), {"path": f"{HERE}/f", **given}, before=known) for given in lines]
    disposable_reference.compare("known_hosts", uses)


@pytest.mark.ansible
def test_those_of_collections_as_the_reference(disposable_reference: Reference) -> None:
    settings: list[dict[str, Any]] = [
        {"name": "vm.swappiness", "value": "5"},
        {"name": "a.b", "value": "2"},
        {"name": "a.b", "state": "absent"},
    ]
    file: dict[str, HostEntry] = {"f": "# kernel\na.b=1\n"}
    uses = [Use(str(given), {"sysctl_file": f"{HERE}/f", "reload": False, **given}, before=file) for given in settings]
    disposable_reference.compare("sysctl", uses, "ansible.posix.sysctl")
    keys: list[dict[str, Any]] = [
        {"key": KEY, "manage_dir": False},
        {"key": KEY, "key_options": "no-pty"},
        {"key": KEY, "exclusive": True},
        {"key": OTHER_KEY, "state": "absent"},
    ]
    there: dict[str, HostEntry] = {"f": f"# mine\n{OTHER_KEY}\n"}
    without = frozenset({"keyfile", "unique", "key", "uid", "gid", "owner", "group", "mode", "size"})
    uses = [
        Use(
            str(given),
            {"user": "root", "path": f"{HERE}/f", "manage_dir": False, **given},
            before=there,
            without=without,
        )
        for given in keys
    ]
    disposable_reference.compare("authorized_key", uses, "ansible.posix.authorized_key")
    tabs: list[dict[str, Any]] = [
        {"state": "present", "src": "tmpfs", "fstype": "tmpfs"},
        {"state": "present", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=1m", "boot": False},
        {"state": "absent_from_fstab"},
    ]
    fstab: dict[str, HostEntry] = {"f": "# fstab\ntmpfs /opt/it tmpfs defaults 0 0\n"}
    uses = [
        Use(
            str(given), {"path": place, "fstab": f"{HERE}/f", **given}, before=fstab, without=frozenset({"backup_file"})
        )
        for given in tabs
        for place in ("/opt/it", "/opt/o ther")
    ]
    disposable_reference.compare("mount", uses, "ansible.posix.mount")
