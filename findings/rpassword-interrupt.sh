#!/usr/bin/env bash
# rpassword 7.5.4 leaves the terminal without echo after Ctrl-C: crate rpassword 7.5.4.
#
# Expected: Ctrl-C at the prompt ends the program, and the terminal has its modes from before. The crate documents no need for a signal handler.
# Seen:     the prompt turns off ECHO, ICANON and ISIG. At Ctrl-C the crate raises SIGINT in its own process, before it restores the modes; without a
#           handler the process ends there. The terminal has neither echo nor line editing nor Ctrl-C afterwards. SIGTERM has the same effect.
# So:       a program needs a handler for SIGINT and SIGTERM before the prompt, or a script that asks for a password leaves an unusable terminal.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >src/main.rs <<'RUST'
fn main() {
    let _ = rpassword::prompt_password("password: ");
}
RUST
cat >Cargo.toml <<'TOML'
[package]
name = "ask"
version = "1.0.0"
edition = "2021"
[dependencies]
rpassword = "=7.5.4"
TOML
cargo build -q
cat >drive.py <<'PY'
import os, pty, signal, sys, termios, time
end = sys.argv[1]
main, side = pty.openpty()
flags = {'ECHO': termios.ECHO, 'ICANON': termios.ICANON, 'ISIG': termios.ISIG}
process = os.fork()
if process == 0:
    os.close(main)
    os.login_tty(side)
    os.execv('target/debug/ask', ['ask'])
seen = b''
while b'password: ' not in seen:
    seen += os.read(main, 1000)
while termios.tcgetattr(side)[3] & termios.ECHO:
    time.sleep(0.01)
if end == 'Ctrl-C':
    os.write(main, b'\x03')
elif end == 'SIGTERM':
    os.kill(process, signal.SIGTERM)
else:
    os.write(main, b'secret\n')
os.waitpid(process, 0)
modes = termios.tcgetattr(side)[3]
print(end, *(name if modes & flag else '-' + name for name, flag in flags.items()))
PY
for end in answer Ctrl-C SIGTERM; do
    timeout 20 python3 drive.py "$end"
done | tee seen
cat >expected <<'TEXT'
answer ECHO ICANON ISIG
Ctrl-C -ECHO -ICANON -ISIG
SIGTERM -ECHO -ICANON -ISIG
TEXT
diff expected seen
echo "as described"
