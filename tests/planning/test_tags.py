import pytest
from support.makers import MakeTask

from drumline.planning.tags import selected


@pytest.mark.parametrize(
    ("own", "tags", "skip", "expected"),
    [
        ("", "", "", True),
        ("a", "", "", True),
        ("a", "a", "", True),
        ("a", "b", "", False),
        ("", "a", "", False),
        ("a", "", "a", False),
        ("a,b", "a", "b", False),
        ("always", "b", "", True),
        ("always", "", "always", False),
        ("never", "", "", False),
        ("never", "never", "", True),
        ("never,a", "a", "", True),
        ("never,a", "all", "", False),
        ("a", "tagged", "", True),
        ("", "tagged", "", False),
        ("never,a", "tagged", "", False),
        ("", "untagged", "", True),
        ("a", "untagged", "", False),
        ("always", "untagged", "", True),
        ("a", "", "tagged", False),
        ("", "", "tagged", True),
        ("", "", "untagged", False),
        ("a", "", "all", False),
        ("always", "", "all", True),
        ("always", "", "all,always", False),
    ],
)
def test_tags_work_as_in_ansible(task: MakeTask, own: str, tags: str, skip: str, expected: bool) -> None:
    made = task("t", tags=frozenset(own.split(",")) - {""})
    assert selected(made, [x for x in tags.split(",") if x], [x for x in skip.split(",") if x]) is expected
