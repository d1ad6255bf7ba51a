#!/bin/sh
# Packs the program with its man pages, completions and licences: mq-VERSION-TARGET.tar.gz.
#
#   cargo build --release --locked
#   packaging/build-archive.sh [FOLDER]
#
# Variables:
#   TARGET  the Rust target (default: that of this machine, built without --target)
#   MQ      the program (default: that of target/)
set -eu
cd "$(dirname "$0")/.."

output=${1:-target/archive}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
if [ -n "${TARGET:-}" ]; then
    program=${MQ:-target/$TARGET/release/mq}
else
    program=${MQ:-target/release/mq}
    TARGET=$(rustc -vV | sed -n 's/^host: //p')
fi
name=mq-$version-$TARGET
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! [ -x "$program" ]; then
    echo "build-archive: no program at $program; build it with cargo build --release --locked, or set MQ" >&2
    exit 1
fi
mkdir -p "$output" "$work/$name"
cp "$program" "$work/$name/mq"
cp CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$work/$name/"
cp -R man completions "$work/$name/"
packaging/install-docs.sh "$work/$name"
tar -C "$work" -czf "$output/$name.tar.gz" "$name"
echo "$output/$name.tar.gz"
