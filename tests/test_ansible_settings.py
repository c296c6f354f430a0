"""``ansible.cfg`` and ``ANSIBLE_*``: which file counts, what is read from it, and what is said about mistakes."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from drumline.config import Loaded, load_settings, settings_and_sources
from drumline.config.known import REFUSED
from drumline.errors import FilesError, UsageError


def loaded(directory: Path, text: str, **environment: str) -> Loaded:
    (directory / "ansible.cfg").write_text(text, encoding="utf-8")
    return settings_and_sources(directory, {"HOME": str(directory / "home"), **environment})


def mistakes(directory: Path, text: str) -> list[tuple[str, str, int]]:
    with pytest.raises(FilesError) as caught:
        loaded(directory, text)
    return [(found.summary, found.detail, found.position.line) for found in caught.value.diagnostics if found.position]


def test_what_matters_is_read_with_its_place(tmp_path: Path) -> None:
    text = """# of our team
[defaults]
inventory = hosts.ini, more/
forks: 12  ; many
remote_user = "deploy"
host_key_checking = False
private_key_file = keys/id
timeout = 30
gathering = explicit
roles_path = roles:~/galaxy
    :/opt/roles
collections_paths = /c

[privilege_escalation]
become = yes
become_user = app

[ssh_connection]
ssh_args = -o ControlMaster=auto
"""
    found = loaded(tmp_path, text)
    settings, sources = found.settings, found.sources
    assert settings.inventory == ("hosts.ini", "more")
    assert (settings.forks, settings.remote_user, settings.host_key_checking) == (12, "deploy", False)
    assert (settings.private_key_file, settings.timeout, settings.gathering) == ("keys/id", 30.0, "explicit")
    assert settings.roles_path == ("roles", os.path.expanduser("~/galaxy"), "/opt/roles")
    assert settings.collections_path == ("/c",)
    assert (settings.become, settings.become_user, settings.ssh_args) == (True, "app", "-o ControlMaster=auto")
    assert sources["forks"] == f"{tmp_path}/ansible.cfg:4"
    assert sources["become"] == f"{tmp_path}/ansible.cfg:15"
    assert "sessions" not in sources


def test_names_of_files_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "a.cfg").write_text("[defaults]\nroles_path = r:/r\nprivate_key_file = $K/key\ninventory = i\n")
    settings = load_settings(tmp_path, {"ANSIBLE_CONFIG": "etc/a.cfg", "HOME": "/h"})
    assert settings.roles_path == (f"{tmp_path}/etc/r", "/r")
    assert settings.inventory == (f"{tmp_path}/etc/i",)
    (tmp_path / "ansible.cfg").write_text("[defaults]\nroles_path = {{CWD}}/roles\n")
    assert load_settings(tmp_path, {"HOME": "/h"}).roles_path == (f"{tmp_path}/roles",)


def test_the_first_file_counts_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".ansible.cfg").write_text("[defaults]\nforks = 3\nremote_user = me\n")
    other = tmp_path / "other.cfg"
    other.write_text("[defaults]\nforks = 4\n")
    assert load_settings(tmp_path, {"HOME": str(home)}).forks == 3
    found = loaded(tmp_path, "[defaults]\nforks = 2\n", HOME=str(home))
    assert (found.settings.forks, found.settings.remote_user) == (2, None)
    assert load_settings(tmp_path, {"HOME": str(home), "ANSIBLE_CONFIG": str(other)}).forks == 4
    other.rename(home / "ansible.cfg")
    assert load_settings(tmp_path, {"HOME": str(tmp_path), "ANSIBLE_CONFIG": str(home)}).forks == 4
    (tmp_path / "drumline.toml").write_text("sessions = 1\n")
    assert load_settings(tmp_path, {"HOME": str(home), "ANSIBLE_CONFIG": str(other)}).forks == 50


def test_a_file_where_anyone_may_write_is_left_alone_and_that_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = loaded(tmp_path, "[defaults]\nforks = 2\n")
    assert found.settings.forks == 50
    [warning] = found.warnings
    assert warning.render().splitlines()[0].endswith("ansible.cfg:1:1: error: ansible.cfg is ignored")
    named = settings_and_sources(tmp_path, {"HOME": "/h", "ANSIBLE_CONFIG": "ansible.cfg"})
    assert (named.settings.forks, named.warnings) == (2, ())


def test_a_variable_that_names_no_file_is_said(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[defaults]\nforks = 2\n", ANSIBLE_CONFIG="/nonexistent.cfg")
    assert [warning.detail for warning in found.warnings] == [
        "ANSIBLE_CONFIG is '/nonexistent.cfg', and there is no such file."
    ]
    assert found.settings.forks == 2


def test_variables_override_the_file_and_ours_override_ansibles(tmp_path: Path) -> None:
    text = "[defaults]\nforks = 2\nroles_path = r\n"
    assert loaded(tmp_path, text, ANSIBLE_FORKS="3").settings.forks == 3
    assert loaded(tmp_path, text, ANSIBLE_FORKS="3", DRUMLINE_FORKS="4").settings.forks == 4
    found = loaded(tmp_path, text, ANSIBLE_ROLES_PATH="a:b", ANSIBLE_INVENTORY="x,y", ANSIBLE_HOST_KEY_CHECKING="no")
    assert (found.settings.roles_path, found.settings.inventory) == (("a", "b"), ("x", "y"))
    assert found.settings.host_key_checking is False
    assert found.sources["host_key_checking"] == "ANSIBLE_HOST_KEY_CHECKING"
    with pytest.raises(UsageError, match="ANSIBLE_FORKS has to be a whole number from 1 up, not 'many'"):
        loaded(tmp_path, text, ANSIBLE_FORKS="many")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("fact_caching = memory", 0),
        ("fact_caching = jsonfile", 86400),
        ("fact_caching = redis\nfact_caching_timeout = 600", 600),
        ("fact_caching = jsonfile\nfact_caching_timeout = 0", math.inf),
        ("fact_caching_timeout = 600", 0),
    ],
)
def test_cached_facts(tmp_path: Path, text: str, seconds: float) -> None:
    assert loaded(tmp_path, f"[defaults]\n{text}\n").settings.fact_cache == seconds


def test_what_has_no_effect_and_what_is_unknown_is_kept_apart(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[defaults]\nnocows = 1\nforkz = 2\n[colors]\nok = blue\n[galaxy]\nserver = x\n")
    assert [(one.name, one.is_known) for one in found.ignored] == [
        ("[defaults] nocows", True),
        ("[defaults] forkz", False),
        ("[colors] ok", True),
        ("[galaxy] server", True),
    ]


def test_all_mistakes_are_found_with_their_lines(tmp_path: Path) -> None:
    text = "[defaults]\nforks = few\nhost_key_checking = maybe\nstrategy = host_pinned\nfact_caching = jsonfile\n"
    text += "fact_caching_timeout = long\nplaybook_vars_root = all\n"
    assert mistakes(tmp_path, text) == [
        ("This setting has an invalid value", "'forks' has to be a whole number from 1 up, not 'few'.", 2),
        (
            "This setting has an invalid value",
            '\'strategy\' has to be "waves", "linear" (the same), "debug" or "free", not \'host_pinned\'.',
            4,
        ),
        ("This setting has an invalid value", "'host_key_checking' has to be true or false, not 'maybe'.", 3),
        ("This setting has an invalid value", "'fact_caching_timeout' is a number of seconds, not 'long'.", 6),
        (
            "Setting not supported",
            f"'playbook_vars_root' is not supported. {REFUSED['defaults', 'playbook_vars_root'].instead}",
            7,
        ),
    ]
    assert mistakes(tmp_path, "forks = 2\n[defaults]\nwhat is this\n") == [
        ("A setting outside of a section", "A section comes before the first setting: [defaults].", 1),
        ("Not a setting", "A setting is written 'name = value'.", 3),
    ]


def test_strategies_of_mitogen_are_ansibles(tmp_path: Path) -> None:
    assert loaded(tmp_path, "[defaults]\nstrategy = mitogen_free\n").settings.strategy == "free"


def test_what_would_change_values_is_refused_in_the_environment_too(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ANSIBLE_PRECEDENCE: The order"):
        load_settings(tmp_path, {"ANSIBLE_PRECEDENCE": "all_inventory"})
    assert load_settings(tmp_path, {"ANSIBLE_PLAYBOOK_VARS_ROOT": "top", "ANSIBLE_PRIVATE_ROLE_VARS": "no"})


def test_what_a_run_does_by_settings(tmp_path: Path) -> None:
    text = "[defaults]\nforce_handlers = 1\nhash_behaviour = merge\nshow_custom_stats = yes\nask_vault_pass = no\n"
    text += "filter_plugins = filters:/f\n[tags]\nrun = a, b\nskip = c\n[diff]\nalways = true\ncontext = 0\n"
    found = loaded(tmp_path, text, ANSIBLE_SKIP_TAGS="d")
    settings = found.settings
    assert (settings.force_handlers, settings.hash_behaviour, settings.show_custom_stats) == (True, "merge", True)
    assert (settings.run_tags, settings.skip_tags) == (("a", "b"), ("d",))
    assert (settings.diff_always, settings.diff_context, settings.ask_vault_pass) == (True, 0, False)
    assert settings.filter_plugins == ("filters", "/f")
    assert not found.ignored


def test_no_limit_of_time(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"ANSIBLE_TASK_TIMEOUT": "0"}).task_timeout is None
