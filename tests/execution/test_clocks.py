"""How far a host's clock is from this machine's."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from drumline.execution import clocks
from drumline.execution.clocks import read_clock
from drumline.model.outcome import Exit
from drumline.model.request import Run
from drumline.model.target import Platform, Target
from drumline.plugin.actions import ActionFailed
from drumline.plugin.transports import Emit
from drumline.secret import Secret
from drumline.testing.fakes import FakeClock
from drumline.testing.null import NullSession
from drumline_lab import wsman
from drumline_local.transport import LocalSession
from drumline_winrm.options import OPTIONS
from drumline_winrm.transport import Winrm

DELAY = st.floats(0, 0.2)


class Away(NullSession):
    """A session of a host whose clock is ``ahead``.

    For each sample it takes time to get there, to answer, and to come back. ``form`` is how the host writes its two
    time stamps.
    """

    def __init__(self, clock: FakeClock, ahead: float, delays: Iterable[tuple[float, float, float]], form: str) -> None:
        self.clock = clock
        self.ahead = ahead
        self.delays = iter(delays)
        self.form = form

    def run(self, request: Run, emit: Emit) -> Exit:
        there, on_host, back = next(self.delays)
        self.clock.advance(there)
        first = self.clock.now() + self.ahead
        self.clock.advance(on_host)
        last = self.clock.now() + self.ahead
        self.clock.advance(back)
        emit("stdout", self.form.format(first=first, last=last, seconds=int(first)).encode())
        self.clock.advance(0.5)  # whatever is still to do when the answer is there
        return Exit(code=0)


@given(
    ahead=st.floats(-5000, 5000),
    delays=st.lists(st.tuples(DELAY, DELAY, DELAY), min_size=8, max_size=8),
)
def test_the_true_offset_lies_within_the_uncertainty(ahead: float, delays: list[tuple[float, float, float]]) -> None:
    """However unequal the two ways are. Of the samples the one with the least round trip counts."""
    clock = FakeClock()
    reading = read_clock(Away(clock, ahead, delays, "{first:.6f} {last:.6f}\n"), Platform.POSIX, clock.now)
    best = min(there + back for there, _, back in delays)
    assert abs(reading.offset - ahead) <= reading.uncertainty + 2e-6
    assert reading.uncertainty <= best / 2 + 2e-6
    assert reading.round_trip == pytest.approx(best, abs=4e-6)


@given(ahead=st.floats(-5000, 5000), delay=st.tuples(DELAY, DELAY, DELAY))
def test_one_time_stamp_is_the_first_and_the_last(ahead: float, delay: tuple[float, float, float]) -> None:
    clock = FakeClock()
    reading = read_clock(Away(clock, ahead, [delay], "{first:.9f}\n"), Platform.POSIX, clock.now, samples=1)
    assert abs(reading.offset - ahead) <= reading.uncertainty + 1e-6
    assert reading.round_trip == pytest.approx(sum(delay), abs=1e-6)


@given(ahead=st.floats(-50, 50))
def test_whole_seconds_are_known_no_better_than_to_half_a_second(ahead: float) -> None:
    """As a ``date`` without ``%N`` gives them."""
    clock = FakeClock()
    session = Away(clock, ahead, [(0.01, 0.0, 0.02)] * 8, "{seconds}.%N\n")
    reading = read_clock(session, Platform.POSIX, clock.now)
    assert abs(reading.offset - ahead) <= reading.uncertainty
    assert 0.5 <= reading.uncertainty <= 0.52
    assert reading.round_trip == pytest.approx(0.03)


def test_a_decimal_comma_is_one() -> None:
    clock = FakeClock()
    session = Away(clock, 0, [(0.0, 0.0, 0.0)], f"{int(clock.now())},250000 {int(clock.now())},250000\n")
    reading = read_clock(session, Platform.POSIX, clock.now, samples=1)
    assert reading.offset == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("said", ["", "no such command\n", "12:30 h\n"])
def test_what_is_no_time_is_shown(said: str, platform: Platform) -> None:
    clock = FakeClock()
    session = Away(clock, 0, [(0.0, 0.0, 0.0)], said)
    with pytest.raises(ActionFailed, match=f"The host's clock can't be read: it said '{said.strip()}'"):
        read_clock(session, platform, clock.now, samples=1)


def test_samples_in_which_a_clock_was_set_do_not_count() -> None:
    """The round trip of one would be the least of all."""
    clock = FakeClock()
    now = clock.now()
    times = iter([now, now - 60, now, now + 0.02])  # sent and received, twice
    session = Away(clock, 3.0, [(0.0, 0.0, 0.0)] * 3, f"{now + 3.01:.6f}\n")
    reading = read_clock(session, Platform.POSIX, lambda: next(times), samples=2)
    assert reading.offset == pytest.approx(3.0, abs=1e-5)
    with pytest.raises(ActionFailed, match="it or this machine's clock was set"):
        read_clock(session, Platform.POSIX, iter([now, now - 60]).__next__, samples=1)


class Through(LocalSession):
    """This machine, its scripts read by another shell."""

    def __init__(self, shell: str, environment: dict[str, str]) -> None:
        super().__init__()
        self.shell = shell
        self.own = environment

    def run(self, request: Run, emit: Emit) -> Exit:
        return super().run(replace(request, executable=self.shell, environment=self.own), emit)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox"])
def test_this_machine_has_its_own_time(shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} isn't installed")
    environment: dict[str, str] = {}
    if shell == "busybox":
        subprocess.run(["busybox", "--install", "-s", str(tmp_path)], check=True, capture_output=True)
        program, environment = str(tmp_path / "sh"), {"PATH": str(tmp_path)}
    began = time.monotonic()
    reading = read_clock(Through(program, environment), Platform.POSIX, time.time)
    each = (time.monotonic() - began) / 8
    assert abs(reading.offset) <= reading.uncertainty
    assert reading.round_trip <= each
    assert reading.uncertainty <= each / 2 + (0.5 if shell == "busybox" else 1e-5)


@pytest.mark.windows
def test_windows_on_this_machine_has_its_time(windows_host: wsman.Windows, powershell_parser: Any) -> None:
    assert powershell_parser({"clock": clocks._POWERSHELL}) == {}
    with wsman.WsmanServer(wsman.Settings(users={"user": "password"}), backend=windows_host) as server:
        options = {option.name: option.default for option in OPTIONS}
        options |= {"host": server.host, "port": server.port, "scheme": "http"}
        options |= {"user": "user", "password": Secret("password")}
        connection = Winrm().connect(Target(host="host", transport="winrm", options=options))
        session = connection.open_session()
        reading = read_clock(session, Platform.WINDOWS, time.time)
        connection.close()
    assert abs(reading.offset) <= reading.uncertainty
    assert reading.uncertainty <= reading.round_trip / 2 + 1e-3
