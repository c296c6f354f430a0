"""Another user's commands, with passwords: by real sudo, su and doas, for a user who logs in over real ssh."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.program import wait_until
from support.users import User, needs_doas, needs_users, temporary_user

from drumline.plugin import (
    Become,
    CommandRefused,
    Completed,
    Connection,
    Ending,
    HostError,
    Language,
    Run,
    Secret,
    Session,
)
from drumline.plugin.transports import StagingSession
from drumline.testing.collect import collect, collect_staged
from drumline_lab.sshd import Sshd

pytestmark = needs_users
Connect = Callable[..., Connection]
Login = Callable[[], Connection]
EVERYTHING = "NAME ALL=(ALL:ALL) ALL"
METHODS = pytest.mark.parametrize("method", ["sudo", "su", pytest.param("doas", marks=needs_doas)])


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    """Who logs in."""
    with temporary_user() as user:
        yield user


@pytest.fixture(scope="module")
def other() -> Iterator[User]:
    """Whom the commands run as."""
    with temporary_user() as user:
        yield user


@pytest.fixture(scope="module")
def server(user: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Lets the user in."""
    directory = tmp_path_factory.mktemp("become") / "sshd"
    keys = user.home / "keys"
    with Sshd(directory, settings={"AuthorizedKeysFile": str(keys), "MaxSessions": "10"}) as server:
        shutil.copy(f"{server.client_key}.pub", keys)
        keys.chmod(0o644)
        yield server


@pytest.fixture
def login(server: Sshd, user: User, connect: Connect) -> Login:
    """Logs the user in."""
    user.sudo(EVERYTHING)
    return lambda: connect(server, user=user.name)


@pytest.fixture
def session(login: Login) -> Session:
    return login().open_session()


def sh(text: str, **fields: Any) -> Run:
    return Run(language=Language.SH, text=text, **fields)


def by(method: str, me: User, other: User, **fields: Any) -> Become:
    """How the user becomes the other; su asks for the password of the other, everything else for the user's own."""
    password = other.password if method == "su" else me.password
    if method == "doas":
        me.doas("permit NAME")
    return Become(**{"user": other.name, "method": method, "password": Secret(password), **fields})


@METHODS
class TestWithAPassword:
    def test_both_outputs_and_all_of_the_input(self, session: Session, user: User, other: User, method: str) -> None:
        become = by(method, user, other)
        stdin = bytes(range(256)) * 3
        completed = collect(session, sh("id -un >&2; cat; exit 3", stdin=stdin, become=become))
        assert completed == Completed(code=3, stdout=stdin, stderr=f"{other.name}\n".encode())
        assert collect(session, sh("id -un")).stdout.decode() == f"{user.name}\n"

    def test_input_that_is_more_than_the_warm_shell_takes(
        self, session: Session, user: User, other: User, method: str
    ) -> None:
        stdin = bytes(range(256)) * 2000
        completed = collect(session, sh("id -un >&2; cat", stdin=stdin, become=by(method, user, other)))
        assert (completed.code, completed.stderr.decode()) == (0, f"{other.name}\n")
        assert completed.stdout == stdin

    def test_it_is_asked_for_once_in_a_session(self, session: Session, user: User, other: User, method: str) -> None:
        user.sudo("Defaults:NAME timestamp_timeout=0, lecture=always", EVERYTHING)
        become = by(method, user, other)
        shells = {collect(session, sh("echo $PPID", become=become)).stdout for _ in range(5)}
        assert len(shells) == 1
        assert b"" not in shells

    def test_a_wrong_one_is_refused_at_once(self, session: Session, user: User, other: User, method: str) -> None:
        become = by(method, user, other, password=Secret("wr0ng-one"))
        before = time.monotonic()
        with pytest.raises(CommandRefused, match=f"^Incorrect {method} password") as refused:
            collect(session, sh("id", become=become))
        assert time.monotonic() - before < 10  # three tries, with the pauses that a wrong one costs, take longer
        assert "--ask-become-pass or ansible_become_password" in str(refused.value)
        assert "wr0ng-one" not in str(refused.value)
        assert collect(session, sh("id -un")).stdout.decode() == f"{user.name}\n"
        assert collect(session, sh("id -un", become=by(method, user, other))).stdout.decode() == f"{other.name}\n"

    def test_none_where_one_is_asked_for(self, session: Session, user: User, other: User, method: str) -> None:
        with pytest.raises(CommandRefused, match=f"^Missing {method} password") as refused:
            collect(session, sh("id", become=by(method, user, other, password=None)))
        assert "--ask-become-pass or ansible_become_password" in str(refused.value)

    def test_it_is_in_no_process_list_environment_or_file(
        self, session: Session, user: User, other: User, method: str
    ) -> None:
        become = by(method, user, other)
        assert become.password is not None
        word = become.password.reveal()
        script = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; ls -A /tmp"
        # Now and while sudo waits for it: by someone else, and as root.
        looking = subprocess.Popen(
            ["sh", "-c", f"while [ -e {user.home}/look ]; do {script}; done"], stdout=subprocess.PIPE, text=True
        )
        (user.home / "look").touch()
        collect(session, sh("sleep 0.2", become=become))
        (user.home / "look").unlink()
        assert word not in looking.communicate()[0]
        assert word not in collect(session, sh(f"env; {script}", become=become)).stdout.decode(errors="replace")

    def test_the_end_of_a_command_is_the_end_of_all_its_processes(
        self, session: Session, user: User, other: User, method: str
    ) -> None:
        text = "(sleep 1000 & echo $!); trap '' TERM; sleep 1001 & echo $!; wait"
        completed = collect(session, sh(text, become=by(method, user, other), timeout=1.5))
        assert completed.ending is Ending.TIMED_OUT
        pids = completed.stdout.split()
        assert len(pids) == 2
        assert not {int(pid) for pid in pids} & other.processes().keys()
        assert collect(session, sh("id -un", become=by(method, user, other))).stdout.decode() == f"{other.name}\n"

    def test_an_interrupt(self, session: Session, user: User, other: User, method: str) -> None:
        became = threading.Event()

        def interrupt() -> None:
            became.wait(20)
            session.interrupt()

        timer = threading.Thread(target=interrupt)
        timer.start()
        exit_ = session.run(sh("echo on; sleep 1000", become=by(method, user, other)), lambda *_: became.set())
        timer.join()
        assert exit_.ending is Ending.INTERRUPTED
        assert not [line for line in other.processes().values() if "sleep 1000" in line]

    def test_a_command_that_waits_for_a_start(
        self, session: StagingSession, user: User, other: User, method: str
    ) -> None:
        become = by(method, user, other)
        staged = session.stage(sh("id -un; cat", stdin=b"in\0put", become=become))
        at = time.time() + 0.2
        staged.release(at)
        assert collect_staged(staged) == Completed(code=0, stdout=f"{other.name}\nin\0put".encode())
        assert at <= (staged.started or 0) < at + 5
        session.stage(sh("touch never", become=become)).cancel()
        with pytest.raises(CommandRefused, match=f"Incorrect {method} password"):
            session.stage(sh("true", become=by(method, user, other, password=Secret("wrong"))))

    def test_nothing_is_left_when_the_connection_ends(self, login: Login, user: User, other: User, method: str) -> None:
        connection = login()
        assert collect(connection.open_session(), sh("true", become=by(method, user, other))).ok
        assert other.processes()
        connection.close()
        wait_until(lambda: not other.processes())
        assert not list(Path("/tmp").glob("drumline.*"))


class TestSudo:
    def test_a_terminal_that_is_required(self, session: Session, user: User, other: User) -> None:
        user.sudo("Defaults:NAME requiretty, timestamp_timeout=0", EVERYTHING)
        stdin = bytes(range(256)) * 300
        become = by("sudo", user, other)
        completed = collect(session, sh("cat; tty >&2; pwd >&2; id -un >&2", stdin=stdin, become=become))
        assert (completed.code, completed.stdout) == (0, stdin)
        assert completed.stderr.decode() == f"not a tty\n{user.home}\n{other.name}\n"
        completed = collect(session, sh("cat; echo x >&2", stdin=b"\3\4a\r\n", become=become))
        assert completed == Completed(code=0, stdout=b"\3\4a\r\n", stderr=b"x\n")
        completed = collect(session, sh("sleep 1000", become=become, timeout=1.0))
        assert completed.ending is Ending.TIMED_OUT
        assert not [line for line in other.processes().values() if "sleep" in line]

    def test_a_terminal_that_is_required_without_a_password(self, session: Session, user: User, other: User) -> None:
        user.sudo("Defaults:NAME requiretty", "NAME ALL=(ALL:ALL) NOPASSWD: ALL")
        completed = collect(session, sh("id -un", become=Become(user=other.name)))
        assert completed.stdout.decode() == f"{other.name}\n"

    def test_a_password_that_is_not_asked_for_is_not_run(self, session: Session, user: User, other: User) -> None:
        user.sudo("NAME ALL=(ALL:ALL) NOPASSWD: ALL")
        become = by("sudo", user, other, password=Secret("touch ran"))
        assert collect(session, sh("ls; pwd", directory="/", become=become)).stderr == b""
        assert not (user.home / "ran").exists()

    def test_a_user_without_rights(self, session: Session, user: User, other: User) -> None:
        user.sudo("Defaults:NAME timestamp_timeout=0")
        with pytest.raises(CommandRefused, match="is not in the sudoers file") as refused:
            collect(session, sh("id", become=by("sudo", user, other)))
        assert str(refused.value).startswith("Becoming another user was refused")

    def test_an_unknown_user(self, session: Session, user: User, other: User) -> None:
        with pytest.raises(CommandRefused, match=r"unknown user:? nosuchuser"):
            collect(session, sh("id", become=by("sudo", user, other, user="nosuchuser")))

    def test_no_program_of_that_name(self, session: Session, user: User, other: User) -> None:
        with pytest.raises(CommandRefused, match=r"No sudo on the host.*'/no/sudo'.*become_exe"):
            collect(session, sh("id", become=by("sudo", user, other, exe="/no/sudo")))

    @pytest.mark.parametrize("flags", ["-i", "-H -S", "-n -H", "-E -H -S -n"])
    def test_flags(self, session: Session, user: User, other: User, flags: str) -> None:
        text = "printf '%s|' \"$(id -un)\" 'a $b' \"it's\"; cat"
        for stdin in (b"in", b"in" * 50_000):
            completed = collect(session, sh(text, stdin=stdin, become=by("sudo", user, other, flags=flags)))
            assert completed.stdout.decode() == f"{other.name}|a $b|it's|{stdin.decode()}"

    def test_the_language_of_the_user_is_back(self, session: Session, user: User, other: User) -> None:
        user.sudo("Defaults:NAME env_keep += LC_ALL", EVERYTHING)
        assert collect(session, sh('echo "${LC_ALL-none}"', become=by("sudo", user, other))).stdout == b"none\n"
        profile = other.home / ".profile"
        profile.write_text("export LC_ALL=C.UTF-8\n")
        become = by("sudo", user, other, flags="-i")
        assert collect(session, sh("echo $LC_ALL", become=become)).stdout == b"C.UTF-8\n"
        profile.unlink()

    def test_who_has_logged_in_need_not_be_become(self, session: Session, user: User, other: User) -> None:
        become = Become(user=user.name, exe="/no/sudo", password=Secret("wrong"))
        assert collect(session, sh("id -un", become=become)).stdout.decode() == f"{user.name}\n"

    @pytest.mark.parametrize("question", ["パスワード\uff1a", "Heslo (1/2): ", "Please\nenter it:"])
    def test_questions_in_any_language(
        self, session: Session, user: User, other: User, question: str, tmp_path: Path
    ) -> None:
        stand_in = user.home / "ask"
        stand_in.write_text(
            f"#!/bin/sh\nprintf '%s' '{question}' >&2; IFS= read -r word; [ \"$word\" = s3cret ] || exit 1\n"
            f'while [ "$1" != -- ]; do shift; done; shift; exec sudo -n -u {other.name} -- "$@"\n'
        )
        stand_in.chmod(0o755)
        user.sudo("NAME ALL=(ALL:ALL) NOPASSWD: ALL")
        become = by("sudo", user, other, exe=str(stand_in), password=Secret("s3cret"))
        assert collect(session, sh("id -un", become=become)).stdout.decode() == f"{other.name}\n"


class TestSu:
    def test_root_is_asked_for_no_password(self, sshd: Sshd, connect: Connect, other: User) -> None:
        session = connect(sshd).open_session()
        become = Become(user=other.name, method="su", password=Secret("anything"))
        assert collect(session, sh("id -un", become=become)).stdout.decode() == f"{other.name}\n"

    def test_a_login_shell_and_another_one(self, session: Session, user: User, other: User) -> None:
        completed = collect(session, sh("pwd", become=by("su", user, other, flags="- -s /bin/bash")))
        assert completed.stdout.decode() == f"{other.home}\n"

    def test_an_unknown_user(self, session: Session, user: User, other: User) -> None:
        with pytest.raises(CommandRefused, match="nosuchuser"):
            collect(session, sh("id", become=by("su", user, other, user="nosuchuser")))


def test_many_users_on_a_host_that_allows_one_session(
    server: Sshd, start_sshd: Callable[..., Sshd], connect: Connect, user: User, other: User
) -> None:
    user.sudo(EVERYTHING)
    settings = {"AuthorizedKeysFile": str(user.home / "keys2"), "MaxSessions": "1"}
    small = start_sshd(settings=settings)
    shutil.copy(f"{small.client_key}.pub", user.home / "keys2")
    (user.home / "keys2").chmod(0o644)
    session = connect(small, user=user.name).open_session()
    for become in (None, by("sudo", user, other), by("su", user, other), None):
        wanted = user if become is None else other
        assert collect(session, sh("id -un", become=become)).stdout.decode() == f"{wanted.name}\n"
    late = collect(session, sh("sleep 1000", become=by("sudo", user, other), timeout=1.0))
    assert late.ending is Ending.TIMED_OUT


def test_twenty_at_once(login: Login, user: User, other: User) -> None:
    user.sudo("Defaults:NAME timestamp_timeout=0", EVERYTHING)
    become = by("sudo", user, other)
    said: list[bytes | HostError] = []

    def work() -> None:
        try:
            said.append(collect(login().open_session(), sh("id -un", become=become)).stdout)
        except HostError as error:
            said.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == [f"{other.name}\n".encode()] * 20
