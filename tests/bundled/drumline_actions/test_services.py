"""``service``, ``systemd`` and ``service_facts``: real init scripts, and a stand-in that answers as systemctl does."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.compared import HERE, Reference, Use

from drumline.plugin import ActionFailed, Platform
from drumline.testing import ActionHost
from drumline.testing.cases import ActionCases, Case, Some, here

PROGRAMS = Path(__file__).with_name("programs")
STAND_IN = {"environment": {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "UNITS": here()}}
RUNNING = {"web": "active\n", "web.enabled": "enabled\n"}
STOPPED = {"web": "inactive\n", "web.enabled": "disabled\n"}


def unit(name: str, arguments: dict[str, Any], before: dict[str, str], **expected: Any) -> Case:
    return Case(name, {"name": "web", **arguments}, before=before, call=STAND_IN, **expected)


class TestSystemd(ActionCases):
    action = "systemd"
    platforms = (Platform.POSIX,)
    round_trips = 1
    cases = (
        unit(
            "it is started",
            {"state": "started"},
            STOPPED,
            changed=True,
            values={"name": "web", "state": "started", "status": Some(ActiveState="inactive", LoadState="loaded")},
            after={**RUNNING, "web.enabled": "disabled\n", "asked": "start web\n"},
        ),
        unit(
            "nothing is asked but how it is", {}, RUNNING, changed=False, values={"status": Some(ActiveState="active")}
        ),
        unit("it runs", {"state": "started", "enabled": True}, RUNNING, changed=False, values={"enabled": True}),
        unit("it is stopped", {"state": "stopped"}, RUNNING, changed=True, values={"state": "stopped"}),
        unit("it is stopped already", {"state": "stopped"}, STOPPED, changed=False),
        unit(
            "a restart",
            {"state": "restarted"},
            RUNNING,
            changed=True,
            values={"state": "started"},
            after={**RUNNING, "asked": "restart web\n"},
            repeats=False,
        ),
        unit(
            "a restart starts it",
            {"state": "restarted"},
            STOPPED,
            after={**STOPPED, "web": ..., "asked": "start web\n"},
            changed=True,
            repeats=False,
        ),
        unit("enabled", {"enabled": True}, STOPPED, changed=True, values={"enabled": True}),
        unit(
            "disabled, of the user",
            {"enabled": False, "scope": "user"},
            RUNNING,
            changed=True,
            after={**RUNNING, "web.enabled": ..., "asked": "disable --user web\n"},
        ),
        unit("masked", {"masked": True}, STOPPED, changed=True),
        Case(
            "a check",
            {"name": "web", "state": "started", "enabled": True, "daemon_reload": True},
            before=STOPPED,
            call={**STAND_IN, "check": True},
            changed=True,
            values={"state": "started", "enabled": True},
            after=STOPPED,
            repeats=False,
        ),
        unit(
            "units are read again",
            {"daemon_reload": True, "state": "started"},
            RUNNING,
            changed=False,
            after={**RUNNING, "asked": "daemon-reload \n"},
        ),
        unit("no such service", {"state": "started"}, {}, failed="Could not find the requested service web"),
        unit(
            "the host refuses",
            {"state": "started"},
            {**STOPPED, "web.broken": ""},
            failed="Unable to start service web: Job for web.service failed.",
        ),
        Case("a pattern", {"name": "web*", "state": "started"}, answers=(), failed="patterns aren't taken"),
        Case("a state alone", {"state": "started"}, answers=(), failed="name is required"),
    )


class TestServiceOfSystemd(ActionCases):
    action = "service"
    platforms = (Platform.POSIX,)
    cases = (
        unit(
            "it is started",
            {"state": "started", "use": "systemd"},
            STOPPED,
            changed=True,
            values={"state": "started", "status": ...},
        ),
        unit("no such manager", {"state": "started", "use": "launchd"}, STOPPED, failed="no service manager 'launchd'"),
        Case("nothing is wanted", {"name": "web"}, answers=(), failed="Neither 'state' nor 'enabled'"),
    )


SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          {name}
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
case $1 in
    start) touch {state}; echo "start $2" >>{log} ;;
    stop) rm -f {state}; echo stop >>{log} ;;
    restart) touch {state}; echo restart >>{log} ;;
    status) [ -e {state} ] || exit 3 ;;
esac
"""


@pytest.fixture
def init_script(tmp_path: Path) -> Iterator[str]:
    """A service of this machine with a name that no other has."""
    if os.geteuid() != 0 or shutil.which("update-rc.d") is None:
        pytest.skip("It takes root and init scripts of Debian's")
    name = f"drumline-test-{secrets.token_hex(4)}"
    path = Path("/etc/init.d", name)
    path.write_text(SCRIPT.format(name=name, state=tmp_path / "runs", log=tmp_path / "log"))
    path.chmod(0o755)
    yield name
    path.unlink()
    subprocess.run(["update-rc.d", name, "remove"], check=True, capture_output=True)


def test_an_init_script(posix: ActionHost, init_script: str, tmp_path: Path) -> None:
    posix.settings = {"environment": {"PATH": os.environ["PATH"]}}
    common = {"name": init_script, "use": "sysvinit"}
    posix.settings["check"] = True
    assert posix("service", **common, state="started", enabled=True).changed
    assert not (tmp_path / "log").exists()
    posix.settings["check"] = False
    started = posix.twice("service", **common, state="started", enabled=True, arguments="fast")
    assert started.values == {"name": init_script, "state": "started", "enabled": True}
    assert [*Path("/etc/rc2.d").glob(f"S*{init_script}")]
    assert posix("service", **common, state="restarted", sleep=0).changed
    assert posix("service", **common, state="restarted").changed
    posix.twice("service", **common, state="stopped", enabled=False)
    assert not [*Path("/etc/rc2.d").glob(f"S*{init_script}")]
    assert (tmp_path / "log").read_text() == "start fast\nstop\nstart \nrestart\nstop\n"


def test_runlevels_of_an_init_script(posix: ActionHost, init_script: str, tmp_path: Path) -> None:
    posix.settings = {"environment": {"PATH": os.environ["PATH"]}}
    posix("sysvinit", name=init_script, enabled=True)
    posix.twice("sysvinit", name=init_script, enabled=False, runlevels=[2, 4])
    started = {path.parent.name for path in Path("/etc").glob(f"rc?.d/S*{init_script}")}
    assert started == {"rc3.d", "rc5.d"}
    posix.twice("sysvinit", name=init_script, enabled=True, runlevels=["2", "3"])
    assert [*Path("/etc/rc2.d").glob(f"S*{init_script}")]


def test_an_init_script_that_is_not_there(posix: ActionHost) -> None:
    with pytest.raises(ActionFailed, match="Could not find the requested service no-such"):
        posix("service", name="no-such", state="started", use="sysvinit")


def test_facts(posix: ActionHost, init_script: str, tmp_path: Path) -> None:
    posix.settings = {"environment": {"PATH": os.environ["PATH"]}}
    services = posix("service_facts").facts["services"]
    assert services[init_script] == {"name": init_script, "state": "stopped", "source": "sysv"}


def test_facts_of_systemd() -> None:
    from drumline_actions.services.service_facts import _of_systemd

    units = "a.service loaded active running A\nb.service loaded failed failed B\n"
    units += "c.service not-found inactive dead c.service\n"
    files = "UNIT FILE STATE PRESET\na.service enabled enabled\nb.service enabled enabled\n"
    files += "d.service static -\ne@.service indirect -\n"
    states = "Id=a.service\nActiveState=active\n\nId=d.service\nActiveState=inactive\n"
    made = {name: (service["state"], service["status"]) for name, service in _of_systemd(units, files, states).items()}
    assert made == {
        "a.service": ("running", "enabled"),
        "b.service": ("stopped", "failed"),
        "c.service": ("stopped", "not-found"),
        "d.service": ("inactive", "static"),
        "e@.service": ("unknown", "indirect"),
    }


@pytest.mark.ansible
def test_systemd_as_the_reference(reference: Reference) -> None:
    wanted: list[dict[str, Any]] = [
        {"state": "started"},
        {"state": "restarted"},
        {"state": "reloaded"},
        {"state": "stopped", "enabled": False},
        {"enabled": True},
        {"masked": True},
        {"daemon_reload": True},
    ]
    uses = [
        Use(f"{arguments} {before['web']}", {"name": "web", **arguments}, before=before)
        for arguments in wanted
        for before in (RUNNING, STOPPED)
    ]
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "UNITS": HERE}
    reference.compare("systemd", uses, environment=environment)
