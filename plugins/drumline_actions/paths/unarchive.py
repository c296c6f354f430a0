"""``unarchive``: unpacks archives, of this machine, of the host or of a URL."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from msgspec.structs import replace

import drumline_actions
from drumline.plugin import (
    Action,
    ActionFailed,
    Argument,
    Call,
    Checks,
    Effect,
    HostPath,
    NeededFile,
    Request,
    Steps,
    Traits,
    Written,
)
from drumline.plugin.kit import (
    ATTRIBUTES,
    DECRYPT,
    Content,
    Script,
    ask,
    file_result,
    fill,
    ignored,
    labelled,
    local_content,
    mode_text,
    remove,
    temporaries,
)
from drumline_actions.network.web import WEB
from drumline_actions.verbs import OnWindows

_ON_WINDOWS = OnWindows(
    module="windows.archives",
    name="win_unzip",
    common=("src", "dest", "remote_src", "copy", "creates", "decrypt"),
)
_UNARCHIVE = Script.beside(__file__, "unarchive", needs=(WEB,))
_TEMPORARY = Script.beside(drumline_actions.__file__, "temporary")


def perform(call: Call) -> Steps:
    src, remote = call["src"], call["remote_src"] or not call["copy"]
    url = src if "://" in src else ""
    upload = None
    if not remote and not url:
        upload = yield from _upload(call)
    insecure = "" if call["validate_certs"] else "insecure"
    answer = yield from ask(
        call,
        _UNARCHIVE,
        main=True,
        most=8 << 20,
        src=upload or HostPath(src),
        url=url,
        drop_src=upload is not None,
        dest=call["dest"],
        creates=call["creates"],
        method="GET",
        curl=f"location\n{insecure}",
        wget="check_certificate = off" if insecure else "",
        extra=[str(option) for option in call["extra_opts"] or ()],
        **_chosen(call),
        **{name: call[name] for name in ("keep_newer", "list_files", "owner", "group")},
        mode=mode_text(call["mode"]),
    )
    skipped = bool(answer.pop("skipped", False))
    made = file_result(call, answer)
    values = {name: value for name, value in made.values.items() if name != "path"}
    if call["list_files"]:
        values.setdefault("files", [])
    return replace(made, skipped=skipped, values={"dest": call["dest"], "src": src, **values})


def _on_windows(call: Call) -> Steps:
    if "://" in call["src"]:
        raise ActionFailed("On Windows hosts src is no URL; bring the archive there with get_url first")
    if call["remote_src"] or not call["copy"]:
        return (yield from _ON_WINDOWS.perform(call, changed_only=True))
    upload = yield from _upload(call)
    try:
        result = yield from _ON_WINDOWS.perform(call, src=upload, changed_only=True, drop_src=True)
    except ActionFailed:  # it may not have begun, and so not have removed it
        yield from remove(call, upload)
        raise
    return replace(result, values={**result.values, "src": call["src"]})


def _chosen(call: Call) -> dict[str, Any]:
    """Names that are unpacked, and that aren't, as words of tar and unzip."""
    includes, excludes = [str(name) for name in call["include"] or ()], [str(name) for name in call["exclude"] or ()]
    for name in (*includes, *excludes):
        if name.split() != [name]:
            raise ActionFailed(f"include and exclude take names without white space, not {name!r}")
    return {
        "includes": " ".join(includes),
        "excluding": " ".join(f"--exclude={name}" for name in excludes),
        "zip_excluding": " ".join(["-x", *excludes]) if excludes else "",
    }


def _upload(call: Call) -> Generator[Request, Any, str]:
    content: Content = yield from local_content(call, call.find_file(call["src"], "files"))
    answer = yield from ask(call, _TEMPORARY, **temporaries())
    temporary: str = answer["upload"]
    yield from fill(call, content, temporary)
    return temporary


def _files(written: Written) -> Iterator[NeededFile]:
    known = written.arguments
    elsewhere = known.get("remote_src") or known.get("copy") is False or {"remote_src", "copy"} & {*written.open}
    if "src" in known and not elsewhere and "://" not in known["src"]:
        yield "src", known["src"], "files"


ACTIONS = (
    _ON_WINDOWS.joined(
        Action(
            name="unarchive",
            perform=labelled(perform),
            checks=Checks.FULLY,
            traits=Traits(effect=Effect.FILES),
            help="Unpack an archive on the host: tar in all compressions, or zip",
            arguments=(
                Argument(name="src", required=True, help="Archive here or, with remote_src, on the host; or a URL"),
                Argument(name="dest", type=HostPath, required=True, help="Directory on the host, which is there"),
                Argument(name="remote_src", type=bool, default=False, help="src is on the host"),
                Argument(name="copy", type=bool, default=True, help="src is on this machine; false means remote_src"),
                Argument(name="creates", type=HostPath, help="Path on the host: if it exists, nothing is unpacked"),
                Argument(name="include", type=list, help="Only these names"),
                Argument(name="exclude", type=list, help="All but these names"),
                Argument(name="keep_newer", type=bool, default=False, help="Leave files that are newer on the host"),
                Argument(name="list_files", type=bool, default=False, help="Return the names in the archive as files"),
                Argument(name="extra_opts", type=list, default=[], help="More options of tar or unzip"),
                Argument(
                    name="validate_certs", type=bool, default=True, help="Check the certificate of a URL's server"
                ),
                DECRYPT,
                *ignored("io_buffer_size"),
                *ATTRIBUTES,
            ),
            exclusive=(("include", "exclude"),),
            files=_files,
        ),
        _on_windows,
    ),
)
