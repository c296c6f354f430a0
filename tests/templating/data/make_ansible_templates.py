"""Writes ``ansible_templates.json``: what ansible-core makes of the templates below.

Run it with a Python that has ansible-core (2.19 was used) whenever a template is added. The tests need no Ansible.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

VARIABLES: dict[str, Any] = {
    "name": "web1.example.org",
    "zero": "007",
    "number": 42,
    "text_number": "42",
    "nothing": None,
    "yes": True,
    "words": ["b", "a", "B", "a"],
    "numbers": [3, 1, 2, 3],
    "nested": [1, [2, [3, None]], [4]],
    "app": {"name": "shop", "ports": [80, 443], "db": {"host": "db1", "port": 5432}},
    "other": {"name": "blog", "ports": [8080], "db": {"user": "me"}},
    "users": [
        {"name": "ann", "keys": ["k1", "k2"], "uid": 1},
        {"name": "bob", "keys": [], "uid": 2},
        {"name": "cid", "uid": 3},
    ],
    "path": "/etc/app/app.conf.j2",
    "win_path": "C:\\Program Files\\App\\app.exe",
    "text": "foo-12 bar-345",
    "lines": "one\ntwo",
    "ended": "one\n",
    "braces": "{{ not_a_template }}",
    "failed_result": {"failed": True, "changed": False, "rc": 1, "stdout": "boom", "stdout_lines": ["boom"]},
    "changed_result": {"changed": True, "rc": 0, "stdout": "ok"},
    "loop_result": {"results": [{"changed": False}, {"changed": True}]},
    "skipped_result": {"skipped": True, "changed": False},
}

TEMPLATES = r"""
{{ 7 }}
{{ '7' }}
{{ zero }}
{{ number }}
{{ number + 1 }}
{{ text_number | int + 1 }}
 {{ number }}
{{ number }}{{ number }}
a{{ nothing }}b
{{ nothing }}
{{ yes }}
is {{ yes }}
{{ [1, 'a', none, true] }}
{{ {'a': 1, 'b': [number]} }}
list {{ [1, 'a', none] }}
dict {{ {'a': number} }}
{{ app }}
{{ app.ports }}
{{ app['db'].port }}
{{ (1, 2) }}
{{ range(3) | list }}
{{ words | map('upper') }}
{{ words | select('eq', 'a') | list }}
{{ users | map(attribute='name') | list }}
{{ users | selectattr('uid', 'gt', 1) | map(attribute='name') | join(',') }}
{{ app.missing | default('x') }}
{{ missing.deep.er | default('x') }}
{{ missing | d('x') }}
{{ nothing | default('x', true) }}
{{ '' | default('x') }}
{{ missing is defined }}
{{ app.db is defined }}
{{ missing is undefined }}
{% if yes %}{{ app.ports }}{% endif %}
{% if yes %}{{ number }}{% else %}no{% endif %}
{% for w in words %}{{ w }}{% endfor %}
{% for n in [5] %}{{ n }}{% endfor %}
{% set x = 5 %}{{ x }}
{{ braces }}
{{ braces }}!
{{ 1 == 1 }}
{{ number > 5 and yes }}
{{ number / 4 }}
{{ number // 4 }}
{{ 2 ** 3 }}
{{ 'a' ~ number }}
{{ words | length }}
{{ words | unique }}
{{ numbers | unique }}
{{ words | unique(case_sensitive=false) }}
{{ words | sort }}
{{ numbers | union([9, 1]) | sort }}
{{ numbers | intersect([3, 2]) | sort }}
{{ numbers | difference([3]) }}
{{ numbers | symmetric_difference([3, 9]) | sort }}
{{ nested | flatten }}
{{ nested | flatten(levels=1) }}
{{ nested | flatten(skip_nulls=false) }}
{{ [1, 2] | zip(['a', 'b', 'c']) | list }}
{{ [1, 2] | zip_longest(['a', 'b', 'c'], fillvalue='-') | list }}
{{ [1, 2] | product(['a', 'b']) | list }}
{{ [1, 2, 3] | combinations(2) | list }}
{{ [1, 2] | permutations | list }}
{{ app | combine(other) }}
{{ app | combine(other, recursive=true) }}
{{ app | combine(other, recursive=true, list_merge='append') }}
{{ app | combine(other, list_merge='prepend') }}
{{ app | combine({'ports': [443, 1]}, list_merge='append_rp') }}
{{ app | combine({'ports': [443, 1]}, list_merge='prepend_rp') }}
{{ app | combine({'ports': [443, 1]}, list_merge='keep') }}
{{ [app, other] | combine }}
{{ {'a': 1, 'b': 2} | dict2items }}
{{ {'a': 1} | dict2items(key_name='k', value_name='v') }}
{{ [{'key': 'a', 'value': 1}] | items2dict }}
{{ users | items2dict(key_name='name', value_name='uid') }}
{{ users[:2] | subelements('keys') }}
{{ users | subelements('keys', skip_missing=true) }}
{{ users | rekey_on_member('name') }}
{{ ['a', 'b'] | map('extract', {'a': 1, 'b': 2}) | list }}
{{ 'db' | extract(app, 'host') }}
{{ 'db' | extract(app, ['host']) }}
{{ 'yes' | bool }}
{{ 'TRUE' | bool }}
{{ 'no' | bool }}
{{ 1 | bool }}
{{ 0 | bool }}
{{ nothing | bool }}
{{ yes | ternary('a', 'b') }}
{{ false | ternary('a', 'b') }}
{{ none | ternary('a', 'b', 'c') }}
{{ none | ternary('a', 'b') }}
{{ name | mandatory }}
{{ app | to_json }}
{{ {'ä': 'ö'} | to_json }}
{{ {'ä': 'ö'} | to_json(ensure_ascii=false) }}
{{ app | to_json(indent=2, sort_keys=true) }}
{{ app | to_nice_json }}
{{ app | to_nice_json(indent=2) }}
{{ app | to_yaml }}
{{ app | to_nice_yaml }}
{{ app | to_nice_yaml(indent=2) }}
{{ app | to_nice_yaml(sort_keys=false) }}
{{ [1, 'two', {'three': none}] | to_nice_yaml }}
{{ 'x: y' | to_yaml }}
{{ lines | to_yaml }}
{{ zero | to_yaml }}
{{ {'ä': 'ö'} | to_yaml }}
{{ '{"a": [1, null]}' | from_json }}
{{ 'a: [1, null, "x"]' | from_yaml }}
{{ '{a: "{{ b }}"}' | from_yaml }}
{{ '---\na: 1\n---\nb: 2\n' | from_yaml_all }}
{{ '---\na: 1\n---\nb: 2\n' | from_yaml_all | list }}
{{ 'häm' | b64encode }}
{{ 'aMOkbQ==' | b64decode }}
{{ 'häm' | b64encode(encoding='utf-16-le') }}
{{ path | basename }}
{{ path | dirname }}
{{ '/a/b/' | basename }}
{{ '/a/b/' | dirname }}
{{ path | splitext }}
{{ path | splitext | first }}
{{ win_path | win_basename }}
{{ win_path | win_dirname }}
{{ win_path | win_splitdrive }}
{{ ['/etc', 'a', 'b'] | path_join }}
{{ '/etc' | path_join }}
{{ ['/etc', '/b'] | path_join }}
{{ '/a/b/c' | relpath('/a') }}
{{ '/nowhere/../x' | realpath }}
{{ ['/a/b', '/a/c'] | commonpath }}
{{ '/a//b/../c' | normpath }}
{{ text | regex_replace('([a-z]+)-(\d+)', '\2-\1') }}
{{ text | regex_replace('FOO', 'x', ignorecase=true) }}
{{ text | regex_replace('-', '', count=1) }}
{{ lines | regex_replace('^', '# ', multiline=true) }}
{{ text | regex_search('[a-z]+-\d+') }}
{{ text | regex_search('([a-z]+)-(\d+)', '\1', '\2') }}
{{ text | regex_search('(?P<w>[a-z]+)', '\g<w>') }}
{{ text | regex_search('nothing') }}
{{ text | regex_search('(nothing)', '\1') }}
{{ text | regex_findall('\d+') }}
{{ text | regex_findall('([a-z]+)-(\d+)') }}
{{ 'a.b*c' | regex_escape }}
{{ 'a.b*c[d]' | regex_escape('posix_basic') }}
{{ "it's" | quote }}
{{ 'plain' | quote }}
{{ nothing | quote }}
{{ 'a b  c' | split }}
{{ 'a,b,c' | split(',') }}
{{ 'a,b,c' | split(',', 1) }}
{{ name | hash }}
{{ name | hash('sha256') }}
{{ name | hash('md5') }}
{{ name | checksum }}
{{ name | sha1 }}
{{ name | md5 }}
{{ 1024 | human_readable }}
{{ 1234567 | human_readable }}
{{ 1234567 | human_readable(unit='K') }}
{{ 1234567 | human_readable(isbits=true) }}
{{ 5 | human_readable }}
{{ 5 | human_readable(isbits=true) }}
{{ '10 MB' | human_to_bytes }}
{{ '1.5K' | human_to_bytes }}
{{ '10' | human_to_bytes }}
{{ '10' | human_to_bytes('M') }}
{{ '10Mb' | human_to_bytes(isbits=true) }}
{{ '10B' | human_to_bytes }}
{{ lines | comment }}
{{ lines | comment('erlang') }}
{{ lines | comment('c') }}
{{ lines | comment('cblock') }}
{{ lines | comment('xml') }}
{{ 'a' | comment(decoration='! ') }}
{{ 'a' | comment('plain', prefix='###\n#', postfix='#\n###') }}
{{ 'a' | comment('plain', prefix_count=2, postfix_count=0) }}
{{ 'a\n\nb' | comment }}
{{ 'a' | comment(beginning='<<', end='>>') }}
{{ ('2024-01-02 03:04:05' | to_datetime).year }}
{{ (('2024-01-02' | to_datetime('%Y-%m-%d')) - ('2024-01-01' | to_datetime('%Y-%m-%d'))).days }}
{{ '%Y-%m-%d' | strftime(0, utc=true) }}
{{ '%H:%M' | strftime(3600.5, utc=true) }}
{{ app | type_debug }}
{{ zero | type_debug }}
{{ number | type_debug }}
{{ [3, 1, 2] | shuffle(seed='x') | sort }}
{{ 100 | log(10) }}
{{ 8 | log(2) }}
{{ 2 | pow(3) }}
{{ 9 | root }}
{{ 27 | root(3) }}
{{ 'https://u@h.org:81/p?q=1#f' | urlsplit('hostname') }}
{{ 'https://u@h.org:81/p?q=1#f' | urlsplit }}
{{ 'a%20b+c' | urldecode }}
{{ 'a b&c' | urlencode }}
{{ name | to_uuid }}
{{ failed_result is failed }}
{{ failed_result is success }}
{{ failed_result is succeeded }}
{{ changed_result is changed }}
{{ changed_result is failed }}
{{ loop_result is changed }}
{{ skipped_result is skipped }}
{{ changed_result is skipped }}
{{ changed_result is reachable }}
{{ changed_result is unreachable }}
{{ text is match('foo') }}
{{ text is match('bar') }}
{{ text is search('bar') }}
{{ text is search('BAR', ignorecase=true) }}
{{ text is regex('^foo') }}
{{ text is regex('BAR', ignorecase=true) }}
{{ [1, 2] is subset([1, 2, 3]) }}
{{ [1, 2, 3] is superset([1, 4]) }}
{{ [1, 2] is contains(2) }}
{{ app is contains('db') }}
{{ 2 in [1, 2] }}
{{ 2 is in [1, 2] }}
{{ [true, false] is any }}
{{ [true, false] is all }}
{{ '/' is directory }}
{{ '/' is file }}
{{ '/' is exists }}
{{ '/nowhere' is exists }}
{{ '/' is link }}
{{ '/' is abs }}
{{ 'yes' is truthy }}
{{ 'no' is truthy }}
{{ 'no' is truthy(convert_bool=true) }}
{{ '' is falsy }}
{{ 'off' is falsy(convert_bool=true) }}
{{ '1.10' is version('1.9', '>') }}
{{ '1.0' is version('1.0.0', '=') }}
{{ '1.0rc1' is version('1.0', '>') }}
{{ '2.0' is version('1.9.9', 'ge') }}
{{ '1.2.3' is version('1.2.3-rc.1', '>', version_type='semver') }}
{{ '1.2.3-2' is version('1.2.3-10', '<', version_type='semver') }}
{{ '1.2b1' is version('1.2', '<', strict=true) }}
{{ '20.04' is version_compare('18.04', '>=') }}
{{ name | ansible.builtin.b64encode }}
{{ name is ansible.builtin.match('web') }}
{{ name.split('.')[0] }}
{{ name[:4] }}
{{ '%s-%02d' | format('a', 5) }}
{{ "%.2f" | format(3.14159) }}
{{ app.items() | list }}
{{ app.keys() | list }}
{{ app.get('nope', 3) }}
{{ users | groupby('uid') }}
{{ users | groupby('uid') | map('first') | list }}
{{ [1, 2, 3] | sum }}
{{ [1, 2, 3, 4] | batch(2) | list }}
{{ [{'n': 1}, {'n': 2}] | sum(attribute='n') }}
{{ words | join }}
{{ 3.7 | round | int }}
{{ 'A' | lower }}
{{ [missing | default(omit), 1] }}
{{ {'a': omit, 'b': 1} }}
{{ words | first }}
{{ [] | first | default('none') }}
{{ words | random(seed='x') in words }}
{{ number is number }}
{{ app is mapping }}
{{ ['a'] + ['b'] }}
{{ words | reject('eq', 'a') }}
{{ dict([['a', 1]]) }}
{{ dict(words | zip([1, 2, 3, 4])) }}
{{ lookup('env', 'NOT_SET_ANYWHERE') }}
{{ lookup('vars', 'number') }}
{{ query('vars', 'number') }}
{{ now() | type_debug }}
{{ true | string }}
{{ '1' | float }}
{{ '[1, 2]' }}
{{ "{'a': 1}" }}
{# only a comment #}
{# comment #}text
{{ '' }}
{{ missing }}
a {{ missing }}
{{ [missing] }}
{{ app.missing }}
{{ users | map(attribute='nme') | list }}
{{ number | from_json }}
{{ words is failed }}
"""

#: Templates of several lines.
LONG = [
    "{{ ended }}",
    "{{ ended }}\n",
    "x {{ ended }}\n",
    "x {{ ended }}\n\n",
    "{% macro m() %}{% endmacro %}{{ m() }}",
    "{% macro m() %}{% endmacro %}{{ m() | length }}",
    "{% macro m() %}{{ number }}{% endmacro %}{{ m() }}",
    "{% set x %}{% endset %}{{ x }}",
    "{{ number }}\n\n",
    "{{ zero }}\n",
    "{{ zero }}\n\n",
    "a{% if yes %}b{% endif %}\n",
    "a{% if yes %}b{% endif %}\n\n",
    "{% if not yes %}b{% endif %}",
    "{% if not yes %}b{% endif %}\n",
    "{% set x = 1 %}",
    "{{ '---\na: 1\n---\nb: 2\n' | from_yaml_all | list }}",
    "{{ '--- a\n---\n- b\n' | from_yaml_all | list }}",
    "{{ 'a\n\nb' | comment }}",
    "{{ 'a' | comment('plain', prefix='###\n#', postfix='#\n###') }}",
    r"{{ 'a\tb' }}",
    r"{% set x = 'a\tb' %}{{ x }}",
    "{% for w in words %}\n{{ w }}\n{% endfor %}\nend\n",
    "{{ number }}\n",
    "a\n{% if yes %}\nb\n{% endif %}\nc",
    "{% macro m(a) %}<{{ a }}>{% endmacro %}\n{{ m(1) }}{{ m('x') }}",
    "{%- set ns = namespace(n=0) -%}\n{% for i in numbers %}{% set ns.n = ns.n + i %}{% endfor %}\n{{ ns.n }}",
    "  {% if yes %}x{% endif %}  \n",
]

CONDITIONS = r"""
number == 42
number == 41
yes
not yes
failed_result is failed
missing is defined
missing is defined and missing.x
app.name == 'shop' or missing
'web' in name
number
text_number
nothing
words
[]
app
missing
{{ yes }}
{{ number == 41 }}
text is search('\bbar')
text is search("\\bbar")
text is match("fo\w-\d")
"""


def main() -> None:
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import init_plugin_loader
    from ansible.template import Templar, trust_as_template

    init_plugin_loader()

    def evaluate(text: str, method: str) -> dict[str, Any]:
        templar = Templar(loader=DataLoader(), variables=VARIABLES | {"omit": OMIT})
        try:
            value = getattr(templar, method)(trust_as_template(text))
            return {"value": json.loads(json.dumps(value, default=str))}
        except Exception as error:
            return {"error": str(error)}

    from ansible._internal._templating._utils import Omit

    OMIT = Omit  # noqa: N806
    templates = [*TEMPLATES.strip("\n").split("\n"), *LONG]
    rows = {
        "variables": VARIABLES,
        "templates": [[text, evaluate(text, "template")] for text in templates],
        "conditions": [[text, evaluate(text, "evaluate_conditional")] for text in CONDITIONS.strip().split("\n")],
    }
    target = Path(__file__).with_name("ansible_templates.json")
    target.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    write_collections(evaluate)


def write_collections(evaluate: Callable[[str, str], dict[str, Any]]) -> None:
    """The same of what ``collection_templates`` has, a line each."""
    from collection_templates import TEMPLATES as OF_COLLECTIONS  # type: ignore[import-not-found]  # run from here

    here = Path(__file__).parent
    VARIABLES.update(data=str(here / "files"), ini_text="[a]\nx = 1\nY = two\n[b]\nz = 3\n")
    found = [json.dumps([text, evaluate(text, "template")], ensure_ascii=False) for text in OF_COLLECTIONS]
    text = "[\n" + ",\n".join(found).replace(str(here), "DIRECTORY") + "\n]\n"
    (here / "ansible_collections.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
