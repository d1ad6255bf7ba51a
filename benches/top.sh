#!/usr/bin/env bash
# Measures `mq top` beside `mq sub` at the same flood: CPU time, memory, frames and the time until a key is answered.
#
#   benches/top.sh > benches/results/top-$(date +%F).txt
#
# Needs a release build and python3. RATE, TOPICS and SECONDS_EACH change the load. MQTTUI=PATH adds the CPU time of mqttui.
set -euo pipefail
cd "$(dirname "$0")/.."

MQ=$(realpath "${MQ:-${CARGO_TARGET_DIR:-target}/release/mq}")
RATE=${RATE:-50000}
TOPICS=${TOPICS:-100000}
SECONDS_EACH=${SECONDS_EACH:-10}
PORT=$((20000 + RANDOM % 5000))
STARTED=()

stop_all() {
    for process in "${STARTED[@]}"; do kill "$process" 2>/dev/null || true; done
    wait
}
trap stop_all EXIT

"$MQ" broker -p "$PORT" >/dev/null 2>&1 &
STARTED+=($!)
until "$MQ" pub -p "$PORT" -t ready -m 1 -r 2>/dev/null; do :; done

"$MQ" bench pub -p "$PORT" -q 0 -c 4 --rate "$RATE" -s 16 -t "flood/{rand:0..$((TOPICS - 1))}" --duration 10m --warm-up 0s --threads 1 >/dev/null 2>&1 &
STARTED+=($!)

python3 - "$MQ" "$PORT" "$TOPICS" "$SECONDS_EACH" "${MQTTUI:-}" <<'PYTHON'
import fcntl, os, pty, select, struct, subprocess, sys, termios, time

mq, port, topics, seconds, mqttui = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
ticks = os.sysconf("SC_CLK_TCK")


def cpu(process):
    fields = open(f"/proc/{process}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / ticks


def resident(process):
    lines = open(f"/proc/{process}/status").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024


class Terminal:
    def __init__(self, command):
        self.process, self.master = pty.fork()
        if self.process == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(command[0], command)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, until, rate=None):
        """Reads until this time, or at most this many bytes a second."""
        data = b""
        while (left := until - time.monotonic()) > 0:
            if rate and len(data) > rate * (time.monotonic() - until + seconds):
                time.sleep(0.01)
                continue
            if select.select([self.master], [], [], min(left, 0.05))[0]:
                try:
                    data += os.read(self.master, 512 if rate else 65536)
                except OSError:  # the program has ended
                    break
        return data

    def answer(self, key, text, limit=5):
        """The seconds until the text is on the screen after the key."""
        start = time.monotonic()
        os.write(self.master, key)
        data = b""
        while time.monotonic() - start < limit:
            if select.select([self.master], [], [], 0.05)[0]:
                data += os.read(self.master, 65536)
                if text in data:
                    return time.monotonic() - start
        return float("inf")

    def end(self):
        os.write(self.master, b"q")
        self.read(time.monotonic() + 1)
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)
        os.close(self.master)


def measure(process, run):
    before, start = cpu(process), time.monotonic()
    result = run()
    return (cpu(process) - before) / (time.monotonic() - start), result


sub = subprocess.Popen([mq, "sub", "-p", port, "-t", "flood/#", "-v"], stdout=subprocess.DEVNULL)
time.sleep(2)
share, _ = measure(sub.pid, lambda: time.sleep(seconds))
sub.kill()
sub.wait()
print(f"mq sub                     {share:.2f} cores")

for words in ([], ["--list"], ["--list", "--sort", "rate"], ["--list", "--sort", "age"]):
    terminal = Terminal([mq, "top", "-p", port, "flood/#", *words])
    base = None
    terminal.read(time.monotonic() + 1)
    # Until all topics have a message.
    terminal.read(time.monotonic() + 8)
    share, data = measure(terminal.process, lambda: terminal.read(time.monotonic() + seconds))
    frames = data.count(b"\x1b[?25l") / seconds
    keys = []
    for _ in range(10):
        keys.append(terminal.answer(b"?", b"any key closes"))
        os.write(terminal.master, b"x")
        terminal.read(time.monotonic() + 0.25)
    memory = resident(terminal.process)
    terminal.end()
    name = "mq top " + " ".join(words)
    keys.sort()
    print(f"{name:26} {share:.2f} cores, {frames:.1f} frames/s, {len(data) / seconds / 1000:.0f} KB/s, key median {keys[5] * 1000:.0f} ms, "
          f"longest {keys[-1] * 1000:.0f} ms, {memory / 1e6:.0f} MB")

empty = Terminal([mq, "top", "-p", port, "nothing/#"])
empty.read(time.monotonic() + 2)
base = resident(empty.process)
empty.end()
terminal = Terminal([mq, "top", "-p", port, "flood/#"])
terminal.read(time.monotonic() + 10)
full = resident(terminal.process)
print(f"memory                     {(full - base) / topics:.0f} bytes a topic, names (about 5) and payloads (16) included")

# A line of 10 KB/s.
data = terminal.read(time.monotonic() + seconds, rate=10_000)
slow = terminal.answer(b"?", b"any key closes", limit=30)
frames = data.count(b"\x1b[?25l") / seconds
print(f"10 KB/s                    {frames:.1f} frames/s, {len(data) / seconds / 1000:.1f} KB/s; after that, a key is answered in {slow * 1000:.0f} ms")
terminal.end()

if mqttui:
    terminal = Terminal([mqttui, "--broker", f"mqtt://localhost:{port}", "flood/#"])
    terminal.read(time.monotonic() + 9)
    share, data = measure(terminal.process, lambda: terminal.read(time.monotonic() + seconds))
    print(f"mqttui                     {share:.2f} cores, {len(data) / seconds / 1000:.0f} KB/s, {resident(terminal.process) / 1e6:.0f} MB")
    terminal.end()
PYTHON
