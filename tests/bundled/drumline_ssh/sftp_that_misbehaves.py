"""An SFTP server that does what its first argument says; run by a real sshd as its subsystem."""

from __future__ import annotations

import struct
import sys
import time

INIT, OPEN, READ, WRITE, FSTAT = 1, 3, 5, 6, 8
VERSION, STATUS, HANDLE, DATA, ATTRS = 2, 101, 102, 103, 105


def send(kind: int, payload: bytes, *, slowly: bool = False) -> None:
    packet = struct.pack(">IB", len(payload) + 1, kind) + payload
    for piece in (packet[i : i + 1] for i in range(len(packet))) if slowly else (packet,):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
        time.sleep(0.05 * slowly)


def text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def status(number: int, code: int, said: bytes = b"") -> None:
    send(STATUS, struct.pack(">II", number, code) + text(said) + text(b"en"))


def answer(mode: str, kind: int, number: int, data: bytes) -> None:
    if kind == OPEN:
        send(HANDLE, struct.pack(">I", number) + text(b"1"))
    elif kind == FSTAT:
        size = {"huge": 1 << 62, "unsized": 0}.get(mode, 10_000_000)
        send(ATTRS, struct.pack(">IIQ", number, 1, size))
    elif kind == READ:
        length = struct.unpack(">I", data[-4:])[0]
        if mode == "long":
            length *= 2
        send(DATA, struct.pack(">I", number) + text(bytes(length)), slowly=mode == "dribble")
    elif kind == WRITE and mode == "words":
        status(number, 4, b"\xff not UTF-8")
    else:
        status(number, 0)


def main(mode: str) -> None:
    asked = 0
    while head := sys.stdin.buffer.read(5):
        size, kind = struct.unpack(">IB", head)
        data = sys.stdin.buffer.read(size - 1)
        asked += 1
        if mode == "mute" or (mode == "stuck" and asked > 5):
            continue
        if kind == INIT:
            send(VERSION, struct.pack(">I", 3))
            continue
        number = struct.unpack(">I", data[:4])[0]
        while mode == "chatty" and kind in (READ, WRITE):
            status(999_999, 0)
        answer(mode, kind, number, data[4:])


main(sys.argv[1])
