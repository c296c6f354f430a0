"""Host names and ranges."""

from __future__ import annotations

import pytest

from drumline.inventory.ranges import check_group_name, expand


@pytest.mark.parametrize(
    ("text", "names", "port"),
    [
        ("web1", ["web1"], None),
        ("web1.example.com:2222", ["web1.example.com"], 2222),
        ("web[1:3]", ["web1", "web2", "web3"], None),
        ("web[08:11]", ["web08", "web09", "web10", "web11"], None),
        ("web[0:6:3]", ["web0", "web3", "web6"], None),
        ("web[:1]", ["web0", "web1"], None),
        ("db[a:c]", ["dba", "dbb", "dbc"], None),
        ("db[x:B]", ["dbx", "dby", "dbz", "dbA", "dbB"], None),
        ("r[1:2]h[a:b]:22", ["r1ha", "r1hb", "r2ha", "r2hb"], 22),
        ("10.0.0.[1:2]", ["10.0.0.1", "10.0.0.2"], None),
        ("::1", ["::1"], None),
        ("[2001:db8::1]:22", ["2001:db8::1"], 22),
        ("[2001:db8::1]", ["2001:db8::1"], None),
        ("fe80::1%eth0", ["fe80::1%eth0"], None),
        ("höst", ["höst"], None),
    ],
)
def test_names(text: str, names: list[str], port: int | None) -> None:
    assert expand(text) == (names, port)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "needs a name"),
        ("../../x", "reads as a path"),
        ("a/b", "reads as a path"),
        ("/etc", "reads as a path"),
        ("..", "reads as a path"),
        (".", "reads as a path"),
        ("web[1:2]/../x", "reads as a path"),
        ("web[1]", "isn't a range"),
        ("web[1:2:3:4]", "isn't a range"),
        ("web[a:10]", "neither a number nor one letter"),
        ("web[1:]", "has no end"),
        ("web[3:1]", "empty"),
        ("web[c:a]", "empty"),
        ("web[01:100]", "the same number of digits"),
        ("web[1:9:0]", "1 or more"),
        ("web[1:2", "don't match"),
        ("web1]", "don't match"),
        ("web[0:999999999999]", "at most"),
        ("a[0:9999]b[0:9999]", "at most"),
        ("web:0", "isn't a port"),
        ("web:65536", "isn't a port"),
        ("web:ssh", "neither an IPv6 address"),
        ("user@web", "'@'"),
        ("{{ name }}", "host name"),
        ("a\tb", "A tab"),
        ("-v", "begins with '-'"),
    ],
)
def test_what_is_no_name(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        expand(text)


@pytest.mark.parametrize("name", ["web", "web-1", "eu.west", "a/b"])
def test_group_names(name: str) -> None:
    check_group_name(name)


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a*", "!a", "&a", "-a", "a,b"])
def test_what_is_no_group_name(name: str) -> None:
    with pytest.raises(ValueError, match="group"):
        check_group_name(name)
