"""The host itself: its names, kernel, time, users, programs."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from drumline_actions.facts.said import Facts, Said, integer

_PACKAGE_MANAGERS = {
    "/usr/bin/rpm-ostree": "atomic_container",
    "/usr/bin/yum": "dnf",
    "/usr/bin/dnf-3": "dnf",
    "/usr/bin/dnf5": "dnf5",
    "/usr/bin/apt-get": "apt",
    "/usr/bin/zypper": "zypper",
    "/usr/sbin/urpmi": "urpmi",
    "/usr/bin/pacman": "pacman",
    "/bin/opkg": "opkg",
    "/usr/pkg/bin/pkgin": "pkgin",
    "/opt/local/bin/pkgin": "pkgin",
    "/opt/tools/bin/pkgin": "pkgin",
    "/opt/local/bin/port": "macports",
    "/usr/local/bin/brew": "homebrew",
    "/opt/homebrew/bin/brew": "homebrew",
    "/sbin/apk": "apk",
    "/usr/sbin/pkg": "pkgng",
    "/usr/sbin/swlist": "swdepot",
    "/usr/bin/emerge": "portage",
    "/usr/sbin/pkgadd": "svr4pkg",
    "/usr/bin/pkg": "pkg5",
    "/usr/bin/xbps-install": "xbps",
    "/usr/local/sbin/pkg": "pkgng",
    "/usr/bin/swupd": "swupd",
    "/usr/sbin/sorcery": "sorcery",
    "/usr/bin/installp": "installp",
}
_INITS = {"procd": "openwrt_init", "runit-init": "runit", "svscan": "svc", "openrc-init": "openrc"}
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def machine_of(said: Said) -> str:
    """As ``uname -m`` names it."""
    return said.file("/proc/sys/kernel/arch") or said.part("machine")


def system_of(said: Said) -> str:
    """As ``uname -s`` names it."""
    return said.file("/proc/sys/kernel/ostype") or said.part("system")


def platform_facts(said: Said) -> Facts:
    """Kernel, architecture and names of the host."""
    machine, kernel = machine_of(said), "/proc/sys/kernel/"
    nodename = said.file(kernel + "hostname") or said.part("nodename")
    fqdn = _fqdn(said, nodename)
    bits = said.part("bits") or ("64" if machine.endswith("64") else "32")
    intel = re.search("i[3456]86|i86pc", machine)
    found: Facts = {
        "system": system_of(said),
        "kernel": said.file(kernel + "osrelease") or said.part("kernel"),
        "kernel_version": said.file(kernel + "version") or said.part("version"),
        "machine": machine,
        "architecture": "i386" if intel else machine,
        "userspace_bits": bits,
        "nodename": nodename,
        "hostname": nodename.partition(".")[0],
        "fqdn": fqdn,
        "domain": fqdn.partition(".")[2],
    }
    if machine == "x86_64" or intel:
        found["userspace_architecture"] = "x86_64" if bits == "64" else "i386"
    machine_id = said.file("/var/lib/dbus/machine-id") or said.file("/etc/machine-id")
    if machine_id:
        found["machine_id"] = machine_id.split("\n")[0]
    return found


def _fqdn(said: Said, nodename: str) -> str:
    """As Python's ``getfqdn``: the first name of the host's address that has a dot."""
    names = said.part("fqdn").split()[1:] or said.part("fullname").split()
    dotted = next((name for name in names if "." in name), None)
    return dotted or (names[0] if said.part("fqdn") and names and "." not in nodename else nodename)


def python_facts(said: Said) -> Facts:
    """The Python of the host, where it has one."""
    executable, *lines = said.lines("python") or [""]
    found = re.match(r"Python (\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?", lines[0] if lines else "")
    if found is None:
        return {}
    numbers = [int(number) for number in found.groups()[:3]]
    level = {"a": "alpha", "b": "beta", "rc": "candidate", None: "final"}[found[4]]
    info: list[Any] = [*numbers, level, integer(found[5])]
    names = ("major", "minor", "micro", "releaselevel", "serial")
    about: Facts = {"version": dict(zip(names, info, strict=True)), "version_info": info, "executable": executable}
    about["type"] = "pypy" if "PyPy" in said.part("python") else "cpython"
    about["has_sslcontext"] = numbers >= [2, 7, 9]
    return {"python": about, "python_version": ".".join(map(str, numbers))}


def package_manager_facts(said: Said, family: str) -> Facts:
    there = said.there
    if family == "RedHat":
        return {"pkg_mgr": _red_hat_manager(said)}
    known = {path: name for path, name in _PACKAGE_MANAGERS.items() if family != "Altlinux" or path != "/usr/bin/pkg"}
    name = next((known[path] for path in reversed(known) if path in there), "unknown")
    if family == "Debian":
        name = "apt"
    # A package that brings apt-get is one of rpm's own.
    if name == "apt" and (family == "Altlinux" or said.part("apt").startswith("apt")):
        name = "apt_rpm"
    return {"pkg_mgr": name}


def _red_hat_manager(said: Said) -> str:
    if "/run/ostree-booted" in said.there:
        return "atomic_container"
    for path in ("/usr/bin/dnf", "/usr/bin/microdnf"):
        if path in said.there:
            return "dnf5" if said.links.get(path, "").rpartition("/")[2] == "dnf5" else "dnf"
    return "unknown"


def service_manager_facts(said: Said, distribution: str) -> Facts:
    first = (said.file("/proc/1/comm") or said.links.get("/sbin/init", "")).rpartition("/")[2]
    if first and first != "init" and not first.endswith("sh"):
        return {"service_mgr": _INITS.get(first, first)}
    there, system = said.there, system_of(said)
    if "BSD" in system or system == "DragonFly":
        name = "bsdinit"
    elif distribution in ("OpenWrt", "SMGL", "Darwin"):
        name = {"OpenWrt": "openwrt_init", "SMGL": "simpleinit_msb", "Darwin": "launchd"}[distribution]
    elif "systemctl" in there and there & {"/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"}:
        name = "systemd"
    elif {"initctl", "/etc/init"} <= there:
        name = "upstart"
    elif "/sbin/openrc" in there:
        name = "openrc"
    elif "systemctl" in there and said.links.get("/sbin/init", "").rpartition("/")[2] == "systemd":
        name = "systemd"
    else:
        known = {"/etc/init.d": "sysvinit", "/etc/dinit.d": "dinit"}
        name = next((manager for path, manager in known.items() if path in there), "service")
    return {"service_mgr": name}


def systemd_facts(said: Said) -> Facts:
    first, _, rest = said.part("systemd").partition("\n")
    words = first.split()
    if len(words) < 2 or not words[1].isdigit():
        return {}
    return {"systemd": {"version": int(words[1]), "features": rest.split("\n")[0]}}


def command_line_facts(said: Said) -> Facts:
    """What the kernel was started with: the last value of each name, and all of them."""
    text = said.file("/proc/cmdline")
    if not text:
        return {}
    last: Facts = {}
    every: Facts = {}
    with suppress(ValueError):
        for piece in shlex.split(text, posix=False):
            name, equals, value = piece.partition("=")
            last[name] = value if equals else True
            if not equals or name not in every:
                every[name] = last[name]
            elif isinstance(every[name], list):
                every[name].append(value)
            else:
                every[name] = [every[name], value]
    return {"cmdline": last, "proc_cmdline": every}


def date_facts(said: Said) -> Facts:
    epoch, nanoseconds, offset, zone = [*said.part("date").split(" ", 3), "", "", "", ""][:4]
    seconds = integer(epoch, -1)
    sign = re.fullmatch(r"([+-])(\d\d)(\d\d)", offset)
    if seconds < 0 or sign is None:
        return {}
    east = timedelta(hours=int(sign[2]), minutes=int(sign[3])) * (-1 if sign[1] == "-" else 1)
    try:
        utc = datetime.fromtimestamp(seconds, UTC)
        now = utc.astimezone(timezone(east))
    except (ValueError, OverflowError, OSError):  # a clock with an impossible year
        return {}
    micro = f"{integer(nanoseconds) // 1000:06}" if len(nanoseconds) == 9 else "000000"
    found = {
        **{name: now.strftime(form) for name, form in _TIMES.items()},
        "weekday": _DAYS[now.weekday()],
        "epoch": epoch,
        "epoch_int": epoch,
        "iso8601": utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "iso8601_micro": f"{utc:%Y-%m-%dT%H:%M:%S}.{micro}Z",
        "iso8601_basic": f"{now:%Y%m%dT%H%M%S}{micro}",
        "tz": zone,
        "tz_dst": _summer_time(_rule(said), zone),
        "tz_offset": offset,
    }
    return {"date_time": found}


_TIMES = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}
_TIMES |= {"weekday_number": "%w", "weeknumber": "%W", "date": "%Y-%m-%d", "time": "%H:%M:%S"}
_TIMES |= {"iso8601_basic_short": "%Y%m%dT%H%M%S"}


def _rule(said: Said) -> str:
    """The last line of the zone's file, which has its rule of today."""
    texts = (text for path, text in said.files.items() if path.startswith(("/usr/share/zoneinfo/", "/etc/localtime")))
    return next(texts, "").strip().rpartition("\n")[2]


def _summer_time(rule: str, zone: str) -> str:
    """The name of the later time of a zone, by its rule in POSIX's form: ``CET-1CEST,M3.5.0,M10.5.0/3``."""
    name = r"(<[^>]+>|[A-Za-z]+)"
    found = re.match(rf"{name}([+-]?[\d:]+){name}([+-]?[\d:]*)", rule)
    if found is None:
        return zone
    winter, west, summer, summer_west = found.groups()
    ahead = not summer_west or _hours(summer_west) < _hours(west)
    return (summer if ahead else winter).strip("<>")


def _hours(text: str) -> float:
    hours, *minutes = text.lstrip("+-").split(":")
    value = integer(hours) + integer(minutes[0] if minutes else 0) / 60
    return -value if text.startswith("-") else value


def environment_facts(said: Said) -> Facts:
    text = said.files.get("/proc/self/environ") or said.parts.get("env", "")
    entries = text.split("\0") if "\0" in text else text.split("\n")
    pairs = (entry.partition("=") for entry in entries)
    return {"env": {name: value for name, equals, value in pairs if equals and name}}


def user_facts(said: Said) -> Facts:
    """Who runs what is run, by the process and by ``passwd``."""
    status = said.file("/proc/self/status") or ""
    real, effective = _ids("Uid", status)
    group, effective_group = _ids("Gid", status)
    fields = said.lines("user")[0].split(":") if said.part("user") else []
    found: Facts = {"real_user_id": real, "effective_user_id": effective}
    found |= {"real_group_id": group, "effective_group_id": effective_group}
    if len(fields) < 7:
        return {**found, "user_uid": effective, "user_gid": effective_group}
    name, _, uid, gid, gecos, directory, shell, *_ = fields
    found |= {"user_id": name, "user_uid": integer(uid), "user_gid": integer(gid), "user_gecos": gecos}
    return {**found, "user_dir": directory, "user_shell": shell}


def _ids(name: str, status: str) -> tuple[int, int]:
    match = re.search(rf"^{name}:\s+(\d+)\s+(\d+)", status, re.MULTILINE)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def load_facts(said: Said) -> Facts:
    try:
        first, second, third, *_ = map(float, (said.file("/proc/loadavg") or "").split()[:3])
    except ValueError:
        return {}
    return {"loadavg": {"1m": first, "5m": second, "15m": third}}


def dns_facts(said: Said) -> Facts:
    found: Facts = {}
    for line in (said.file("/etc/resolv.conf") or "").split("\n"):
        words = line.split()
        if not words or words[0][0] in "#;":
            continue
        keyword, values = words[0], words[1:]
        if keyword == "nameserver":
            found.setdefault("nameservers", []).extend(values)
        elif keyword == "domain" and values:
            found["domain"] = values[0]
        elif keyword in ("search", "sortlist"):
            found[keyword] = values
        elif keyword == "options":
            pairs = (value.partition(":") for value in values)
            found["options"] = {name: value or True for name, _, value in pairs}
    return {"dns": found}


def capability_facts(said: Said) -> Facts:
    """What ``capsh`` says that the process may do."""
    current = next((line for line in said.lines("caps") if line.startswith("Current:")), None)
    if current is None:
        unknown: Any = [] if said.part("caps") else "N/A"
        return {"system_capabilities": unknown, "system_capabilities_enforced": "NA" if said.part("caps") else "N/A"}
    what = current.partition(":")[2].strip()
    if what == "=ep":
        return {"system_capabilities": [], "system_capabilities_enforced": "False"}
    listed = [name.strip() for name in what.split("=", 2)[1].split(",")] if "=" in what else []
    return {"system_capabilities": listed, "system_capabilities_enforced": "True"}


def selinux_facts(said: Said) -> Facts:
    enforce = said.file("/sys/fs/selinux/enforce")
    if enforce is None:
        return {"selinux": {"status": "disabled"}, "selinux_python_present": True}
    config = dict(re.findall(r"^(SELINUX|SELINUXTYPE)=(\S+)", said.file("/etc/selinux/config") or "", re.MULTILINE))
    found: Facts = {"status": "enabled", "mode": "enforcing" if enforce == "1" else "permissive"}
    found["policyvers"] = integer(said.file("/sys/fs/selinux/policyvers"))
    found |= {"config_mode": config.get("SELINUX", "unknown"), "type": config.get("SELINUXTYPE", "unknown")}
    return {"selinux": found, "selinux_python_present": True}


def apparmor_facts(said: Said) -> Facts:
    there = "/sys/kernel/security/apparmor" in said.there
    return {"apparmor": {"status": "enabled" if there else "disabled"}}


def chroot_facts(said: Said) -> Facts:
    if environment_facts(said)["env"].get("debian_chroot"):
        return {"is_chroot": True}
    if said.there & {"root", "chroot"}:
        return {"is_chroot": "chroot" in said.there}
    # Whoever isn't root may not look; the root of a file system has the same number everywhere.
    mounted = re.search(r"^\S+ / (\S+) ", said.file("/proc/mounts") or "", re.MULTILINE)
    first = {"btrfs": 256, "xfs": 128}.get(mounted[1] if mounted else "", 2)
    return {"is_chroot": said.root_inode != first}


def fips_facts(said: Said) -> Facts:
    return {"fips": said.file("/proc/sys/crypto/fips_enabled") == "1"}


def host_key_facts(said: Said) -> Facts:
    for directory in ("/etc/ssh", "/etc/openssh", "/etc"):
        found: Facts = {}
        for algorithm in ("dsa", "rsa", "ecdsa", "ed25519"):
            words = (said.file(f"{directory}/ssh_host_{algorithm}_key.pub") or "").split()
            if len(words) > 1:
                name = f"ssh_host_key_{algorithm}_public"
                found |= {name: words[1], f"{name}_keytype": words[0]}
        if found:
            return found
    return {}
