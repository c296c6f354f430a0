"""The whole contract."""

from __future__ import annotations

from drumline.model.target import Target
from drumline.plugin.transports import Transport
from drumline.testing.contract.ending import EndingContract
from drumline.testing.contract.files import FilesContract
from drumline.testing.contract.running import RunningContract
from drumline.testing.contract.sessions import SessionsContract


class TransportContract(RunningContract, EndingContract, FilesContract, SessionsContract):
    """What holds on every platform. Subclass ``PosixContract`` or ``WindowsContract``, not this class."""

    def test_names_itself_and_its_platform(self, transport: Transport, target: Target) -> None:
        assert transport.name == transport.name.lower().strip()
        assert " " not in transport.name
        assert transport.platform(target) is self.platform
        names = [option.name for option in transport.options]
        assert len(names) == len(set(names))

    def test_options_have_help(self, transport: Transport) -> None:
        assert [option.name for option in transport.options if not option.help] == []
