"""The contract that every transport keeps, as a pytest class. It needs pytest, as its neighbour ``staging`` does.

Subclass the suite of the platform that your transport reaches and give it two fixtures, class-wide or wider::

    import pytest
    from drumline.plugin import Target
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
            return Target(host="practice", transport="local", options={})

A transport whose connections can break adds ``ConnectionLossContract`` and the fixture ``lose_connection``; one that
can hold commands back adds :class:`drumline.testing.staging.StagingContract`. Put
``pytest.register_assert_rewrite("drumline.testing.contract")`` into your ``conftest.py`` to see what was compared.

The suite reaches one host. It writes into temporary directories there and removes them. One session serves test after
test, which is itself part of the contract; after a test that failed the next one gets a new session.
"""

from drumline.testing.contract.loss import ConnectionLossContract
from drumline.testing.contract.posix import PosixContract
from drumline.testing.contract.suite import TransportContract
from drumline.testing.contract.windows import WindowsContract

__all__ = ["ConnectionLossContract", "PosixContract", "TransportContract", "WindowsContract"]
