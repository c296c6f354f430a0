"""The inventory source that the documentation shows gives what EC2 answers, by the stubber of the vendor's library."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from support.sources import groups, variables, written

from drumline import app, built_in
from drumline.config import Settings
from drumline.errors import FilesError
from drumline.model.host import Inventory
from drumline.plugin.manager import load_plugins

PLUGIN = Path(__file__).parents[2] / "docs" / "examples" / "ec2.py"
FILTERS = [{"Name": "instance-state-name", "Values": ["running"]}, {"Name": "tag:team", "Values": ["shop"]}]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ec2_of_the_documentation", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, Any]:
    """The plugin, and what EC2 is going to answer."""
    session = botocore.session.get_session()
    client = session.create_client(
        "ec2", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="hunter2"
    )
    module = load()
    monkeypatch.setattr(module, "client", lambda _region: client)
    return module, Stubber(client)


def read(module: ModuleType, directory: Path) -> Inventory:
    source = written(
        directory, "1.yml", {"plugin": "ec2", "regions": ["eu-central-1"], "filters": {"tag:team": "shop"}}
    )
    registry = load_plugins(built_in=built_in, extra=[("ec2", module)])
    return app.inventory_of(Settings(inventory=(str(source),), state=directory / "state"), registry)


def test_instances_of_all_pages(ec2: tuple[ModuleType, Any], tmp_path: Path) -> None:
    module, stub = ec2
    first = {"InstanceId": "i-1", "PublicIpAddress": "192.0.2.1", "Tags": [{"Key": "Name", "Value": "web1"}]}
    second = {"InstanceId": "i-2", "PrivateIpAddress": "10.0.0.2", "Tags": [{"Key": "note", "Value": "{{ 1 }}"}]}
    for instance, before, after in ((first, None, "more"), (second, "more", None)):
        answer = {"Reservations": [{"Instances": [instance]}], **({"NextToken": after} if after else {})}
        asked = {"Filters": FILTERS, **({"NextToken": before} if before else {})}
        stub.add_response("describe_instances", answer, asked)
    with stub:
        inventory = read(module, tmp_path)
    assert groups(inventory) == {"web1": ["region_eu_central_1"], "i-2": ["region_eu_central_1"]}
    assert variables(inventory)["web1"]["ansible_host"] == "192.0.2.1"
    assert variables(inventory)["i-2"]["tags"] == {"note": "{{ 1 }}"}
    stub.assert_no_pending_responses()


def test_a_cloud_that_refuses_is_named(ec2: tuple[ModuleType, Any], tmp_path: Path) -> None:
    module, stub = ec2
    stub.add_client_error("describe_instances", "UnauthorizedOperation", "Not you.")
    with stub, pytest.raises(FilesError) as caught:
        read(module, tmp_path)
    assert "EC2 in eu-central-1 doesn't answer" in caught.value.diagnostics[0].detail
