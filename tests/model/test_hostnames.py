import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drumline.model.hostnames import fold_hosts


@pytest.mark.parametrize(
    ("names", "folded"),
    [
        ([], ""),
        (["web1"], "web1"),
        (["localhost"], "localhost"),
        (["web01", "web02", "web03"], "web[01-03]"),
        (["web09", "web10", "web12", "db1"], "web[09-10,12], db1"),
        (["web3", "web1", "web2"], "web[1-3]"),
        (["db", "web2", "web1"], "db, web[1-2]"),
        (["web9", "web10"], "web[9-10]"),
        (["web1", "web02"], "web[1,02]"),
        (["web1.dc1.example", "web2.dc1.example"], "web[1-2].dc1.example"),
        (["app1-a", "app2-a", "app1-b"], "app[1-2]-a, app1-b"),
        (["10.0.0.1", "10.0.0.2", "10.0.0.9"], "10.0.0.[1-2,9]"),
        (["web1", "web1"], "web1"),
    ],
)
def test_folds_runs_of_numbers(names: list[str], folded: str) -> None:
    assert fold_hosts(names) == folded


def unfold(text: str) -> Iterator[str]:
    for part in text.split(", ") if text else []:
        match = re.fullmatch(r"(.*)\[(.*)\](.*)", part)
        if not match:
            yield part
            continue
        before, runs, after = match.groups()
        for run in runs.split(","):
            first, _, last = run.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield f"{before}{str(number).zfill(len(first))}{after}"


@given(st.sets(st.from_regex(r"[a-c]{0,2}[0-9]{0,3}[a-c]?[0-9]{0,2}", fullmatch=True).filter(bool)))
def test_says_every_name_once_and_no_other(names: set[str]) -> None:
    assert sorted(unfold(fold_hosts(sorted(names)))) == sorted(names)


def test_ten_thousand_hosts_fold_quickly() -> None:
    names = [f"app{number:05}.site{number % 7}.example" for number in range(10_000)]
    started = time.process_time()
    folded = fold_hosts(names)
    assert time.process_time() - started < 30
    assert len(list(unfold(folded))) == 10_000
