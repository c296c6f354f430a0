"""Instances of AWS EC2 as hosts: an inventory source for ``plugins/``. It needs botocore.

::

    # inventory/ec2.yml
    plugin: ec2
    regions: [eu-central-1]
    filters: {"tag:team": shop}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData, SourceUnavailable, hookimpl


def read(call: SourceCall) -> SourceData:
    """Ask every region."""
    hosts: dict[str, Mapping[str, Any]] = {}
    members: dict[str, list[str]] = {}
    places: dict[str, Position] = {}
    for region in call["regions"]:
        for instance in instances(call, region):
            tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
            name = tags.get("Name") or instance["InstanceId"]
            address = instance.get("PublicIpAddress") or instance.get("PrivateIpAddress")
            hosts[name] = {"ansible_host": address, "instance_id": instance["InstanceId"], "tags": tags}
            places[name] = Position(f"{region}: {instance['InstanceId']}", 0)
            members.setdefault(f"region_{region.replace('-', '_')}", []).append(name)
    # Whoever may tag an instance isn't who runs playbooks: tags are no templates.
    return SourceData(hosts=hosts, members=members, places=places, trusted=False)


def instances(call: SourceCall, region: str) -> Iterator[Mapping[str, Any]]:
    """Those that run, page by page."""
    from botocore.exceptions import BotoCoreError, ClientError

    chosen = [{"Name": name, "Values": [value]} for name, value in call["filters"].items()]
    try:
        pages = (
            client(region)
            .get_paginator("describe_instances")
            .paginate(Filters=[{"Name": "instance-state-name", "Values": ["running"]}, *chosen])
        )
        for page in pages:
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]
    except (BotoCoreError, ClientError) as error:
        raise SourceUnavailable(f"EC2 in {region} doesn't answer: {error}.") from None


def client(region: str) -> Any:
    """EC2 in one region, with the credentials of this user."""
    import botocore.session

    return botocore.session.get_session().create_client("ec2", region_name=region)


@hookimpl
def drumline_inventory_sources() -> list[InventorySource]:
    """The source ``ec2``."""
    return [
        InventorySource(
            name="ec2",
            read=read,
            waits=True,
            options=(
                Argument(name="regions", type=list, required=True, help="Where to ask."),
                Argument(name="filters", type=dict, default={}, help="Which instances, as EC2 calls it."),
            ),
        )
    ]
