"""How far a host's clock is from this machine's, measured over its warm session.

A sample has four timestamps: this machine's before the command is sent (``sent``) and when its answer comes
(``received``), and the host's in between (``first``, ``last``). The offset lies between ``last - received`` and
``first - sent``, however unequal the two ways are. The middle is taken as the offset, and half of the range as its
uncertainty. Of several samples, the one with the smallest range counts (RFC 5905 section 8; Cristian 1989).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from drumline.model.outcome import ClockReading
from drumline.model.request import Language, Run
from drumline.model.target import Platform
from drumline.plugin.actions import ActionFailed
from drumline.plugin.transports import Session, Stream

#: The most seconds for one sample.
_PATIENCE = 30.0

# The shell's own clock, if it has one, since starting "date" takes longer than everything else. A "date" without %N
# prints whole seconds and some letter.
_POSIX = """\
if [ "${EPOCHREALTIME-}" ]; then echo "$EPOCHREALTIME $EPOCHREALTIME"; else date +%s.%N; fi
"""

# .NET Framework's clock moves in steps of up to 16 ms. The time of a step is known well; the stopwatch shows how far
# it is from the beginning and the end. Printed are the latest time that the beginning can have been and the earliest
# that the end can have been, in units of 100 ns since the epoch.
_POWERSHELL = """\
$w = [Diagnostics.Stopwatch]::StartNew(); $a = [DateTime]::UtcNow.Ticks
do { $e = $w.Elapsed.Ticks; $b = [DateTime]::UtcNow.Ticks } while ($b -eq $a)
$f = $w.Elapsed.Ticks; $b -= 621355968000000000
"$($b - $e) $($b - $f + $w.Elapsed.Ticks)"
"""


class _Stamps(NamedTuple):
    """The host's answer: the latest time of its first stamp, and the earliest of its last one, in seconds."""

    first: float
    last: float


def read_clock(session: Session, platform: Platform, now: Callable[[], float], *, samples: int = 8) -> ClockReading:
    """Measure a host's clock against ``now``. Raises ``ActionFailed`` with the host's answer, and ``HostError``."""
    readings = [_sample(session, platform, now) for _ in range(samples)]
    possible = [reading for reading in readings if reading.uncertainty >= 0]
    if not possible:
        raise ActionFailed("The host's clock can't be read: it or this machine's clock was set at that moment.")
    return min(possible, key=lambda reading: reading.uncertainty)


def _sample(session: Session, platform: Platform, now: Callable[[], float]) -> ClockReading:
    said = bytearray()
    received = 0.0

    def emit(stream: Stream, data: bytes) -> None:
        nonlocal received
        received = now()
        said.extend(data)

    windows = platform is Platform.WINDOWS
    language, text = (Language.POWERSHELL, _POWERSHELL) if windows else (Language.SH, _POSIX)
    request = Run(language=language, text=text, timeout=_PATIENCE)
    sent = now()
    session.run(request, emit)
    words = said.decode(errors="replace").split()
    try:
        first, last = _ticks(words) if windows else _seconds(words)
    except (ValueError, IndexError):
        raise ActionFailed(f"The host's clock can't be read: it said {' '.join(words)[:200]!r}.") from None
    return _reading(sent, _Stamps(first, last), received)


def _reading(sent: float, stamps: _Stamps, received: float) -> ClockReading:
    least, most = stamps.last - received, stamps.first - sent
    on_host = max(0.0, stamps.last - stamps.first)
    return ClockReading(offset=(least + most) / 2, uncertainty=(most - least) / 2, round_trip=received - sent - on_host)


def _ticks(words: list[str]) -> _Stamps:
    return _Stamps(int(words[0]) / 1e7, int(words[1]) / 1e7)


def _seconds(words: list[str]) -> _Stamps:
    """Stamps as printed by the shell or ``date``; each is truncated after its last digit."""
    first, width = _stamp(words[0])
    last, _ = _stamp(words[-1])
    return _Stamps(first + width, last)


def _stamp(word: str) -> tuple[float, float]:
    """Seconds, and by how much they may have been truncated. Some locales print a comma."""
    whole, _, fraction = word.replace(",", ".").partition(".")
    digits = fraction if fraction.isdecimal() else ""
    return float(f"{int(whole)}.{digits or 0}"), 10.0 ** -len(digits)
