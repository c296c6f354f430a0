"""Trigger rules over tallies of needs that a check can't know: they would have succeeded, or been skipped."""

from __future__ import annotations

import pytest

from drumline.engine.policy import Tally, verdict
from drumline.model.outcome import Status
from drumline.model.playbook import TriggerRule


@pytest.mark.parametrize(
    ("rule", "needs", "status"),
    [
        (TriggerRule.NONE_FAILED, Tally(unclear=1), Status.READY),
        (TriggerRule.NONE_FAILED, Tally(unclear=1, failed=1), Status.ABANDONED),
        (TriggerRule.NONE_FAILED, Tally(unclear=1, open=1), Status.PENDING),
        (TriggerRule.ALL_DONE, Tally(unclear=1), Status.READY),
        (TriggerRule.ALL_SUCCESS, Tally(unclear=1, success=1), Status.UNCLEAR),
        (TriggerRule.ALL_SUCCESS, Tally(unclear=1, skipped=1), Status.SKIPPED),
        (TriggerRule.ALL_SUCCESS, Tally(unclear=1, open=1), Status.PENDING),
        (TriggerRule.ONE_SUCCESS, Tally(unclear=1, success=1), Status.READY),
        (TriggerRule.ONE_SUCCESS, Tally(unclear=1, skipped=1), Status.UNCLEAR),
        (TriggerRule.ONE_FAILED, Tally(unclear=1), Status.SKIPPED),
        (TriggerRule.ONE_FAILED, Tally(unclear=1, failed=1), Status.READY),
        (TriggerRule.ALL_FAILED, Tally(unclear=1), Status.SKIPPED),
    ],
    ids=str,
)
def test_a_job_is_unclear_where_that_makes_a_difference(rule: TriggerRule, needs: Tally, status: Status) -> None:
    assert verdict(rule, needs) is status
