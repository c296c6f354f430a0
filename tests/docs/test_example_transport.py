"""The transport that the documentation shows keeps the contract of transports, and works in a run."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from drumline.plugin import OptionInvalid, Target, Transport
from drumline.testing.contract import PosixContract

PLUGIN = Path(__file__).parents[2] / "docs" / "examples" / "through.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("through_of_the_documentation", PLUGIN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class TestThrough(PosixContract):
    @pytest.fixture(scope="class")
    @classmethod
    def transport(cls) -> Transport:
        through: Transport = load().Through()
        return through

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return Target(host="box", transport="through", options={"program": "env THROUGH=1"})


def test_a_host_without_a_program_is_told_what_to_set() -> None:
    with pytest.raises(OptionInvalid, match="drumline_through_program for 'box'"):
        load().Through().connect(Target(host="box", transport="through", options={"program": None}))
