# A receiver of bitstream 1 for microcontrollers; what the bytes mean is in docs/reference/bitstream.md.
import json
import struct


class Receiver:
    def __init__(self, write, limit=32768):  # write(bytes) goes to the box; limit: bytes of a payload, or a picture
        self.write, self.limit, self.rest = write, limit, b""
        self.signals, self.at, self.size, self.pixels = {}, (None, None), (0, 0), bytearray()

    def send(self, kind, **said):  # 0xF0 is CONTROL, 0x40 INPUT
        body = json.dumps(said).encode()
        self.write(struct.pack("<BBHIHHI", kind, kind == 0x40, 0, 0, 0, 0, len(body)) + body)

    def feed(self, piece):  # any piece of what the box sends; ValueError with a code: close, and connect again
        self.rest += piece
        while len(self.rest) >= 16:
            kind, flags, _, _, width, height, length = struct.unpack("<BBHIHHI", self.rest[:16])
            if flags > 7 or max(length, width * height * 4 if kind in (1, 2) else 0) > self.limit:
                raise ValueError("SIG301" if flags > 7 else "SIG302")
            if len(self.rest) < 16 + length:
                return
            body, self.rest = self.rest[16 : 16 + length], self.rest[16 + length :]
            if kind in (1, 2, 0x30, 0x31, 0xF0):  # others are skipped by their length
                if flags & 4:
                    raise ValueError("SIG304")  # it inflates nothing: the box sends it nothing deflated
                if not (self.draw(kind, flags & 2, (width, height), body) if kind < 3 else self.take(kind, body)):
                    self.send(0xF0, type="need_sync")

    def take(self, kind, body):  # SYNC, DIFF or CONTROL; False where the whole state is needed
        try:
            said, head = json.loads(body), json.loads(body).pop("$", {})
        except (ValueError, AttributeError, TypeError):
            raise ValueError("SIG303") from None
        if kind == 0xF0:
            if said.get("type") == "hello":
                self.send(0xF0, type="subscribe", stream="main", e=self.at[0], v=self.at[1])
            elif said.get("type") == "ping":
                self.send(0xF0, type="pong", t=said.get("t"))
            return said.get("type") != "gap"
        if kind == 0x31 and (head.get("e"), head.get("b")) != self.at:
            return False
        for name in list(self.signals) if kind == 0x30 else head.get("del", ()):
            self.signals.pop(name, None)
        self.signals.update({name: value for name, value in said.items() if name != "$"})
        self.at = head.get("e"), head.get("v")
        return True

    def draw(self, kind, key, size, body, i=0, at=0):  # PIXELS, or in place what PIXELS_DELTA changes; False as above
        if kind == 1 or key:
            self.size, self.pixels = size, bytearray(body if kind == 1 else 4 * size[0] * size[1])
        fits = size == self.size and 0 < len(self.pixels) == 4 * size[0] * size[1]
        while kind == 2 and fits and i + 1 < len(body):
            op, n, i = body[i + 1] >> 6, 4 * (body[i] | (body[i + 1] & 63) << 8), i + 2
            data = (0, 4, n, 0)[op]
            fits = 0 < n <= len(self.pixels) - at and op < 3 and i + data <= len(body)
            for k in range(n if op and fits else 0):
                self.pixels[at + k] ^= body[i + (k & 3 if op == 1 else k)]
            at, i = at + n, i + data
        return fits and (kind == 1 or i == len(body))
