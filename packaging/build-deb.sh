#!/bin/sh
# Builds two Debian packages with dpkg-deb alone: mq, and mq-mosquitto with the names of mosquitto's tools.
#
#   cargo build --release --locked
#   packaging/build-deb.sh [FOLDER]
#
# FOLDER is for the packages (default: target/deb). Two builds of one commit and program are identical.
#
# Variables:
#   MQ          the program (default: target/release/mq)
#   ARCH        Debian's name of its architecture (default: that of this machine)
#   REVISION    of the package (default: 1)
#   MAINTAINER  name and address for the packages
set -eu
cd "$(dirname "$0")/.."

output=${1:-target/deb}
program=${MQ:-target/release/mq}
arch=${ARCH:-$(dpkg --print-architecture)}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)-${REVISION:-1}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2> /dev/null || date +%s)}
export SOURCE_DATE_EPOCH
maintainer=${MAINTAINER:-The mq project <mq@example.org>}
umask 022

if ! [ -x "$program" ]; then
    echo "build-deb: no program at $program; build it with cargo build --release --locked, or set MQ" >&2
    exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The newest version of the C library that a symbol needs. A static program needs none.
needed_packages() {
    if ! objdump -p "$program" | grep -q NEEDED; then
        return
    fi
    glibc=$(objdump -T "$program" | sed -n 's/.*(\{0,1\}GLIBC_\([0-9.]*\).*/\1/p' | sort -uV | tail -n 1)
    printf 'Depends: libc6 (>= %s), libgcc-s1\n' "$glibc"
}

# The fields of both packages, with the installed size in KiB.
control() {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: %s\n' "$1" "$version" "$2" "$maintainer"
    printf 'Installed-Size: %s\n' "$(find "$3" -type f -printf '%s\n' | awk '{ size += int(($1 + 1023) / 1024) } END { print size + 0 }')"
    printf 'Section: net\nPriority: optional\n'
}

compressed() {
    gzip -9 -n -c "$1" > "$2"
}

documents() {
    mkdir -p "$1"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n'
        printf 'Upstream-Name: mqkit\n\nFiles: *\nCopyright: the authors of mq\nLicense: MIT or Apache-2.0\n\nLicense: MIT\n'
        sed -e 's/^$/./' -e 's/^/ /' LICENSE-MIT
        printf '\nLicense: Apache-2.0\n On Debian systems, the text is in /usr/share/common-licenses/Apache-2.0.\n'
    } > "$1/copyright"
    printf '%s (%s) unstable; urgency=medium\n\n  * Built from the sources of mq; changelog.gz has the changes.\n\n -- %s  %s\n' \
        "$2" "$version" "$maintainer" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" > "$work/changelog"
    compressed "$work/changelog" "$1/changelog.Debian.gz"
}

build() {
    find "$work/$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
    dpkg-deb --root-owner-group -Zxz --build "$work/$1" "$output" > /dev/null
}

build_mq() {
    root=$work/mq
    doc=$root/usr/share/doc/mq
    install -D -m 755 "$program" "$root/usr/bin/mq"
    for page in man/*.1; do
        mkdir -p "$root/usr/share/man/man1"
        compressed "$page" "$root/usr/share/man/man1/$(basename "$page").gz"
    done
    install -D -m 644 completions/mq.bash "$root/usr/share/bash-completion/completions/mq"
    install -D -m 644 completions/_mq "$root/usr/share/zsh/vendor-completions/_mq"
    install -D -m 644 completions/mq.fish "$root/usr/share/fish/vendor_completions.d/mq.fish"
    documents "$doc" mq
    compressed CHANGELOG.md "$doc/changelog.gz"
    packaging/install-docs.sh "$doc"
    mkdir -p "$doc/examples"
    sed 's|/usr/local/bin/mq|/usr/bin/mq|' deploy/mq-bridge.service > "$doc/examples/mq-bridge.service"
    mkdir -p "$root/DEBIAN"
    {
        control mq "$arch" "$root/usr"
        needed_packages
        printf 'Suggests: mq-mosquitto\n'
        printf 'Description: tool for people who work with MQTT brokers\n'
        printf ' Publishes and subscribes (MQTT 3.1, 3.1.1, 5.0 and MQTT-SN), measures brokers\n'
        printf ' under load, decodes captured packets, manages password files, bridges two\n'
        printf ' brokers, and has a broker for development and tests.\n'
    } > "$root/DEBIAN/control"
    build mq
}

build_mq_mosquitto() {
    root=$work/mq-mosquitto
    mkdir -p "$root/usr/lib/mq-mosquitto" "$root/DEBIAN"
    for tool in pub sub rr passwd; do
        ln -s ../../bin/mq "$root/usr/lib/mq-mosquitto/mosquitto_$tool"
    done
    documents "$root/usr/share/doc/mq-mosquitto" mq-mosquitto
    {
        control mq-mosquitto all "$root/usr"
        printf 'Depends: mq (>= %s)\n' "${version%-*}"
        printf "Description: mosquitto's tools by mq\n"
        printf ' Adds mosquitto_pub, mosquitto_sub, mosquitto_rr and mosquitto_passwd, which run\n'
        printf ' mq, as alternatives. The programs of mosquitto-clients and mosquitto can be\n'
        printf ' installed at the same time, and update-alternatives selects one.\n'
    } > "$root/DEBIAN/control"
    for script in preinst postinst prerm postrm; do
        install -m 755 "packaging/debian/mq-mosquitto.$script" "$root/DEBIAN/$script"
    done
    install -m 644 packaging/debian/mq-mosquitto.triggers "$root/DEBIAN/triggers"
    build mq-mosquitto
}

mkdir -p "$output"
build_mq
build_mq_mosquitto
ls -l "$output"/mq_"$version"_"$arch".deb "$output"/mq-mosquitto_"$version"_all.deb
