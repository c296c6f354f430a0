import pytest

from drumline.times import in_words, moment


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.1, "100 ms"),
        (0.0005, "0.5 ms"),
        (1.5, "1.5 s"),
        (90, "90 s"),
        (60, "1 m"),
        (600, "10 m"),
        (5400, "1 h 30 m"),
        (172_800, "2 d"),
        (90_061, "1 d 1 h 1 m 1 s"),
    ],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


@pytest.mark.parametrize(
    ("at", "words"), [(1_796_083_200, "2026-12-01 00:00:00 UTC"), (0.25, "1970-01-01 00:00:00.25 UTC")]
)
def test_points_in_time_in_words(at: float, words: str) -> None:
    assert moment(at) == words
