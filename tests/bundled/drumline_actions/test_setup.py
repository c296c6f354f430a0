"""Facts of real hosts, of recorded ones, and of such as misbehave."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from facts.make import NAMES, RECORDED, write
from msgspec.structs import replace

from drumline.plugin import ActionFailed, Call, Completed, HostPath, Platform
from drumline.plugin.kit import script_run
from drumline.plugin.manager import load_plugins
from drumline.testing import ActionHost, play
from drumline_actions import setup
from drumline_actions.facts.distribution import distribution_facts
from drumline_actions.facts.said import Said, split
from drumline_actions.facts.subsets import ALL_PARTS, UnknownSubset, chosen

DISTRIBUTIONS = json.loads(RECORDED.read_text(encoding="utf-8"))
#: What no two answers have in common, or what is of the process that asks.
PASSING = {"date_time", "uptime_seconds", "loadavg", "memory_mb", "memfree_mb", "swapfree_mb", "env", "python"}
PASSING |= {"python_version", "mounts", "gather_subset", "system_capabilities", "system_capabilities_enforced"}


def facts_of(host: ActionHost, **arguments: Any) -> dict[str, Any]:
    result = host("setup", **arguments)
    assert not result.changed
    return {name.removeprefix("ansible_"): value for name, value in result.facts.items()}


@pytest.mark.parametrize("name", sorted(DISTRIBUTIONS))
def test_distributions(name: str, tmp_path: Path) -> None:
    """The same script reads the files of each, and the reference's answer is what comes of them."""
    recorded = DISTRIBUTIONS[name]
    write(tmp_path, recorded["files"])
    call = Call(host="a", platform=Platform.POSIX, arguments={"fact_path": ""})
    variables = setup.script_variables(call, "word", ALL_PARTS - {"files", "there", "links"}) | {"root": str(tmp_path)}
    run = script_run(call, setup.GATHER, variables)
    output = subprocess.run(["sh", "-c", run.text], check=True, capture_output=True).stdout
    assert distribution_facts(Said(split(output, "word"), str(tmp_path))) == recorded["facts"]


def test_names_and_types(posix: ActionHost) -> None:
    """All that the reference says of a Debian is there, in the same form, whichever shell reads the script."""
    found = facts_of(posix)
    missing = {"lsb", "locally_reachable_ips"} if shutil.which("lsb_release") is None else set()
    wanted = json.loads(NAMES.read_text(encoding="utf-8"))
    wrong = {name: type(found.get(name)).__name__ for name in wanted if name not in missing}
    assert wrong == {name: kind for name, kind in wanted.items() if name not in missing}


@pytest.mark.ansible
def test_it_is_what_the_reference_says() -> None:
    program = os.environ["DRUMLINE_ANSIBLE"]
    command = [
        program,
        "-i",
        "a,",
        "-c",
        "local",
        "a",
        "-m",
        "setup",
        "-e",
        "ansible_python_interpreter=/usr/bin/python3",
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    theirs = json.loads(said[said.index("{") :])["ansible_facts"]
    ours = dict(local_host()("setup").facts)
    known = {name: value for name, value in theirs.items() if name.removeprefix("ansible_") not in PASSING}
    assert _sorted({name: ours.get(name) for name in known}) == _sorted(known)
    assert theirs.keys() <= ours.keys()
    assert [mount["mount"] for mount in ours["ansible_mounts"]] == [
        mount["mount"] for mount in theirs["ansible_mounts"]
    ]
    assert [mount.keys() for mount in ours["ansible_mounts"]] == [mount.keys() for mount in theirs["ansible_mounts"]]
    assert ours["ansible_date_time"].keys() == theirs["ansible_date_time"].keys()


def _sorted(value: Any) -> Any:
    """Lists whose order no one promises, in order."""
    if isinstance(value, dict):
        return {name: _sorted(inner) for name, inner in value.items()}
    return sorted(map(str, value)) if isinstance(value, list) else value


def local_host(**settings: Any) -> ActionHost:
    from drumline_local.transport import LocalSession

    return ActionHost(platform=Platform.POSIX, session=LocalSession(), settings=settings)


# Options.


@pytest.mark.parametrize(
    ("wanted", "there", "gone"),
    [
        (["all"], {"env", "network", "hardware", "local"}, set()),
        (["!all"], {"env", "platform"}, {"network", "hardware", "virtual"}),
        (["!all", "!min"], set(), {"env", "platform", "network"}),
        (["!all", "!min", "network"], {"network", "platform", "distribution"}, {"env", "hardware"}),
        (["network"], {"network", "env"}, {"hardware"}),
        (["!hardware"], {"env"}, {"hardware", "network"}),
        (["all", "!hardware", "!nonsense"], {"env", "network"}, {"hardware"}),
        (["!all", "!min", "interfaces"], {"network"}, {"env"}),
    ],
)
def test_subsets(wanted: list[str], there: set[str], gone: set[str]) -> None:
    found = chosen(wanted)
    assert there <= found
    assert not gone & found


def test_an_unknown_subset() -> None:
    with pytest.raises(UnknownSubset, match="Bad subset 'nets'"):
        chosen(["nets"])
    with pytest.raises(ActionFailed, match="Bad subset 'nets'"):
        play(load_plugins().actions["setup"], {"gather_subset": ["nets"]})


def test_only_what_is_asked_for_is_done(posix: ActionHost) -> None:
    found = facts_of(posix, gather_subset=["!all", "!min", "distribution"])
    assert found.keys() >= {"distribution", "os_family"}
    assert not found.keys() & {"env", "interfaces", "hostname", "mounts"}


def test_filter() -> None:
    found = local_host()("setup", filter=["ansible_os_*", "hostname", "*_mb"]).facts
    memory = {f"ansible_{name}_mb" for name in ("memory", "memtotal", "memfree", "swaptotal", "swapfree")}
    assert found.keys() == {"ansible_os_family", "ansible_hostname"} | memory


@pytest.mark.parametrize(
    ("zone", "summer"), [("Europe/Berlin", "CEST"), ("Europe/Dublin", "IST"), ("Asia/Tokyo", "JST"), ("UTC", "UTC")]
)
def test_the_time_of_summer(zone: str, summer: str) -> None:
    if not Path("/usr/share/zoneinfo", zone).exists():
        pytest.skip("this machine has no files of time zones")
    found = facts_of(local_host(environment={"TZ": zone}), gather_subset=["!all", "!min", "date_time"])
    assert found["date_time"]["tz_dst"] == summer


# Local facts.

LOCAL: Mapping[str, tuple[str, bool, Any]] = {
    "json": ('{"a": [1, "ü"]}', False, {"a": [1, "ü"]}),
    "ini": ("[Main]\nKey = value\nother: 1\n", False, {"Main": {"key": "value", "other": "1"}}),
    "program": ("#!/bin/sh\necho '[1, 2]'\n", True, [1, 2]),
    "with space": ("#!/bin/sh\nprintf '\"x\"'\n", True, "x"),
    "broken": ('{"a": ', False, "error loading facts as JSON or ini - please check content: {path}"),
    "fails": ("#!/bin/sh\necho why >&2\nexit 3\n", True, "Failure executing fact script ({path}), rc: 3, err: why"),
    "much": ("#!/bin/sh\nyes\n", True, "error loading fact - {path} has more than 256 KiB"),
    "long": (f"[Main]\nkey = {'x' * (1 << 18)}\n", False, "error loading fact - {path} has more than 256 KiB"),
    "bytes": ("#!/bin/sh\nprintf '\\377'\n", True, 'error loading fact - output of running "{path}" was not utf-8'),
    "stdin": ("#!/bin/sh\ncat\necho 1\n", True, 1),
}


@pytest.mark.parametrize("name", LOCAL)
def test_local_facts(name: str, posix: ActionHost, tmp_path: Path) -> None:
    text, program, expected = LOCAL[name]
    path = tmp_path / f"{name}.fact"
    path.write_text(text)
    path.chmod(0o755 if program else 0o644)
    (tmp_path / "not.txt").write_text("{}")
    result = posix("setup", gather_subset=["!all", "!min", "local"], fact_path=HostPath(str(tmp_path)))
    if isinstance(expected, str):
        expected = expected.replace("{path}", str(path))
    assert result.facts["ansible_local"] == {name: expected}
    assert bool(result.values.get("warnings")) is (isinstance(expected, str) and name != "with space")


def test_a_pipe_is_not_waited_for(posix: ActionHost, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.fact")
    result = posix("setup", gather_subset=["!all", "!min", "local"], fact_path=HostPath(str(tmp_path)))
    assert "it isn't a file" in result.facts["ansible_local"]["pipe"]


def test_a_local_fact_that_never_ends(posix: ActionHost, tmp_path: Path) -> None:
    """It is given up, and those before and after it are there."""
    for name, text in {"a": "echo 1", "b": "sleep 77", "c": "echo 3"}.items():
        (tmp_path / f"{name}.fact").write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / f"{name}.fact").chmod(0o755)
    began = time.monotonic()
    arguments = {"gather_subset": ["!all", "!min", "local", "distribution"], "gather_timeout": 1}
    result = posix("setup", fact_path=HostPath(str(tmp_path)), **arguments)
    assert time.monotonic() - began < 20
    local = result.facts["ansible_local"]
    assert (local["a"], local["c"]) == (1, 3)
    assert "no answer within 1 s" in local["b"]
    assert result.values["warnings"] == [local["b"]]
    assert result.facts["ansible_distribution"]


# Hosts that misbehave.


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose files are asked for instead of the host's own."""
    directory = tmp_path / "root"
    write(directory, {"/etc/os-release": DISTRIBUTIONS["rocky9"]["files"]["/etc/os-release"], "/proc/mounts": ""})
    monkeypatch.setattr(setup, "ROOT", str(directory))
    return directory


def test_a_mount_that_hangs(root: Path, tmp_path: Path) -> None:
    lines = [f"/dev/{name} /{place} ext4 rw 0 0" for name, place in (("a", "tmp"), ("b", "hangs\\040there"), ("c", ""))]
    write(root, {"/proc/mounts": "\n".join([*lines, "proc /proc proc rw 0 0"])})
    fake = tmp_path / "bin/stat"
    write(tmp_path, {"/bin/stat": '#!/bin/sh\ncase $* in *hangs*) sleep 77 ;; esac\nexec /usr/bin/stat "$@"\n'})
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    host = local_host(environment={"PATH": f"{fake.parent}:{os.environ['PATH']}"})
    result = host("setup", gather_subset=["!all", "!min", "mounts"], gather_timeout=1)
    first, hung, last = result.facts["ansible_mounts"]
    assert [first["mount"], hung["mount"], last["mount"]] == ["/tmp", "/hangs there", "/"]
    assert hung["note"] == "Could not get extra information due to timeout"
    assert first["size_total"] > 0
    assert last["size_total"] > 0
    assert "within 1 s about: /hangs there" in result.values["warnings"][0]


def program(place: Path, name: str, lines: str) -> None:
    """A program that does these lines and then what the program of this name does elsewhere."""
    real = shutil.which(name)
    assert real is not None
    write(place, {f"/{name}": f'#!/bin/sh\n{lines}\nexec {real} "$@"\n'})
    (place / name).chmod(0o755)


def host_with(place: Path) -> ActionHost:
    return local_host(environment={"PATH": f"{place}:{os.environ['PATH']}"})


def test_mounts_that_change_meanwhile(root: Path, tmp_path: Path) -> None:
    """What a mount's sizes are is known by its place, in whichever line of which reading it stands."""
    there = "/dev/b / ext4 rw 0 0\n/dev/c /proc ext4 rw 0 0\n"
    write(root, {"/proc/mounts": f"/dev/a /tmp ext4 rw 0 0\n{there}", "/later": there})
    program(tmp_path / "bin", "ls", f"cp {root}/later {root}/proc/mounts")
    result = host_with(tmp_path / "bin")("setup", gather_subset=["!all", "!min", "mounts"])
    sizes = {mount["mount"]: mount.get("size_total") for mount in result.facts["ansible_mounts"]}
    assert sizes["/tmp"] is None
    assert sizes["/"] > 0
    assert sizes["/proc"] == 0


def test_a_mount_that_hangs_is_left_out_wherever_it_stands_then(root: Path, tmp_path: Path) -> None:
    lines = [f"/dev/{name} /{place} ext4 rw 0 0\n" for name, place in (("a", "tmp"), ("b", "hangs"), ("c", ""))]
    write(root, {"/proc/mounts": "".join(lines), "/later": "".join(["/dev/d /proc ext4 rw 0 0\n", *lines])})
    change = f"cp {root}/later {root}/new; mv {root}/new {root}/proc/mounts"
    program(tmp_path / "bin", "stat", f"case $* in *hangs*) {change}; sleep 77 ;; esac")
    host = host_with(tmp_path / "bin")
    result = host("setup", gather_subset=["!all", "!min", "mounts"], gather_timeout=1)
    sizes = {mount["mount"]: mount.get("size_total") for mount in result.facts["ansible_mounts"]}
    assert sizes.keys() == {"/tmp", "/hangs", "/"}
    assert sizes["/tmp"] > 0
    assert sizes["/hangs"] is None
    assert sizes["/"] > 0
    assert result.values["warnings"] == ["The host gave no answer within 1 s about: /hangs"]


def test_a_file_that_hangs(root: Path, tmp_path: Path) -> None:
    """It takes those of its group along, and no others."""
    write(root, {"/proc/modules": "kvm 1 0 - Live\n", "/sys/block/sda/size": "2048\n"})
    program(tmp_path / "bin", "head", "case $* in */proc/modules*) sleep 77 ;; esac")
    result = host_with(tmp_path / "bin")("setup", gather_subset=["hardware", "distribution"], gather_timeout=1)
    assert result.facts["ansible_distribution"] == "Rocky Linux"
    assert result.facts["ansible_devices"].keys() == {"sda"}
    assert result.values["warnings"] == ["The host gave no answer within 1 s about: hardware"]


def test_interfaces_with_a_dash(root: Path, tmp_path: Path) -> None:
    write(root, {"/sys/class/net/br-12ab/mtu": "1500\n"})
    write(tmp_path, {"/bin/ip": "#!/bin/sh\n"})
    (tmp_path / "bin/ip").chmod(0o755)
    facts = host_with(tmp_path / "bin")("setup", gather_subset=["!all", "!min", "network"]).facts
    assert facts["ansible_interfaces"] == ["br-12ab"]
    assert facts["ansible_br_12ab"] == {"device": "br-12ab", "mtu": 1500}
    assert not [name for name in facts if "-" in name]


def test_a_host_that_says_too_much() -> None:
    """More than a job can hold: what is there may end anywhere."""
    answer = Completed(code=0, stdout=b"\nword env\nTOKEN=hidden", cut=70)
    with pytest.raises(ActionFailed, match=r"said more about itself than a job can hold \(1 MiB\)"):
        play(load_plugins().actions["setup"], answers=[answer])


def test_what_a_host_says_of_itself_stands_in_no_message() -> None:
    answer = Completed(code=9, stdout=b"\nword env\nTOKEN=hidden")
    with pytest.raises(ActionFailed, match=r"exit code 9\). It said: nothing") as raised:
        play(load_plugins().actions["setup"], answers=[answer])
    assert "hidden" not in str(raised.value)


def test_files_with_anything_in_them(root: Path) -> None:
    (root / "etc/os-release").write_bytes(b'ID=x\nNAME="\xff\xfe $(id) {{ 1 }}\nVERSION_ID=7\n\x00' + b"A" * 3_000_000)
    write(root, {"/proc/sys/kernel/hostname": "a;$(touch x)`id` -x\n", "/proc/meminfo": "MemTotal: many\n\n"})
    write(root, {"/proc/cpuinfo": "processor\nprocessor : x\nsiblings : \n", "/proc/uptime": "soon"})
    write(root, {"/proc/mounts": "\n/dev/a\n", "/proc/loadavg": "low", "/proc/cmdline": "a='b"})
    found = facts_of(local_host())
    assert found["nodename"] == "a;$(touch x)`id` -x"
    assert "$(id) {{ 1 }}" in found["distribution"]
    assert "memtotal_mb" not in found
    assert found["mounts"] == []


def test_a_host_that_has_next_to_nothing(root: Path, tmp_path: Path) -> None:
    """No program that is asked for but ``head``, ``cat`` and ``ls``."""
    (tmp_path / "bin").mkdir()
    for name in ("head", "cat", "ls"):
        program = shutil.which(name)
        assert program is not None
        (tmp_path / "bin" / name).symlink_to(program)
    host = local_host(environment={"PATH": str(tmp_path / "bin")})
    result = host("setup", gather_subset=["all", "!python", "!network"])
    assert result.facts["ansible_distribution"] == "Rocky Linux"
    assert result.facts["ansible_pkg_mgr"] == "unknown"


def test_a_host_that_runs_no_script() -> None:
    host = local_host()
    host.adapt = lambda run: replace(run, text="echo no; exit 9")
    with pytest.raises(ActionFailed, match="exit code 9"):
        host("setup")


# Windows.

WINDOWS: dict[str, type | tuple[type, ...]] = {
    "architecture": str,
    "architecture2": str,
    "bios_version": (str, type(None)),
    "date_time": dict,
    "distribution": str,
    "distribution_major_version": str,
    "distribution_version": str,
    "domain": str,
    "env": dict,
    "fqdn": str,
    "hostname": str,
    "interfaces": list,
    "ip_addresses": list,
    "kernel": str,
    "lastboot": str,
    "machine_id": (str, type(None)),
    "memtotal_mb": (int, type(None)),
    "netbios_name": str,
    "nodename": str,
    "os_family": str,
    "os_name": str,
    "os_product_type": str,
    "owner_name": str,
    "powershell_version": int,
    "processor": list,
    "processor_count": int,
    "processor_vcpus": int,
    "product_name": (str, type(None)),
    "reboot_pending": bool,
    "system": str,
    "uptime_seconds": int,
    "user_dir": (str, type(None)),
    "user_id": str,
    "virtualization_role": str,
    "virtualization_type": str,
    "windows_domain": str,
    "windows_domain_member": bool,
    "windows_domain_role": str,
}


def test_windows(windows: ActionHost) -> None:
    found = facts_of(windows)
    assert len(windows.requests) == 1
    wrong = {name: found.get(name) for name, kind in WINDOWS.items() if not isinstance(found.get(name), kind)}
    assert wrong == {}
    assert WINDOWS.keys() <= found.keys()
    assert (found["os_family"], found["system"]) == ("Windows", "Win32NT")
    assert abs(int(found["date_time"]["epoch"]) - time.time()) < 60
    assert found["env"]["SystemRoot"].upper() == "C:\\WINDOWS"
    assert found["gather_subset"] == ["all"]


def test_subsets_of_windows(windows: ActionHost) -> None:
    found = facts_of(windows, gather_subset=["!all", "!min", "powershell_version"])
    assert found.keys() == {"powershell_version", "gather_subset", "module_setup"}
    assert "env" in facts_of(windows, gather_subset=["!all"], filter=["ansible_env"])


def test_local_facts_of_windows(windows: ActionHost, directory: tuple[str, Path]) -> None:
    name, place = directory
    (place / "plain.json").write_text('{"a": [1, {"b": "ü"}]}', encoding="utf-8")
    (place / "wrong.json").write_text("{")
    (place / "said.ps1").write_text("@{ here = @(1, 2); name = 'x' }")
    (place / "fails.ps1").write_text("throw 'no such thing'")
    (place / "hangs.ps1").write_text("Start-Sleep -Seconds 77")
    (place / "other.txt").write_text("x")
    result = windows("setup", gather_subset=["!all", "!min", "local"], fact_path=HostPath(name), gather_timeout=2)
    facts = {key: value for key, value in result.facts.items() if key.startswith("ansible_")}
    assert facts == {"ansible_plain": {"a": [1, {"b": "ü"}]}, "ansible_said": {"here": [1, 2], "name": "x"}}
    warnings = "\n".join(result.values["warnings"])
    assert "wrong.json holds no JSON" in warnings
    assert "no such thing" in warnings
    assert "hangs.ps1 gave no answer within 2 s" in warnings
