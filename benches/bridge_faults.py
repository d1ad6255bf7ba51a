#!/usr/bin/env python3
"""Counts the messages that a bridge loses and doubles during faults: `mq bridge` beside mosquitto's own bridge.

    benches/bridge_faults.py [--messages N] [--rate N] [--qos 0,1,2] [--faults NAME,...] [--bridges mq,mosquitto]

Needs a release build (or MQ=PATH), mosquitto, and python3. A run publishes N messages at a rate to the source broker; five faults
happen meanwhile. A line has the bridge, fault, QoS, lost messages, those among them that the target broker had completed (PUBACK or
PUBCOMP) or only received (PUBREC), those of QoS 0 that the bridge had sent to the target and those of them that it sent while the
subscriber had no connection to the target, doubled messages, and seconds. Nothing but the forwarder differs: mosquitto's own bridge is the source broker itself, so a kill of
the forwarder kills that broker, which saves its state every second.
"""
import argparse
import asyncio
import collections
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MQ = os.environ.get("MQ", str(ROOT / "target/release/mq"))
MOSQUITTO = os.environ.get("MOSQUITTO") or shutil.which("mosquitto") or "/usr/sbin/mosquitto"

# The faults of a run, and the seconds that one lasts.
FAULTS = ["none", "cut-source", "cut-target", "stall-target", "refuse-target", "restart-target", "kill-target", "kill-bridge", "kill-while-stalled"]
TIMES = 5
LASTS = 3.0
# A run ends when nothing has arrived for this time.
QUIET = 60.0

CONNACK, PUBLISH, PUBACK, PUBREC, PUBCOMP = 2, 3, 4, 5, 7


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def packets(buffer):
    """Takes the whole packets out of a buffer."""
    while len(buffer) >= 2:
        length, shift, at = 0, 0, 1
        while True:
            if at >= len(buffer):
                return
            byte = buffer[at]
            length |= (byte & 127) << shift
            shift += 7
            at += 1
            if byte < 128:
                break
        if len(buffer) < at + length:
            return
        yield buffer[0], bytes(buffer[at:at + length])
        del buffer[:at + length]


class Witness:
    """Reads the packets between a bridge and the target, and notes the messages that the target acknowledged, and when those of QoS 0
    were sent."""

    def __init__(self):
        self.completed, self.received = set(), set()
        self.sent_at = {}
        self.version = 4
        self.by_id = {}

    def ended(self):
        pass

    def sent(self, buffer):
        for first, body in packets(buffer):
            if first >> 4 == 1:
                self.version = body[2 + int.from_bytes(body[:2], "big")] & 127
            if first >> 4 == PUBLISH:
                at = 2 + int.from_bytes(body[:2], "big")
                number = body[at:at + 2] if first & 6 else None
                at += 2 if first & 6 else 0
                if self.version == 5:
                    # The properties of these messages are short.
                    at += 1 + body[at]
                if number is None:
                    self.sent_at[body[at:]] = time.monotonic()
                else:
                    self.by_id[number] = body[at:]

    def answered(self, buffer):
        for first, body in packets(buffer):
            is_success = len(body) < 3 or body[2] < 128
            if first >> 4 in (PUBACK, PUBREC, PUBCOMP) and is_success and body[:2] in self.by_id:
                known = self.received if first >> 4 == PUBREC else self.completed
                known.add(self.by_id[body[:2]])


class Presence:
    """Notes when a client has a connection that its broker accepted."""

    def __init__(self):
        self.times = []
        self.since = None

    def sent(self, buffer):
        buffer.clear()

    def answered(self, buffer):
        if self.since is None and any(first >> 4 == CONNACK for first, _ in packets(buffer)):
            self.since = time.monotonic()
        buffer.clear()

    def ended(self):
        if self.since is not None:
            self.times.append((self.since, time.monotonic()))
        self.since = None

    def was_there(self, moment):
        is_now = self.since is not None and moment >= self.since
        return is_now or any(start <= moment <= end for start, end in self.times)


class Proxy:
    """A proxy whose connections can be cut, stalled and refused."""

    def __init__(self, target, witness=None):
        self.port, self.target, self.witness = free_port(), target, witness
        self.refuses = False
        self.passes = asyncio.Event()
        self.passes.set()
        self.writers = set()

    async def start(self):
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)

    def cut(self):
        for writer in list(self.writers):
            writer.transport.abort()

    async def accept(self, reader, writer):
        try:
            if self.refuses:
                raise OSError("refused")
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, up_writer)
        for one in pair:
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.writers.update(pair)
        sent = self.witness.sent if self.witness else None
        answered = self.witness.answered if self.witness else None
        await asyncio.gather(self.copy(reader, up_writer, sent), self.copy(up_reader, writer, answered))
        self.writers.difference_update(pair)
        if self.witness:
            self.witness.ended()

    async def copy(self, reader, writer, observe):
        seen = bytearray()
        try:
            while data := await reader.read(65536):
                await self.passes.wait()
                writer.write(data)
                if observe:
                    seen += data
                    observe(seen)
                await writer.drain()
        except OSError:
            pass
        writer.close()


class Run:
    def __init__(self, bridge, fault, qos, options, directory):
        self.bridge, self.fault, self.qos, self.options = bridge, fault, qos, options
        self.directory = pathlib.Path(directory)
        self.processes = {}
        self.witness = Witness()

    async def spawn(self, name, *words, **streams):
        log = open(self.directory / f"{name}.log", "ab")
        process = await asyncio.create_subprocess_exec(*map(str, words), stderr=log, **streams)
        self.processes[name] = process
        return process

    async def kill(self, name, number=signal.SIGKILL):
        process = self.processes[name]
        process.send_signal(number)
        await process.wait()

    async def broker(self, name, port, lines=""):
        data = self.directory / name
        data.mkdir(exist_ok=True)
        conf = self.directory / f"{name}.conf"
        conf.write_text(
            f"user root\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\nlistener {port} 127.0.0.1\n"
            f"persistence true\npersistence_location {data}/\n{lines}\n"
        )
        await self.spawn(name, MOSQUITTO, "-c", conf)
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            except OSError:
                await asyncio.sleep(0.02)

    async def start_source(self):
        lines = ""
        if self.bridge == "mosquitto":
            lines = (
                f"autosave_interval 1\nconnection b\naddress 127.0.0.1:{self.to_target.port}\n"
                f"topic m/# out {self.qos}\ncleansession false\nrestart_timeout 1\nnotifications false\n"
            )
        await self.broker("source", self.source, lines)

    async def start_target(self):
        lines = self.options.target_lines
        if self.bridge == "mosquitto":
            # With its default of 20, mosquitto 2.0.11 closes the connection of its own bridge at QoS 2, again and again.
            lines += "\nmax_inflight_messages 0"
        await self.broker("target", self.target, lines)

    async def start_forwarder(self):
        if self.bridge == "mosquitto":
            await self.start_source()
            return
        words = ["--from", f"mqtt://127.0.0.1:{self.to_source.port}", "--to", f"mqtt://127.0.0.1:{self.to_target.port}"]
        words += ["--name", "b", "--notifications", "none", "--ack-timeout", "1s", f"m/# out {self.qos}"]
        await self.spawn("forwarder", MQ, "bridge", *words)

    async def kill_forwarder(self):
        await self.kill("source" if self.bridge == "mosquitto" else "forwarder")
        await self.start_forwarder()

    async def fail(self):
        """One fault."""
        fault = self.fault
        if fault == "cut-source":
            self.to_source.cut()
        elif fault == "cut-target":
            self.to_target.cut()
        elif fault == "stall-target":
            self.to_target.passes.clear()
            await asyncio.sleep(LASTS)
            self.to_target.passes.set()
        elif fault == "refuse-target":
            self.to_target.refuses = True
            self.to_target.cut()
            await asyncio.sleep(LASTS)
            self.to_target.refuses = False
        elif fault in ("restart-target", "kill-target"):
            await self.kill("target", signal.SIGTERM if fault == "restart-target" else signal.SIGKILL)
            await self.start_target()
        elif fault == "kill-bridge":
            await self.kill_forwarder()
        elif fault == "kill-while-stalled":
            self.to_target.passes.clear()
            await asyncio.sleep(LASTS / 3)
            await self.kill_forwarder()
            await asyncio.sleep(LASTS / 3)
            self.to_target.passes.set()

    async def publish(self):
        words = ["-p", self.source, "-t", "m/x", "-l", "-q", self.qos, "-c", "-i", "publisher"]
        publisher = await self.spawn("publisher", MQ, "pub", *words, stdin=asyncio.subprocess.PIPE)
        count, rate = self.options.messages, self.options.rate
        start, number = time.monotonic(), 0
        while number < count:
            due = min(count, int((time.monotonic() - start) * rate) + 1)
            if due > number:
                publisher.stdin.write("".join(f"{one}\n" for one in range(number, due)).encode())
                await publisher.stdin.drain()
                number = due
            await asyncio.sleep(0.01)
        publisher.stdin.close()
        await asyncio.wait_for(publisher.wait(), 120)

    async def fail_often(self):
        seconds = self.options.messages / self.options.rate
        for _ in range(TIMES):
            await asyncio.sleep(seconds / (TIMES + 1) - (LASTS if "stall" in self.fault or "refuse" in self.fault else 0))
            await self.fail()

    def arrived(self):
        lines = (self.directory / "arrived").read_text().split("\n")[:-1]
        return collections.Counter(lines)

    async def collect(self):
        size, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET:
            now = (self.directory / "arrived").stat().st_size
            if now != size:
                size, since = now, time.monotonic()
            if len(self.arrived()) >= self.options.messages and time.monotonic() - since > 2:
                break
            await asyncio.sleep(0.5)
        return self.arrived()

    async def run(self):
        self.source, self.target = free_port(), free_port()
        self.to_source = Proxy(self.source)
        self.to_target = Proxy(self.target, self.witness)
        presence = Presence()
        to_collector = Proxy(self.target, presence)
        for proxy in (self.to_source, self.to_target, to_collector):
            await proxy.start()
        await self.start_target()
        if self.bridge == "mq":
            await self.start_source()
        arrived = open(self.directory / "arrived", "wb")
        # Its session is kept, so that it misses nothing while the target restarts.
        await self.spawn("collector", MQ, "sub", "-p", to_collector.port, "-t", "m/#", "-q", self.qos, "-c", "-i", "collector", "-F", "%p", stdout=arrived)
        await self.start_forwarder()
        await asyncio.sleep(2)
        self.processes["target"].send_signal(signal.SIGUSR1)  # saves the sessions
        await asyncio.sleep(0.5)
        start = time.monotonic()
        await asyncio.gather(self.publish(), self.fail_often())
        counts = await self.collect()
        lost = {str(number).encode() for number in range(self.options.messages) if str(number) not in counts}
        completed = lost & self.witness.completed
        received = (lost & self.witness.received) - completed
        sent = {payload: moment for payload, moment in self.witness.sent_at.items() if payload in lost}
        away = [moment for moment in sent.values() if not presence.was_there(moment)]
        doubled = sum(counts.values()) - len(counts)
        return len(lost), len(completed), len(received), len(sent), len(away), doubled, time.monotonic() - start

    async def stop(self):
        for process in self.processes.values():
            if process.returncode is None:
                process.kill()
                await process.wait()


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=50000)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--qos", default="0,1,2")
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--bridges", default="mq,mosquitto")
    parser.add_argument("--target-lines", default="", help="more lines for the target's mosquitto.conf, separated by ;")
    parser.add_argument("--keep", action="store_true", help="keep the directories of the runs")
    options = parser.parse_args()
    options.target_lines = options.target_lines.replace(";", "\n")
    unknown = set(options.faults.split(",")) - set(FAULTS)
    if unknown:
        parser.error(f"unknown fault {sorted(unknown)[0]}: expected {', '.join(FAULTS)}")
    print("bridge fault qos lost completed received sent away doubled seconds", flush=True)
    for fault in options.faults.split(","):
        for qos in map(int, options.qos.split(",")):
            for bridge in options.bridges.split(","):
                if (bridge, fault) == ("mosquitto", "cut-source"):
                    continue
                directory = tempfile.mkdtemp(prefix="bridge-faults-")
                run = Run(bridge, fault, qos, options, directory)
                try:
                    *counts, seconds = await run.run()
                    print(bridge, fault, qos, *counts, f"{seconds:.0f}", flush=True)
                except (asyncio.TimeoutError, OSError) as error:
                    print(bridge, fault, qos, f"failed: {error!r}", flush=True)
                finally:
                    await run.stop()
                    if options.keep:
                        print(f"# {directory}", file=sys.stderr)
                    else:
                        shutil.rmtree(directory, ignore_errors=True)


asyncio.run(main())
