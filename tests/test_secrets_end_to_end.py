"""Promise 6: what is registered as secret is nowhere in clear, nor in its base64 or UTF-16 form, whoever says it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.program import Ended, call, running, wait_until

from drumline_lab import lab
from drumline_lab.embedded_sshd import EmbeddedSshd
from drumline_lab.fleet import FleetRequest

PASSWORD = "Tr0ub4dor&3-horse"
LOCAL = f"[all:vars]\nansible_connection=local\nansible_password={PASSWORD}\n[web]\nweb1\nweb2\n"


def leaks(data: bytes, secret: str = PASSWORD) -> list[str]:
    """The forms in which a secret stands in these bytes."""
    raw, wide = secret.encode(), secret.encode("utf-16-le")
    forms = {"clear": raw, "utf-16": wide, "utf-16 in JSON": secret.replace("", "\\u0000")[6:-6].encode()}
    for name, plain in (("base64", raw), ("utf-16 base64", wide)):
        for shift in range(3):
            # What is the same whatever stands before and after it.
            encoded = base64.b64encode(b"\0" * shift + plain + b"\0\0\0")
            forms[f"{name} {shift}"] = encoded[(shift * 8 + 5) // 6 : (shift + len(plain)) * 8 // 6]
    return [name for name, form in forms.items() if form in data]


def test_the_search_itself_finds_every_form() -> None:
    wide = PASSWORD.encode("utf-16-le")
    for text in (PASSWORD.encode(), wide, json.dumps(wide.decode("latin-1")).encode()):
        assert leaks(b"a" + text + b"z")
    for before in (b"", b"x", b"xy", b"xyz"):
        assert leaks(base64.b64encode(before + PASSWORD.encode() + b"tail"))
        assert leaks(base64.b64encode(before + wide + b"tail"))
    assert leaks(b"nothing of the kind") == []


class Project:
    """A directory in which runs are made, and everything that they said and left behind."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[bytes] = []

    def run(self, playbook: str, *options: str, inventory: str | None = LOCAL) -> Ended:
        (self.directory / "site.yml").write_text(playbook)
        if inventory is not None:
            (self.directory / "inventory").write_text(inventory)
        return self.call("run", "site.yml", "--events", "events.jsonl", *options)

    def call(self, *arguments: str) -> Ended:
        ended = call(self.directory, *arguments)
        self.said.append(ended.said.encode())
        assert "Traceback" not in ended.said
        return ended

    def everything(self) -> bytes:
        """What was said, the events, the journal's bytes on disk, and what the journal gives back."""
        self.call("runs", "list", "--format", "json")
        for number in json.loads(self.said[-1]):
            for options in (["-vv"], ["--format", "json"]):
                assert self.call("runs", "show", str(number["number"]), *options).status == 0
        files = [self.directory / "events.jsonl", *filter(Path.is_file, (self.directory / "state").rglob("*"))]
        return b"\n".join([*self.said, *(path.read_bytes() for path in files)])


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


ECHOES = """
- hosts: all
  vars: {say: "{{ ansible_password }}"}
  tasks:
    - command: echo '{{ ansible_password }}'
      register: said
    - debug: {msg: "it said {{ said.stdout }} {{ ansible_password | b64encode }}"}
    - debug: {var: said}
    - debug: {msg: "{{ {'key ' ~ say: [say]} }}"}
    - set_fact: {kept: "x{{ say }}x"}
    - shell: printf %s 'user:{{ say }}' | base64; printf %s '{{ say }}' | base64
    - shell: printf %s '{{ say }}' | sed 's/./&#/g' | tr '#' '\\000'
    - shell: echo '{{ say }}' >&2; echo out '{{ say }}'; exit 3
      ignore_errors: true
    - command: /nowhere/{{ say }}
      ignore_errors: true
    - fail: {msg: "wrong: {{ say }}"}
      ignore_errors: true
    - assert: {that: ["say == 'other'"], fail_msg: "{{ say }} is not it"}
      ignore_errors: true
    - command: echo {{ item }}
      loop: ["{{ say }}", "two {{ say }}"]
    - copy: {content: "{{ say }}", dest: "/nowhere/{{ say }}/x"}
      ignore_errors: true
    - shell: cat
      args: {stdin: "{{ say }}"}
    - command: printenv WORD
      environment: {WORD: "{{ say }}"}
    - shell: >-
        head -c 1300000 /dev/zero | tr '\\000' x; for n in 1 2 3; do echo '{{ say }}'; done; head -c 700000 /dev/zero
    - shell: echo '{{ say }}'; exit 1
"""


@pytest.mark.parametrize("verbose", [(), ("-vv",)], ids=["quiet", "verbose"])
def test_a_password_of_the_inventory_that_everything_repeats(project: Project, verbose: tuple[str, ...]) -> None:
    ended = project.run(ECHOES, *verbose)
    assert ended.status == 2, ended.said
    assert "********" in ended.out
    everything = project.everything()
    assert b"it said ********" in everything
    assert leaks(everything) == []


@pytest.mark.parametrize("reference", ["env:DB_PASSWORD", "file:~/kept", "safe:db", "mine:db"])
def test_a_secret_that_is_referred_to_and_that_everything_repeats(
    project: Project, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.directory / "kept").write_text(f"{PASSWORD}\n")
    (project.directory / "drumline.toml").write_text("[secrets.commands]\nsafe = \"sh -c 'cat kept'\"\n")
    (project.directory / "plugins").mkdir()
    (project.directory / "plugins" / "mine.py").write_text(MINE)
    monkeypatch.setenv("DB_PASSWORD", PASSWORD)
    inventory = LOCAL.replace(PASSWORD, f"\"{{{{ lookup('secret', '{reference}') }}}}\"")
    ended = project.run(ECHOES, "-vv", inventory=inventory)
    assert ended.status == 2, ended.said
    everything = project.everything()
    assert b"it said ********" in everything
    assert reference.encode() not in everything  # nothing went wrong with it
    assert leaks(everything) == []


MINE = """
from pathlib import Path
from drumline.plugin import Secret, SecretStore, hookimpl

@hookimpl
def drumline_secrets():
    return [SecretStore(name="mine", resolve=lambda name: Secret(Path("kept").read_text().strip()))]
"""


def test_a_host_that_tells_the_password_of_one_that_was_never_asked(project: Project) -> None:
    inventory = f"[all:vars]\nansible_connection=local\n[web]\nweb1\n[db]\ndb1 ansible_ssh_pass={PASSWORD}\n"
    assert (
        project.run(f"- hosts: web1\n  tasks:\n    - command: echo {PASSWORD}\n", "-v", inventory=inventory).status == 0
    )
    # The playbook's author wrote it down, so it is in the file; but nowhere else.
    assert leaks(project.everything()) == []


@pytest.mark.parametrize(
    "options",
    [
        ["-e", f"db_password={PASSWORD}"],
        [f"-edb_password='{PASSWORD}'"],
        [f"--extra-vars=db_password={PASSWORD}"],
        ["-e", f'{{"db_password": "{PASSWORD}"}}'],
        ["-e", f"{{db_password: {PASSWORD}, other: 1}}"],
        ["-e", "@secrets.yml"],
    ],
    ids=["pair", "short", "long", "json", "yaml", "file"],
)
def test_extra_variables_whose_names_say_that_they_are_secret(project: Project, options: list[str]) -> None:
    (project.directory / "secrets.yml").write_text(f"db_password: {PASSWORD}\n")
    ended = project.run(
        "- hosts: web1\n  tasks:\n    - command: echo {{ db_password }}\n",
        "-v",
        *options,
        inventory="web1 ansible_connection=local\n",
    )
    assert ended.status == 0, ended.said
    assert "********" in ended.out
    assert leaks(project.everything()) == []


def test_no_log_hides_all_that_a_task_says_and_is_given(project: Project) -> None:
    word = "unregistered-word-7"
    ended = project.run(
        f"""
- hosts: all
  vars: {{word: {word}}}
  tasks:
    - {{command: "echo {{{{ word }}}}", no_log: true, register: quiet}}
    - {{command: "printenv WORD", environment: {{WORD: "{{{{ word }}}}"}}, no_log: true, register: env}}
    - {{command: "echo {{{{ item }}}}", loop: ["{{{{ word }}}}", b], no_log: true}}
    - {{set_fact: {{kept: "{{{{ quiet.stdout }}}}"}}, no_log: true}}
    - {{shell: "yes {{{{ word }}}} | head -c 3000000", no_log: true}}
    - {{command: "test {{{{ kept }}}} = {{{{ env.stdout }}}}", no_log: true}}
    - {{fail: {{msg: "{{{{ word }}}}"}}, no_log: true, ignore_errors: true}}
    - {{debug: {{msg: "{{{{ word }}}}"}}, no_log: "{{{{ 1 == 1 }}}}"}}
    - {{shell: "echo {{{{ word }}}}; exit 3", no_log: true}}
""",
        "-vv",
    )
    assert ended.status == 2, ended.said
    assert "The output is hidden" in ended.out
    assert leaks(project.everything(), word) == []


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("shell: echo $WORD; sleep 60\n      timeout: 1", "Timed out after 1 seconds."),
        ("pause: {seconds: 60}\n      timeout: 0.3", "Timed out after 0.3 seconds."),
        ("shell: echo $WORD; exit 3", "Failed with exit code 3."),
        ("shell: exit 4\n      until: false\n      retries: 2\n      delay: 0", "exit code 4. It was tried 3 times."),
        (
            "shell: echo $WORD; test {{ item }} = a\n      loop: [a, b]",
            "1 of 2 items failed, the first one like this: ",
        ),
        ("debug: {msg: '{{ word ~ nothing.there }}'}", "A template failed at "),
        ("command: 'true'\n      delegate_to: gone", "Connection refused."),
    ],
)
def test_no_log_hides_values_and_not_what_happened(project: Project, task: str, told: str) -> None:
    word = "unregistered-word-7"
    inventory = "web1 ansible_connection=local\n[other]\ngone ansible_host=127.0.0.1 ansible_port=1\n"
    ended = project.run(
        f"- hosts: web1\n  vars: {{word: {word}, nothing: {{}}}}\n  tasks:\n    - {task}\n"
        "      environment: {WORD: '{{ word }}'}\n      no_log: true\n",
        inventory=inventory,
    )
    assert ended.status in (2, 4), ended.said
    assert told in " ".join(ended.out.split()), ended.out
    assert leaks(project.everything(), word) == []


def test_a_secret_across_the_limit_of_what_is_kept_in_memory(project: Project) -> None:
    half = 1024 * 1024 - len(PASSWORD) // 2
    ended = project.run(
        "- hosts: web1\n  vars: {say: '{{ ansible_password }}'}\n  tasks:\n"
        f"    - shell: head -c {half} /dev/zero | tr '\\000' x; printf '%s' '{{{{ say }}}}'; head -c 300000 /dev/zero\n"
    )
    assert ended.status == 0, ended.said
    project.call("runs", "output", "1", "command", "web1")
    everything = project.everything()
    assert leaks(everything) == []
    for part in (PASSWORD[: len(PASSWORD) // 2], PASSWORD[len(PASSWORD) // 2 :]):
        assert part.encode() not in everything


def test_no_command_line_of_any_process_shows_it(project: Project) -> None:
    (project.directory / "secrets.yml").write_text(f"db_password: {PASSWORD}\n")
    (project.directory / "inventory").write_text("web1 ansible_connection=local\n")
    (project.directory / "site.yml").write_text(
        "- hosts: all\n  tasks:\n    - shell: >-\n"
        "        word='{{ db_password }}'; touch began; while ! [ -e gate ]; do sleep 0.05; done\n"
        f"      args: {{chdir: {project.directory}}}\n"
    )
    with running(project.directory, "run", "site.yml", "-e", "@secrets.yml") as program:
        wait_until((project.directory / "began").exists)
        lines = b"\n".join(_command_lines())
        (project.directory / "gate").touch()
        assert program.end().status == 0
    assert b"site.yml" in lines
    assert leaks(lines) == []


def _command_lines() -> Iterator[bytes]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                yield (entry / "cmdline").read_bytes()
            except OSError:
                continue


def test_a_mistake_beside_a_password_does_not_show_it(project: Project) -> None:
    (project.directory / "inventory.yml").write_text(
        f"all:\n  hosts:\n    web1: {{ansible_password: {PASSWORD}, ansible_port: 1, ansible_port: 2}}\n"
    )
    (project.directory / "hosts").write_text(f"[web]\nweb;1 ansible_password='{PASSWORD}' ansible_port=22\n")
    (project.directory / "site.yml").write_text(
        f"- hosts: all\n  tasks: [{{ping: , vars: {{db_password: '{PASSWORD}'}}, oops: 1}}]\n"
    )
    ended = project.call("run", "site.yml", "-i", "inventory.yml", "-i", "hosts")
    assert ended.status == 5
    assert ended.err.count("********") == 3, ended.err
    # The caret stands where it stood: below the mistake.
    lines = ended.err.splitlines()
    marked = {lines[n - 1][line.index("^") :] for n, line in enumerate(lines) if set(line.strip()) == {"^"}}
    assert {text.split(" ")[0].split(":")[0] for text in marked} == {"ansible_port", "web;1", "oops"}
    assert leaks(ended.said.encode()) == []


# Passwords that log in, or fail to.


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Path]:
    """The inventory of a Windows host with a password of its own."""
    directory = tmp_path / "lab"
    lab.up(directory, FleetRequest(linux=0, windows=1))
    yield directory / lab.INVENTORY
    lab.down(directory)


def test_the_password_of_a_windows_host(project: Project, fleet: Path) -> None:
    password = next(line.split('"')[1] for line in fleet.read_text().splitlines() if "ansible_password" in line)
    (project.directory / "inventory").write_text(fleet.read_text())
    # Lines that both cmd and sh know: the host may have no Windows behind it.
    ended = project.run(
        """
- hosts: windows
  tasks:
    - {shell: "echo {{ ansible_password }}", args: {executable: cmd}}
    - {shell: "echo {{ ansible_password }} && exit 3", args: {executable: cmd}}
""",
        "-vv",
        inventory=None,
    )
    assert ended.status == 2, ended.said
    assert "********" in ended.out
    wrong = project.run("- hosts: windows\n  tasks: [{ping: }]\n", "-e", f"ansible_password={PASSWORD}", inventory=None)
    assert wrong.status == 4, wrong.said
    everything = project.everything()
    assert leaks(everything) == []
    assert leaks(everything, password) == []


def test_the_password_of_an_ssh_host(project: Project, tmp_path: Path) -> None:
    from drumline.secret import Secret

    with EmbeddedSshd(tmp_path / "sshd", password=Secret(PASSWORD)) as server:
        inventory = (
            f"web1 ansible_host=127.0.0.1 ansible_port={server.port} ansible_user={server.user} "
            f"ansible_password={PASSWORD} ansible_ssh_common_args='-o StrictHostKeyChecking=no'\n"
        )
        ended = project.run(
            "- hosts: all\n  tasks: [{command: 'echo {{ ansible_password }}'}]\n", "-vv", inventory=inventory
        )
        assert ended.status == 0, ended.said
        wrong = project.run(
            "- hosts: all\n  tasks: [{ping: }]\n", "-e", "ansible_password=Wr0ng-battery-staple", inventory=inventory
        )
    assert wrong.status == 4, wrong.said
    everything = project.everything()
    assert leaks(everything) == []
    assert leaks(everything, "Wr0ng-battery-staple") == []
