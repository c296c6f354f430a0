"""Over a hundred configurations mean the same to drumline as to OpenSSH: with ``ssh`` asked, and without it."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from drumline.plugin import OptionInvalid, Target
from drumline_ssh import configfile
from drumline_ssh.asking import SshProgram, SshRefuses
from drumline_ssh.configfile import ClientConfig
from drumline_ssh.settings import SshSettings, resolve


class Case(NamedTuple):
    name: str
    hosts: list[str]
    files: dict[str, bytes]


def read_cases() -> list[Case]:
    text = (Path(__file__).parent / "ssh_config_corpus.txt").read_bytes()
    cases = []
    for section in text.split(b"=== ")[1:]:
        title, _, body = section.partition(b"\n")
        name, _, hosts = title.decode().rpartition(": ")
        main, *included = body.split(b"+++ ")
        files = {"main file": main}
        for part in included:
            file, _, content = part.partition(b"\n")
            files[file.decode()] = content
        cases.append(Case(name, hosts.split(), files))
    return cases


CASES = read_cases()


class NoSsh(SshProgram):
    """A machine without the program."""

    @property
    def installed(self) -> bool:
        return False


class Counted(SshProgram):
    """Counts how often it is asked, and takes no refusal."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def ask(self, name: str, *rest: Any) -> dict[str, list[str]]:
        self.asked.append(name)
        try:
            return super().ask(name, *rest)
        except SshRefuses as error:
            raise AssertionError(f"ssh refuses this: {error}") from None


@pytest.fixture(autouse=True)
def _home_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """``ssh`` reads no other; only the files that a test names are read."""
    monkeypatch.setenv("HOME", pwd.getpwuid(os.getuid()).pw_dir)
    monkeypatch.setenv("SSH_TEST_PLACE", "/some/place")


def write(case: Case, directory: Path) -> Path:
    for name, content in case.files.items():
        text = content.replace(b"@HERE@", bytes(directory)).replace(b"@ME@", getpass.getuser().encode())
        (directory / name).write_bytes(text)
        (directory / name).chmod(0o600)
    return directory / "main file"


def settings(config: ClientConfig, host: str, file: Path, **options: Any) -> SshSettings:
    return resolve(Target(host=host, transport="ssh", options={"ssh_config_file": str(file), **options}), config)


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)


needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client isn't installed")


@needs_ssh
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_drumline_reads_it_as_ssh_does(case: Case, tmp_path: Path) -> None:
    file = write(case, tmp_path)
    shared, reading = ClientConfig(Counted), ClientConfig(NoSsh)
    for host in case.hosts:
        read = settings(reading, host, file)
        assert settings(ClientConfig(Counted), host, file) == read
        assert settings(shared, host, file) == read  # from what was said of another host, where that will do


def config_of(tmp_path: Path, text: str) -> Path:
    return write(Case("", [], {"main file": text.encode()}), tmp_path)


class TestAsking:
    """How often ``ssh`` is asked."""

    def hosts_asked(self, tmp_path: Path, text: str, hosts: list[str], **options: Any) -> list[str]:
        program = Counted()
        config, file = ClientConfig(lambda: program), config_of(tmp_path, text)
        for host in hosts:
            settings(config, host, file, **options)
        return program.asked

    @needs_ssh
    @pytest.mark.parametrize(
        ("text", "asked"),
        [
            ("Port 7\n", ["a1"]),
            ("Host a*\n  HostName %h.example\n", ["a1"]),
            ("Host a1\n  User x\nHost *\n  Port 7\n", ["a1"]),
            ("Host a1\n  IdentityFile ~/x\nHost *\n  Port 7\n", ["a1", "a2"]),
            ("Match host a2,b2\n  Compression yes\n", ["a1", "a2"]),
            ("Match final all\n  Port 7\n", ["a1"]),
            ("Match exec true\n  Port 7\n", ["a1", "a2", "b1", "b2"]),
            ("Match host a* exec true\n  Port 7\n", ["a1", "a2", "b1"]),
            ("CanonicalizeHostname yes\n", ["a1", "a2", "b1", "b2"]),
            ("UserKnownHostsFile ~/.ssh/known/%h\n", ["a1", "a2", "b1", "b2"]),
        ],
    )
    def test_once_for_all_hosts_that_differ_in_name_user_and_port_only(
        self, tmp_path: Path, text: str, asked: list[str]
    ) -> None:
        assert self.hosts_asked(tmp_path, text, ["a1", "a2", "b1", "b2"]) == asked

    @needs_ssh
    def test_once_whatever_the_inventory_says_of_each_host(self, tmp_path: Path) -> None:
        program = Counted()
        config, file = ClientConfig(lambda: program), config_of(tmp_path, "Match user u1\n  ConnectTimeout 7\n")
        found = [settings(config, "web", file, port=number, user=f"u{number}") for number in (1, 2, 3)]
        assert [(one.port, one.user, one.timeout) for one in found] == [(1, "u1", 7), (2, "u2", 10), (3, "u3", 10)]
        assert len(program.asked) == 2

    @needs_ssh
    def test_again_when_a_file_has_changed(self, tmp_path: Path) -> None:
        (tmp_path / "more").write_text("Port 7\n")
        (tmp_path / "more").chmod(0o600)
        program = Counted()
        config, file = ClientConfig(lambda: program), config_of(tmp_path, "Include @HERE@/more\n")
        assert [settings(config, "web", file).port for _ in range(2)] == [7, 7]
        (tmp_path / "more").write_text("Port 2222\n")
        assert settings(config, "web", file).port == 2222
        assert len(program.asked) == 2

    @needs_ssh
    def test_never_where_home_is_another_directory_or_no_file_is_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        program = Counted()
        config = ClientConfig(lambda: program)
        settings(config, "web", Path("none"))
        file = config_of(tmp_path, "Port 7\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert settings(config, "web", file).port == 7
        assert program.asked == []

    @needs_ssh
    def test_by_many_threads_at_once(self, tmp_path: Path) -> None:
        program = Counted()
        config, file = ClientConfig(lambda: program), config_of(tmp_path, "Host a*\n  Port 7\n")
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda number: settings(config, f"a{number}", file), range(100)))
        assert {one.port for one in found} == {7}
        assert [one.host for one in found] == [f"a{number}" for number in range(100)]
        assert len(program.asked) == 1

    @needs_ssh
    def test_a_program_that_never_ends_is_given_up(self, tmp_path: Path) -> None:
        with pytest.raises(SshRefuses, match=r"didn't answer within 0\.3 s"):
            SshProgram().ask("web", {}, config_of(tmp_path, 'Match exec "sleep 60"\n  Port 7\n'), 0.3)


class TestMistakes:
    """A line that can't be honoured concerns the hosts that it counts for, with ``ssh`` and without it."""

    @pytest.fixture(params=[pytest.param(SshProgram, marks=needs_ssh), NoSsh], ids=["asked", "alone"])
    def config(self, request: pytest.FixtureRequest) -> ClientConfig:
        return ClientConfig(request.param)

    @pytest.mark.parametrize(
        ("line", "named"),
        [
            ("NoSuchSetting yes", "'nosuchsetting' is no setting that OpenSSH knows"),
            ("Port many", "'many' is no port"),
            ("Port 70000", "70000"),
            ("Port", "nothing follows"),
            ("User a b", "more than one value"),
            ("ConnectTimeout soon", "'soon' is not a time"),
            ("StrictHostKeyChecking perhaps", "perhaps"),
            ("IdentitiesOnly maybe", "maybe"),
            ('User "open', "never closed"),
            ("IdentityFile ~/%q", "'%q' means nothing"),
            ("HostName %p.example", "'%p' means nothing"),
            ("ProxyCommand nc %q", "'%q' means nothing"),
            ("IdentityFile ${NO_SUCH_VARIABLE}/key", "NO_SUCH_VARIABLE"),
            ("KnownHostsCommand /bin/keys", "knownhostscommand"),
            ("ProxyJump :22", ":22"),
        ],
    )
    def test_a_line_concerns_its_hosts(self, config: ClientConfig, tmp_path: Path, line: str, named: str) -> None:
        file = config_of(tmp_path, f"Host bad\n  {line}\nHost good\n  Port 7\n")
        with pytest.raises(OptionInvalid) as caught:
            settings(config, "bad", file)
        assert named in str(caught.value)
        assert settings(config, "good", file).port == 7

    @pytest.mark.parametrize(
        "condition",
        [
            "Match localnetwork 203.0.113.0/24",
            "Match host bad localnetwork 203.0.113.0/24",
            "Match tagged",
            "Match no-such-criterion x",
            "Match host",
            "Match all host bad",
        ],
    )
    def test_a_condition_concerns_hosts_for_which_it_would_change_something(
        self, config: ClientConfig, tmp_path: Path, condition: str
    ) -> None:
        file = config_of(tmp_path, f"Host good\n  Port 7\n{condition}\n  Port 1\n")
        assert settings(config, "good", file).port == 7
        said = ""
        try:
            port = settings(config, "bad", file).port
        except OptionInvalid as error:
            said, port = str(error), 22
        assert condition in said or not said
        assert port == 22  # an ssh that knows the condition may decide that it doesn't hold

    def test_a_condition_that_other_criteria_rule_out_does_no_harm(self, config: ClientConfig, tmp_path: Path) -> None:
        file = config_of(tmp_path, "Match host other localnetwork 203.0.113.0/24\n  Port 1\n")
        assert settings(config, "web", file).port == 22

    def test_files_that_include_one_another(self, config: ClientConfig, tmp_path: Path) -> None:
        file = config_of(tmp_path, "Port 7\nHost bad\n  Include @HERE@/main*\n")
        assert settings(config, "good", file).port == 7
        with pytest.raises(OptionInvalid, match="16 levels deep"):
            settings(config, "bad", file)

    def test_a_file_that_others_may_write_to_is_refused_as_by_ssh(self, config: ClientConfig, tmp_path: Path) -> None:
        file = config_of(tmp_path, "Include @HERE@/more\n")
        (tmp_path / "more").write_text("ProxyCommand evil\n")
        (tmp_path / "more").chmod(0o666)
        with pytest.raises(OptionInvalid, match="chmod go-w"):
            settings(config, "web", file)

    def test_a_file_that_is_not_there(self, config: ClientConfig, tmp_path: Path) -> None:
        with pytest.raises(OptionInvalid, match="no-such"):
            settings(config, "web", tmp_path / "no-such")


def test_tags_without_ssh(tmp_path: Path) -> None:
    file = config_of(tmp_path, "Host web\n  Tag blue\nMatch tagged blue,green\n  Port 7\n")
    assert settings(ClientConfig(NoSsh), "web", file).port == 7
    assert settings(ClientConfig(NoSsh), "other", file).port == 22


def test_the_files_of_user_and_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / "system").write_text("Port 8\nUser of-system\nInclude beside\n")
    (tmp_path / "beside").write_text("Compression yes\n")
    (tmp_path / "beside").chmod(0o600)
    monkeypatch.setattr(configfile, "_OF_SYSTEM", tmp_path / "system")
    (tmp_path / ".ssh" / "config").write_text("Include conf.d/*\nPort 7\n")
    (tmp_path / ".ssh" / "config").chmod(0o600)
    (tmp_path / ".ssh" / "conf.d").mkdir()
    (tmp_path / ".ssh" / "conf.d" / "one").write_text("User of-one\n")
    (tmp_path / ".ssh" / "conf.d" / "one").chmod(0o600)
    found = resolve(Target(host="web", transport="ssh"), ClientConfig())
    assert (found.port, found.user, found.compression) == (7, "of-one", True)
