# Runs under MicroPython: the receiver, and a record of what it read and sent. What is printed is JSON.
import binascii
import gc
import json

from receiver import Receiver
from websocket import WebSocket


class Watched(Receiver):
    def take(self, kind, body):
        fine = super().take(kind, body)
        seen.append([kind, body.decode()])
        return fine

    def draw(self, kind, key, size, body):
        seen.append([kind, hexed(body)])
        return super().draw(kind, key, size, body)


def hexed(data):
    return binascii.hexlify(data).decode()


def begin(limit, have=None):
    global screen, sent, seen
    sent, seen = [], []
    screen = Watched(lambda data: sent.append(hexed(data)), limit)
    if have is not None:
        screen.signals, screen.at = have["values"], (have["e"], have["v"])


def feed(data, size=0):
    raw, code = binascii.unhexlify(data), None
    sent.clear()
    seen.clear()
    try:
        for at in range(0, len(raw), size or len(raw)):
            screen.feed(raw[at : at + (size or len(raw))])
    except ValueError as error:
        code = str(error)
    told = {"error": code, "sent": sent, "seen": seen, "waits": len(screen.rest)}
    print(json.dumps(told | {"signals": screen.signals, "at": screen.at, "size": screen.size}))


def pixels():
    print(json.dumps(hexed(screen.pixels)))


def connect(path, key, limit):
    global screen, line, out
    out = []
    line = WebSocket(out.append, "box", path, key)
    screen = Receiver(line.send, limit)


def put(name, value):
    screen.send(0x40, type="set", values={name: value})
    tell()


def arrived(data):
    fault = None
    try:
        for payload in line.feed(binascii.unhexlify(data)):
            screen.feed(payload)
    except (OSError, ValueError) as error:
        fault = str(error)
    tell(fault)


def tell(fault=None):
    written = hexed(b"".join(out))
    out.clear()
    gc.collect()
    told = {"fault": fault, "out": written, "signals": screen.signals, "at": screen.at, "memory": gc.mem_alloc()}
    print(json.dumps(told))
