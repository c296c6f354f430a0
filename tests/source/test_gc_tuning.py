"""The garbage collector, held back for a while and then as it was before."""

from __future__ import annotations

import gc

from drumline.source.gc_tuning import rare_collector


def test_what_is_there_is_left_alone_and_looked_at_again_afterwards() -> None:
    thresholds = gc.get_threshold()
    with rare_collector():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > 10 * thresholds[0]
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() == 0


def test_garbage_that_a_run_makes_is_found_in_the_end() -> None:
    with rare_collector():
        before = gc.get_stats()[0]["collections"]
        for _ in range(200_000):
            circle: list[object] = []
            circle.append(circle)
        assert gc.get_stats()[0]["collections"] > before
