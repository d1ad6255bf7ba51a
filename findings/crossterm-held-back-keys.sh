#!/usr/bin/env bash
# crossterm 0.29.0 keeps keys back until the next key: crates crossterm 0.29.0, with its default way to wait (mio) and with `use-dev-tty`.
#
# Expected: after a busy moment of the program, all that was typed meanwhile is returned by event::read, and event::poll says so.
# Seen:     with mio, a key typed right after the terminal was resized is not returned: event::read gives the resize, then event::poll waits in vain
#           until another key is typed. Of 1,500 typed characters, 1,024 are returned. mio reports each readiness once; crossterm returns at the first
#           event and does not look at the terminal again. With `use-dev-tty`, which waits with poll, nothing is kept back.
# So:       Ctrl-C during a resize does nothing, and the end of a long paste without bracketed paste is missing, until somebody types.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >src/main.rs <<'RUST'
use crossterm::event::{Event, poll, read};
use std::time::Duration;

fn main() -> std::io::Result<()> {
    crossterm::terminal::enable_raw_mode()?;
    poll(Duration::from_millis(1))?; // installs the handler of SIGWINCH
    print!("ready\r\n");
    std::thread::sleep(Duration::from_secs(1)); // a busy moment
    let (mut keys, mut resizes) = (0, 0);
    while poll(Duration::from_secs(2))? {
        match read()? {
            Event::Key(_) => keys += 1,
            Event::Resize(..) => resizes += 1,
            _ => {}
        }
    }
    print!("keys {keys} resizes {resizes}\r\n");
    crossterm::terminal::disable_raw_mode()
}
RUST
cat >drive.py <<'PY'
import fcntl, os, pty, struct, sys, termios, time
program, what = sys.argv[1:]
process, terminal = pty.fork()
if process == 0:
    os.execv(program, [program])
seen = b''
while b'ready' not in seen:
    seen += os.read(terminal, 1000)
if what == 'resize':
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 30, 100, 0, 0))
    time.sleep(0.3)  # the signal reaches the program first
    os.write(terminal, b'k')
else:
    os.write(terminal, b'k' * 1500)
try:
    while b'keys' not in seen or not seen.endswith(b'\n'):
        seen += os.read(terminal, 1000)
except OSError:
    pass  # the end
print(sys.argv[1].split('/')[0], what, seen.decode().split('ready')[1].strip())
PY
for way in mio use-dev-tty; do
    features='"events"'
    [ "$way" = mio ] || features='"events", "use-dev-tty"'
    cat >Cargo.toml <<TOML
[package]
name = "keys"
version = "1.0.0"
edition = "2021"
[dependencies]
crossterm = { version = "=0.29.0", default-features = false, features = [$features] }
TOML
    cargo build -q --target-dir "$way"
    for what in resize burst; do
        python3 drive.py "$way/debug/keys" "$what"
    done
done | tee seen
cat >expected <<'TEXT'
mio resize keys 0 resizes 1
mio burst keys 1024 resizes 0
use-dev-tty resize keys 1 resizes 1
use-dev-tty burst keys 1500 resizes 0
TEXT
diff expected seen
echo "as described"
