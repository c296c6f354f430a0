"""YAML with positions: what comes out, where it stands, and every way in which a document can be wrong."""

from __future__ import annotations

import gc
import time
from pathlib import Path

import pytest

from drumline.diagnostics import Diagnostic, Position
from drumline.errors import FilesError
from drumline.model.value import Template
from drumline.source.nodes import Entry, Node, plain, text_value
from drumline.source.yaml import load, read


def mistakes(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(FilesError) as caught:
        load(text, "f.yml")
    return caught.value.diagnostics


def only_mistake(text: str) -> Diagnostic:
    (found,) = mistakes(text)
    return found


def place(diagnostic: Diagnostic) -> tuple[int, int]:
    assert diagnostic.position is not None
    assert diagnostic.position.path == "f.yml"
    return diagnostic.position.line, diagnostic.position.column


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "~", "null"])
def test_an_empty_document_is_none(text: str) -> None:
    assert load(text, "f.yml") is None
    assert plain(load(text, "f.yml")) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("off", False),
        ("y", "y"),
        ("0644", 420),
        ("0o644", "0o644"),
        ("0x1F", 31),
        ("10:30", 630),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("1e3", "1e3"),
        (".inf", float("inf")),
        ("2024-05-06", "2024-05-06"),
        ("'80'", "80"),
        ("=", "="),
        ("!!str 80", "80"),
        ("!!int '80'", 80),
        ("! 80", "80"),
        ("{a: }", {"a": None}),
        ("[1, [two, {three: 3}]]", [1, ["two", {"three": 3}]]),
        ("{80: a, no: b, 1.5: c, ~: d}", {"80": "a", "no": "b", "1.5": "c", "~": "d"}),
    ],
)
def test_values_are_those_of_yaml_1_1_with_text_as_keys(text: str, value: object) -> None:
    assert plain(load(text, "f.yml")) == value


def test_every_node_and_key_knows_where_it_stands() -> None:
    root = load("a: 1\nb:\n  - x\n  - {c: y}\n", "f.yml")
    assert root is not None
    assert isinstance(root.value, dict)
    assert root.value["a"] == Entry(Position("f.yml", 1, 1), Node(1, Position("f.yml", 1, 4)))
    items = root.value["b"].node.value
    assert isinstance(items, list)
    assert items[0].position == Position("f.yml", 3, 5)
    assert isinstance(items[1].value, dict)
    assert items[1].value["c"].key_position == Position("f.yml", 4, 6)


@pytest.mark.parametrize("indicator", ["|", ">", "|-", "|2-  # why"])
def test_a_block_scalar_stands_where_its_text_begins(indicator: str) -> None:
    root = load(f"text: {indicator}\n\n  first\n  second\n", "f.yml")
    assert root is not None
    assert isinstance(root.value, dict)
    node = root.value["text"].node
    assert node.position == Position("f.yml", 2, 3)
    if indicator.startswith("|"):
        assert isinstance(node.value, str)
        assert node.value.split("\n").index("second") + node.position.line == 4


def test_kinds_are_named_for_messages() -> None:
    root = load("[a, 1, 1.5, yes, ~, [], {}]", "f.yml")
    assert root is not None
    assert isinstance(root.value, list)
    names = ["text", "a whole number", "a number", "true or false", "nothing", "a list", "a dictionary"]
    assert [node.kind for node in root.value] == names


@pytest.mark.parametrize("text", ["{{ a }}", "x {% if a %}", "{# c #}"])
def test_text_with_braces_is_a_template_with_its_place(text: str) -> None:
    value = plain(load(f"k:\n  - '{text}'\n", "f.yml"))["k"][0]
    assert isinstance(value, Template)
    assert value.text == text
    assert value.position == Position("f.yml", 2, 5)


def test_other_braces_are_plain_text() -> None:
    assert plain(load("['{a}', '${b}', '{ { c } }']", "f.yml")) == ["{a}", "${b}", "{ { c } }"]
    assert text_value("{a}", Position("f")) == "{a}"


@pytest.mark.parametrize("text", ["!unsafe '{{ a }}'", "!unsafe ['{{ a }}']", "!unsafe {k: ['{{ a }}']}"])
def test_unsafe_text_is_never_a_template(text: str) -> None:
    assert "Template" not in repr(plain(load(text, "f.yml")))


def test_unsafe_holds_inside_what_it_marks_even_through_an_alias() -> None:
    root = load("a: &a '{{ x }}'\nb: !unsafe [*a]\n", "f.yml")
    assert plain(root)["b"] == ["{{ x }}"]
    assert isinstance(plain(root)["a"], Template)


def test_merge_keys_give_way_to_own_keys_and_to_earlier_ones() -> None:
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  c: 3\n"
    assert plain(load(text, "f.yml"))["z"] == {"a": 1, "b": 1, "c": 3}


def test_only_a_dictionary_can_be_merged() -> None:
    found = only_mistake("a: {<<: [1]}\n")
    assert found.summary == "Only a dictionary can be merged"
    assert place(found) == (1, 10)


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("a: [1, 2\nb: 3\n", (2, 2), "flow sequence"),
        ("a: b: c\n", (1, 5), "has to be quoted"),
        ("a: 'b\n\n", (1, 4), "quoted scalar"),
        ('a: "\\q"\n', (1, 5), "unknown escape"),
        ('a: "C:\\q"\n', (1, 7), "single quotes"),
        ('a: "C:\\x.exe"\n', (1, 9), "single quotes"),
        ("- a: 1\nb: 2\n", (2, 1), "column of its first one"),
        ("a: 'it's'\n", (1, 8), "ends with that quote"),
        ("a: 1\n- b\n", (2, 1), "begin in the same column"),
        ("a: @b\n", (1, 4), "has to be quoted"),
        ("a: *\n", (1, 5), "has to be quoted"),
        ('a: "b\n', (1, 4), "never closed"),
        ("é: ü\nx: \x01\n", (2, 4), "control characters"),
        ("name: {{ a }}/b\n", (1, 14), '"{{ … }}"'),
        ("- a\n b: c\n", (2, 3), "has to be quoted"),
    ],
)
def test_what_is_not_yaml_is_shown_at_its_place(text: str, where: tuple[int, int], words: str) -> None:
    found = mistakes(text)[-1]
    assert found.summary == "This file isn't valid YAML"
    assert place(found) == where
    assert words in found.detail


@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "\ta: 1\n", "a: b\n\tc: d\n"])
def test_a_tab_is_called_a_tab(text: str) -> None:
    found = only_mistake(text)
    assert found.summary == "A tab is used as indentation"
    assert place(found)[0] == text.count("\n", 0, text.index("\t")) + 1


def test_a_duplicate_key_names_the_line_of_the_first() -> None:
    found = only_mistake("a: 1\nb: 2\na: 3\n")
    assert found.summary == "A key is given twice"
    assert place(found) == (3, 1)
    assert "line 1" in found.detail


def test_numbers_and_text_that_look_alike_are_the_same_key() -> None:
    assert only_mistake("80: a\n'80': b\n").summary == "A key is given twice"


def test_braces_without_quotes_are_explained() -> None:
    found = only_mistake("name: {{ a }}\n")
    assert found.summary == "This can't be a key"
    assert "has to be quoted" in found.detail
    assert place(found) == (1, 8)


@pytest.mark.parametrize("text", ["? [a]\n: b\n", "? {a: b}\n: c\n", "x: &x [a]\n*x : b\n"])
def test_a_collection_cannot_be_a_key(text: str) -> None:
    assert "This can't be a key" in [found.summary for found in mistakes(text)]


def test_a_key_that_is_missing_is_a_mistake() -> None:
    assert only_mistake("{? : b}").summary == "A key is missing"


def test_a_scalar_alias_can_be_a_key() -> None:
    assert plain(load("a: &x one\nb: {*x : 1}\n", "f.yml"))["b"] == {"one": 1}


def test_more_than_one_document_is_refused() -> None:
    found = only_mistake("a: 1\n---\nb: 2\n")
    assert found.summary == "More than one YAML document"
    assert place(found) == (2, 1)


@pytest.mark.parametrize("tag", ["!custom 1", "!!set {a: }", "!!binary aGk=", "!!python/name:os.system x"])
def test_unknown_tags_are_refused(tag: str) -> None:
    assert only_mistake(f"a: {tag}\n").summary == "Unknown tag"


def test_all_mistakes_of_a_document_are_found_at_once() -> None:
    text = "a: 1\na: 2\nb: !no 1\nc: 0x_\nd: [\n"
    summaries = [found.summary for found in mistakes(text)]
    assert summaries == ["A key is given twice", "Unknown tag", "A value can't be read", "This file isn't valid YAML"]


@pytest.mark.parametrize(
    ("text", "word"), [("[*x]", "names nothing"), ("&x [*x]", "part of"), ("&x {a: *x}", "part of")]
)
def test_aliases_that_lead_nowhere_or_in_cycles_are_refused(text: str, word: str) -> None:
    found = only_mistake(text)
    assert found.summary == "An alias can't be followed"
    assert word in found.detail


def test_a_document_of_a_billion_laughs_is_refused_quickly() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    begin = time.monotonic()
    assert only_mistake("\n".join(rows)).summary == "Aliases make this file too large"
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("text", ["[" * 1_000_000, "- " * 1_000_000 + "a", "{a: " * 1_000_000])
def test_deep_nesting_is_refused_rather_than_a_crash(text: str) -> None:
    assert only_mistake(text).summary == "This file is nested too deeply"


def test_a_large_document_is_read() -> None:
    tasks = 40_000
    text = "- hosts: all\n  tasks:\n" + "".join(f"  - name: t{n}\n    command: echo {n}\n" for n in range(tasks))
    value = plain(load(text, "f.yml"))
    assert len(value[0]["tasks"]) == tasks
    assert gc.isenabled()


def test_very_many_mistakes_are_cut() -> None:
    found = mistakes("".join(f"a: {n}\n" for n in range(50_000)))
    assert found[-1].summary == "Too many mistakes"
    assert len(found) < 200


class TestRead:
    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "f.yml"
        path.write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\n")
        node = read(path)
        assert plain(node) == {"a": "é"}
        assert node is not None
        assert node.position == Position(str(path), 1, 1)

    @pytest.mark.parametrize(
        ("content", "summary", "where"),
        [
            (b"a: 1\nb: \xff\n", "This file isn't UTF-8 text", (2, 4)),
            (b"\x7fELF\n\x00\x00", "This file isn't text", (2, 1)),
            ("a: 1".encode("utf-16"), "This file isn't text", (1, 4)),
        ],
    )
    def test_what_is_not_text(self, tmp_path: Path, content: bytes, summary: str, where: tuple[int, int]) -> None:
        path = tmp_path / "f.yml"
        path.write_bytes(content)
        with pytest.raises(FilesError) as caught:
            read(path)
        (found,) = caught.value.diagnostics
        assert found.summary == summary
        assert found.position == Position(str(path), *where)

    def test_what_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        large = tmp_path / "large.yml"
        with large.open("wb") as file:
            file.truncate(50_000_001)
        for path, words in [
            (tmp_path / "none.yml", "doesn't exist"),
            (tmp_path, "is a directory"),
            (tmp_path / "loop", "symbolic links"),
            (large, "larger than 50 MB"),
            (Path("a\0b"), "null"),
        ]:
            with pytest.raises(FilesError, match=words):
                read(path)


def test_a_merge_conflict_is_named() -> None:
    """Not as a file of the corpus: those with such marks can't be landed."""
    text = "\n".join(["- a: 1", f"{'<' * 7} HEAD", "- b: 1", "=" * 7, "- c: 1", f"{'>' * 7} main"])
    with pytest.raises(FilesError) as caught:
        load(text, "x.yml")
    [mistake] = caught.value.diagnostics
    assert (mistake.summary, str(mistake.position)) == ("A merge conflict", "x.yml:2:1")
