"""A Windows with stand-ins for the commands that Wine lacks, and one without them."""

from __future__ import annotations

import pytest
from support import standins

from drumline.plugin import Platform, Session
from drumline.testing import ActionHost
from drumline_lab.wsman import Windows


@pytest.fixture(scope="session")
def session_with_standins(windows_host: Windows, winrm_session: Session) -> Session:
    """On the host are the modules; it depends on the environment whether they are found."""
    standins.install(windows_host)
    return winrm_session


@pytest.fixture
def windows(session_with_standins: Session) -> ActionHost:
    """A Windows on which the stand-ins know nothing of earlier tests."""
    found = standins.with_environment(PSModulePath=standins.PLACE)
    host = ActionHost(platform=Platform.WINDOWS, session=session_with_standins, adapt=found)
    host.run(standins.FORGET)
    return host


@pytest.fixture
def plain(session_with_standins: Session) -> ActionHost:
    """The same Windows, on which no stand-in is found until a script of the test changes that."""
    hidden = standins.with_environment(PSModulePath="C:\\nothing")
    return ActionHost(platform=Platform.WINDOWS, session=session_with_standins, adapt=hidden)
