"""``synchronize``: real rsync over real OpenSSH, reached as drumline reaches the host."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.compared import Reference, run_ansible
from support.running import Ran, run_text

from drumline.plugin import ActionFailed, Become, Completed, Here, RemoteShell, Secret
from drumline.testing import play
from drumline.testing.hosts import find_action
from drumline_lab.sshd import Sshd


def _run(server: Sshd, place: Path, tasks: str, keywords: str = "", **options: Any) -> Ran:
    """Run tasks on the host ``a``, and on ``b``, the same machine by another name."""
    inventory = f"""
        all:
          vars:
            ansible_host: {server.address}
            ansible_port: {server.port}
            ansible_user: {server.user}
            ansible_ssh_private_key_file: {server.client_key}
            ansible_ssh_known_hosts_file: "{server.known_hosts}"
            ansible_ssh_config_file: none
          hosts:
            a: {{{keywords}}}
            b:
        """
    text = "- hosts: a\n  gather_facts: false\n  tasks:\n" + "".join(f"    - {line}\n" for line in tasks.splitlines())
    return run_text(place, text, inventory=inventory, **options)


def _tree(path: Path) -> dict[str, str]:
    return {str(file.relative_to(path)): file.read_text() for file in path.rglob("*") if file.is_file()}


def _fill(path: Path, **files: str) -> None:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (path / name).write_text(text)


def test_pushes_and_pulls_with_checks_and_diffs(ssh_server: Sshd, tmp_path: Path) -> None:
    _fill(tmp_path / "files" / "site" / "a dir", one="1\n")
    _fill(tmp_path / "site's there", old="old\n")
    there, back = tmp_path / "site's there", tmp_path / "back"
    to_there = f'src: site/, dest: "{there}/", delete: true'
    ran = _run(
        ssh_server,
        tmp_path,
        f'''{{id: check, check_mode: true, diff: true, register: r, synchronize: {{{to_there}}}}}
{{id: lines, debug: {{msg: "{{{{ r.stdout_lines }}}}"}}}}
{{id: left, command: ls "{there}"}}
{{id: first, synchronize: {{{to_there}, rsync_opts: ["--exclude=.git"]}}}}
{{id: again, synchronize: {{{to_there}}}}}
{{id: whole, synchronize: {{src: site, dest: "{there}"}}, become: true}}
{{id: pull, synchronize: {{src: "{there}/a dir", dest: back/, mode: pull, archive: false, recursive: true}}}}
{{id: itself, delegate_to: a, synchronize: {{src: "{there}/a dir/", dest: "{there}/copy"}}}}
{{id: other, delegate_to: b, environment: {{LC_ALL: C}}, synchronize: {{src: "{there}/copy", dest: "{there}/other"}}}}
{{id: here, delegate_to: localhost, synchronize: {{src: "site/a dir", dest: "{there}/here"}}}}
{{id: missing, ignore_errors: true, synchronize: {{src: "{there}/none", dest: "{back}", mode: pull}}}}
{{id: refused, ignore_errors: true, synchronize: {{src: site, dest: "{there}", dest_port: 1}}}}''',
    )
    assert ran.result("check")["diff"]["prepared"].splitlines() == ran.result("lines")["msg"]
    assert set(ran.result("lines")["msg"]) >= {"*deleting   old", "cd+++++++++ a dir/"}
    assert ran.result("left")["stdout"] == "old"
    states = {id_: ran.status(id_) for id_ in ("check", "first", "again", "whole", "pull", "itself", "other", "here")}
    assert states == dict.fromkeys(states, "changed") | {"again": "ok"}
    assert ran.result("again")["msg"] == ""
    site = {"a dir/one": "1\n", "site/a dir/one": "1\n", "copy/one": "1\n"}
    assert _tree(there) == site | {"other/copy/one": "1\n", "here/a dir/one": "1\n"}
    assert _tree(back) == {"a dir/one": "1\n"}
    assert "sudo -n -u root rsync" in ran.result("whole")["cmd"]
    assert "--rsh" not in ran.result("itself")["cmd"]
    assert "--rsh" in ran.result("other")["cmd"]
    assert "No such file" in ran.result("missing")["msg"]
    assert ran.result("missing")["rc"] == 23
    assert "port 1" in ran.result("refused")["msg"]


def test_answers_ssh_with_the_passphrase_and_shows_it_nowhere(ssh_server: Sshd, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(ssh_server.client_key.read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "a 'word", "-f", str(key)], check=True, capture_output=True)
    _fill(tmp_path / "site", one="1\n")
    keywords = f'ansible_ssh_private_key_file: "{key}", ansible_ssh_private_key_passphrase: "a \'word"'
    ran = _run(ssh_server, tmp_path, f'{{id: push, synchronize: {{src: site/, dest: "{tmp_path}/d"}}}}', keywords)
    assert (ran.status("push"), _tree(tmp_path / "d")) == ("changed", {"one": "1\n"})
    assert "'word" not in str(ran.events)
    # The same with one that is wrong: it is tried once, and no one is asked.
    keywords = keywords.replace("a 'word", "wrong").replace(f'"{key}"', f'"{ssh_server.client_key}"')
    ran = _run(
        ssh_server,
        tmp_path,
        f'{{id: push, ignore_errors: true, synchronize: {{src: site/, dest: "{tmp_path}/e", private_key: "{key}"}}}}',
        keywords + ", ansible_ssh_common_args: -o IdentitiesOnly=yes",
    )
    assert ran.status("push") == "changed"  # by the connection's own key, which is tried after that one


_SSH = RemoteShell(words=("ssh", "-F", "none"), host="::1", user="me", port=2200, password=Secret("word"))
_FORMAT = "'--out-format=<<CHANGED>>%i %n%L'"


@pytest.mark.parametrize(
    ("arguments", "options", "target"),
    [
        (
            {"archive": False, "links": True, "rsync_timeout": 5, "delay_updates": False, "dest_port": 3},
            "--compress --links --timeout=5 '--rsh=ssh -F none -p 3'",
            "'me@[::1]:/d'",
        ),
        (
            {"owner": False, "group": True, "partial": True, "checksum": True, "set_remote_user": False},
            "--delay-updates -F --compress --checksum --archive --partial --no-owner '--rsh=ssh -F none -p 2200'",
            "'[::1]:/d'",
        ),
        (
            {"dest": "rsync://there/m", "compress": False, "rsync_opts": ["--rsh=rsh"], "link_dest": ["/o"]},
            "--delay-updates -F --archive --rsh=rsh -H -vv --link-dest=/o",
            "rsync://there/m",
        ),
    ],
)
def test_words(arguments: dict[str, Any], options: str, target: str) -> None:
    """What rsync is given, by the arguments; passwords are in the environment."""
    done = Completed(code=0, stdout=b"<<CHANGED>>.d..t...... ./\n")
    [request], result = play(
        find_action("synchronize"), {"src": "/s", "dest": "/d", **arguments}, [done], remote_shell=lambda: (_SSH, None)
    )
    assert result.values["cmd"] == f"rsync {options} {_FORMAT} /s {target}"
    assert result.changed is ("link_dest" not in arguments)
    assert isinstance(request, Here)
    assert request.run.environment["DRUMLINE_PASSWORD"] == "word"
    assert "word" not in request.run.text.replace("DRUMLINE_PASSWORD", "").replace("password", "")


def test_refuses_ways_to_become_that_rsync_cannot_use() -> None:
    with pytest.raises(ActionFailed, match="rsync can't be run by su"):
        play(
            find_action("synchronize"),
            {"src": "/s", "dest": "/d"},
            become=True,
            remote_shell=lambda: (_SSH, Become(method="su")),
        )


@pytest.mark.ansible
def test_says_what_ansible_says(reference: Reference, ssh_server: Sshd, tmp_path: Path) -> None:
    """Of the same changes the same lines."""
    _fill(tmp_path / "site" / "sub", one="1\n")
    (tmp_path / "site" / "link").symlink_to("sub/one")
    uses: list[dict[str, Any]] = [
        {"src": f"{tmp_path}/site/", "dest": "{0}/d"},
        {"src": f"{tmp_path}/site/", "dest": "{0}/d"},
        {"src": f"{tmp_path}/site", "dest": "{0}/d", "archive": False, "recursive": True},
        {"src": f"{tmp_path}/site/sub/", "dest": "{0}/d", "delete": True},
        {"src": "{0}/d/", "dest": "{0}/pulled", "mode": "pull", "checksum": True},
    ]

    def filled(use: dict[str, Any], place: str) -> dict[str, Any]:
        return {name: value.format(place) if isinstance(value, str) else value for name, value in use.items()}

    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    tasks = [{"synchronize": filled(use, f"{tmp_path}/theirs"), "register": f"r{n}"} for n, use in enumerate(uses)]
    theirs = run_ansible(ssh_server, tmp_path, tasks)
    lines = "\n".join(f"{{id: r{n}, synchronize: {filled(use, f'{tmp_path}/ours')}}}" for n, use in enumerate(uses))
    ran = _run(ssh_server, tmp_path, lines)
    for n in range(len(uses)):
        said = {name: ran.result(f"r{n}")[name] for name in ("changed", "msg", "rc")}
        said["msg"] = said["msg"].replace("/ours", "/theirs")
        assert said == {name: theirs[f"r{n}"][name] for name in said}
        assert set(theirs[f"r{n}"]) - {"invocation", "failed"} <= set(ran.result(f"r{n}")) | {"stdout_lines"}
    assert _tree(tmp_path / "ours") == _tree(tmp_path / "theirs")


def test_copies_on_this_machine_where_that_is_the_host(tmp_path: Path) -> None:
    _fill(tmp_path / "site", one="1\n")
    ran = run_text(
        tmp_path,
        f"""
        - hosts: a
          gather_facts: false
          tasks:
            - {{id: own, synchronize: {{src: site/, dest: {tmp_path}/own}}}}
            - {{id: other, become: true, become_user: nobody, synchronize: {{src: site, dest: {tmp_path}/other}}}}
        """,
    )
    assert ran.status("own") == "changed"
    assert _tree(tmp_path / "own") == {"one": "1\n"}
    assert "Permission denied" in ran.result("other")["msg"]  # of the other user
