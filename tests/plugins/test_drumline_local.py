"""The transport ``local`` keeps the contract."""

from __future__ import annotations

import pytest

from drumline.model.target import Target
from drumline.testing.contract import PosixContract
from drumline_local.transport import LocalTransport


class TestLocal(PosixContract):
    @pytest.fixture(scope="class")
    @classmethod
    def transport(cls):
        return LocalTransport()

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls):
        return Target(host="localhost", transport="local")
