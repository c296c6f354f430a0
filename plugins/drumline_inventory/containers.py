"""Containers of Docker or Podman, as their program or their socket says."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from drumline.plugin import Argument, InventorySource, Position, SourceCall, SourceData, SourceUnavailable
from drumline_inventory.constructed import OPTIONS, safe_name
from drumline_inventory.rows import with_constructed
from drumline_inventory.script import run
from drumline_inventory.web import LARGEST

_ENGINES = ("docker", "podman")


def _read(call: SourceCall) -> SourceData:
    engine = call["engine"] or (call.plugin if call.plugin in _ENGINES else "docker")
    containers = list(_by_socket(call) if call["socket"] else _by_program(call, engine))
    hosts: dict[str, dict[str, Any]] = {}
    members: dict[str, dict[str, None]] = {}
    places: dict[str, Position] = {}
    for container in containers:
        name = str(container.get("Name", "")).lstrip("/") or str(container.get("Id", ""))[:12]
        hosts[name] = _variables(container)
        places[name] = Position(f"{engine}: {name}", 0)
        for group in _groups(container, engine):
            members.setdefault(group, {})[name] = None
    data = SourceData(hosts=hosts, members=dict(members.items()), places=places, trusted=False)
    return with_constructed(call, data)


def _by_program(call: SourceCall, engine: str) -> Iterator[dict[str, Any]]:
    program = shutil.which(engine)
    if program is None:
        raise SourceUnavailable(f"The program '{engine}' isn't installed. Install it, or name its socket: socket.")
    every = ["--all"] if call["stopped"] else []
    listed = run(f"{engine} ps", [program, "ps", "--quiet", "--no-trunc", *every], call).decode().split()
    if listed:
        text = run(f"{engine} inspect", [program, "inspect", "--type", "container", *listed], call)
        yield from _objects(f"{engine} inspect", text)


def _objects(asked: str, text: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SourceUnavailable(f"{asked}: its answer isn't JSON: {error}.") from None
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise SourceUnavailable(f"{asked}: its answer isn't a list of objects.")
    return found


class _Socket(HTTPConnection):
    """HTTP by a socket of this machine."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _by_socket(call: SourceCall) -> Iterator[dict[str, Any]]:
    every = urlencode({"all": "true"} if call["stopped"] else {})
    for listed in _objects("the list of containers", _asked(call, f"/containers/json?{every}")):
        text = _asked(call, f"/containers/{quote(str(listed.get('Id', '')))}/json")
        yield from _objects("a container", b"[" + text + b"]")


def _asked(call: SourceCall, path: str) -> bytes:
    where = str(Path(call["socket"]).expanduser()).removeprefix("unix:")
    connection = _Socket(where, call.timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(LARGEST + 1)
    except (OSError, HTTPException) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceUnavailable(f"{where} doesn't answer: {said}.") from None
    finally:
        connection.close()
    if response.status != 200:
        raise SourceUnavailable(f"{where} answers {response.status} {response.reason} to {path}.")
    return body


def _variables(container: dict[str, Any]) -> dict[str, Any]:
    config = container.get("Config") or {}
    state = container.get("State") or {}
    address = _address(container.get("NetworkSettings") or {})
    return {
        **({"ansible_host": address} if address else {}),
        "container_id": container.get("Id"),
        "container_image": config.get("Image"),
        "container_state": state.get("Status") or ("running" if state.get("Running") else "exited"),
        "container_labels": config.get("Labels") or {},
        "container_ports": (container.get("NetworkSettings") or {}).get("Ports") or {},
    }


def _address(settings: dict[str, Any]) -> str | None:
    networks = settings.get("Networks") or {}
    found = [settings.get("IPAddress"), *(network.get("IPAddress") for network in networks.values())]
    return next((address for address in found if address), None)


def _groups(container: dict[str, Any], engine: str) -> Iterator[str]:
    config = container.get("Config") or {}
    yield engine
    image = str(config.get("Image") or "").rpartition("/")[2].partition("@")[0].partition(":")[0]
    if image:
        yield safe_name(f"image_{image}")
    labels = config.get("Labels") or {}
    for label, prefix in (("com.docker.compose.project", "project"), ("com.docker.compose.service", "service")):
        if labels.get(label):
            yield safe_name(f"{prefix}_{labels[label]}")


SOURCE = InventorySource(
    name="docker",
    aliases=("podman",),
    read=_read,
    waits=True,
    raw=("compose", "groups", "keyed_groups"),
    options=(
        Argument(name="engine", choices=_ENGINES, help="Which of them; by default what `plugin:` says."),
        Argument(name="socket", help="A socket to ask in place of the program, such as `/var/run/docker.sock`."),
        Argument(name="stopped", type=bool, default=False, help="Whether containers that don't run are hosts, too."),
        *OPTIONS,
    ),
)
