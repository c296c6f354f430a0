"""Transport `through`: hosts on which a program of this machine starts commands, such as `docker exec -i web1`."""

import hashlib
import shlex
from pathlib import Path

from drumline.plugin import Language, Option, OptionInvalid, Platform, Run, TransferFailed, hookimpl
from drumline.plugin.posix import shell_script
from drumline_local.transport import LocalTransport


@hookimpl
def drumline_transports():
    return [Through()]


class Through:
    name = "through"
    options = (Option(name="program", variables=("through_program",), help="What starts a command on the host."),)

    def platform(self, target):
        return Platform.POSIX

    def connect(self, target):
        if not target["program"]:
            raise OptionInvalid("No program to go through", f"Set drumline_through_program for '{target.host}'.")
        return Connection(target["program"], LocalTransport().connect(target))


class Connection:
    def __init__(self, program, local):
        self.program, self.local, self.close = program, local, local.close

    def open_session(self):
        return Session(self.program, self.local.open_session())


class Session:
    def __init__(self, program, local):
        self.program, self.local, self.interrupt, self.close = program, local, local.interrupt, local.close

    def run(self, request, emit):
        # The script comes ahead of the command's own input: arguments are limited, and everyone may read them.
        script = shell_script(request).encode(errors="surrogateescape")
        reader = shlex.quote(f'eval "$(dd bs=1 count={len(script)} 2>/dev/null)"')
        text = f"exec {self.program} sh -c {reader}"
        local = Run(language=Language.SH, text=text, stdin=script + request.stdin, timeout=request.timeout)
        return self.local.run(local, emit)

    def put(self, request):
        data = request.source if isinstance(request.source, bytes) else Path(request.source).read_bytes()
        lines = [
            f"d={shlex.quote(request.destination)}",
            '[ ! -d "$d" ] && t=$(mktemp "$d.XXXXXX") || exit',
            "trap 'rm -f -- \"$t\"' EXIT",
            f'cat >"$t" && [ "$(sha256sum <"$t")" = "{hashlib.sha256(data).hexdigest()}  -" ] || exit',
            f'chmod {0o644 if request.mode is None else request.mode:o} "$t" && mv -f -- "$t" "$d"',
        ]
        self.transfer("\n".join(lines), request.destination, data)

    def get(self, request):
        request.destination.write_bytes(self.transfer(f"cat <{shlex.quote(request.source)}", request.source))

    def transfer(self, text, place, stdin=b""):
        said = {"stdout": bytearray(), "stderr": bytearray()}
        request = Run(language=Language.SH, text=text, stdin=stdin)
        if self.run(request, lambda stream, data: said[stream].extend(data)).code != 0:
            raise TransferFailed("The file can't be transferred", f"{place}: {said['stderr'].decode(errors='replace')}")
        return said["stdout"]
