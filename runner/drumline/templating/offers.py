"""The filters, tests and lookups that drumline has beside those of jinja2, and where each is defined.

Nothing of theirs is imported here: a function is, with its module, when the first template that names it is compiled.
"""

from __future__ import annotations

_DATA = "drumline.templating.filters"
_TEXT = "drumline.templating.text_filters"
_TESTS = "drumline.templating.jinja_tests"
_MORE_TESTS = "drumline.templating.more_tests"
_PASSWORDS = "drumline.templating.password_filters"
_ADDRESSES = "drumline.templating.address_filters"
_ADDRESS_TESTS = "drumline.templating.address_tests"
_IPADDR = "drumline.templating.ipaddr"
_COLLECTIONS = "drumline.templating.collection_filters"
_KEYS = "drumline.templating.key_filters"
_TABLES = "drumline.templating.table_filters"
_TIMES = "drumline.templating.time_filters"
_LOOKUPS = "drumline.templating.lookups"
_OF_LISTS = "drumline.templating.list_lookups"
_OF_FILES = "drumline.templating.file_lookups"
_OF_TREES = "drumline.templating.tree_lookup"
_OF_PROGRAMS = "drumline.templating.program_lookups"
_OF_STORES = "drumline.templating.password_store"


class BuiltIn(str):
    """Where a function of drumline's own is: ``package.module:function``. jinja2 calls it as it calls its own ones.

    Empty for what is jinja2's.
    """

    __slots__ = ()


def _in(module: str, names: str, **others: str) -> dict[str, BuiltIn]:
    """Functions of a module under their own names, and ``others`` under names of theirs."""
    functions = {**{name: name for name in names.split()}, **others}
    return {name: BuiltIn(f"{module}:{function}") for name, function in functions.items()}


FILTERS = {
    **_in(
        _TEXT,
        "b64decode b64encode comment commonpath human_readable human_to_bytes md5 path_join quote regex_escape"
        " regex_findall regex_replace regex_search relpath split to_datetime to_uuid",
        checksum="hash_of",
        hash="hash_of",
        sha1="hash_of",
        strftime="format_time",
        urlsplit="url_parts",
    ),
    **_in(
        _DATA,
        "combinations combine dict2items difference extract flatten from_json from_yaml from_yaml_all intersect"
        " items2dict join mandatory permutations product rekey_on_member root shuffle subelements"
        " symmetric_difference ternary to_json to_nice_json to_nice_yaml to_yaml type_debug union unique"
        " zip_longest",
        bool="to_bool",
        log="logarithm",
        random="choose",
        sum="total",
        zip="zip_lists",
    ),
    **_in(_PASSWORDS, "password_hash unvault vault"),
    **_in(
        _ADDRESSES,
        "cidr_merge hwaddr ip4_hex ipmath ipsubnet macaddr network_in_network"
        " network_in_usable next_nth_usable nthhost previous_nth_usable reduce_on_network slaac usable_range",
    ),
    **_in(_IPADDR, "ipaddr ipv4 ipv6 ipwrap"),
    **_in(
        _COLLECTIONS,
        "counter crc32 dict_kv get_path groupby_as_dict index_of json_query lists_difference lists_intersect"
        " lists_mergeby lists_symmetric_difference lists_union random_mac to_paths unicode_normalize version_sort",
        dict="make_dict",
    ),
    **_in(_TABLES, "from_csv from_ini to_ini"),
    **_in(
        _TIMES,
        "to_days to_hours to_milliseconds to_minutes to_months to_seconds to_time_unit to_weeks to_years",
    ),
    **_in(
        _KEYS,
        "keep_keys remove_keys replace_keys",
        **{f"ansible.utils.{name}": f"utils_{name}" for name in ("keep_keys", "remove_keys", "replace_keys")},
    ),
    **_in(_LOOKUPS, "", fileglob="glob_files"),
    **_in("math", "pow"),
    **_in("ntpath", "", win_basename="basename", win_dirname="dirname", win_splitdrive="splitdrive"),
    **_in("posixpath", "basename dirname expanduser expandvars normpath realpath splitext"),
    **_in("urllib.parse", "", urldecode="unquote_plus"),
}

TESTS = {
    **_in(
        _TESTS,
        "changed contains failed falsy link_exists match reachable regex search skipped subset succeeded superset"
        " truthy unreachable version",
        change="changed",
        failure="failed",
        issubset="subset",
        issuperset="superset",
        skip="skipped",
        success="succeeded",
        successful="succeeded",
        version_compare="version",
    ),
    **_in(_MORE_TESTS, "finished started timedout uri url urn vault_encrypted vaulted_file"),
    **_in(
        _ADDRESS_TESTS,
        "in_any_network in_network in_one_network ip ip_address ipv4 ipv4_address ipv4_hostmask ipv4_netmask ipv6"
        " ipv6_address ipv6_ipv4_mapped ipv6_sixtofour ipv6_teredo loopback mac multicast private public reserved"
        " resolvable subnet_of supernet_of unspecified",
    ),
    **_in("builtins", "all any"),
    **_in("math", "isnan", nan="isnan"),
    **_in(
        "os.path",
        "exists",
        abs="isabs",
        directory="isdir",
        file="isfile",
        is_abs="isabs",
        is_dir="isdir",
        is_file="isfile",
        is_link="islink",
        is_mount="ismount",
        is_same_file="samefile",
        link="islink",
        mount="ismount",
        same_file="samefile",
    ),
}

LOOKUPS = {
    **_in(_LOOKUPS, "file fileglob secret template", env="of_environment", vars="variable"),
    **_in(
        _OF_LISTS,
        "flattened indexed_items inventory_hostnames items nested random_choice sequence subelements together varnames",
        cartesian="nested",
        dict="dictionary",
        list="as_list",
    ),
    **_in(_OF_FILES, "config csvfile first_found ini password unvault"),
    **_in(_OF_TREES, "filetree"),
    **_in(_OF_PROGRAMS, "lines pipe url"),
    **_in(_OF_STORES, "passwordstore"),
}

#: Directories beside a playbook that may have more of them (:mod:`drumline.templating.neighbours`).
NEIGHBOURS = ("filter_plugins", "lookup_plugins", "test_plugins")

#: The names that jinja2 has.
FILTERS_OF_JINJA = (
    "abs attr batch capitalize center count d default dictsort e escape filesizeformat first float forceescape"
    " format groupby indent int items last length list lower map max min pprint reject rejectattr replace reverse"
    " round safe select selectattr slice sort string striptags title tojson trim truncate upper urlencode urlize"
    " wordcount wordwrap xmlattr"
)
TESTS_OF_JINJA = (
    "boolean callable defined divisibleby eq equalto escaped even false filter float ge greaterthan gt in integer"
    " iterable le lessthan lower lt mapping ne none number odd sameas sequence string test true undefined upper"
)
