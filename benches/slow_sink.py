"""An MQTT 3.1.1 peer that acknowledges each QoS 1 message after a fixed time. Prints its port.

    slow_sink.py MILLISECONDS
"""
import asyncio
import sys


async def packet(reader):
    kind = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128 or shift > 21:
            break
    return kind, await reader.readexactly(length)


async def serve(reader, writer):
    loop = asyncio.get_running_loop()
    try:
        while True:
            kind, body = await packet(reader)
            if kind >> 4 == 1:
                is_v5 = body[6] == 5
                writer.write(b"\x20\x03\x00\x00\x00" if is_v5 else b"\x20\x02\x00\x00")
            elif kind >> 4 == 3 and kind & 6:
                arrived = loop.time()
                end = 2 + int.from_bytes(body[:2], "big")
                await asyncio.sleep(arrived + SERVICE_TIME - loop.time())
                writer.write(b"\x40\x02" + body[end:end + 2])
            elif kind >> 4 == 14:
                break
    except (asyncio.IncompleteReadError, ConnectionError, IndexError):
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


SERVICE_TIME = float(sys.argv[1]) / 1000
asyncio.run(main())
