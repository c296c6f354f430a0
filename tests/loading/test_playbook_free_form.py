"""Arguments written as text, and the coercion of arguments to their types."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.makers import no_steps

from drumline.diagnostics import Position
from drumline.errors import FilesError
from drumline.loading.arguments import coerce, coerce_arguments
from drumline.loading.free_form import split_arguments
from drumline.plugin.actions import Action, Argument
from drumline.templating.values import OMIT


@pytest.mark.parametrize(
    ("text", "arguments", "rest"),
    [
        ("echo hi", {}, "echo hi"),
        ("echo hi chdir=/tmp", {"chdir": "/tmp"}, "echo hi"),
        ("chdir=/tmp echo hi", {"chdir": "/tmp"}, "echo hi"),
        ("echo  'a   b'  creates=x  c", {"creates": "x"}, "echo  'a   b'  c"),
        ("echo 'chdir=/tmp'", {}, "echo 'chdir=/tmp'"),
        ('echo "x chdir=/tmp y"', {}, 'echo "x chdir=/tmp y"'),
        ("echo a=b", {}, "echo a=b"),
        ("echo {{ x chdir=y }}", {}, "echo {{ x chdir=y }}"),
        ("run chdir={{ a b }}/c d", {"chdir": "{{ a b }}/c"}, "run d"),
        ("run chdir='/a b'", {"chdir": "/a b"}, "run"),
        (r'run chdir="a\tb\"c\\"', {"chdir": 'a\tb"c\\'}, "run"),
        (r"dir chdir=C:\temp\new", {"chdir": r"C:\temp\new"}, "dir"),
        ("it's chdir=/tmp", {}, "it's chdir=/tmp"),
        ("line 1 \\\n  line 2 chdir=/tmp\nline 3", {"chdir": "/tmp"}, "line 1 \\\n  line 2\nline 3"),
        ("echo nochdir=1", {}, "echo nochdir=1"),
        ("", {}, ""),
    ],
)
def test_words_that_name_arguments_are_taken_out_of_free_text(
    text: str, arguments: dict[str, object], rest: str
) -> None:
    words = split_arguments(text, {"chdir", "creates"})
    assert (words.arguments, words.rest) == (arguments, rest)


def test_every_word_is_an_argument_where_there_is_no_free_text() -> None:
    words = split_arguments("src=a dest='b c' odd mode=0644 src=d")
    assert words.arguments == {"src": "d", "dest": "b c", "mode": "0644"}
    assert (words.others, words.repeated) == (["odd"], ["src"])


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_text_without_arguments_stays_as_it_is(text: str) -> None:
    end = "\n" if text.strip() and text.endswith("\n") else ""
    assert split_arguments(text, {"no_such_name"}).rest == text.strip() + end


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("x", str, "x"),
        (5, str, "5"),
        (True, str, "True"),
        ("yes", bool, True),
        ("Off", bool, False),
        (1, bool, True),
        (False, bool, False),
        ("42", int, 42),
        (3.0, int, 3),
        ("1.5", float, 1.5),
        (2, float, 2.0),
        ("a, b,c", list, ["a", "b", "c"]),
        ("", list, []),
        (["a"], list, ["a"]),
        (5, list, ["5"]),
        ({"a": 1}, dict, {"a": 1}),
        ('{"a": 1}', dict, {"a": 1}),
        ("a=1, b=2", dict, {"a": "1", "b": "2"}),
        ("/a", Path, Path("/a")),
        ([1], object, [1]),
    ],
)
def test_values_are_coerced_as_ansible_does(value: object, kind: type, expected: object) -> None:
    result = coerce(value, kind)
    assert result == expected
    assert type(result) is type(expected)


def test_a_path_expands_the_home_directory() -> None:
    assert coerce("~/x", Path) == Path.home() / "x"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (["a"], str),
        ({"a": 1}, str),
        ("maybe", bool),
        (2, bool),
        (1.0, bool),
        (True, int),
        ("x", int),
        (1.5, int),
        (True, float),
        ("x", float),
        ({"a": 1}, list),
        ("text", dict),
        ([1], dict),
        ("[1]", dict),
    ],
)
def test_what_does_not_fit_is_refused(value: object, kind: type) -> None:
    with pytest.raises(ValueError, match="takes"):
        coerce(value, kind)


ACTION = Action(
    name="copy",
    perform=no_steps,
    help="",
    arguments=(
        Argument(name="dest", required=True, aliases=("path",)),
        Argument(name="force", type=bool, default=True),
        Argument(name="state", choices=("present", "absent"), default="present"),
        Argument(name="content", type=object),
    ),
)


def test_every_declared_argument_gets_a_value_under_its_own_name() -> None:
    assert coerce_arguments(ACTION, {"path": "/x", "force": "no"}) == {
        "dest": "/x",
        "force": False,
        "state": "present",
        "content": None,
    }


def test_what_is_omitted_or_empty_gets_the_default() -> None:
    given_ = {"dest": "/x", "force": OMIT, "state": None, "content": OMIT}
    assert coerce_arguments(ACTION, given_) == {"dest": "/x", "force": True, "state": "present", "content": None}


def test_every_wrong_argument_is_named_at_once() -> None:
    position = Position("site.yml", 3, 5)
    with pytest.raises(FilesError) as error:
        coerce_arguments(ACTION, {"force": "maybe", "state": "presnt", "nope": 1}, position)
    text = error.value.render()
    assert "site.yml:3:5" in text
    assert "'force' of 'copy' takes true or false, but this is 'maybe'." in text
    assert "Did you mean 'present'?" in text
    assert "'copy' has no argument 'nope'." in text
    assert "'copy' needs 'dest'." in text


def test_open_arguments_are_taken_as_they_are() -> None:
    action = Action(name="set_fact", perform=no_steps, help="", open_arguments=True)
    assert coerce_arguments(action, {"a": [1], "b": OMIT, "c": None}) == {"a": [1], "c": None}
