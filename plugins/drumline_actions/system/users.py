"""``user``, ``group`` and ``getent``: accounts of the host."""

from __future__ import annotations

from typing import Any

from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    Platform,
    Result,
    Sets,
    Steps,
    Traits,
)
from drumline.plugin.kit import Script, ask, ignored, result_of

_USER = Script.beside(__file__, "user")
_GROUP = Script.beside(__file__, "group")
_GETENT = Script.beside(__file__, "getent")

#: Arguments that the script takes as they are.
_AS_GIVEN = (
    *("name", "state", "uid", "comment", "home", "shell", "skeleton", "umask", "password", "update_password"),
    *("uid_min", "uid_max", "password_expire_max", "password_expire_min", "password_expire_warn"),
    *("password_expire_account_disable", "append", "create_home", "move_home", "system", "force", "remove"),
    *("non_unique", "generate_ssh_key", "ssh_key_bits", "ssh_key_comment", "ssh_key_file", "ssh_key_passphrase"),
    *("ssh_key_type", "seuser"),
)
_SAID = ("append", "move_home", "create_home", "system")
_HIDDEN = "NOT_LOGGING_PASSWORD"
_STATE = Argument(name="state", default="present", choices=("absent", "present"), help="Whether it is to be there")
#: Databases whose lines have colons between their fields.
_COLONS = ("passwd", "shadow", "group", "gshadow")
_NOT_FOUND = "One or more supplied key could not be found in the database."
_WHY = {1: "Missing arguments, or database unknown.", 3: "Enumeration not supported on this database."}


def perform_user(call: Call) -> Steps:
    groups, expires, lock = call["groups"], call["expires"], call["password_lock"]
    answer = yield from ask(
        call,
        _USER,
        main=True,
        **{name: call[name] for name in _AS_GIVEN},
        main_group=call["group"],
        groups=",".join(map(str, groups or ())),
        groups_given=groups is not None,
        comment_given=call["comment"] is not None,
        expires=None if expires is None else int(expires),
        password_lock="" if lock is None else "yes" if lock else "no",
    )
    if call["state"] == "absent":
        removed = {name: call[name] for name in ("force", "remove")} if answer.get("changed") else {}
        return result_of(answer, name=call["name"], state="absent", **removed)
    values: dict[str, Any] = {"name": call["name"], "state": "present"}
    values |= {name: answer.pop(name) == "1" for name in _SAID if name in answer}
    if "uid" in answer:
        values |= {"uid": int(answer.pop("uid")), "group": int(answer.pop("gid"))}
    if groups is not None:
        values["groups"] = ",".join(map(str, groups))
    if call["password"] is not None:
        values["password"] = _HIDDEN
    return result_of(answer, **values)


def perform_group(call: Call) -> Steps:
    names = ("name", "state", "gid", "gid_min", "gid_max", "force", "non_unique", "system")
    answer = yield from ask(call, _GROUP, main=True, **{name: call[name] for name in names})
    gid = answer.pop("gid")
    values: dict[str, Any] = {"name": call["name"], "state": call["state"]}
    if gid and call["state"] == "present":
        values |= {"gid": int(gid), "system": call["system"]}
    return result_of(answer, **values)


def perform_getent(call: Call) -> Steps:
    database, key = call["database"], call["key"]
    answer = yield from ask(call, _GETENT, main=True, most=4 << 20, database=database, key=key, service=call["service"])
    name, code = f"getent_{database}", int(answer["code"])
    if code == 2 and not call["fail_key"]:
        return Result(facts={name: {key: None}}, message=_NOT_FOUND)
    if code:
        raise ActionFailed(_NOT_FOUND if code == 2 else _WHY.get(code, f"Unexpected failure! {answer['found']}"))
    split = call["split"] or (":" if database in _COLONS else None)
    entries: dict[str, Any] = {}
    for line in answer["found"].splitlines():
        first, *rest = line.split(split)
        if first not in entries:
            entries[first] = rest
        elif entries[first] and isinstance(entries[first][0], list):
            entries[first].append(rest)
        else:  # it has several lines
            entries[first] = [entries[first], rest]
    return Result(facts={name: entries})


_OTHERS = "hidden", "authorization", "profile", "role", "login_class", "local"

ACTIONS = (
    Action(
        name="user",
        perform=perform_user,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Create, change or remove a user",
        arguments=(
            Argument(name="name", required=True, aliases=("user",), help="Name of the user"),
            _STATE,
            Argument(name="uid", type=int, help="Number of the user"),
            Argument(name="comment", help="What is said of the user, most often a name"),
            Argument(name="group", help="Main group, by name or number"),
            Argument(name="groups", type=list, help="Other groups; none, if the list is empty"),
            Argument(name="append", type=bool, default=False, help="Add groups, and leave the user in all others"),
            Argument(name="home", help="Home directory"),
            Argument(
                name="create_home", type=bool, default=True, aliases=("createhome",), help="Make it where it is missing"
            ),
            Argument(name="move_home", type=bool, default=False, help="Move what is in the home directory before"),
            Argument(name="skeleton", help="Directory whose files a new home directory gets"),
            Argument(name="umask", help="Mask of the mode of a new home directory"),
            Argument(name="shell", help="Login shell"),
            Argument(name="password", help="Password, hashed as in /etc/shadow (filter password_hash)"),
            Argument(
                name="update_password",
                default="always",
                choices=("always", "on_create"),
                help="Whether an existing user gets it, too",
            ),
            Argument(name="password_lock", type=bool, help="Whether the password is locked"),
            Argument(name="password_expire_max", type=int, help="Days after which a password must be changed"),
            Argument(name="password_expire_min", type=int, help="Days before which it can't be changed again"),
            Argument(name="password_expire_warn", type=int, help="Days of warning ahead of that"),
            Argument(name="password_expire_account_disable", type=int, help="Days from then until the account ends"),
            Argument(name="expires", type=float, help="When the account ends, in seconds since 1970; negative: never"),
            Argument(name="system", type=bool, default=False, help="Make a system account"),
            Argument(name="non_unique", type=bool, default=False, help="Allow a number that another user has"),
            Argument(name="uid_min", type=int, help="Least number that a new user may get"),
            Argument(name="uid_max", type=int, help="Highest number that a new user may get"),
            Argument(
                name="force",
                type=bool,
                default=False,
                help="Remove a user who is logged in; replace a key",
            ),
            Argument(name="remove", type=bool, default=False, help="Remove the home directory, too"),
            Argument(name="generate_ssh_key", type=bool, default=False, help="Make an SSH key for the user"),
            Argument(name="ssh_key_type", default="rsa", help="Its type"),
            Argument(name="ssh_key_bits", type=int, help="Its size"),
            Argument(name="ssh_key_file", help="Its file, relative to the home directory; default: .ssh/id_TYPE"),
            Argument(name="ssh_key_comment", default="ansible-generated on $HOSTNAME", help="Its comment"),
            Argument(name="ssh_key_passphrase", help="Its passphrase"),
            *ignored(*_OTHERS),
            Argument(name="seuser", help="User of SELinux that a new account is mapped to"),
        ),
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="group",
        perform=perform_group,
        checks=Checks.FULLY,
        traits=Traits(removes=("state", "absent")),
        help="Create, change or remove a group",
        arguments=(
            Argument(name="name", required=True, help="Name of the group"),
            _STATE,
            Argument(name="gid", type=int, help="Number of the group"),
            Argument(name="system", type=bool, default=False, help="Make a system group"),
            Argument(name="non_unique", type=bool, default=False, help="Allow a number that another group has"),
            Argument(name="gid_min", type=int, help="Least number that a new group may get"),
            Argument(name="gid_max", type=int, help="Highest number that a new group may get"),
            Argument(name="force", type=bool, default=False, help="Remove it though it is the main group of a user"),
            *ignored("local"),
        ),
        platforms=(Platform.POSIX,),
    ),
    Action(
        name="getent",
        perform=perform_getent,
        checks=Checks.FULLY,
        traits=Traits(effect=Effect.NOTHING, sets=Sets.FACTS, fact_names=("getent_{database}",)),
        help="Read a database of the host, such as passwd or hosts",
        arguments=(
            Argument(name="database", required=True, help="Name of the database: passwd, group, hosts, services, …"),
            Argument(name="key", help="What is looked for; default: all that there is"),
            Argument(name="service", help="Where is looked, as in nsswitch.conf"),
            Argument(name="split", help="What is between fields; default: as the database has it"),
            Argument(name="fail_key", type=bool, default=True, help="Fail where nothing is found"),
        ),
        platforms=(Platform.POSIX,),
    ),
)
