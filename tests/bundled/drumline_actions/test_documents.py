"""``htpasswd``, ``xml`` and ``read_csv`` on real files, and beside Ansible's collections."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

import pytest
from support.compared import HERE, Reference, Use

from drumline.plugin import Platform
from drumline.testing import ActionHost, HostFile
from drumline.testing.cases import ActionCases, Case, here
from drumline_local.transport import LocalSession

POSIX = [Platform.POSIX]


@pytest.fixture
def posix() -> ActionHost:
    """One host is enough: these have no scripts of their own."""
    return ActionHost(platform=Platform.POSIX, session=LocalSession())


JOE = "joe:$apr1$aaaaaaaa$MqchNCVdxX0pf/Qh4kRT.0\n"  # secret
ANN = "ann:{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=\n"  # x


class TestHtpasswd(ActionCases):
    action = "htpasswd"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "a file is made, with a mode",
            {"path": here("f"), "name": "ann", "password": "x", "hash_scheme": "ldap_sha1", "mode": "0640"},
            changed=True,
            after={"f": HostFile(ANN, 0o640)},
        ),
        Case(
            "a scheme that Apache hasn't",
            {"path": here("f"), "name": "ann", "password": "x", "hash_scheme": "ldap_salted_sha1"},
            changed=True,
        ),
        Case("a name with a colon", {"path": here("f"), "name": "a:b", "password": "x"}, failed="can't have ':'"),
        Case(
            "a name is added, and empty lines go",
            {"path": here("f"), "name": "ann", "password": "x", "hash_scheme": "ldap_sha1"},
            before={"f": f"{JOE}\n"},
            changed=True,
            message="Add/update ann",
            after={"f": JOE + ANN},
        ),
        Case(
            "the password that it has",
            {"path": here("f"), "name": "joe", "password": "secret"},
            before={"f": JOE},
            changed=False,
            message="joe already present",
        ),
        Case(
            "another password, in the place of the first",
            {"path": here("f"), "name": "ann", "password": "x", "hash_scheme": "ldap_sha1"},
            before={"f": f"ann:plain\n{JOE}"},
            changed=True,
            after={"f": ANN + JOE},
        ),
        Case(
            "a name is removed",
            {"path": here("f"), "name": "joe", "state": "absent"},
            before={"f": JOE + ANN},
            changed=True,
            message="Remove joe",
            after={"f": ANN},
        ),
        Case("no file", {"path": here("f"), "name": "joe", "state": "absent"}, changed=False, after={}),
        Case(
            "no file, and none is to be made",
            {"path": here("f"), "name": "joe", "password": "x", "create": False},
            failed="does not exist",
        ),
        Case("no password", {"path": here("f"), "name": "joe"}, failed="'password' is needed"),
        Case(
            "a scheme that isn't known",
            {"path": here("f"), "name": "joe", "password": "x", "hash_scheme": "rot13"},
            failed="no hash_scheme 'rot13'",
        ),
    )


SHOP = '<shop xmlns:x="urn:x"><!-- open --><beer kind="ale">Bitter</beer><beer>Stout</beer><x:till/></shop>'
HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n"


def written(old: str, new: str) -> dict[str, Any]:
    return {"f": HEAD + SHOP.replace(old, new)}


class TestXml(ActionCases):
    action = "xml"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "a name that XML can't have",
            {"path": here("f"), "xpath": "/shop", "add_children": ["b c"]},
            before={"f": SHOP},
            failed="can't be in XML",
        ),
        Case(
            "a text",
            {"path": here("f"), "xpath": "/shop/beer[2]", "value": "Porter"},
            before={"f": SHOP},
            changed=True,
            after=written("Stout", "Porter"),
        ),
        Case(
            "an attribute, of a name in a namespace",
            {
                "path": here("f"),
                "xpath": "/shop/t:till",
                "attribute": "t:open",
                "value": True,
                "namespaces": {"t": "urn:x"},
            },
            before={"f": SHOP},
            changed=True,
            after=written("<x:till/>", '<x:till x:open="True"/>'),
        ),
        Case(
            "elements and attributes that a path names are made",
            {"path": here("f"), "xpath": "/shop/owner[@id='7' and name='Ann']/@since", "value": None},
            before={"f": SHOP},
            changed=True,
            after=written("</shop>", '<owner id="7" since=""><name>Ann</name></owner></shop>'),
        ),
        Case(
            "a text that a path names",
            {"path": here("f"), "xpath": "/shop/beer[1]/text()='Mild'"},
            before={"f": SHOP},
            changed=True,
            after=written("Bitter", "Mild"),
        ),
        Case(
            "elements are removed",
            {"path": here("f"), "xpath": "//beer[@kind]", "state": "absent"},
            before={"f": SHOP},
            changed=True,
            after=written('<beer kind="ale">Bitter</beer>', ""),
        ),
        Case(
            "an attribute is removed",
            {"path": here("f"), "xpath": "//beer/@kind", "state": "absent"},
            before={"f": SHOP},
            changed=True,
            after=written(' kind="ale"', ""),
        ),
        Case(
            "children are set",
            {
                "path": here("f"),
                "xpath": "/shop",
                "set_children": ["open", {"beer": "Mild"}, {"till": {"id": "1", "_": ["key"], "+value": "a"}}],
            },
            before={"f": SHOP},
            changed=True,
            after={
                "f": f'{HEAD}<shop xmlns:x="urn:x"><open/><beer>Mild</beer><till id="1">a<key/></till></shop>',
            },
        ),
        Case(
            "children after the last",
            {
                "path": here("f"),
                "xpath": "//beer",
                "add_children": ["<beer>Mild</beer>", "<cider/>"],
                "input_type": "xml",
                "insertafter": True,
            },
            before={"f": SHOP},
            changed=True,
            after=written("<x:till/>", "<beer>Mild</beer><cider/><x:till/>"),
            repeats=False,
        ),
        Case(
            "a count",
            {"path": here("f"), "xpath": "//beer", "count": True},
            before={"f": SHOP},
            changed=False,
            values={"count": 2},
        ),
        Case(
            "texts",
            {"path": here("f"), "xpath": "//beer", "content": "text"},
            before={"f": SHOP},
            changed=False,
            values={"matches": [{"beer": "Bitter"}, {"beer": "Stout"}]},
        ),
        Case(
            "a text of XML",
            {"xmlstring": "<a/>", "xpath": "/a/b", "value": "c"},
            changed=True,
            values={"xmlstring": f"{HEAD}<a><b>c</b></a>"},
            repeats=False,
        ),
        Case(
            "indentation",
            {"path": here("f"), "pretty_print": True},
            before={"f": "<a><b/></a>"},
            changed=True,
            after={"f": f"{HEAD}<a>\n  <b/>\n</a>\n"},
        ),
        Case("no file", {"path": here("f"), "xpath": "/a", "value": "b"}, failed="does not exist"),
        Case("no XML", {"path": here("f"), "xpath": "/a", "count": True}, before={"f": "<a>"}, failed="parsing"),
        Case(
            "no XPath", {"path": here("f"), "xpath": "/a[", "count": True}, before={"f": "<a/>"}, failed="Syntax error"
        ),
        Case(
            "files of this machine stay unread",
            {"path": here("f"), "xpath": "/a", "content": "text"},
            before={"f": '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'},
            failed="parsing",
        ),
    )


TABLE = "name,uid\ndag,500\njeroen,501\ndag,502\n"


class TestReadCsv(ActionCases):
    action = "read_csv"
    platforms = POSIX
    round_trips = 1
    cases = (
        Case(
            "rows",
            {"path": here("f")},
            before={"f": 'a,b\n1,"x, y"\n'},
            changed=False,
            values={"list": [{"a": "1", "b": "x, y"}], "dict": {}},
        ),
        Case(
            "by a column",
            {"path": here("f"), "key": "uid", "delimiter": ",", "skipinitialspace": True},
            before={"f": TABLE},
            changed=False,
            values={
                "dict": {
                    "500": {"name": "dag", "uid": "500"},
                    "501": {"name": "jeroen", "uid": "501"},
                    "502": {"name": "dag", "uid": "502"},
                }
            },
        ),
        Case(
            "a column with a value twice", {"path": here("f"), "key": "name"}, before={"f": TABLE}, failed="not unique"
        ),
        Case("no such column", {"path": here("f"), "key": "x"}, before={"f": TABLE}, failed="was not found"),
        Case("a dialect", {"path": here("f"), "dialect": "x"}, before={"f": TABLE}, failed="There is no dialect"),
        Case("no file", {"path": here("f")}, failed="isn't there"),
    )


@pytest.fixture
def with_libraries(reference: Reference) -> Reference:
    """Ansible's modules for these need libraries on the host, which the tests' own Python has."""
    return dataclasses.replace(reference, python=sys.executable)


@pytest.mark.ansible
def test_htpasswd_as_the_reference(with_libraries: Reference) -> None:
    wanted: list[dict[str, Any]] = [
        {"name": "joe", "state": "absent"},
        {"name": "ann", "password": "a word", "hash_scheme": "ldap_sha1"},
        {"name": "joe", "password": "a word", "hash_scheme": "plaintext", "create": False, "mode": "0600"},
    ]
    uses = [
        Use(f"{arguments} {before}", {"path": f"{HERE}/f", **arguments}, before=before)
        for arguments in wanted
        for before in ({}, {"f": JOE})
    ]
    uses.append(Use("the same", {"path": f"{HERE}/f", "name": "joe", "password": "secret"}, before={"f": JOE}))
    with_libraries.compare("htpasswd", uses, "community.general.htpasswd")


@pytest.mark.ansible
def test_xml_as_the_reference(with_libraries: Reference) -> None:
    names = {"namespaces": {"t": "urn:x"}}
    wanted: list[dict[str, Any]] = [
        {"xpath": "//beer", "value": "Mild"},
        {"xpath": "/shop/t:till", "attribute": "open", "value": "yes", **names},
        {"xpath": "/shop/t:till/t:key", "value": "1", **names},
        {"xpath": "/shop/owner/@id"},
        {"xpath": "/shop/owner[@id='7' and @of=\"x\"]"},
        {"xpath": "//beer", "state": "absent"},
        {"xpath": "//beer/@kind", "state": "absent"},
        {"xpath": "/shop/none", "state": "absent"},
        {"xpath": "/shop", "set_children": [{"beer": "Mild"}, {"till": {"id": "1", "_": ["key"]}}]},
        {"xpath": "/shop", "add_children": ["open"]},
        {"xpath": "/shop/beer", "add_children": ["<a/>", "<b/>"], "input_type": "xml", "insertbefore": True},
        {"xpath": "/shop/beer", "add_children": ["a", "b"], "insertafter": True},
        {"xpath": "/shop/beer", "count": True},
        {"xpath": "/shop/beer", "print_match": True},
        {"xpath": "/shop/beer", "content": "text"},
        {"xpath": "/shop/beer", "content": "attribute"},
        {"pretty_print": True},
        {"xpath": "/shop/beer[1]", "value": "Mild", "pretty_print": True},
    ]
    uses = [
        Use(
            f"{arguments}",
            {"path": f"{HERE}/f", **arguments},
            before={"f": f"{HEAD}<shop>\n  <beer/>\n</shop>\n" if "insertafter" in arguments else SHOP},
            without=frozenset({"msg"} if "content" in arguments else ()),  # a number
        )
        for arguments in wanted
    ]
    with_libraries.compare("xml", uses, "community.general.xml")


@pytest.mark.ansible
def test_read_csv_as_the_reference(reference: Reference) -> None:
    wanted: list[dict[str, Any]] = [
        {},
        {"key": "uid"},
        {"key": "name"},
        {"key": "name", "unique": False},
        {"fieldnames": ["a", "b"], "delimiter": ";"},
        {"dialect": "excel-tab"},
    ]
    uses = [Use(f"{arguments}", {"path": f"{HERE}/f", **arguments}, before={"f": TABLE}) for arguments in wanted]
    reference.compare("read_csv", uses, "community.general.read_csv")
