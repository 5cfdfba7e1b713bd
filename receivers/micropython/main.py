"""Follows a box and prints what changes: python main.py HOST PORT [KEY]. On a board: run("192.168.1.20", 8080, key)."""

import select
import socket
import sys
import time

from receiver import Receiver
from websocket import WebSocket

PING_S = 4


def run(host, port, key="", path="/ws", show=print):
    road = socket.socket()
    road.connect(socket.getaddrinfo(host, port)[0][-1])
    line = WebSocket(road.sendall, f"{host}:{port}", path, key)
    screen = Receiver(line.send)
    poll, pinged, at = select.poll(), time.time(), screen.at
    poll.register(road, select.POLLIN)
    while True:
        if poll.poll(1000):
            piece = road.recv(1024)
            if not piece:
                raise OSError("the box closed the connection")
            for data in line.feed(piece):
                screen.feed(data)
        if line.open and time.time() - pinged >= PING_S:
            pinged = time.time()
            screen.send(0xF0, type="ping")
        if screen.at != at:
            at = screen.at
            show(at[1], screen.signals)


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
