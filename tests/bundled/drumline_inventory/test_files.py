"""Sources that are files: tables, TOML, OpenSSH's files and Terraform's states."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.sources import groups, read_inventory, refused, variables, written

from drumline.model.value import Template


class TestCsv:
    TABLE = 'host,groups,ansible_port,note,ready\nweb1,"web,canary",2222,{{ a }},true\n\ndb1,db;old,,007,no\n'

    def test_a_table_by_itself(self, tmp_path: Path) -> None:
        inventory = read_inventory(written(tmp_path, "hosts.csv", self.TABLE))
        assert groups(inventory) == {"web1": ["canary", "web"], "db1": ["db", "old"]}
        note = variables(inventory)["web1"]["note"]
        assert isinstance(note, Template)
        assert (note.position.path, note.position.line) == (str(tmp_path / "hosts.csv"), 2)
        assert variables(inventory)["db1"] == {"note": "007", "ready": "no"}
        assert variables(inventory)["web1"]["ansible_port"] == 2222
        assert variables(inventory)["web1"]["ready"] is True

    def test_a_table_that_a_file_names(self, tmp_path: Path) -> None:
        written(tmp_path, "tables/hosts.csv", "server;site\nw1;north\nw2;south\n")
        options = {"path": "tables/hosts.csv", "host_column": "server", "keyed_groups": [{"key": "site"}]}
        inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "csv", **options}))
        assert groups(inventory) == {"w1": ["_north"], "w2": ["_south"]}
        assert variables(inventory)["w1"] == {"site": "north"}

    @pytest.mark.parametrize(
        ("table", "summary", "words"),
        [
            ("a,b\n1,2\n", "There is no column for hosts", "It has: a, b. Name the one"),
            ("host,a\nw1,1\n,1\n", "A row names no host", "'host' is empty"),
            ("host\nw1,2\n", "A row with more cells than columns", "2 cells"),
            ("host\nw 1\n", "Not a host name", "A space"),
        ],
    )
    def test_mistakes(self, tmp_path: Path, table: str, summary: str, words: str) -> None:
        found = refused(written(tmp_path, "hosts.csv", table))
        assert found.summary == summary
        assert words in found.detail
        assert found.position is not None
        assert found.position.path == str(tmp_path / "hosts.csv")

    def test_a_column_that_is_not_there(self, tmp_path: Path) -> None:
        written(tmp_path, "hosts.csv", "server\nw1\n")
        found = refused(written(tmp_path, "1.yml", "plugin: csv\npath: hosts.csv\nhost_column: serve\n"))
        assert "Did you mean 'server'?" in found.detail
        assert str(found.position) == f"{tmp_path}/1.yml:3:1"


class TestToml:
    def test_groups_hosts_and_variables(self, tmp_path: Path) -> None:
        text = (
            '[web]\nchildren = ["canary"]\n[web.hosts]\n"w[1:2]" = {a = "{{ b }}"}\n'
            "[web.vars]\nx = 1\n[canary.hosts]\nc = {}\n"
        )
        inventory = read_inventory(written(tmp_path, "hosts.toml", text))
        assert groups(inventory) == {"w1": ["web"], "w2": ["web"], "c": ["canary", "web"]}
        assert isinstance(variables(inventory)["w2"]["a"], Template)
        assert variables(inventory)["c"] == {"x": 1}

    @pytest.mark.parametrize(
        ("text", "summary", "line"),
        [
            ("[web\n", "This file isn't valid TOML", 1),
            ("x = 1\n", "Wrong type in an inventory", 1),
            ("[web]\nhost = 1\n", "Wrong type in an inventory", 2),
            ("[web]\n\n[web.hosts]\na = 1\n", "Wrong type in an inventory", 4),
            ("[web]\nhosts = 1\n", "Wrong type in an inventory", 2),
            ('plugin = "http"\n', "A source can't be configured in TOML", 0),
        ],
    )
    def test_mistakes(self, tmp_path: Path, text: str, summary: str, line: int) -> None:
        found = refused(written(tmp_path, "hosts.toml", text))
        assert found.summary == summary
        assert found.position is not None
        assert found.position.line == line


SSH_CONFIG = """
# a comment
Host *.example.com !bad.example.com
    User deploy
Host bastion
    HostName 192.0.2.1
    Port=2222
    User "first last"
Host inner.example.com bad.example.com
    hostname %h.internal
    ProxyJump bastion
    IdentityFile ~/.ssh/inner
Match host bastion exec true
    User never
Host *
    User fallback
    Port 22
"""


class TestSshConfig:
    def test_it_agrees_with_ssh_itself(self, tmp_path: Path) -> None:
        path = written(tmp_path, "config", SSH_CONFIG)
        inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "ssh_config", "path": "config"}))
        assert list(inventory.hosts) == ["bastion", "inner.example.com", "bad.example.com"]
        ssh = shutil.which("ssh")
        assert ssh is not None
        for name, host in inventory.hosts.items():
            told = subprocess.run([ssh, "-G", "-F", path, name], capture_output=True, text=True, check=True).stdout
            says = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
            assert host.variables.get("ansible_host", name) == says["hostname"]
            assert host.variables["ansible_port"] == int(says["port"])
            assert host.variables["ansible_user"] == says["user"]
            jump = host.variables.get("ansible_ssh_common_args")
            assert jump == (f"-J {says['proxyjump']}" if "proxyjump" in says else None)
            assert host.variables["ansible_ssh_config_file"] == str(path)
            assert host.groups == ("ssh_config",)

    def test_what_it_includes(self, tmp_path: Path) -> None:
        written(tmp_path, "more/a.conf", "Host a\n  HostName 192.0.2.7\n")
        written(tmp_path, "config", f"Include {tmp_path}/more/*.conf\nHost b\n")
        inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "ssh_config", "path": "config", "group": ""}))
        assert groups(inventory) == {"a": ["ungrouped"], "b": ["ungrouped"]}
        assert variables(inventory)["a"]["ansible_host"] == "192.0.2.7"

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        found = refused(written(tmp_path, "1.yml", {"plugin": "ssh_config", "path": "none"}))
        assert found.summary == "A file can't be read"


class TestKnownHosts:
    def test_names_addresses_and_ports(self, tmp_path: Path) -> None:
        lines = [
            "web1,192.0.2.1 ssh-ed25519 AAAA",
            "[db1.example.com]:2222,[192.0.2.2]:2222 ssh-ed25519 AAAA",
            "web1 ssh-rsa AAAA",
            "192.0.2.9 ssh-rsa AAAA",
            "@cert-authority *.example.com ssh-rsa AAAA",
            "@revoked old ssh-rsa AAAA",
            "*.wild,!x ssh-rsa AAAA",
            "|1|xyz=|abc= ssh-rsa AAAA",
            "# a comment",
        ]
        written(tmp_path, "known_hosts", "\n".join(lines))
        inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "known_hosts", "path": "known_hosts"}))
        assert variables(inventory) == {
            "web1": {"ansible_host": "192.0.2.1"},
            "db1.example.com": {"ansible_host": "192.0.2.2", "ansible_port": 2222},
            "192.0.2.9": {},
        }
        [warning] = inventory.warnings
        assert "1 name is hashed" in warning.detail

    def test_what_ssh_keygen_writes(self, tmp_path: Path) -> None:
        """A file that OpenSSH's own program has hashed names nobody."""
        key = tmp_path / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = " ".join(Path(f"{key}.pub").read_text().split()[:2])
        path = written(tmp_path, "known_hosts", f"web1 {public}\nweb2 {public}\n")
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", path], check=True, capture_output=True)
        inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "known_hosts", "path": "known_hosts"}))
        assert list(inventory.hosts) == []
        assert "2 names are hashed" in inventory.warnings[0].detail


VERSION_4: dict[str, Any] = {
    "version": 4,
    "resources": [
        {
            "mode": "managed",
            "module": 'module.app["eu"]',
            "type": "aws_instance",
            "name": "web",
            "instances": [
                {
                    "index_key": number,
                    "attributes": {
                        "tags": {"Name": f"web{number}"},
                        "public_ip": f"192.0.2.{number}",
                        "user_data": "hunter2",
                        "note": "{{ 1 }}",
                    },
                    "sensitive_attributes": [[{"type": "get_attr", "value": "user_data"}]],
                }
                for number in (0, 1)
            ],
        },
        {
            "mode": "managed",
            "type": "aws_db_instance",
            "name": "db",
            "instances": [{"attributes": {"address": "a", "ip_address": "192.0.2.9"}}],
        },
        {
            "mode": "data",
            "type": "aws_instance",
            "name": "seen",
            "instances": [{"attributes": {"public_ip": "192.0.2.8"}}],
        },
    ],
}
VERSION_3 = {
    "version": 3,
    "modules": [
        {
            "path": ["root", "app"],
            "resources": {
                "aws_instance.web.0": {
                    "primary": {"attributes": {"tags.%": "1", "tags.Name": "web0", "public_ip": "192.0.2.0"}}
                },
                "google_compute_instance.gce": {
                    "primary": {
                        "attributes": {
                            "name": "gce",
                            "network_interface.#": "1",
                            "network_interface.0.network_ip": "10.0.0.2",
                        }
                    }
                },
                "data.aws_instance.seen": {"primary": {"attributes": {"public_ip": "192.0.2.8"}}},
            },
        }
    ],
}
SHOWN = {
    "format_version": "1.0",
    "values": {
        "root_module": {
            "resources": [
                {
                    "mode": "managed",
                    "address": "hcloud_server.a",
                    "type": "hcloud_server",
                    "name": "a",
                    "values": {"name": "a", "ipv4_address": "192.0.2.5", "password": "hunter2"},
                    "sensitive_values": {"password": True},
                }
            ],
            "child_modules": [
                {
                    "address": "module.m",
                    "resources": [
                        {
                            "mode": "managed",
                            "address": "module.m.ansible_host.x",
                            "type": "ansible_host",
                            "name": "x",
                            "values": {"name": "x", "groups": ["g"], "variables": {"v": "1"}},
                        }
                    ],
                }
            ],
        }
    },
}


class TestTerraform:
    def test_a_state_of_version_4(self, tmp_path: Path) -> None:
        inventory = read_inventory(written(tmp_path, "terraform.tfstate", VERSION_4))
        assert groups(inventory) == {
            "web0": ["aws_instance", "module_app"],
            "web1": ["aws_instance", "module_app"],
        }
        own = variables(inventory)["web1"]
        assert own["ansible_host"] == "192.0.2.1"
        assert own["terraform_address"] == 'module.app["eu"].aws_instance.web[1]'
        assert own["terraform"]["note"] == "{{ 1 }}"  # text: what is in a state is never a template
        assert "user_data" not in own["terraform"]

    def test_a_state_of_version_3(self, tmp_path: Path) -> None:
        inventory = read_inventory(written(tmp_path, "terraform.tfstate", VERSION_3))
        assert groups(inventory)["web0"] == ["aws_instance", "module_app"]
        assert variables(inventory)["gce"]["ansible_host"] == "10.0.0.2"
        assert variables(inventory)["web0"]["terraform_address"] == "module.app.aws_instance.web[0]"
        assert list(inventory.hosts) == ["web0", "gce"]

    def test_what_terraform_show_prints(self, tmp_path: Path) -> None:
        written(tmp_path, "shown.json", SHOWN)
        inventory = read_inventory(written(tmp_path, "1.yml", {"plugin": "terraform", "path": "shown.json"}))
        assert variables(inventory)["a"]["terraform"] == {"name": "a", "ipv4_address": "192.0.2.5"}
        assert groups(inventory)["x"] == ["ansible_host", "g", "module_m"]
        assert variables(inventory)["x"]["v"] == "1"

    def test_machines_of_one_name_are_called_by_their_address(self, tmp_path: Path) -> None:
        state = json.loads(json.dumps(VERSION_4).replace("web1", "web0"))
        inventory = read_inventory(written(tmp_path, "terraform.tfstate", state))
        assert list(inventory.hosts) == ["module.app-eu.aws_instance.web-0", "module.app-eu.aws_instance.web-1"]

    def test_resources_that_an_option_names(self, tmp_path: Path) -> None:
        written(tmp_path, "state.json", VERSION_4)
        options = {"plugin": "terraform", "path": "state.json", "resources": ["aws_db_instance"]}
        assert list(read_inventory(written(tmp_path, "1.yml", options)).hosts) == ["aws_db_instance.db"]

    @pytest.mark.parametrize(
        ("state", "summary", "words"),
        [
            ({"encrypted_data": "x", "meta": {}}, "The Terraform state is encrypted", "tofu show -json"),
            ({"version": 3, "backend": {"type": "s3"}}, "The Terraform state is remote", "terraform state pull"),
            ({"version": 2}, "This isn't a Terraform state", "the version 2"),
            ("no json", "This isn't a Terraform state", "isn't JSON"),
            ([], "This isn't a Terraform state", "a JSON object"),
            ({"version": 4, "resources": [1]}, "This isn't a Terraform state", "is damaged"),
        ],
    )
    def test_states_that_can_not_be_read(self, tmp_path: Path, state: Any, summary: str, words: str) -> None:
        found = refused(written(tmp_path, "terraform.tfstate", state))
        assert found.summary == summary
        assert words in found.detail
