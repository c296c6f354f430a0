"""``filesystem``, ``parted``, ``lvg`` and ``lvol`` on loop devices, or on files that stand for disks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.checking import checked
from support.compared import Reference, Use
from support.needs import need

from drumline.plugin import ActionFailed
from drumline.testing import ActionHost

MIB = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A file that stands for a disk."""
    path = tmp_path / "disk"
    path.touch()
    os.truncate(path, 64 * MIB)
    return path


def test_file_systems(disposable: ActionHost, disk: Path) -> None:
    need("mkfs.ext4", "blkid", "wipefs", "mkswap")
    assert checked(disposable, "filesystem", dev=str(disk), fstype="ext4")
    assert not checked(disposable, "filesystem", dev=str(disk), state="absent")
    uuid = "0ab4c8d2-0000-4000-8000-000000000001"
    disposable.twice("filesystem", dev=str(disk), fstype="ext4", opts="-L shop -m 1", uuid=uuid)
    disposable.run(f"blkid -o value -s UUID {disk} | grep -qx {uuid} && blkid -o value -s LABEL {disk} | grep -qx shop")
    with pytest.raises(ActionFailed, match="already used as ext4"):
        disposable("filesystem", dev=str(disk), fstype="swap")
    os.truncate(disk, 80 * MIB)
    assert not disposable("filesystem", dev=str(disk), fstype="ext4").changed
    assert checked(disposable, "filesystem", dev=str(disk), fstype="ext4", resizefs=True)
    disposable.twice("filesystem", dev=str(disk), fstype="ext4", resizefs=True)
    assert not disposable("filesystem", dev=str(disk), fstype="ext4", resizefs=True, force=True).changed
    disposable.run(f"blkid -o value -s UUID {disk} | grep -qx {uuid}")
    assert disposable("filesystem", dev=str(disk), fstype="swap", force=True).changed
    with pytest.raises(ActionFailed, match="does not support resizing swap"):
        disposable("filesystem", dev=str(disk), fstype="swap", resizefs=True)
    disposable.twice("filesystem", dev=str(disk), state="absent")
    assert not disposable("filesystem", dev="/dev/nowhere", state="absent").changed
    with pytest.raises(ActionFailed, match="not found"):
        disposable("filesystem", dev="/dev/nowhere", fstype="ext4")


@pytest.mark.parametrize(("kind", "megabytes"), [("xfs", 320), ("btrfs", 128), ("vfat", 64)])
def test_other_file_systems(disposable: ActionHost, disk: Path, kind: str, megabytes: int) -> None:
    need(f"mkfs.{kind}")
    os.truncate(disk, megabytes * MIB)
    disposable.twice("filesystem", dev=str(disk), fstype=kind)
    disposable.run(f"blkid -o value -s TYPE {disk} | grep -qx {kind}")


def test_partitions(disposable: ActionHost, disk: Path) -> None:
    need("parted")
    first = {"device": str(disk), "number": 1, "state": "present", "part_end": "10MiB", "flags": ["lvm"]}
    assert disposable("parted", device=str(disk)).values["disk"]["table"] == "unknown"
    assert checked(disposable, "parted", **first)
    made = disposable.twice("parted", **first)
    assert [(one["num"], one["end"], one["flags"]) for one in made.values["partitions"]] == [(1, 10240.0, ["lvm"])]
    assert len(disposable.requests) == 1
    disposable.twice("parted", **{**first, "flags": ["boot"]})
    disposable.twice("parted", device=str(disk), number=1, label="gpt", name="efi", state="present", flags=["esp"])
    disposable.run(f"parted -s -m {disk} print | grep -q esp")
    disposable.run(f"parted -s {disk} mklabel msdos mkpart primary 1MiB 10MiB set 1 boot on")
    disposable.twice("parted", **{**first, "part_end": "20MiB", "flags": ["boot"]}, resize=True)
    second = {"device": str(disk), "number": 2, "state": "present", "part_start": "20MiB", "fs_type": "ext4"}
    disposable.twice("parted", **second)
    disposable.twice("parted", device=str(disk), number=2, state="absent")
    gpt = {"device": str(disk), "number": 1, "state": "present", "label": "gpt", "name": "the shop"}
    made = disposable.twice("parted", **gpt)
    assert made.values["disk"]["table"] == "gpt"
    assert made.values["partitions"][0]["name"] == "the shop"
    with pytest.raises(ActionFailed, match="not found"):
        disposable("parted", device="/dev/nowhere")
    with pytest.raises(ActionFailed, match="needs 'number'"):
        disposable("parted", device=str(disk), state="present")


@pytest.fixture
def loops(disposable: ActionHost, tmp_path: Path) -> Iterator[list[str]]:
    """Two loop devices; LVM sees them alone, and keeps what it is told without the kernel's part in it."""
    need("losetup", "vgcreate")
    devices = []
    for number in (1, 2):
        path = tmp_path / f"disk{number}"
        path.touch()
        os.truncate(path, 64 * MIB)
        done = subprocess.run(["losetup", "--find", "--show", path], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"there are no loop devices: {done.stderr.strip()}")
        devices.append(done.stdout.strip())
    filters = ", ".join(f'"a|^{device}$|"' for device in devices)
    settings = f'global {{ activation = 0 }}\\ndevices {{ filter = [ {filters}, "r|.*|" ] use_devicesfile = 0 }}\\n'
    try:
        disposable.run(f"mkdir -p /etc/lvm && printf '{settings}' >/etc/lvm/lvm.conf")
        yield devices
    finally:
        for device in devices:
            subprocess.run(["losetup", "--detach", device], check=True)


def test_groups_and_volumes(disposable: ActionHost, loops: list[str]) -> None:
    one, other = loops
    assert checked(disposable, "lvg", vg="shop", pvs=[one])
    disposable.run("! vgs shop")
    disposable.twice("lvg", vg="shop", pvs=[one], pesize="1")
    disposable.run("vgs --noheadings -o vg_extent_size shop | grep -q 1.00m")
    disposable.twice("lvg", vg="shop", pvs=[one, other])
    assert not disposable("lvg", vg="shop", pvs=[one], remove_extra_pvs=False).changed
    disposable.twice("lvg", vg="shop", pvs=[one])
    assert disposable("lvg", vg="shop", reset_vg_uuid=True).changed
    # Without the kernel's part volumes are kept, and none can be used.
    data = {"vg": "shop", "lv": "data", "active": False, "opts": "-Zn -Wn"}
    assert checked(disposable, "lvol", **data, size="8")
    disposable.twice("lvol", **data, size="8")
    disposable.run("lvs --noheadings --units m -o lv_size shop/data | grep -q 8.00m")
    disposable.twice("lvol", **data, size="50%VG")
    disposable.run("lvs --noheadings --units m -o lv_size shop/data | grep -q 31.00m")
    assert disposable("lvol", **data, size="+4m").changed
    assert not disposable("lvol", **data, size="8", shrink=False).changed
    with pytest.raises(ActionFailed, match="no shrinking of data"):
        disposable("lvol", **data, size="8")
    disposable.twice("lvol", **data, size="8", force=True)
    disposable.twice("lvol", **data, size="100%FREE")
    with pytest.raises(ActionFailed, match="non-empty volume group"):
        disposable("lvg", vg="shop", state="absent")
    with pytest.raises(ActionFailed, match="no removal of logical volume"):
        disposable("lvol", vg="shop", lv="data", state="absent")
    disposable.twice("lvol", vg="shop", lv="data", state="absent", force=True)
    disposable.twice("lvg", vg="shop", state="absent")
    with pytest.raises(ActionFailed, match="does not exist"):
        disposable("lvol", **data, size="8")
    with pytest.raises(ActionFailed, match="Bad size"):
        disposable("lvol", **data, size="much")


@pytest.mark.ansible
def test_disks_as_the_reference(disposable_reference: Reference, disk: Path) -> None:
    need("parted", "mkfs.ext4")
    uses = (
        Use("community.general.parted", {"device": str(disk)}),
        Use("community.general.parted", {"device": str(disk), "number": 1, "state": "present", "part_end": "20MiB"}),
        Use(
            "community.general.parted",
            {"device": str(disk), "number": 1, "state": "present", "label": "gpt", "name": "a b", "flags": ["boot"]},
        ),
        Use("community.general.filesystem", {"dev": str(disk), "fstype": "ext4"}),
        Use("community.general.filesystem", {"dev": str(disk), "state": "absent"}),
    )
    host = disposable_reference.host
    for use in uses:
        host.run(f"dd if=/dev/zero of={disk} bs=1M count=64 2>/dev/null")
        theirs = disposable_reference.both(use)[1]
        host.run(f"dd if=/dev/zero of={disk} bs=1M count=64 2>/dev/null")
        ours = host(use.name.rpartition(".")[2], **use.arguments)
        assert ours.changed == theirs["changed"], use
        for name in ("disk", "partitions"):
            assert ours.values.get(name) == theirs.get(name), use
