"""What a job leaves to later jobs, in clear: in most cases its event shows all of it, else it is kept beside that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, msgpack

from drumline.execution.values import with_lines
from drumline.journal.codec import decode, encode
from drumline.masking import Secrets
from drumline.model.event import JobFinished
from drumline.plugin.runs import JobReport


class _Left(Struct, frozen=True, gc=False):
    values: Mapping[str, Any] | None
    facts: Mapping[str, Any] = {}
    #: What became known as secret since the one before: it may be in these, and is to be masked for ever.
    secrets: tuple[str, ...] = ()
    given: Mapping[str, Mapping[str, Any]] = {}


def written(report: JobReport, secrets: Sequence[str], close: Callable[[bytes], bytes]) -> tuple[bytes | None, bool]:
    """The bytes, and whether ``close`` has encrypted them; no bytes when the event shows all of it.

    ``secrets`` are those that became known and are written with it.
    """
    if report.secret or secrets:
        return close(encode(_Left(report.values, report.facts, tuple(secrets), report.given))), True
    if not report.facts and _is_shown(report):
        return None, False
    return encode(_Left(report.values, report.facts, given=report.given)), False


def read(
    event: JobFinished, data: bytes | None, secret: bool, secrets: Secrets, open_: Callable[[bytes], bytes]
) -> JobReport:
    """The report again; ``secrets`` gets those that came with it. Raises ``Damaged``, and what ``open_`` raises."""
    if data is None:
        return JobReport(event=event, values=with_lines(event.result))
    left = decode(_Left, open_(data) if secret else data)
    for known in left.secrets:
        secrets.add(known)
    return JobReport(event=event, values=left.values, facts=left.facts, given=left.given, secret=secret)


def _is_shown(report: JobReport) -> bool:
    """Whether the event's result, as it comes back from the journal, is all that was registered."""
    if report.values is None or with_lines(report.event.result) != report.values:
        return False
    try:
        return bool(msgpack.decode(msgpack.encode(report.values)) == report.values)
    except (TypeError, ValueError, OverflowError, RecursionError):  # what msgpack has no type for
        return False
