"""A WebSocket (RFC 6455) without a socket: bytes in, bytes out. What it carries is one stream of bytes."""

import binascii
import random

BINARY, CLOSE, PING, PONG = 2, 8, 9, 10


def noise(n):
    return bytes(random.getrandbits(8) for _ in range(n))


class WebSocket:
    def __init__(self, write, host, path="/ws", key=""):  # write(bytes) goes to the socket; key is the box's, if any
        self.write, self.rest, self.open, self.left = write, b"", False, 0
        nonce = binascii.b2a_base64(noise(16)).decode().strip()
        asks = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
        asks += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {nonce}"]
        asks += [f"Authorization: Bearer {key}"] if key else []
        write(("\r\n".join(asks) + "\r\n\r\n").encode())

    def send(self, data, kind=BINARY):
        size = len(data)
        long = b"" if size < 126 else size.to_bytes(2 if size < 65536 else 8, "big")
        mask = noise(4)
        head = bytes((0x80 | kind, 0x80 | {0: size, 2: 126, 8: 127}[len(long)])) + long + mask
        self.write(head + bytes(data[i] ^ mask[i & 3] for i in range(size)))

    def feed(self, piece):  # yields what came over it; OSError where it was refused or closed
        self.rest += piece
        if not self.open:
            head, end, rest = self.rest.partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise OSError(head.split(b"\r\n")[0])
            self.open, self.rest = True, rest
        while self.left or len(self.rest) >= 2:
            if self.left:  # in the middle of a frame: passed on as it comes, so that a large one takes no memory here
                if not self.rest:
                    return
                data, self.rest = self.rest[: self.left], self.rest[self.left :]
                self.left -= len(data)
                yield data
                continue
            kind, size = self.rest[0] & 15, self.rest[1] & 127
            at = {126: 4, 127: 10}.get(size, 2)
            if len(self.rest) < at + (size if kind >= CLOSE else 0):
                return
            size = int.from_bytes(self.rest[2:at], "big") if at > 2 else size
            if kind < CLOSE:
                self.left, self.rest = size, self.rest[at:]
                continue
            data, self.rest = self.rest[at : at + size], self.rest[at + size :]
            if kind == CLOSE:
                raise OSError(data)
            if kind == PING:
                self.send(data, PONG)
