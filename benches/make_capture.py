#!/usr/bin/env python3
"""Writes a capture of MQTT packets, for measurements: make_capture.py FILE [PACKETS]

A hundred connections take turns: each publishes 52 bytes at QoS 1, and is acknowledged. Standard library only."""
import struct
import sys

CONNECTIONS = 100
CLIENT, SERVER = bytes([10, 0, 1, 1]), bytes([10, 0, 0, 1])


def frame(client_port, is_client, sequence, acknowledgment, payload):
    ends, ports = ((CLIENT, SERVER), (client_port, 1883)) if is_client else ((SERVER, CLIENT), (1883, client_port))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(payload), 0, 0x4000, 64, 6, 0) + ends[0] + ends[1]
    tcp = struct.pack(">HHIIBBHHH", *ports, sequence & 0xFFFFFFFF, acknowledgment & 0xFFFFFFFF, 0x50, 0x18, 0xFFFF, 0, 0)
    return bytes(12) + b"\x08\x00" + ip + tcp + payload


def main(path, packets=1_000_000):
    sent = [[0, 0] for _ in range(CONNECTIONS)]
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1))
        for number in range(packets):
            connection, is_client = number // 2 % CONNECTIONS, number % 2 == 0
            turn = number // 2 // CONNECTIONS % 0xFFFF
            identifier = struct.pack(">H", turn)
            if turn == 0 and number // 2 // CONNECTIONS == 0:
                connect = b"\x10\x0f\x00\x04MQTT\x04\x02\x00\x3c\x00\x03%03d" % connection
                payload = connect if is_client else b"\x20\x02\x00\x00"
            else:
                identifier = struct.pack(">H", turn or 0xFFFF)
                publish = b"\x32\x4a\x00\x14house/floor/room/tmp" + identifier + b"x" * 50
                payload = publish if is_client else b"\x40\x02" + identifier
            client, server = sent[connection]
            ends = (client, server) if is_client else (server, client)
            data = frame(20_000 + connection, is_client, *ends, payload)
            out.write(struct.pack("<IIII", number // 100_000, number % 100_000 * 10, len(data), len(data)) + data)
            sent[connection][0 if is_client else 1] += len(payload)


if __name__ == "__main__":
    main(sys.argv[1], *(int(word) for word in sys.argv[2:3]))
