"""Which distribution a host has, by the files in which distributions say their names."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeAlias

from drumline_actions.facts.said import Facts, Said

#: Facts that a file's content gives; None when it isn't that distribution's after all.
Reader: TypeAlias = Callable[[Said, str, Facts], Facts | None]

_FAMILIES = {
    "RedHat": (
        "RHEL, Fedora, CentOS, Scientific, SLC, Ascendos, CloudLinux, PSBM, OracleLinux, OVS, OEL, Amazon, Amzn, "
        "Virtuozzo, XenServer, Alibaba, EulerOS, openEuler, AlmaLinux, Rocky, TencentOS, EuroLinux, "
        "Kylin Linux Advanced Server, MIRACLE"
    ),
    "Debian": (
        "Ubuntu, Raspbian, Neon, KDE neon, Linux Mint, SteamOS, Devuan, Kali, Cumulus Linux, Pop!_OS, Parrot, "
        "Pardus GNU/Linux, Uos, Deepin, OSMC, Linux Mint Debian Edition"
    ),
    "Suse": (
        "SuSE, SLES, SLED, openSUSE, openSUSE Tumbleweed, SLES_SAP, SUSE_LINUX, openSUSE Leap, ALP-Dolomite, SL-Micro, "
        "openSUSE MicroOS"
    ),
    "Archlinux": "Antergos, Manjaro",
    "Mandrake": "Mandriva",
    "Solaris": "Nexenta, OmniOS, OpenIndiana, SmartOS",
    "Gentoo": "Funtoo",
    "Darwin": "MacOSX",
    "FreeBSD": "TrueOS",
    "ClearLinux": "Clear Linux OS, Clear Linux Mix",
    "DragonFly": "DragonflyBSD, DragonFlyBSD, Gentoo/DragonflyBSD, Gentoo/DragonFlyBSD",
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names.split(", ")}
#: Identifiers that stand for others.
_IDS = {"ol": "oracle", "opensuse-leap": "opensuse"}
_NAMES = {"Amzn": "Amazon", "Rhel": "Redhat", "": "OtherLinux"}
#: A line such as ``CentOS Linux release 7.9.2009 (Core)``, read from its end.
_RELEASE = re.compile(r"(?:[^)]*\)(.*)\()? *(?:STL )?([\d.+\-a-z]*\d) *(?:esaeler *)?(.+)")
#: An assignment in which nothing is to be taken apart.
_SIMPLE = re.compile(r"""(\w+)=(?:(["'])(?P<quoted>[^"'\\$`]*)\2|(?P<bare>[^\s"'\\$`#]*))[ \t]*""")
_RELEASE_FILE = re.compile(r"/etc/(\w+)[-_](release|version)\Z")
_NOT_RELEASES = {
    "debian_version",
    "lsb-release",
    "oem-release",
    "os-release",
    "system-release",
    "plesk-release",
    "iredmail-release",
    "board-release",
    "ec2_version",
}


def distribution_facts(said: Said) -> Facts:
    """``distribution`` and what belongs to it, and ``os_family``."""
    system = said.part("system") or said.file("/proc/sys/kernel/ostype") or "Linux"
    found = _linux(said) if system == "Linux" else _other(said, system)
    family = _FAMILY.get(found["distribution"], found["distribution"])
    return {**found, "os_family": family}


def _other(said: Said, system: str) -> Facts:
    release = said.part("kernel")
    number = re.match(r"[\d.]+", release)
    version = number[0] if number else release
    found = {"distribution": system, "distribution_release": release, "distribution_version": version}
    return {**found, "distribution_major_version": version.partition(".")[0]}


def _linux(said: Said) -> Facts:
    found = _guess(said)
    for path, name, read in _FILES:
        text = said.file(path)
        if text is None and not (read is _by_being_there and path in said.there):
            continue
        facts = read(said, (text or "").strip("'\"\\"), found)
        if facts is None:
            continue
        found |= {"distribution": name, "distribution_file_path": path, "distribution_file_variety": name}
        if read is not _by_being_there:
            found["distribution_file_parsed"] = True
        return found | facts
    return found


def _guess(said: Said) -> Facts:
    """What the common files say, before those of one distribution are looked at."""
    release, lsb, written = os_release(said), _lsb(said), _written(said)
    name = _IDS.get(identity := release.get("id", "").lower(), identity) or lsb.get("id", "").lower()
    name = name or written.get("id", "")
    pretty = _read_release(release.get("pretty_name", ""))
    versions = [release.get("version_id", ""), lsb.get("release", ""), written.get("version_id", "")]
    versions += [pretty.get("version_id", ""), _read_release(lsb.get("description", "")).get("version_id", "")]
    debian = (said.file("/etc/debian_version") or "").splitlines()
    if name == "debian" or "debian" in release.get("id_like", "").split():
        versions += debian[:1]
    version = next(filter(None, versions), "")
    if name in ("centos", "debian"):
        best = max(filter(None, versions), key=lambda text: text.count("."), default="")
        version = ".".join(best.split(".")[:2]) if name == "centos" else best
    codenames = [release.get(key) for key in ("version_codename", "ubuntu_codename")]
    codenames += [lsb.get("codename") if name == "ubuntu" else None]
    named = release.get("codename") or lsb.get("codename") or written.get("codename") or None
    codename = next((text for text in codenames if text is not None), named)
    title = name.capitalize()
    return {
        "distribution": _NAMES.get(title, title),
        "distribution_version": version or "NA",
        "distribution_release": "NA" if codename is None else codename,
        "distribution_major_version": version.partition(".")[0] or "NA",
    }


def os_release(said: Said) -> dict[str, str]:
    """The assignments of ``os-release``, names in small letters; ``codename`` may come from the version's brackets."""
    text = said.file("/etc/os-release") or said.file("/usr/lib/os-release") or ""
    found = _assignments(text)
    named = re.search(r"\((\D+)\)|,\s*(\D+)", found.get("version", ""))
    if named:
        found["codename"] = named[1] or named[2]
    for name in ("ubuntu_codename", "version_codename"):
        if name in found:
            found["codename"] = found[name]
    return found


def _assignments(text: str) -> dict[str, str]:
    """The assignments of a shell's text, names in small letters."""
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    simple = [match for line in lines if (match := _SIMPLE.fullmatch(line))]
    if len(simple) == len(lines):  # nearly always
        return {match[1].lower(): match["quoted"] or match["bare"] or "" for match in simple}
    found: dict[str, str] = {}
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    with suppress(ValueError):  # a quote that nothing closes: what stands before it counts
        for token in lexer:
            name, equals, value = token.partition("=")
            if equals:
                found[name.lower()] = value
    return found


def _lsb(said: Said) -> dict[str, str]:
    """What the program ``lsb_release`` said."""
    pairs = (line.partition(":") for line in said.lines("lsb"))
    words = {"Distributor ID": "id", "Description": "description", "Release": "release", "Codename": "codename"}
    return {words[name]: value.strip() for name, _, value in pairs if name in words}


def _written(said: Said) -> dict[str, str]:
    """What the first of the files ``/etc/*-release`` says that belongs to a distribution."""
    for path in sorted(said.files):
        match = _RELEASE_FILE.match(path)
        if match is None or path.removeprefix("/etc/") in _NOT_RELEASES:
            continue
        found = _read_release((said.file(path) or "").split("\n")[0])
        if "name" in found:
            cloud = "cloudlinux" in found["name"].lower()
            return {**found, "id": "cloudlinux" if cloud else match[1].lower()}
    return {}


def _read_release(line: str) -> dict[str, str]:
    match = _RELEASE.match(line.strip()[::-1])
    if match is None:
        return {"name": line.strip()} if line.strip() else {}
    named = {"codename": match[1], "version_id": match[2], "name": match[3]}
    return {key: value[::-1] for key, value in named.items() if value}


# The distributions' own files.


def _by_being_there(_said: Said, _text: str, _found: Facts) -> Facts | None:
    return {}


def _by_words(name: str, words: str) -> Reader:
    """The distribution, when the file has these words; else the file's first word is its name."""

    def read(_said: Said, text: str, _found: Facts) -> Facts | None:
        if words in text:
            return {"distribution": name, "distribution_file_search_string": words}
        first = text.split()[:1]
        return {"distribution": first[0]} if first else None

    return read


def _value(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text, re.MULTILINE)
    return match[1] if match else None


def _only(**facts: str | None) -> Facts:
    """Those facts that there are, as ``distribution_NAME``."""
    return {"distribution" + (f"_{name}" if name != "name" else ""): value for name, value in facts.items() if value}


def _numbered(version: str | None, **facts: str | None) -> Facts:
    return _only(version=version, major_version=version.partition(".")[0] if version else None, **facts)


def _slackware(_said: Said, text: str, _found: Facts) -> Facts | None:
    return _only(version=_value(r"(\w+[.]\w+\+?)", text)) if "Slackware" in text else None


def _centos(_said: Said, text: str, _found: Facts) -> Facts | None:
    if "CentOS Stream" in text:
        return _only(release="Stream")
    return _only(name="TencentOS") if "TencentOS Server" in text else None


def _openwrt(_said: Said, text: str, _found: Facts) -> Facts | None:
    if "OpenWrt" not in text:
        return None
    release, codename = (_value(f"""DISTRIB_{name}=["'](.*)["']""", text) for name in ("RELEASE", "CODENAME"))
    return _only(version=release, release=codename)


def _amazon(_said: Said, text: str, _found: Facts) -> Facts | None:
    if "Amazon" not in text:
        return None
    version = _value(r"""VERSION_ID="(.*)\"""", text)
    if version is None:
        return {}
    major, _, minor = version.partition(".")
    return _only(version=version, major_version=major, minor_version=minor or "NA")


def _amazon_before(_said: Said, text: str, _found: Facts) -> Facts | None:
    if "Amazon" not in text:
        return None
    return _only(version=next((word for word in text.split() if word.isdigit()), "NA"))


def _alpine(_said: Said, text: str, _found: Facts) -> Facts | None:
    return _only(version=text)


def _arch(_said: Said, text: str, _found: Facts) -> Facts | None:
    return {} if "Arch Linux" in text else None


def _suse(said: Said, text: str, _found: Facts) -> Facts | None:
    if "suse" not in text.lower():
        return None
    facts = _numbered(_value(r'^VERSION_ID="?([0-9]+\.?[0-9]*)"?', text), name=_value(r'^NAME="?([^"\n]*)', text))
    minor = _value(r'^VERSION_ID="?[0-9]+\.?([0-9]*)"?', text)
    if minor is not None and "open" in text.lower():
        facts["distribution_release"] = minor
    elif minor is not None and "enterprise" in text.lower():
        facts["distribution_release"] = minor or "0"
    return facts | _suse_variant(said, text)


def _suse_before(said: Said, text: str, found: Facts) -> Facts | None:
    """``/etc/SuSE-release``, of versions that have no other file."""
    if "suse" not in text.lower():
        return None
    first = text.split()[0]
    if "open" in text.lower():
        facts = _only(name=first, release=(_value(r"CODENAME *= *([^\n]+)", text) or "").strip())
    elif "enterprise" in text.lower():
        name = "SLES" if "Server" in text else "SLED" if "Desktop" in text else first
        level = _value(r"PATCHLEVEL = ([0-9]+)", text)
        facts = _only(name=name, release=level, version=level and f"{found['distribution_version']}.{level}")
    else:
        facts = {}
    return facts | _suse_variant(said, text)


def _suse_variant(said: Said, text: str) -> Facts:
    variant = _value(r'^VARIANT_ID="?([^"\n]*)"?', text)
    if variant is None:
        product = said.links.get("/etc/products.d/baseproduct", "").rpartition("/")[2]
        variant = {"SLES_SAP.prod": "sles-sap", "SL-Micro.prod": "transactional"}.get(product)
    named = {"server-sap": "SLES_SAP", "sles-sap": "SLES_SAP", "transactional": "SL-Micro"}
    return _only(name=named.get(variant or ""))


def _debian(said: Said, text: str, found: Facts) -> Facts | None:
    version = _value(r'VERSION_ID="(.*)"', text)
    codename = _value(r'VERSION_CODENAME="?([^"\n]+)"?', text)
    if "Debian" in text or "Raspbian" in text:
        minor = _value(r"\d+\.(\d+)", said.file("/etc/debian_version") or "")
        return _only(name="Debian", release=_value(r"PRETTY_NAME=[^(\n]+ \(?([^)\n]+?)\)", text), minor_version=minor)
    for name in ("Ubuntu", "SteamOS"):
        if name in text:
            return _only(name=name)
    for name in ("Kali", "Parrot"):
        if name in text:
            return _only(name=name, release=_value(r"DISTRIB_RELEASE=(.*)", text))
    if "Devuan" in text:
        release = _value(r'PRETTY_NAME="?[^("\n]+ \(?([^) "\n]+)\)?', text)
        return _only(name="Devuan", release=release, version=version, major_version=version)
    if "Cumulus" in text:
        plain = _value(r"VERSION_ID=(.*)", text)
        return _numbered(plain, name="Cumulus Linux", release=_value(r'VERSION="(.*)"', text))
    if "Mint" in text:
        return _numbered(version, name="Linux Mint")
    if re.search("UOS|[Uu]os", text):
        return _numbered(version, name="Uos", release=codename)
    if re.search("[Dd]eepin", text):
        return _numbered(version, name="Deepin", release=codename)
    return _only(name="Linux Mint Debian Edition") if "LMDE" in text else None


def _mandriva(_said: Said, text: str, _found: Facts) -> Facts | None:
    if "Mandriva" not in text:
        return None
    release, codename = (_value(f'DISTRIB_{name}="(.*)"', text) for name in ("RELEASE", "CODENAME"))
    return _only(version=release, release=codename)


def _clear(_said: Said, text: str, _found: Facts) -> Facts | None:
    name = _value(r'NAME="(.*)"', text)
    if name is not None and "Clear Linux" not in name:
        return None
    version = _value(r"VERSION_ID=(.*)", text)
    return _only(name=name, version=version, major_version=version, release=_value(r"ID=(.*)", text))


def _coreos(_said: Said, text: str, found: Facts) -> Facts | None:
    if found["distribution"].lower() != "coreos":
        return None
    return _only(release=(_value(r"^GROUP=(.*)", text) or "").strip('"'))


def _flatcar(_said: Said, text: str, found: Facts) -> Facts | None:
    if found["distribution"].lower() != "flatcar":
        return None
    return _numbered((_value(r"VERSION=(.*)", text) or "").strip('"'))


def _named(_said: Said, text: str, found: Facts) -> Facts | None:
    version = _value(r"^VERSION=(.*)", text) if found["distribution_version"] == "NA" else None
    return _only(name=(_value(r"^NAME=(.*)", text) or "").strip('"'), version=(version or "").strip('"'))


#: In this order; the first that is there and whose reader knows it counts.
_FILES: tuple[tuple[str, str, Reader], ...] = (
    ("/etc/altlinux-release", "Altlinux", _by_words("Altlinux", "ALT")),
    ("/etc/oracle-release", "OracleLinux", _by_words("OracleLinux", "Oracle Linux")),
    ("/etc/slackware-version", "Slackware", _slackware),
    ("/etc/centos-release", "CentOS", _centos),
    ("/etc/redhat-release", "RedHat", _by_words("RedHat", "Red Hat")),
    ("/etc/vmware-release", "VMwareESX", _by_being_there),
    ("/etc/openwrt_release", "OpenWrt", _openwrt),
    ("/etc/os-release", "Amazon", _amazon),
    ("/etc/system-release", "Amazon", _amazon_before),
    ("/etc/alpine-release", "Alpine", _alpine),
    ("/etc/arch-release", "Archlinux", _by_being_there),
    ("/etc/os-release", "Archlinux", _arch),
    ("/etc/os-release", "SUSE", _suse),
    ("/etc/SuSE-release", "SUSE", _suse_before),
    ("/etc/gentoo-release", "Gentoo", lambda _said, _text, _found: None),
    ("/etc/os-release", "Debian", _debian),
    ("/etc/lsb-release", "Debian", _debian),
    ("/etc/lsb-release", "Mandriva", _mandriva),
    ("/etc/sourcemage-release", "SMGL", _by_words("SMGL", "Source Mage GNU/Linux")),
    ("/usr/lib/os-release", "ClearLinux", _clear),
    ("/etc/coreos/update.conf", "Coreos", _coreos),
    ("/etc/os-release", "Flatcar", _flatcar),
    ("/etc/os-release", "NA", _named),
)


def _as_lsb_release(said: Said) -> dict[str, str]:
    """What ``lsb_release`` says where it has it from files: what is newer comes from ``os-release``."""
    release = os_release(said)
    text = said.file("/etc/lsb-release") or ""
    names = {"id": release["id"].capitalize(), "description": release.get("pretty_name", "n/a")}
    names |= {"release": release.get("version_id", "n/a"), "codename": release.get("version_codename", "n/a")}
    written = {name: _value(rf'^DISTRIB_{name.upper()}="?([^"\n]*)', text) for name in names}
    return {name: written[name] or value for name, value in names.items()}


def lsb_facts(said: Said) -> Mapping[str, str]:
    """``lsb``: what ``lsb_release`` said, or what ``/etc/lsb-release`` says."""
    found = _lsb(said)
    if not found and "lsb_release" in said.there and os_release(said).get("id") in ("debian", "ubuntu"):
        found = _as_lsb_release(said)
    elif not found:
        words = {"DISTRIB_" + name.upper(): name for name in ("id", "release", "description", "codename")}
        pairs = (line.partition("=") for line in (said.file("/etc/lsb-release") or "").split("\n"))
        found = {words[name]: value.strip() for name, _, value in pairs if name in words}
    if "release" in found:
        found["major_release"] = found["release"].partition(".")[0]
    return {name: value.strip("'\"\\") for name, value in found.items()}
