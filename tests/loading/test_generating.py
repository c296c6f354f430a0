"""Generator files: which plays they give, and what is wrong with their tables, patterns and rules."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from drumline.app import prepare
from drumline.config import Settings
from drumline.errors import FilesError
from drumline.model.plan import Plan
from drumline.model.playbook import Play

INVENTORY = """
all:
  vars: {port: 8080}
  hosts: {"web[1:4]": , "db[1:2]": }
"""
#: A file that is right; each case replaces what it is about.
FILES = {
    "gen.yml": """\
tables: {nodes: nodes.csv, components: components.yml}
patterns: {web: web.yml, db: [{command: echo db}]}
plays:
  - for_each: nodes
    pattern: "{{ row.component }}"
    needs:
      - where: {component: "{{ tables.components[row.component].depends_on }}"}
        same: site
""",
    "nodes.csv": "name,component,site,port\ndb1,db,north,\nweb1,web,north,80\nweb2,web,south,81\ndb2,db,south,\n",
    "components.yml": "db: {depends_on: []}\nweb: {depends_on: [db]}\n",
    "web.yml": """\
parameters:
  port: {type: int, required: true}
tasks:
  - command: echo {{ port }}
""",
}
RULE = FILES["gen.yml"].partition("plays:\n")[0]

#: Makes the plan of ``gen.yml``, with these files in place of those above, or beside them.
MakePlan = Callable[..., Plan]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlan:
    monkeypatch.chdir(tmp_path)

    def make(files: Mapping[str, str] = {}, *, playbook: str = "gen.yml", extra: tuple[str, ...] = ()) -> Plan:
        for name, text in {"hosts.yml": INVENTORY, **FILES, **files}.items():
            Path(name).write_text(text)
        settings = Settings(inventory=("hosts.yml",), state=tmp_path / "state")
        return prepare([Path(playbook)], settings, extra_vars=extra).plan

    return make


def _rules(text: str) -> dict[str, str]:
    return {"gen.yml": f"{RULE}plays:\n{text}"}


def _needs(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {play.play.id: tuple(plan.plays[need].play.id for need in play.needs) for play in plan.plays}


def _play(plan: Plan, name: str) -> Play:
    return next(play.play for play in plan.plays if play.play.id == name)


# Which plays there are.


def test_that_each_row_gives_a_play_that_needs_those_of_its_site(plan: MakePlan) -> None:
    made = plan()
    assert _needs(made) == {"db-db1": (), "web-web1": ("db-db1",), "web-web2": ("db-db2",), "db-db2": ()}
    web = _play(made, "web-web2")
    assert (web.hosts, web.name, web.variables) == ("web2", "web: web2", {"port": 81})
    assert web.origin is not None
    [row] = web.origin.rows
    assert (row.key, str(row.position), str(web.origin.position)) == ("web2", "nodes.csv:4:1", "web.yml:1:1")


def test_that_rows_with_the_same_cells_are_one_play(plan: MakePlan) -> None:
    made = plan(
        {
            **_rules("  - {for_each: nodes, group_by: [component], pattern: '{{ row.component }}', serial: 1}\n"),
            "nodes.csv": "name,component,port\ndb1,db,\nweb1,web,80\nweb2,web,80\n",
        }
    )
    assert {play.play.id: (play.hosts, len(play.batches)) for play in made.plays} == {
        "db": (("db1",), 1),
        "web": (("web1", "web2"), 2),
    }


def test_that_a_loop_gives_a_play_for_each_item(plan: MakePlan) -> None:
    made = plan(
        {
            **_rules(
                "  - for_each: nodes\n    loop: '{{ row.runs }}'\n    pattern: '{{ item }}'\n"
                "    needs: [{where: {item: '{{ tables.components[item].depends_on }}'}, same: name}]\n"
            ),
            "nodes.csv": 'name,runs,port\nweb1,"db, web",80\nweb2,web,81\n',
        }
    )
    assert _needs(made) == {"db-web1": (), "web-web1": ("db-web1",), "web-web2": ()}


@pytest.mark.parametrize(
    ("needs", "needed"),
    [
        ("db1", {"all-db1"}),
        ("'{{ row.missing | default([]) }}'", set()),
        ("[db1, '{{ tables.nodes.db2.name }}']", {"all-db1", "all-db2"}),
        ("[{rows: [db1, db2], across: site}]", {"all-db2"}),
        ("[{where: {component: db}, across: site}]", {"all-db2"}),
        ("[{where: {component: db}, same: [site, component]}]", set()),
        ("[{where: {component: db, site: '{{ row.site }}'}}]", {"all-db1"}),
        ("[{rows: [db1], where: {site: south}}]", set()),
        ("[{}]", {"all-db1", "all-web1", "all-web2", "all-db2"}),
        ("[{plays: last-web1}, web2]", {"last-web1", "all-web2"}),
    ],
)
def test_what_a_row_needs(plan: MakePlan, needs: str, needed: set[str]) -> None:
    rules = (
        "  - {rule: all, for_each: nodes, pattern: db}\n"
        "  - {rule: last, for_each: nodes, pattern: db, when: row.name == 'web1'}\n"
        "  - {rule: web, for_each: nodes, pattern: web, when: row.name == 'web1', needs: NEEDS}\n"
    )
    of_all = needs.replace("[{", "[{of: all, ").replace(", }", "}") if "{" in needs and needs[0] != "'" else needs
    text = rules.replace("NEEDS", of_all if of_all != needs else f"[{{of: all, rows: {needs}}}]")
    text = text.replace("{of: all, plays: last-web1}, web2", "{plays: last-web1}, {of: all, rows: web2}")
    assert set(_needs(plan(_rules(text)))["web-web1"]) == needed


def test_that_a_playbook_generates_plays_between_others(plan: MakePlan) -> None:
    site = """
- {id: before, hosts: db1, tasks: [{ping: }]}
- {generate: "{{ which }}.yml", vars: {which: gen}}
- {id: after, hosts: db1, needs: [web-web1], tasks: [{ping: }]}
"""
    made = plan({"site.yml": site}, playbook="site.yml")
    assert list(_needs(made)) == ["before", "db-db1", "web-web1", "web-web2", "db-db2", "after"]
    assert _needs(made)["after"] == ("web-web1",)


def test_that_options_override_variables_of_the_file(plan: MakePlan) -> None:
    files = {"gen.yml": "vars: {kind: db}\n" + FILES["gen.yml"] + "    when: row.component == kind\n"}
    assert list(_needs(plan(files))) == ["db-db1", "db-db2"]
    assert list(_needs(plan(files, extra=("kind=web",)))) == ["web-web1", "web-web2"]


# Where tables come from.


def _names(plan: Plan) -> list[str]:
    return [play.play.variables["name"] for play in plan.plays]


def test_that_json_and_yaml_are_tables(plan: MakePlan) -> None:
    rows = [{"name": "web1"}, {"name": "db1"}]
    for name, text in (("t.json", json.dumps(rows)), ("t.yml", "web1:\ndb1: {}\n")):
        rule = f"tables: {{t: {name}}}\npatterns: {{p: [{{ping: }}]}}\nplays: [{{for_each: t, pattern: p}}]\n"
        assert _names(plan({"gen.yml": rule, name: text})) == ["web1", "db1"]


def test_that_a_query_is_a_table(plan: MakePlan) -> None:
    with sqlite3.connect("cmdb.db") as connection:
        connection.execute("create table nodes (name text, port int, needs text)")
        connection.execute("insert into nodes values ('web1', 80, null), ('web2', 81, 'web1')")
    connection.close()
    text = """
vars: {database: cmdb.db}
tables: {t: {url: "sqlite:///{{ database }}", query: select * from nodes order by name}}
patterns: {p: web.yml}
plays: [{for_each: t, pattern: p, needs: "{{ row.needs | default([]) }}"}]
"""
    made = plan({"gen.yml": text})
    assert _needs(made) == {"p-web1": (), "p-web2": ("p-web1",)}
    assert _play(made, "p-web2").variables == {"port": 81}
    origin = _play(made, "p-web2").origin
    assert origin is not None
    assert str(origin.rows[0].position) == "sqlite:///cmdb.db:2:1"


def test_that_hosts_of_the_inventory_are_a_table(plan: MakePlan) -> None:
    text = """
tables: {t: {hosts: "web*:!web4"}}
patterns: {p: web.yml}
plays: [{for_each: t, pattern: p}]
"""
    made = plan({"gen.yml": text})
    assert {play.play.id: play.play.variables for play in made.plays} == {
        f"p-web{number}": {"port": 8080} for number in (1, 2, 3)
    }


def test_that_a_variable_can_be_a_table(plan: MakePlan) -> None:
    text = """
tables: {t: {rows: "{{ nodes }}"}}
patterns: {p: [{ping: }]}
plays: [{for_each: t, pattern: p}]
"""
    assert _names(plan({"gen.yml": text}, extra=('{"nodes": [{"name": "web1"}, {"name": "db1"}]}',))) == ["web1", "db1"]
    with pytest.raises(FilesError) as caught:
        plan({"gen.yml": text})
    [mistake] = caught.value.diagnostics
    assert (mistake.summary, str(mistake.position)) == ("A template can't be rendered", "gen.yml:2:20")


def test_that_a_variable_of_the_inventory_can_be_a_table(plan: MakePlan) -> None:
    Path("group_vars").mkdir()
    files = {
        "group_vars/all.yml": (
            "first: web1\nnodes: [{name: '{{ first }}', note: !unsafe '{{ 1 }}'}, {name: db1}]\nextra: [db1]\n"
        ),
        "gen.yml": """
tables: {t: {rows: "{{ nodes }}"}}
patterns: {p: [{debug: {var: note}}]}
plays: [{for_each: t, pattern: p, when: row.name not in extra}]
""",
    }
    made = plan(files)
    assert _names(made) == ["web1"]
    assert _play(made, "p-web1").variables["note"] == "{{ 1 }}"
    # Variables of the file are stronger.
    assert _names(plan({"gen.yml": f"vars: {{extra: [web1]}}{files['gen.yml']}"})) == ["db1"]


def test_that_what_stands_in_a_table_is_never_a_template(plan: MakePlan) -> None:
    text = "tables: {t: [{name: web1, note: '{{ 1 + 1 }}'}]}\npatterns: {p: [{debug: {msg: '{{ note }}'}}]}\n"
    made = plan({"gen.yml": f"{text}plays: [{{for_each: t, pattern: p}}]\n"})
    assert _play(made, "p-web1").variables["note"] == "{{ 1 + 1 }}"


# Patterns.


def test_that_a_role_is_a_pattern_whose_argument_spec_declares_the_parameters(plan: MakePlan) -> None:
    Path("roles/app/tasks").mkdir(parents=True)
    Path("roles/app/meta").mkdir()
    Path("roles/app/tasks/main.yml").write_text("- command: echo {{ port }}\n")
    Path("roles/app/meta/argument_specs.yml").write_text(
        "argument_specs: {main: {options: {port: {type: int, required: true, version_added: '1'}}}}\n"
    )
    gen = FILES["gen.yml"].replace("web: web.yml", "web: {role: app}")
    made = plan({"gen.yml": gen})
    assert _play(made, "web-web1").variables == {"port": 80}
    assert [task.id for task in _play(made, "web-web1").tasks if task.action == "command"] == ["app.command"]
    with pytest.raises(FilesError) as caught:
        plan({"gen.yml": gen, "nodes.csv": FILES["nodes.csv"].replace("81", "high")})
    [mistake] = caught.value.diagnostics
    assert (mistake.summary, str(mistake.position)) == ("A parameter has a wrong value", "nodes.csv:4:16")
    assert "roles/app/meta/argument_specs.yml:1:35" in mistake.detail


def test_that_defaults_and_types_of_parameters_hold(plan: MakePlan) -> None:
    web = """
parameters:
  port: {type: int, default: 443}
  aliases: {type: list, elements: int}
tasks: [{command: "echo {{ port }}"}]
"""
    nodes = 'name,component,site,port,aliases\nweb1,web,n,,\nweb2,web,n,80,"1, 2"\n'
    made = plan({"web.yml": web, "nodes.csv": nodes})
    assert _play(made, "web-web1").variables == {"port": 443}
    assert _play(made, "web-web2").variables == {"port": 80, "aliases": [1, 2]}


# Mistakes.

#: What is wrong, the files, and place, summary and a part of the detail of each mistake.
MISTAKES: Mapping[str, tuple[Mapping[str, str], list[tuple[str, str, str]]]] = {
    "all mistakes in tables at once": (
        {
            "nodes.csv": "name,component,site,port\ndb1,dbb,north,\nweb1,web,nort,80\nweb2,,south,81\n",
            "gen.yml": FILES["gen.yml"].replace(
                "nodes: nodes.csv",
                "nodes: {file: nodes.csv, columns: {component: {required: true, references: components}, "
                "site: {choices: [north, south]}}}",
            ),
        },
        [
            ("nodes.csv:2:5", "A cell has a wrong value", "that has no row 'dbb'. Did you mean 'db'?"),
            ("nodes.csv:3:10", "A cell has a wrong value", "'site' is one of north, south, not 'nort'."),
            ("nodes.csv:4:1", "A cell is missing", "Row 'web2' of 'nodes' has no 'component'"),
        ],
    ),
    "a wrong type": (
        {"nodes.csv": FILES["nodes.csv"].replace("81", "eighty")},
        [
            (
                "nodes.csv:4:16",
                "A parameter has a wrong value",
                "takes a whole number, but this is 'eighty'. Row 'web2' of 'nodes'; pattern 'web' says what it may be",
            )
        ],
    ),
    "a missing parameter": (
        {"nodes.csv": FILES["nodes.csv"].replace("81", "")},
        [("nodes.csv:4:1", "A parameter is missing", "has no 'port', which pattern 'web' needs (web.yml:2:3)")],
    ),
    "a duplicate key": (
        {"nodes.csv": FILES["nodes.csv"].replace("web2", "web1")},
        [("nodes.csv:4:1", "A key is there twice", "Row 'web1' of 'nodes' is already in nodes.csv:3:1.")],
    ),
    "an unknown row in needs": (
        _rules("  - {for_each: nodes, pattern: db, needs: db3, when: row.name == 'db1'}\n"),
        [("gen.yml:4:36", "Unknown row in needs", "Row 'db1' (nodes.csv:2:1) needs 'db3', and 'nodes' has no row")],
    ),
    "a cycle between rows": (
        {
            "nodes.csv": "name,port,needs\nweb1,80,web3\nweb2,80,web1\nweb3,80,web2\n",
            **_rules("  - {for_each: nodes, pattern: web, needs: '{{ row.needs }}'}\n"),
        },
        [
            (
                "nodes.csv:2:1",
                "Rows form a cycle",
                "'web1' (nodes.csv:2:1) needs 'web3' (nodes.csv:4:1), which needs 'web2'",
            )
        ],
    ),
    "a row that needs itself": (
        {"nodes.csv": "name\nweb1\n", **_rules("  - {for_each: nodes, pattern: db, needs: '{{ row.name }}'}\n")},
        [("nodes.csv:2:1", "A row that needs itself", "'web1' (nodes.csv:2:1) needs 'web1'")],
    ),
    "a row without nodes": (
        {
            "nodes.csv": "name,on\nweb1,web1\nweb2,\nweb3,web9\n",
            **_rules("  - {for_each: nodes, pattern: db, hosts: \"{{ row.on | default('') }}\"}\n"),
        },
        [
            ("nodes.csv:3:1", "A row without nodes", "Row 'web2' of 'nodes' gives no host to run on."),
            ("nodes.csv:4:1", "A row without nodes", "Row 'web3' of 'nodes' is for 'web9'."),
        ],
    ),
    "an unknown parameter": (
        _rules("  - {for_each: nodes, pattern: web, parameters: {prt: 1, port: 2}}\n"),
        [
            (
                "gen.yml:4:37",
                "Unknown parameter",
                "Pattern 'web' (web.yml:1:1) has no parameter 'prt'. Did you mean 'port'?",
            )
        ],
    ),
    "parameters that are no dictionary": (
        _rules("  - {for_each: nodes, pattern: db, parameters: text}\n"),
        [("gen.yml:4:36", "Not parameters", "'parameters' is a dictionary")],
    ),
    "a condition that is no dictionary": (
        _rules("  - {for_each: nodes, pattern: db, needs: [{where: [name]}]}\n"),
        [("gen.yml:4:44", "Not a condition", "'where' is a dictionary")],
    ),
    "an unknown pattern": (
        {"nodes.csv": "name,component,site\nweb1,wob,n\n", "components.yml": "wob: {depends_on: []}\n"},
        [("gen.yml:5:5", "Unknown pattern", "Row 'web1' of 'nodes' (nodes.csv:2:1) asks for pattern 'wob'")],
    ),
    "an unknown table": (
        _rules("  - {for_each: node, pattern: web}\n"),
        [("gen.yml:4:6", "Unknown table", "There is no table 'node'. Did you mean 'nodes'?")],
    ),
    "unknown keywords": (
        _rules(
            "  - {for_each: nodes, pattern: db, foreach: 1, when: row.name == 'db1', needs: [{rows: [], wher: 1}]}\n"
        ),
        [
            ("gen.yml:4:36", "Unknown keyword", "A rule has no keyword 'foreach'. Did you mean 'for_each'?"),
            ("gen.yml:4:92", "Unknown key in needs", "A need has no 'wher'. Did you mean 'where'?"),
        ],
    ),
    "a template that can't be rendered": (
        _rules("  - {for_each: nodes, pattern: '{{ row.compnent }}'}\n"),
        [("gen.yml:4:32", "A template can't be rendered", "It was read for row 'db1' of 'nodes' (nodes.csv:2:1).")] * 1,
    ),
    "several values in one play": (
        _rules("  - {for_each: nodes, pattern: web, group_by: [component], when: row.component == 'web'}\n"),
        [
            (
                "gen.yml:4:5",
                "A parameter with several values in one play",
                "'port' differs between row 'web1' (nodes.csv:3:16) and row 'web2' (nodes.csv:4:16) of 'nodes'",
            )
        ],
    ),
    "two plays of one id": (
        _rules("  - {for_each: nodes, pattern: db, id: same, when: row.component == 'db'}\n"),
        [("nodes.csv:5:1", "Two plays of one id", "gives a play the id 'same', and so does nodes.csv:2:1.")],
    ),
    "an id that is none": (
        _rules("  - {for_each: nodes, pattern: db, id: 'a b', when: row.name == 'db1'}\n"),
        [("nodes.csv:2:1", "Not a valid id", "gives a play the id 'a b'")],
    ),
    "a table of nowhere": (
        {"gen.yml": FILES["gen.yml"].replace("components: components.yml", "components: {key: name}")},
        [("gen.yml:1:28", "Where a table comes from isn't clear", "it says none of them")],
    ),
    "a file that isn't there": (
        {"gen.yml": FILES["gen.yml"].replace("nodes.csv", "node.csv").replace("web.yml", "wob.yml")},
        [
            ("gen.yml:1:17", "A file can't be read", "node.csv doesn't exist."),
            ("gen.yml:2:17", "A pattern isn't there", "There is no file 'wob.yml'."),
        ],
    ),
    "a file of patterns that isn't there": (
        {"gen.yml": FILES["gen.yml"].replace("patterns: {web: web.yml, db: [{command: echo db}]}", "patterns: p.yml")},
        [
            (
                "gen.yml:2:11",
                "A part of a generator isn't there",
                "'patterns' names a file, and there is no file 'p.yml'.",
            )
        ],
    ),
    "a query that fails": (
        {"gen.yml": FILES["gen.yml"].replace("nodes.csv", "{url: 'sqlite://', query: select * from x}")},
        [("gen.yml:1:43", "A query can't be used", "The database says: no such table: x")],
    ),
    "a type that is none": (
        {"web.yml": FILES["web.yml"].replace("int", "inte")},
        [("web.yml:2:16", "A keyword has a wrong value", "'inte' is not a type. Did you mean 'int'?")],
    ),
    "a reference to no table": (
        {"web.yml": FILES["web.yml"].replace("type: int", "references: nods")},
        [("web.yml:2:3", "Unknown table", "'port' references 'nods', and there is no table of that name.")],
    ),
    "a key of a schema that is none": (
        {"web.yml": FILES["web.yml"].replace("required", "requird")},
        [("web.yml:2:21", "Unknown key in a schema", "A parameter has no 'requird'. Did you mean 'required'?")],
    ),
    "an unknown variable in a pattern": (
        {
            "web.yml": FILES["web.yml"]
            .replace("{{ port }}", "{{ prt }}")
            .replace("port:", "port_:")
            .replace(", required: true", "")
        },
        [("web.yml:4:14", "Undefined variable", "'prt' is defined nowhere")],
    ),
    "no plays": (
        {"gen.yml": RULE},
        [("gen.yml:1:1", "A generator without plays", "A generator says under 'plays'")],
    ),
    "an unknown generator": (
        {"gen.yml": f"generator: rulez\n{FILES['gen.yml']}"},
        [
            (
                "gen.yml:1:12",
                "A keyword has a wrong value",
                "No plugin offers a generator 'rulez'. Did you mean 'rules'?",
            )
        ],
    ),
    "rows that are none": (
        {"components.yml": "db: 5\nweb: {depends_on: [db]}\n", **_rules("  - {for_each: nodes, pattern: db}\n")},
        [("components.yml:1:5", "Not a row", "A row is a dictionary of cells")],
    ),
}


#: Those that are there for each row.
_WITH_MORE = ("a template that can't be rendered", "a file of patterns that isn't there")


@pytest.mark.parametrize("case", MISTAKES)
def test_that_mistakes_name_rows_and_patterns(plan: MakePlan, case: str) -> None:
    files, expected = MISTAKES[case]
    with pytest.raises(FilesError) as caught:
        plan(files)
    found: list[Any] = [(str(one.position), one.summary, one.detail) for one in caught.value.diagnostics]
    assert [one[:2] for one in found[: len(expected)]] == [one[:2] for one in expected], caught.value.render()
    assert all(part in detail for (_, _, detail), (_, _, part) in zip(found, expected, strict=False)), found
    assert len(found) == len(expected) or case in _WITH_MORE
