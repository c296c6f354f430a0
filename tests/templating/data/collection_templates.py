"""Templates with filters, tests and lookups of ansible-core and of collections.

``make_ansible_templates.py`` asks Ansible for what each gives.
"""

from __future__ import annotations

import re

#: One a line; ``{{ }}`` around each is left out.
EXPRESSIONS = r"""
'secret' | password_hash('sha512', 'abcdefgh')
'secret' | password_hash('sha512', 'abcdefgh', rounds=5000)
'secret' | password_hash('sha256', 'abcdefgh', rounds=10000)
'secret' | password_hash('md5', 'abcdefgh')
'secret' | password_hash('bcrypt', '1234567890123456789012', rounds=5)
'secret' | password_hash('blowfish', '1234567890123456789012', rounds=5, ident='2a')
'secret' | password_hash('sha1')
'secret' | password_hash('sha512', 'no good salt!')
'secret' | password_hash('sha512') | length
'secret' | password_hash('md5', salt_size=4) | length
'x' | vault('pw', 'salt')
'x' | vault('pw', 'salt', 'prod')
'x' | vault('pw', 'salt') | unvault('pw')
'x' | unvault('pw')
'x' | vault('pw', 'salt') | unvault('other')
'/etc/host*name' | fileglob
'/nowhere/*' | fileglob
{'started': 1} is started
{'started': true, 'finished': 0} is finished
{'finished': 1} is finished
{} is finished
{} is started
{'timedout': {'period': 3}} is timedout
{'timedout': false} is timedout
{} is timedout
'http://example.org/x' is url
'http://example.org/x' is uri
'mailto:a@example.org' is url
'mailto:a@example.org' is uri
'file:///etc/passwd' is url
'ftp://x' is url(['http', 'https'])
'ftp://x' is uri(['ftp'])
'no uri' is uri
'urn:isbn:1' is urn
'http://x' is urn
'$ANSIBLE_VAULT;1.1;AES256' is vault_encrypted
'x' is vault_encrypted
'/etc/hostname' is vaulted_file
lookup('dict', app.db)
query('dict', {'a': 1}, {'b': 2})
query('items', [1, [2, 3]], 4)
lookup('items', words)
query('list', [1, [2]], 3)
query('indexed_items', words)
query('nested', [1, 2], ['a', 'b'])
query('nested', [[1, 2], 3], [4])
query('nested', [], [4])
query('together', [1, 2, 3], ['a', 'b'])
lookup('together', [1, 2], ['a', 'b'])
query('subelements', users[:2], 'keys')
query('subelements', users, 'keys')
query('subelements', users, 'keys', {'skip_missing': true})
query('sequence', '3')
query('sequence', '5-8')
query('sequence', '2-10/2')
query('sequence', '4:host%02d')
query('sequence', 'start=1 end=11 stride=2 format=0x%02x')
query('sequence', start=4, end=16, stride=4, format='t%02d')
query('sequence', 'count=4')
query('sequence', 'count=0')
query('sequence', 'start=5 end=1 stride=-2')
query('sequence', 'start=5 end=1')
query('sequence', 'start=1')
lookup('sequence', end=3)
query('random_choice', ['only'])
query('varnames', '^win_')
query('varnames', '^text', 'zer.')
lookup('varnames', 'nothing_like_it')
lookup('pipe', 'echo a; echo b')
query('pipe', 'echo a', 'echo b')
lookup('pipe', 'exit 3')
lookup('pipe', 'exit 3', errors='ignore')
query('lines', 'echo a; echo b')
lookup('lines', 'echo a; echo b')
lookup('unvault', data ~ '/plain') | string
lookup('csvfile', 'li file=' ~ data ~ '/table.csv delimiter=,')
lookup('csvfile', 'li', file=data ~ '/table.csv', delimiter=',', col=2)
lookup('csvfile', 'xx', file=data ~ '/table.csv', delimiter=',', default='none')
lookup('csvfile', 'Lithium', file=data ~ '/table.csv', delimiter=',', keycol=1, col=0)
lookup('ini', 'user', section='integration', file=data ~ '/users.ini')
lookup('ini', 'user section=production file=' ~ data ~ '/users.ini')
lookup('ini', 'nope', section='production', file=data ~ '/users.ini', default='d')
lookup('ini', 'nope', section='production', file=data ~ '/users.ini')
query('ini', '.*', section='production', file=data ~ '/users.ini', re=true)
lookup('ini', 'user.name', type='properties', file=data ~ '/user.properties')
lookup('first_found', [data ~ '/nope', data ~ '/plain']) | basename
lookup('first_found', {'files': ['nope', 'plain'], 'paths': [data]}) | basename
lookup('first_found', files=['nope', 'plain'], paths=[data]) | basename
lookup('first_found', 'nope')
lookup('first_found', 'nope', skip=true)
lookup('first_found', 'nope', errors='ignore')
query('first_found', 'nope', errors='ignore')
lookup('config', 'DEFAULT_BECOME_USER')
query('config', 'COLOR_OK', 'COLOR_CHANGED')
lookup('config', 'NO_SUCH_SETTING')
query('config', 'NO_SUCH_SETTING', on_missing='skip')
lookup('password', '/dev/null', length=5, chars=['a'])
lookup('password', '/dev/null', chars=['digits', 'ascii_lowercase']) | length
lookup('file', data ~ '/plain')
lookup('file', data ~ '/nope', errors='ignore')
users | community.general.json_query('[*].name')
users | json_query('[?uid > `1`].{n: name, u: uid}')
app | json_query('db.host')
app | json_query('nope')
app | json_query('[')
[['a', 1], ['b', 2]] | community.general.dict
'v' | community.general.dict_kv('k')
words | community.general.counter
'text' | community.general.crc32
users | community.general.groupby_as_dict('name')
users | community.general.groupby_as_dict('nope')
'52:54:00' | community.general.random_mac(seed='x')
'52:54' | community.general.random_mac(seed=name)
'no' | community.general.random_mac
['1.10', '1.9', '1.9rc1', '2'] | community.general.version_sort
['1.10', '1.9'] | community.general.version_sort(reverse=true)
'ä' | community.general.unicode_normalize('NFD') | length
'1h 30m' | community.general.to_seconds
'1d 2h 3min 4s 5msec' | community.general.to_minutes
'1y' | community.general.to_days
'2w' | community.general.to_hours
'30min' | community.general.to_time_unit('hours')
'1 x' | community.general.to_seconds
'90s' | community.general.to_milliseconds
'30d' | community.general.to_weeks
'10w' | community.general.to_months
'a,b\n1,2\n3,4' | replace('\\n', '\n') | community.general.from_csv
'1;2' | community.general.from_csv(delimiter=';', fieldnames=['x', 'y'])
ini_text | community.general.from_ini
{'sec': {'a': 1, 'B': 'x'}} | community.general.to_ini
[1, 2, 2] | community.general.lists_union([3, 1])
[1, 2, 2] | community.general.lists_intersect([2, 3])
[1, 2, 2] | community.general.lists_difference([2, 3])
[1, 2, 2] | community.general.lists_symmetric_difference([2, 3])
[[1, 2], [2, 3]] | community.general.lists_union(flatten=true)
[{'n': 1, 'a': 1}, {'n': 2}] | community.general.lists_mergeby([{'n': 1, 'b': 2}], 'n')
[{'k': 1, 'v': [1]}] | community.general.lists_mergeby([{'k': 1, 'v': [2]}], 'k', list_merge='append')
users | community.general.keep_keys(target=['name', 'uid'])
users | community.general.keep_keys(target=['na'], matching_parameter='starts_with')
users | community.general.remove_keys(target=['keys'])
users | community.general.remove_keys(target='^k', matching_parameter='regex')
users | community.general.replace_keys(target=[{'before': 'uid', 'after': 'id'}])
app | ansible.utils.get_path('db.host')
app | ansible.utils.get_path('ports[1]')
app | ansible.utils.to_paths
{'a': {'b c': [1, {'d': 2}]}} | ansible.utils.to_paths
numbers | ansible.utils.index_of('eq', 1)
numbers | ansible.utils.index_of('eq', 3)
users | ansible.utils.index_of('eq', 'bob', 'name')
numbers | ansible.utils.index_of('eq', 99)
app | ansible.utils.keep_keys(target=['host', 'name'])
app | ansible.utils.remove_keys(target=['port', 'ports'])
app | ansible.utils.replace_keys(target=[{'before': 'name', 'after': 'title'}])
query('community.general.flattened', [1, [2, [3, none]]], 4)
lookup('community.general.flattened', ['a', ['b']])
query('community.general.cartesian', [1, 2], ['a', 'b'])
'x' if false
('x' if false) | default('d', true)
['x' if false]
'a' ~ ('x' if false)
('x' if false) is defined
{'k': 'x' if false}
'x' if true
('x' if false) or 'y'
"""

#: Whole templates.
TEXTS = [
    "a{{ 'x' if false }}b",
    "{% set v = 'x' if false %}{{ v is defined }}",
    "{% if ('x' if false) %}yes{% else %}no{% endif %}",
    "{{ 'x' if false }}{{ 'y' if true }}",
]

_ADDRESSES = (
    "192.0.2.5",
    "192.0.2.5/24",
    "192.0.2.0/24",
    "10.1.2.3/32",
    "10.0.0.1/31",
    "10.0.0.5/30",
    "172.16.5.4/255.255.0.0",
    "127.0.0.1",
    "169.254.1.1",
    "224.0.0.1",
    "8.8.8.8",
    "8.8.8.0/24",
    "2001:db8::1",
    "2001:db8::/64",
    "2001:db8::5/64",
    "fe80::1/10",
    "::1",
    "3221226219",
    "no address",
    "",
    "300.1.1.1",
    "1.2.3",
)
_QUERIES = re.findall(
    r"\S+",
    """
    address address/prefix bool broadcast cidr first_usable gateway host host/prefix hostmask hostnet
    int ip ip/prefix ip_netmask ipv4 ipv6 last_usable link-local loopback multicast net netmask network
    network/prefix network_netmask network_wildcard next_usable peer prefix previous_usable private
    public range_usable revdns size size_usable subnet type unicast version wildcard wrap 6to4
    192.0.2.0/24 10.0.0.0/8 1 -1 0 300 nonsense
    """,
)

ADDRESSES = [
    *(f"{list(_ADDRESSES)!r} | map('ansible.utils.ipaddr') | list" for _ in range(1)),
    *(f"'{one}' | ansible.utils.ipaddr('{query}')" for query in ("", *_QUERIES) for one in _ADDRESSES),
    *(f"{list(_ADDRESSES)!r} | ansible.utils.{name}" for name in ("ipaddr", "ipv4", "ipv6", "ipwrap")),
    *(f"'{one}' | ansible.utils.{name}" for name in ("ipv4", "ipv6", "ipwrap") for one in _ADDRESSES),
    *(f"'{one}' | ansible.utils.{name}('address')" for name in ("ipv4", "ipv6", "ipwrap") for one in _ADDRESSES[:15]),
    *(
        line
        for line in r"""
'192.168.0.0/16' | ansible.utils.ipsubnet
'192.168.0.0/16' | ansible.utils.ipsubnet(20)
'192.168.0.0/16' | ansible.utils.ipsubnet(20, 0)
'192.168.0.0/16' | ansible.utils.ipsubnet(20, -1)
'192.168.0.0/16' | ansible.utils.ipsubnet(20, 99)
'192.168.144.5' | ansible.utils.ipsubnet
'192.168.144.5' | ansible.utils.ipsubnet(20)
'192.168.144.5' | ansible.utils.ipsubnet(18, 0)
'192.168.144.5' | ansible.utils.ipsubnet(18, -1)
'192.168.144.16/30' | ansible.utils.ipsubnet('192.168.144.0/24')
'192.168.144.16/30' | ansible.utils.ipsubnet('192.168.0.0/16')
'10.0.0.0/8' | ansible.utils.ipsubnet('192.168.0.0/16')
'no' | ansible.utils.ipsubnet(20)
'192.168.1.5' | ansible.utils.ipmath(5)
'192.168.0.5' | ansible.utils.ipmath(-10)
'2001::1' | ansible.utils.ipmath(8)
'192.168.1.5' | ansible.utils.ipmath('x')
'10.0.0.0/8' | ansible.utils.nthhost(305)
'10.0.0.0/8' | ansible.utils.nthhost(-1)
'10.0.0.0/30' | ansible.utils.nthhost(9)
'192.168.122.1/24' | ansible.utils.next_nth_usable(2)
'192.168.122.254/24' | ansible.utils.next_nth_usable(2)
'192.168.122.10/24' | ansible.utils.previous_nth_usable(2)
'192.168.122.1/24' | ansible.utils.previous_nth_usable(2)
'192.168.0.0/24' | ansible.utils.network_in_network('192.168.0.1')
'192.168.0.0/24' | ansible.utils.network_in_network('10.0.0.1')
'192.168.0.0/24' | ansible.utils.network_in_usable('192.168.0.1')
'192.168.0.0/24' | ansible.utils.network_in_usable('192.168.0.255')
['192.168.0.34', '10.3.0.3', '192.168.2.34'] | ansible.utils.reduce_on_network('192.168.0.0/24')
['192.168.0.0/17', '192.168.128.0/17', '192.168.128.1'] | ansible.utils.cidr_merge
['192.168.1.1', '192.168.1.2', '192.168.1.3'] | ansible.utils.cidr_merge('span')
['192.168.1.1'] | ansible.utils.cidr_merge('x')
'10.0.0.0/29' | ansible.utils.usable_range
'192.168.1.5' | ansible.utils.ip4_hex
'192.168.1.5' | ansible.utils.ip4_hex(':')
'fdcf:1894:23b5:d38c::/64' | ansible.utils.slaac('c2:31:b3:83:bf:2b')
'10.0.0.0/8' | ansible.utils.slaac('c2:31:b3:83:bf:2b')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('bare')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('bool')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('int')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('cisco')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('linux')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('psql')
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('win')
'1a2b.3c4d.5e6f' | ansible.utils.macaddr('unix')
'no' | ansible.utils.hwaddr
'1a:2b:3c:4d:5e:6f' | ansible.utils.hwaddr('nonsense')
""".strip().split("\n")
    ),
]

TEMPLATES = [*(f"{{{{ {line} }}}}" for line in (*EXPRESSIONS.strip().split("\n"), *ADDRESSES)), *TEXTS]
