"""Templates: what they give, as ansible-core gives it; what is said when they can't; what is never evaluated."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from drumline.diagnostics import Position
from drumline.inventory.variables import Facts, Scope
from drumline.model.value import Template
from drumline.secret import Secret
from drumline.templating.failures import TemplateFailed
from drumline.templating.jinja import PlaybookEnvironment
from drumline.templating.templates import Templating
from drumline.templating.values import OMIT

ANSIBLE = json.loads(Path(__file__).with_name("data").joinpath("ansible_templates.json").read_text(encoding="utf-8"))
POSITION = Position("play.yml", 10, 5)
TEMPLATING = Templating()


def template(text: str) -> Template:
    return Template(text, POSITION)


def bare(text: str) -> Template:
    return Template(text, POSITION, bare=True)


def render(text: str, **variables: Any) -> Any:
    return TEMPLATING.render(template(text), variables)


def failure(text: str, **variables: Any) -> TemplateFailed:
    with pytest.raises(TemplateFailed) as caught:
        render(text, **variables)
    return caught.value


#: Templates, or macros in them, that put out nothing: None or an error in ansible-core 2.19. Here they give empty text,
#: as in Ansible before it, so that the content of a file may turn out to be empty.
EMPTY = {
    "{# only a comment #}": "",
    "{% set x = 1 %}": "",
    "{% if not yes %}b{% endif %}": "",
    "{% if not yes %}b{% endif %}\n": "",
    "{% macro m() %}{% endmacro %}{{ m() }}": "",
    "{% macro m() %}{% endmacro %}{{ m() | length }}": 0,
    "{% set x %}{% endset %}{{ x }}": "",
}
SAME = [(text, expected) for text, expected in ANSIBLE["templates"] if text not in EMPTY]


@pytest.mark.parametrize(("text", "expected"), EMPTY.items())
def test_a_template_that_puts_out_nothing_gives_empty_text(text: str, expected: object) -> None:
    assert render(text, yes=True) == expected


@pytest.mark.parametrize(("text", "expected"), SAME, ids=[text for text, _ in SAME])
def test_a_template_gives_what_ansible_gives(text: str, expected: dict[str, Any]) -> None:
    scope = Scope((Facts(ANSIBLE["variables"]),), TEMPLATING)
    if "error" in expected:
        with pytest.raises(TemplateFailed):
            TEMPLATING.render(template(text), scope)
    else:
        value = TEMPLATING.render(template(text), scope)
        assert json.loads(json.dumps(value, default=str)) == expected["value"]


@pytest.mark.parametrize(("text", "expected"), ANSIBLE["conditions"], ids=[text for text, _ in ANSIBLE["conditions"]])
def test_a_condition_holds_where_ansible_says_so(text: str, expected: dict[str, Any]) -> None:
    scope = Scope((Facts(ANSIBLE["variables"]),), TEMPLATING)
    if "error" in expected:
        with pytest.raises(TemplateFailed):
            TEMPLATING.condition((bare(text),), scope)
    else:
        assert TEMPLATING.condition((bare(text),), scope) is expected["value"]


@pytest.mark.parametrize(
    ("text", "holds"),
    [("'yes'", True), ("'True'", True), ("'1'", True), ("'no'", False), ("'off'", False), ("''", False)],
)
def test_words_that_say_yes_or_no_are_understood(text: str, holds: bool) -> None:
    assert TEMPLATING.condition((bare(text),), {}) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a == '{{ b }}'", True),
        ('"{{ n }}" == 1', True),
        ("'{{ a }}' in ['x']", True),
        ("a == '{{ b }}{{ n }}'", False),
        ("s == '{{ b }}'", False),
    ],
)
def test_templates_in_the_texts_of_conditions_are_evaluated(text: str, holds: bool) -> None:
    variables = {"a": "x", "b": "x", "n": 1, "s": "{{ b }}"}
    assert TEMPLATING.condition((bare(text),), variables) is holds
    assert TEMPLATING.undeclared(bare("a == '{{ b }}'")) == {"a", "b"}


def test_templates_in_the_texts_of_templates_are_evaluated_for_lookups_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAME", "value")
    assert render("{{ lookup('env', '{{ b }}') }}", b="NAME") == "value"
    assert render("{{ 'q{{ b }}' }}", b="x") == "q{{ b }}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ 1 | parse_xml('a') }}", "Ansible's filter 'parse_xml' is not there yet."),
        ("{{ 1 | ansible.utils.fact_diff }}", "Ansible's filter 'ansible.utils.fact_diff' is not there yet."),
        ("{{ 1 is fqdn_valid }}", "Ansible's test 'fqdn_valid' is not there yet."),
        ("{{ lookup('dig', 'x') }}", "Ansible's lookup 'dig' is not there yet."),
        (
            "{{ q('community.general.jc', 'x') }}",
            "Ansible's lookup 'community.general.jc' is not there yet.",
        ),
        ("{{ query('community.general.dig', 'x') }}", "Ansible's lookup 'community.general.dig' is not there yet."),
        ("{{ lookup('flie', 'x') }}", "There is no lookup 'flie'. Did you mean 'file'?"),
    ],
)
def test_filters_and_tests_of_ansible_are_answered_by_name(text: str, words: str) -> None:
    [found] = TEMPLATING.check(template(text))
    assert found.detail == words


def test_facts_are_answered_by_name() -> None:
    with pytest.raises(
        TemplateFailed, match="'ansible_os_family' is a fact, and nothing gathers facts before it is used"
    ):
        render("{{ ansible_os_family }}", ansible_verbosity=1)


@pytest.mark.parametrize("name", ["ansible_run_tags", "ansible_limit", "template_host", "template_destpath"])
def test_variables_of_ansibles_own_are_answered_by_name(name: str) -> None:
    with pytest.raises(TemplateFailed, match=f"'{name}' is undefined. Ansible's '{name}' is not there yet.$"):
        render(f"{{{{ {name} }}}}", **{f"{name}s": 1})


def test_conditions_hold_together_and_stop_at_the_first_that_does_not() -> None:
    assert TEMPLATING.condition((), {})
    assert TEMPLATING.condition((True, bare("a == 1")), {"a": 1})
    assert not TEMPLATING.condition((False, bare("missing")), {})


def test_text_from_a_host_is_never_evaluated() -> None:
    said = "{{ 1 + 1 }}{% if true %}x{% endif %}"
    assert render("{{ stdout }}", stdout=said) == said
    assert render("got: {{ stdout }}", stdout=said) == f"got: {said}"
    assert TEMPLATING.render({"a": [said]}, {}) == {"a": [said]}
    scope = Scope(({"copy": template("{{ stdout }}")}, Facts({"stdout": said})), TEMPLATING)
    assert TEMPLATING.render(template("{{ copy }}"), scope) == said
    assert TEMPLATING.render_file("{{ copy }}", "a.j2", scope) == said
    assert render("{{ x | from_yaml }}", x=f'a: "{said}"') == {"a": said}


def test_values_are_rendered_at_any_depth_and_constants_are_handed_out_as_they_are() -> None:
    constant = {"a": [1, {"b": "c"}]}
    assert TEMPLATING.render(constant, {}) is constant
    value = {"a": [template("{{ x }}"), ("t", template("{{ y }}"))], template("{{ y }}"): constant}
    assert TEMPLATING.render(value, {"x": [1], "y": "k"}) == {"a": [[1], ["t", "k"]], "k": constant}
    assert TEMPLATING.compile_value(constant).constant
    assert not TEMPLATING.compile_value(value).constant


def test_what_gives_omit_is_left_out() -> None:
    value = {"a": template("{{ m | default(omit) }}"), "b": [template("{{ omit }}"), 1], "c": template("{{ m }}")}
    assert TEMPLATING.render(value, {"m": 2}) == {"a": 2, "b": [1], "c": 2}
    assert TEMPLATING.render({"a": value["a"]}, {}) == {}
    assert TEMPLATING.render(value["a"], {}) is OMIT
    assert "omit" in failure("a{{ omit }}").summary


def test_a_secret_is_clear_only_in_what_is_rendered() -> None:
    scope = Scope(({"password": Secret("hunter2"), "db": {"password": Secret("hunter2")}},), TEMPLATING)
    assert TEMPLATING.render(template("-p {{ password }}"), scope) == "-p hunter2"
    assert TEMPLATING.render(template("{{ db.password | b64encode }}"), scope) == "aHVudGVyMg=="
    assert TEMPLATING.render({"p": Secret("hunter2")}, scope) == {"p": "hunter2"}


class Counting(Mapping[str, Any]):
    """Variables that count how often they are looked at."""

    def __init__(self, **variables: Any) -> None:
        self.variables = variables
        self.asked: list[str] = []

    def __getitem__(self, name: str) -> Any:
        self.asked.append(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("All variables were gone through.")

    def __len__(self) -> int:
        raise AssertionError("The variables were counted.")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("{{ a }}", ["a"]),
        ("x {{ a }}", ["a"]),
        ("{% set b = a %}{{ b }}", ["a"]),
        ("{% macro m(x) %}{{ x }}{{ a }}{% endmacro %}{{ m(1) }}", ["a"]),
        ("{% for b in [1] %}{{ b }}{{ a }}{% endfor %}", ["a"]),
    ],
)
def test_only_the_variables_that_are_used_are_looked_up(text: str, asked: list[str]) -> None:
    variables = Counting(a=1, other=2)
    TEMPLATING.render(template(text), variables)
    assert variables.asked == asked


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("{{ verison }}", "'verison' is undefined. Did you mean 'version'?", 10),
        ("a\nb {{ verison }}", "'verison' is undefined. Did you mean 'version'?", 11),
        ("{{ [1, verison] }}", "'verison' is undefined. Did you mean 'version'?", 10),
        ("{{ app.prot }}", "'app' has no 'prot'. Did you mean 'port'?", 10),
        ("{{ app['prot'] }}", "'app' has no 'prot'. Did you mean 'port'?", 10),
        ("{{ app.prot.number }}", "'app' has no 'prot'. Did you mean 'port'?", 10),
        ("{{ app.hosts[3] }}", "'app.hosts' has no item 3; it has 1.", 10),
        ("{{ [app] | map(attribute='prot') | list }}", "A dict has no 'prot'. Did you mean 'port'?", 10),
        ("{{ version | to_jsn }}", "There is no filter 'to_jsn'. Did you mean 'to_json'?", 10),
        ("{{ version is macth('x') }}", "There is no test 'macth'. Did you mean 'match'?", 10),
        ("{{ lookup('envv', 'x') }}", "There is no lookup 'envv'. Did you mean 'env'?", 10),
        ("{{ app.hosts.append(1) }}", "'append' would change a list;", 10),
        ("{{ app.update({}) }}", "'update' would change a dict;", 10),
        ("{{ app.__class__ }}", "'__class__' of a dict can't be used in a template.", 10),
        ("{{ app.items }}", "Are parentheses missing?", 10),
        ("{{ undef('Set it in group_vars') }}", "Set it in group_vars.", 10),
        ("{{ 1 / 0 }}", "division by zero.", 10),
        ("{{ version + 'a' }}", "unsupported operand", 10),
        ("{{ version | regex_search('(') }}", "'(' is not a regular expression", 10),
        ("{{ missing | mandatory('Say which') }}", "Say which.", 10),
        ("{% if version %}\n\n{{ oops }}{% endif %}", "'oops' is undefined.", 12),
    ],
)
def test_an_error_says_what_and_where(text: str, message: str, line: int) -> None:
    error = failure(text, version=1, app={"port": 80, "hosts": ["a"]})
    assert message in error.summary
    assert error.position == Position("play.yml", line, 5 if line == 10 else 1)
    assert "jinja" not in str(error)


@pytest.mark.parametrize(
    ("value", "summary", "detail", "line"),
    [
        (template("{{ a b }}"), "Not a valid template", "got 'b'", 10),
        (template("x\n{% if a %}"), "Not a valid template", "Unexpected end of template", 11),
        (bare("a =="), "Not a valid template", "", 10),
        (bare("a b"), "Not a valid template", "'b'", 10),
        (bare("a = b"), "Not a valid template", "Compare with '=='.", 10),
        (bare("a && b"), "Not a valid template", "Write 'and'.", 10),
        (bare("a || b"), "Not a valid template", "Write 'or'.", 10),
        (bare("!a"), "Not a valid template", "Write 'not'.", 10),
        (template("{% if a = b %}{% endif %}"), "Not a valid template", "Compare with '=='.", 10),
        (template("{{ a ? b : c }}"), "Not a valid template", "Write 'a if condition else b'.", 10),
        (template("{{ a | to_jsn }}"), "Unknown filter", "Did you mean 'to_json'?", 10),
        (template("x\n{% if a %}{{ a | to_jsn }}{% endif %}"), "Unknown filter", "'to_jsn'", 11),
        (bare("a is faild"), "Unknown test", "Did you mean 'failed'?", 10),
        (template("{{ a | index_of('faild') }}"), "Unknown test", "Did you mean 'failed'?", 10),
        (template("{% nope %}"), "Not a valid template", "unknown tag 'nope'", 10),
    ],
)
def test_mistakes_are_found_without_rendering(value: Template, summary: str, detail: str, line: int) -> None:
    [found] = TEMPLATING.check(value)
    assert found.summary == summary
    assert detail in found.detail
    assert found.position == Position("play.yml", line, 5 if line == 10 else 1)


def test_a_template_without_mistakes_passes_the_check() -> None:
    for value in (template("{{ a | to_json }}"), bare("a is failed"), bare("{{ a }}"), template("{# nothing #}")):
        assert TEMPLATING.check(value) == []


@pytest.mark.parametrize(
    ("text", "needed", "guarded"),
    [
        ("{{ a.b[c] }} {{ range(d) }}", {"a", "c", "d"}, set()),
        ("{{ a | default(b) }}", set(), {"a", "b"}),
        ("{{ a.b.c | d('x') }}", set(), {"a"}),
        ("{% if a is defined %}{{ a }}{% endif %}{{ a }}", set(), {"a"}),
        ("{{ a if b else c }}", {"b"}, {"a", "c"}),
        ("{{ a and b }}{{ c or d }}", {"a", "c"}, {"b", "d"}),
        ("{% set a = b %}{{ a }}{% for c in d %}{{ c }}{{ e }}{% endfor %}", {"b", "d"}, {"e"}),
        ("{% macro m(a) %}{{ a }}{{ b }}{% endmacro %}{{ m(c) }}", {"c"}, {"b"}),
        ("{{ a | ternary(b, c) }}", {"a"}, {"b", "c"}),
        ("{{ omit }}{{ lookup('env', a) }}", {"a"}, set()),
        ("{{ broken", set(), set()),
    ],
)
def test_names_that_are_needed_and_names_that_may_be_missing(text: str, needed: set[str], guarded: set[str]) -> None:
    assert TEMPLATING.undeclared(template(text)) == needed
    assert TEMPLATING.guarded(template(text)) == guarded


def test_a_file_is_rendered_as_jinja_renders_files() -> None:
    text = "{% for name in names %}\n{{ name }}\\n{{ 'a\\tb' }}\n{% endfor %}\n{{ none }}end\n"
    assert TEMPLATING.render_file(text, "a.j2", {"names": ["x", "y"]}) == "x\\na\tb\ny\\na\tb\nend\n"
    assert TEMPLATING.render_file(r"{{ 'a1' | regex_replace('\d', '\\n') }}", "a.j2", {}) == "a\n"
    assert TEMPLATING.render_file("{{ 5 }}", "a.j2", {}) == "5"
    assert TEMPLATING.render_file("", "a.j2", {}) == ""


def test_an_error_in_a_file_has_its_place_there(tmp_path: Path) -> None:
    for text, line in (("a\n{{ oops }}\n", 2), ("a\n\n{% if %}", 3)):
        with pytest.raises(TemplateFailed) as caught:
            TEMPLATING.render_file(text, "/project/app.j2", {})
        assert caught.value.position == Position("/project/app.j2", line)


def test_a_file_includes_and_imports_what_is_beside_it(tmp_path: Path) -> None:
    (tmp_path / "part.j2").write_text("<{{ item }} {{ name }}>")
    (tmp_path / "macros.j2").write_text("{% macro bold(x) %}*{{ x }}*{% endmacro %}")
    text = "{% import 'macros.j2' as m %}{% for item in [1, 2] %}{% include 'part.j2' %}{% endfor %}{{ m.bold(name) }}"
    scope = Scope(({"name": template("{{ real }}"), "real": "n", "broken": template("{{ nope }}")},), TEMPLATING)
    assert TEMPLATING.render_file(text, str(tmp_path / "main.j2"), scope) == "<1 n><2 n>*n*"
    (tmp_path / "part.j2").write_text("\n{{ oops }}")
    with pytest.raises(TemplateFailed) as caught:
        Templating().render_file(text, str(tmp_path / "main.j2"), scope)
    assert caught.value.position == Position(str(tmp_path / "part.j2"), 2)
    with pytest.raises(TemplateFailed, match=r"no template file .*gone.j2"):
        TEMPLATING.render_file("{% include 'gone.j2' %}", str(tmp_path / "main.j2"), {})


def test_lookups_read_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "me")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("text {{ who }}\n")
    (tmp_path / "files" / "b.txt").write_text("more")
    (tmp_path / "page.j2").write_text("hi {{ who }} {{ extra }}")
    variables = {"playbook_dir": str(tmp_path), "who": "you"}
    found = {
        "{{ lookup('env', 'WHO') }}": "me",
        "{{ lookup('env', 'NOT_THERE', default='x') }}": "x",
        "{{ lookup('file', 'a.txt') }}": "text {{ who }}",
        "{{ lookup('ansible.builtin.file', 'a.txt', 'b.txt') }}": "text {{ who }},more",
        "{{ query('file', ['a.txt', 'b.txt']) }}": ["text {{ who }}", "more"],
        "{{ lookup('template', 'page.j2', template_vars={'extra': 1}) }}": "hi you 1",
        "{{ q('fileglob', '*.txt') }}": [str(tmp_path / "files" / name) for name in ("a.txt", "b.txt")],
        "{{ lookup('vars', 'who') }}": "you",
        "{{ lookup('vars', 'nobody', default=3) }}": 3,
    }
    assert {text: render(text, **variables) for text in found} == found
    assert str(tmp_path / "files" / "gone") in failure("{{ lookup('file', 'gone') }}", **variables).summary
    assert "'nobody' is undefined" in failure("{{ lookup('vars', 'nobody') }}", **variables).summary
    assert isinstance(render("{{ now(utc=true, fmt='%Y') | int }}"), int)


def test_the_same_template_may_be_rendered_by_many_hosts_at_once() -> None:
    from concurrent.futures import ThreadPoolExecutor

    templating = Templating()
    value = {"a": template("{% for i in items %}{{ i }}{% endfor %}-{{ name }}")}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: templating.render(value, {"items": [n, n], "name": n})["a"], range(200)))
    assert found == [f"{n}{n}-{n}" for n in range(200)]


def test_all_unknown_names_of_a_template_are_found() -> None:
    text = (
        "{{ a | nof1 }}{{ b is not1 }}\n{{ c | map('nof2') | select('not2') | rejectattr('x', 'not3') }}"
        "{{ lookup('nol1') }}{{ q('nol2') }}{{ d | map('upper') | selectattr('x', 'defined') | nof1 }}"
    )
    found = [(each.summary, each.detail.split("'")[1].rpartition(".")[2]) for each in TEMPLATING.check(template(text))]
    assert sorted(found) == [
        *[("Unknown filter", name) for name in ("nof1", "nof2")],
        *[("Unknown lookup", name) for name in ("nol1", "nol2")],
        *[("Unknown test", name) for name in ("not1", "not2", "not3")],
    ]


#: What an inline if without else gives where it doesn't hold: what ansible-core 2.19 gives. Alone it is an error.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{{ 'x' if no }}b", "ab"),
        ("{{ ('x' if no) ~ 'y' }}", "y"),
        ("{{ ('x' if no) is defined }}", False),
        ("{{ ('x' if no) == '' }}", False),
        ("{% if ('x' if no) %}yes{% else %}no{% endif %}", "no"),
    ],
)
def test_an_inline_if_that_does_not_hold_counts_as_nothing(text: str, expected: object) -> None:
    assert render(text, no=False) == expected


@pytest.mark.parametrize("text", ["{{ 'x' if no }}", "{{ ['x' if no] }}", "{{ ('x' if no).name }}"])
def test_an_inline_if_that_does_not_hold_is_no_value(text: str) -> None:
    assert "evaluated to false and no else section was defined" in failure(text, no=False).summary


def test_a_use_of_results_with_an_unknown_filter_is_a_mistake_like_others() -> None:
    assert TEMPLATING.references(template("{{ results | no_such_filter }}")) == []
    [found] = TEMPLATING.check(template("{{ results | no_such_filter }}"))
    assert found.summary == "Unknown filter"


def test_an_if_without_else_takes_a_default() -> None:
    assert render("{{ ('x' if false) | default('d') }}") == "d"


def test_a_wrong_template_is_read_once_wherever_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    parse = PlaybookEnvironment.parse

    def counted(self: PlaybookEnvironment, source: str, *more: Any) -> Any:
        read.append(source)
        return parse(self, source, *more)

    monkeypatch.setattr(PlaybookEnvironment, "parse", counted)
    templating = Templating()
    for text in ("{{ a | no_such }}", "{{ a"):
        places = [Position("a.yml", line) for line in (1, 2)]
        found = [templating.check(Template(text, place)) for place in places]
        assert [one.position and one.position.line for each in found for one in each] == [1, 2]
    assert len(read) == 2
