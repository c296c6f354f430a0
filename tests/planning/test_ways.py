from itertools import combinations_with_replacement

import pytest

from drumline.engine.policy import Tally, verdict
from drumline.model.outcome import Status
from drumline.model.playbook import TriggerRule
from drumline.planning.ways import RULES, End

STATUSES = {End.DONE: Status.OK, End.SKIPPED: Status.SKIPPED, End.FAILED: Status.FAILED}


@pytest.mark.parametrize("rule", TriggerRule)
def test_trigger_rules_are_those_of_the_engine(rule: TriggerRule) -> None:
    for count in (1, 2, 3):
        for needs in combinations_with_replacement(End, count):
            tally = Tally()
            for end in needs:
                tally.count(STATUSES[end])
            assert RULES[rule](needs) is (verdict(rule, tally) is Status.READY), needs
