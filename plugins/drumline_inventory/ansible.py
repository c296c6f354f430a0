"""What Ansible itself makes of an inventory, where ansible-core is installed: for its plugins that drumline hasn't."""

from __future__ import annotations

import os
import shutil
import sys

from msgspec.structs import replace

from drumline.plugin import Argument, InventorySource, SourceCall, SourceData, SourceUnavailable
from drumline_inventory.script import data_of, json_object, run

_PROGRAM = "ansible-inventory"
#: The setting that names the program, if it isn't where programs are.
_VARIABLE = "DRUMLINE_ANSIBLE_INVENTORY"


def find_program() -> str | None:
    """Where the program is: named by the environment, beside this Python, or where programs are."""
    named = os.environ.get(_VARIABLE)
    beside = os.path.join(os.path.dirname(sys.executable), _PROGRAM)
    return named or (beside if os.access(beside, os.X_OK) else shutil.which(_PROGRAM))


def _read(call: SourceCall) -> SourceData:
    program = find_program()
    if program is None:
        detail = f"It asks {_PROGRAM}, which isn't installed. Install ansible-core, or name the program: {_VARIABLE}."
        raise SourceUnavailable(detail)
    source = call.source
    if call.plugin == SOURCE.name:
        if not call["source"]:
            call.refuse("Ansible needs a source", "Name the inventory to ask Ansible about: source.")
        source = str(call.file("source"))
    said = f"{_PROGRAM} -i {source} --list --export"
    # Its warnings would stand among what a failure shows.
    environment = {
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
    }
    output = run(said, [program, "-i", source, "--list", "--export"], call, environment)
    groups = json_object(said, output)
    data = data_of(said, groups, lambda hosts: {host: {} for host in hosts})
    return replace(data, warnings=(f"'{call.plugin}' of {call.source} was read by Ansible: {said}.",))


SOURCE = InventorySource(
    name="ansible",
    read=_read,
    waits=True,
    # What a file for a plugin of Ansible's says is Ansible's to read.
    open_options=True,
    options=(Argument(name="source", help="The inventory to ask Ansible about, relative to this file."),),
)
