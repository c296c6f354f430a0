"""Filters, tests and lookups of Ansible's and of collections: what each gives is what Ansible recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.inventory.variables import Facts, Scope
from drumline.model.value import Template
from drumline.templating.failures import TemplateFailed
from drumline.templating.templates import Templating

DATA = Path(__file__).with_name("data")
RECORDED = json.loads(
    DATA.joinpath("ansible_collections.json").read_text(encoding="utf-8").replace("DIRECTORY", str(DATA))
)
VARIABLES = json.loads(DATA.joinpath("ansible_templates.json").read_text(encoding="utf-8"))["variables"]
TEMPLATING = Templating()


def rendered(text: str) -> Any:
    own = {"data": str(DATA / "files"), "ini_text": "[a]\nx = 1\nY = two\n[b]\nz = 3\n"}
    scope = Scope((Facts({**VARIABLES, **own}),), TEMPLATING)
    return TEMPLATING.render(Template(text, Position("play.yml", 10, 5)), scope)


@pytest.mark.parametrize(("text", "expected"), RECORDED, ids=[text for text, _ in RECORDED])
def test_a_template_gives_what_ansible_gives(text: str, expected: dict[str, Any]) -> None:
    if "error" in expected:
        with pytest.raises(TemplateFailed):
            rendered(text)
    else:
        assert json.loads(json.dumps(rendered(text), default=str)) == expected["value"]


def test_a_template_imports_only_what_it_names() -> None:
    script = (
        "import sys; from drumline.templating.templates import Templating; from drumline.model.value import Template; "
        "from drumline.diagnostics import Position; "
        "Templating().render(Template('{{ a | upper }}', Position('p')), {'a': 'x'}); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert "jinja2" in loaded
    unwanted = ("cryptography", "jmespath", "netaddr", "passlib", "drumline.source.vault_format")
    assert [name for name in loaded if name.split(".")[0] in unwanted or name in unwanted] == []
    own = [
        name for name in loaded if name.startswith("drumline.templating.") and name.endswith(("filters", "_lookups"))
    ]
    assert own == []
