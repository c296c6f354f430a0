"""Users, groups, names, jobs, keys and settings of a host that tests may change."""

from __future__ import annotations

from typing import Any

import pytest
from support.compared import Reference, Use

from drumline.plugin import ActionFailed
from drumline.testing import ActionHost

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
