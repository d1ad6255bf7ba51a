#!/usr/bin/env bash
# colored 3.1.1 lets CLICOLOR_FORCE win over NO_COLOR, and takes empty variables for set ones: crate colored 3.1.1.
#
# Expected: no-color.org: NO_COLOR, "when present and not an empty string (regardless of its value), prevents the addition of ANSI color".
#           bixense.com/clicolors: NO_COLOR is checked before CLICOLOR_FORCE.
# Seen:     with CLICOLOR_FORCE=1 and NO_COLOR=1 the output has colours; with CLICOLOR_FORCE= (empty) as well. NO_COLOR= (empty) turns them off.
# So:       a user with NO_COLOR in the profile sees colours when a script sets CLICOLOR_FORCE for another program.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat >src/main.rs <<'RUST'
fn main() {
    println!("{}", colored::control::SHOULD_COLORIZE.should_colorize());
}
RUST
cat >Cargo.toml <<'TOML'
[package]
name = "colours"
version = "1.0.0"
edition = "2021"
[dependencies]
colored = "=3.1.1"
TOML
cargo build -q
unset NO_COLOR CLICOLOR CLICOLOR_FORCE
{
    echo "force and NO_COLOR: $(CLICOLOR_FORCE=1 NO_COLOR=1 target/debug/colours)"
    echo "empty CLICOLOR_FORCE: $(CLICOLOR_FORCE= target/debug/colours)"
    echo "nothing: $(target/debug/colours)"
} | tee seen
cat >expected <<'TEXT'
force and NO_COLOR: true
empty CLICOLOR_FORCE: true
nothing: false
TEXT
diff expected seen
echo "as described"
