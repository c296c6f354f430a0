"""Templates that would take for ever or all memory: each ends, and nothing else stands still meanwhile."""

import os
import threading
import time
from pathlib import Path

import pytest

from drumline import regexes
from drumline.diagnostics import Position
from drumline.inventory.variables import Scope
from drumline.model.value import Template
from drumline.templating import budget
from drumline.templating.budget import Allowance, TookTooLong, allow, within
from drumline.templating.failures import TemplateEnded, TemplateFailed
from drumline.templating.templates import Templating

SECONDS = 0.4
TEMPLATING = Templating(SECONDS)
VARIABLES = {"evil": "a" * 40 + "!", "many": "a" * 100_000, "lists": [[1]] * 50_000}
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


def rendered(text: str, **variables: object) -> object:
    return TEMPLATING.render(Template(text, Position("play.yml", 3)), {**VARIABLES, "bomb": BOMB, **variables})


class Pulse:
    """Measures the longest time in which another thread couldn't run."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat)

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._over.wait(0.01):
            now = time.monotonic()
            self.longest = max(self.longest, now - last)
            last = now


LONG = [
    "{{ evil is match('^(a+)+$') }}",
    "{{ evil is regex('^(a|a)*$') }}",
    "{{ evil | regex_replace('^(a+)+$', 'x') }}",
    "{{ evil | regex_search('^(a|aa)+$') }}",
    "{{ evil | regex_findall('^(a*)*$') }}",
    "{{ [evil] | select('match', '^(a+)+$') | list }}",
    "{{ [evil] | map('regex_replace', '^(a+)+$', 'x') | list }}",
    "{{ many is search('.*.*.*b') }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "{{ lists | difference(range(50000) | batch(1) | list) }}",
    "{{ lookup('fileglob', '/*/*/*/*/*/*/*') }}",
]
LARGE = [
    "{{ 9999999 ** 9999999 }}",
    "{{ 'a' * 10 ** 10 }}",
    "{{ [1] * 10 ** 10 }}",
    "{{ lipsum(n=10 ** 6) }}",
    "{{ range(12) | permutations | list }}",
    "{{ range(100) | product(range(100), range(100), range(100)) | list }}",
    "{{ [1, 2] | product(repeat=1000000000) | list }}",
    "{{ range(60) | combinations(30) | list }}",
    "{{ [1] | zip_longest(range(99999), *([[]] * 99999)) }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%*d' % (999999999, 1) }}",
    "{{ '%999999999d' | format(1) }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ '{:{}}'.format(1, 999999999) }}",
    "{{ ('%s' * 1000) % ((many,) * 1000) }}",
    "{{ 'x'.ljust(10 ** 10) }}",
    "{{ 'x'.zfill(10 ** 10) }}",
    "{{ 'x' | center(10 ** 10) }}",
    "{{ 'x' | indent(10 ** 10, true) }}",
    '{{ "a\\tb".expandtabs(10 ** 10) if false else many.replace("a", many) }}',
    "{{ many | replace('a', many) }}",
    "{{ many | regex_replace('a', many) }}",
    "{{ many.join([many] * 1000) }}",
    "{{ range(99999) | join(many) }}",
    "{{ (5).to_bytes(10 ** 10, 'big') }}",
    "{{ many.translate({97: many}) }}",
    "{{ 5 | round(-(10 ** 9)) }}",
    "{{ [1] | batch(10 ** 9, 'x') | list }}",
    "{{ [1] | slice(10 ** 9) | list }}",
    "{{ {'a': 1} | to_json(indent=10 ** 9) }}",
    "{{ 'x' | comment(prefix_count=10 ** 9) }}",
    "{{ many | urlize }}",
    "{{ many | human_to_bytes }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | to_json }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = {'a': n.x, 'b': n.x} %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=10) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "{% for a in range(9) %}{{ many * 100 }}{% endfor %}",
]


# What a template has open when it is ended is closed by the garbage collector, which Python's warnings note.
# And where it happens to be ended amid a callback, which can't raise, it is told again.
@pytest.mark.filterwarnings("ignore:unclosed scandir iterator:ResourceWarning")
@pytest.mark.filterwarnings(r"ignore:(?s).*budget\.Overrun:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("text", LONG)
def test_what_takes_too_long_is_ended_and_other_threads_go_on(text: str) -> None:
    began = time.monotonic()
    with Pulse() as pulse, pytest.raises(TemplateEnded, match=r"took longer than 0\.4 s"):
        rendered(text)
    assert time.monotonic() - began < 5
    assert pulse.longest < 2


@pytest.mark.parametrize("text", LARGE)
def test_what_gets_too_large_is_refused_before_it_is_made(text: str) -> None:
    with Pulse() as pulse, pytest.raises(TemplateFailed, match="This gives more than a template may"):
        Templating(60).render(Template(text, Position("x")), VARIABLES)
    assert pulse.longest < 2


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ a }}{% endfor %}{% endfor %}",
        "{% set x %}{% for a in range(99999) %}{% for b in range(a) %}b{% endfor %}{% endfor %}{% endset %}{{ x }}",
    ],
)
def test_loops_are_counted(text: str) -> None:
    with pytest.raises(TemplateFailed, match="more than 4,000,000 rounds"):
        Templating(60).render(Template(text, Position("x")), {})


def test_loops_over_what_has_no_length_are_counted_round_by_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a filter in each round, four million of them take longer than the time that most templates have."""
    monkeypatch.setattr(budget, "MOST_ROUNDS", 40_000)
    loops = (
        "{{% for a in range(1, {}) | select %}}{{% for b in range(200) | map('string') %}}b{{% endfor %}}{{% endfor %}}"
    )
    just_enough = Templating(60).render(Template(loops.format(200), Position("x")), {})  # 199 * 201 rounds
    assert just_enough == "b" * 199 * 200
    with pytest.raises(TemplateFailed, match="more than 40,000 rounds"):
        Templating(60).render(Template(loops.format(201), Position("x")), {})


def test_yaml_of_a_host_whose_aliases_explode_is_refused() -> None:
    with pytest.raises(TemplateFailed, match="Aliases make this file too large"):
        rendered("{{ bomb | from_yaml | to_json }}")


def test_variables_that_double_each_other_are_refused() -> None:
    layers: dict[str, object] = {"a0": ["x"]}
    for number in range(60):
        before = Template(f"{{{{ a{number} }}}}", Position("play.yml", number + 1))
        layers[f"a{number + 1}"] = [before, before]
    with pytest.raises(TemplateFailed, match="more than a template may"):
        TEMPLATING.render(Template("{{ a60 }}", Position("x")), Scope((layers,), TEMPLATING))


@pytest.mark.parametrize("lookup", ["file", "template"])
def test_what_has_no_end_is_not_read(lookup: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(1 << 33)
    for path, reason in (("/dev/zero", "a device"), (tmp_path / "pipe", "a pipe"), (huge, "larger than 16 MiB")):
        with pytest.raises(TemplateFailed, match=reason):
            rendered(f"{{{{ lookup('{lookup}', '{path}') }}}}")


def test_an_included_file_is_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "part.j2").write_text("{{ evil is match('^(a+)+$') }}")
    with pytest.raises(TemplateEnded, match="took longer"):
        TEMPLATING.render_file("{% include 'part.j2' %}", str(tmp_path / "main.j2"), VARIABLES)


def test_nothing_is_evaluated_when_a_template_is_only_checked() -> None:
    text = "{{ ('a' * 40 ~ '!') is match('^(a+)+$') and 9 ** 9 ** 9 and range(12) | permutations | list }}"
    assert TEMPLATING.check(Template(text, Position("x"))) == []


def test_the_time_out_of_the_task_counts_when_it_is_shorter() -> None:
    allow(Allowance(timeout=0.1))
    try:
        with pytest.raises(TemplateEnded, match=r"time-out of 0\.1 s") as caught:
            Templating(60).render(Template(LONG[0], Position("x")), VARIABLES)
    finally:
        allow(None)
    assert caught.value.timed_out


def test_a_stopped_job_ends_its_template() -> None:
    stopped = threading.Event()
    threading.Timer(0.1, stopped.set).start()
    began = time.monotonic()
    allow(Allowance(stopped=stopped.is_set))
    try:
        with pytest.raises(TemplateEnded, match="was stopped"):
            Templating(60).render(Template(LONG[0], Position("x")), VARIABLES)
    finally:
        allow(None)
    assert time.monotonic() - began < 10


def test_an_exception_that_came_too_late_never_comes() -> None:
    """The end of the work and the end of its time may meet; whatever comes first, nothing comes afterwards."""
    ended = 0
    for _ in range(30):
        try:
            within(0.05, lambda: time.sleep(0.0999))
        except TookTooLong:
            ended += 1
        for _ in range(1000):
            pass
    assert ended


EXPRESSIONS = [
    ("ok", 0, 1),
    (r"(\d+)\.(\d+)", 2, 1),
    (r"v?(?P<major>[0-9*+]+)\+", 1, 2),
    (r"a{2,3}|b", 1, 2),
    (r"(?:ab)?c*", 1, 2),
]


@pytest.mark.parametrize(("pattern", "power", "branches"), EXPRESSIONS)
def test_the_cost_of_an_expression_is_estimated(pattern: str, power: int, branches: int) -> None:
    assert regexes.cost_of(pattern) == (power, branches)


@pytest.mark.parametrize("pattern", ["(a+)+", "(a|b)*", "(a{2}){3}"])
def test_a_repeated_group_may_cost_anything(pattern: str) -> None:
    assert regexes.cost_of(pattern).power is None


#: Each is matched here as it is, and by a process of its own in the second column's form, which means the same.
SAME = [
    ("{{ 'x1y22' | regex_findall('[0-9]+') }}", "{{ 'x1y22' | regex_findall('(?:[0-9])+') }}"),
    ("{{ 'x1y22' | regex_search('[0-9]+') }}", "{{ 'x1y22' | regex_search('(?:[0-9])+') }}"),
    ("{{ 'ab' | regex_search('(a)b', '\\1') }}", "{{ 'ab' | regex_search('(a)(?:b)+', '\\1') }}"),
    ("{{ 'ab' | regex_search('(?P<n>a)b', '\\g<n>') }}", "{{ 'ab' | regex_search('(?P<n>a)(?:b)+', '\\g<n>') }}"),
    ("{{ 'aabb' | regex_replace('a+', '<\\g<0>>') }}", "{{ 'aabb' | regex_replace('(?:a)+', '<\\g<0>>') }}"),
    ("{{ 'Ab' is match('a', ignorecase=true) }}", "{{ 'Ab' is match('(?:a)+', ignorecase=true) }}"),
    ("{{ 'x' | regex_search('y') is none }}", "{{ 'x' | regex_search('(?:y)+') is none }}"),
]


@pytest.mark.parametrize(("here", "apart"), SAME)
def test_an_expression_gives_the_same_in_a_process_of_its_own(here: str, apart: str) -> None:
    templating = Templating(20)
    found = [templating.render(Template(text, Position("x")), {}) for text in (here, apart)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "text", ["{{ 'ab' | regex_replace('a', '\\5') }}", "{{ 'ab' | regex_replace('(a)+', '\\5') }}"]
)
def test_a_wrong_replacement_is_explained(text: str) -> None:
    with pytest.raises(TemplateFailed, match="invalid group reference 5"):
        rendered(text)
