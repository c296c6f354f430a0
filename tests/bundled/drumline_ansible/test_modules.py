"""Modules of collections that drumline hasn't give the results that they give with ansible-playbook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.bridged import Sides, differing, lasting

pytestmark = pytest.mark.ansible

USES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("modules.yml").read_text())
#: What the host has before.
_BEFORE = {
    "pam": "auth required pam_unix.so\n",
    "limits.conf": "",
    "blacklist.conf": "",
    "interfaces": "auto eth0\niface eth0 inet manual\n    mtu 1500\n",
    "Makefile": "it:\n\ttouch it\n",
    "patched": "one\n",
    "it.patch": "--- patched\n+++ patched\n@@ -1 +1 @@\n-one\n+two\n",
    "sshd": "auth required pam_unix.so\n",
}
_KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n"
    "-----END PRIVATE KEY-----\n"
)


def _tasks() -> list[dict[str, Any]]:
    """Each use twice."""
    tasks: list[dict[str, Any]] = []
    for number, use in enumerate(USES):
        task = {use["module"]: use["arguments"], "ignore_errors": True}
        tasks += [{**task, "register": f"r{number}_{time}"} for time in (1, 2)]
    return tasks


@pytest.fixture(scope="module")
def results(sides: Sides) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both register, by drumline and by ansible-playbook."""
    files = {**{f"w/{name}": text for name, text in _BEFORE.items()}, "w/key.pem": _KEY}
    given: dict[str, Any] = {"files": files, "vars": {"thing": {"name": "one"}}}
    ours = sides.registered("modules", _tasks(), by_ansible=False, **given)
    return ours, sides.registered("modules", _tasks(), by_ansible=True, **given)


@pytest.mark.parametrize("number", range(len(USES)), ids=[f"{use['module']}" for use in USES])
def test_a_module_gives_what_it_gives_with_ansible(number: int, results: tuple[dict[str, Any], ...]) -> None:
    ours, theirs = results
    for time in (1, 2):
        one, other = (lasting(side[f"r{number}_{time}"], USES[number].get("without", ())) for side in (ours, theirs))
        assert differing(one, other) == []
