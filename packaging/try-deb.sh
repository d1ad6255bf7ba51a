#!/bin/sh
# Installs the packages of build-deb.sh in a clean Debian root, uses them there, and removes them. Needs root and debootstrap.
#
#   packaging/try-deb.sh [FOLDER]
#
# FOLDER has the packages (default: target/deb). The root is that of this machine's release, from the mirror that apt uses here.
# The programs run in a network of their own, so a broker on this machine is not in the way. ROOT=DIR keeps the root for another run.
# Exit status 77: no clean root can be made here, since the mirror or the namespaces are out of reach.
set -eu
cd "$(dirname "$0")/.."

packages=${1:-target/deb}
. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(CREATED_BY)' "Release: $VERSION_CODENAME" "Created-By: Packages" |
    cut -d ' ' -f 1 | head -n 1)
work=$(mktemp -d)
root=${ROOT:-$work/root}
trap 'rm -rf "$work"' EXIT

# With /proc and a network of its own, both gone when the command ends.
inside() {
    unshare --net --mount sh -c 'ip link set lo up; mount -t proc proc "$1/proc"; exec chroot "$@"' sh "$root" "$@"
}

# Shell commands beside a broker with its defaults. The log of the broker before must be gone: it says "listening", too.
beside_broker() {
    inside sh -c '
        rm -f /broker.log; mq broker > /broker.log & until grep -qs listening /broker.log; do sleep 0.1; done
        eval "$1"; kill $!' sh "$1"
}

# With a network, for apt.
chroot_apt() {
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get -qq -o Dpkg::Use-Pty=0 "$@" > "$work/apt.log" 2>&1 || {
        cat "$work/apt.log" >&2
        exit 1
    }
}

expect() {
    if ! printf '%s\n' "$2" | grep -q -e "$3"; then
        printf 'try-deb: %s: expected %s, found:\n%s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
    printf 'ok  %s\n' "$1"
}

make_root() {
    if ! [ -x "$root/usr/bin/dpkg" ]; then
        # debootstrap reads from web servers and folders only; mosquitto-clients is in Ubuntu's second component.
        case $mirror in http* | file*) ;; *) exit 77 ;; esac
        components=main
        if [ "$ID" = ubuntu ]; then
            components=main,universe
        fi
        debootstrap --variant=minbase --components="$components" --include=man-db "$VERSION_CODENAME" "$root" "$mirror" > "$work/debootstrap.log" 2>&1 || {
            tail -n 20 "$work/debootstrap.log" >&2
            exit 77
        }
    fi
    echo '127.0.0.1 localhost' > "$root/etc/hosts"
    mkdir -p "$root/packages"
    cp "$packages"/*.deb "$root/packages/"
}

try_mq() {
    chroot "$root" sh -c 'dpkg -i /packages/mq_*.deb' > /dev/null
    expect 'mq is installed' "$(chroot "$root" mq --version)" '^mq [0-9]'
    expect 'mq broker, pub and sub' "$(beside_broker '
        mq pub -t home/door -m open -r -q 1 && mq sub -t "home/#" -v -C 1 -W 10')" '^home/door open$'
    expect 'mq bench' "$(inside mq bench --embedded -c 5 --messages 100 --warm-up 0)" 'all 100 messages arrived'
    expect 'man mq-pub' "$(chroot "$root" sh -c 'MANPAGER=cat MANWIDTH=80 man mq-pub')" 'Publish messages'
    expect 'completions for bash' "$(chroot "$root" bash -c '
        . /usr/share/bash-completion/completions/mq; complete -p mq')" '_mq'
    expect 'completions ask mq' "$(chroot "$root" sh -c 'printf "%s\0" mq pu | mq complete')" '^pub'
    expect 'mq man' "$(chroot "$root" mq man pub)" '^SYNOPSIS'
    expect 'mq config init' "$(chroot "$root" sh -c 'HOME=/root mq config init && stat -c %a /root/.config/mq/config.toml')" '^600$'
    expect 'example of a unit' "$(cat "$root/usr/share/doc/mq/examples/mq-bridge.service")" '^ExecStart=/usr/bin/mq bridge'
}

# mosquitto's own programs before, beside and after mq's links.
try_links() {
    chroot "$root" sh -c 'dpkg -i /packages/mq-mosquitto_*.deb' > /dev/null
    for tool in pub sub rr passwd; do
        expect "mosquitto_$tool runs mq" "$(chroot "$root" readlink -f "/usr/bin/mosquitto_$tool")" '^/usr/bin/mq$'
    done
    expect 'mosquitto_pub and mosquitto_sub work' "$(beside_broker '
        mosquitto_pub -t a -m x -r -q 1 && mosquitto_sub -t a -C 1 -W 10')" '^x$'
    chroot_apt install --no-install-recommends mosquitto-clients
    expect 'mosquitto-clients can be installed beside' "$(chroot "$root" update-alternatives --list mosquitto_pub)" 'mosquitto_pub.mosquitto$'
    expect 'mq has priority' "$(chroot "$root" readlink -f /usr/bin/mosquitto_sub)" '^/usr/bin/mq$'
    chroot "$root" update-alternatives --quiet --set mosquitto_sub /usr/bin/mosquitto_sub.mosquitto
    expect "mosquitto's own can be selected" "$(chroot "$root" readlink -f /usr/bin/mosquitto_sub)" 'mosquitto_sub.mosquitto$'
    chroot_apt remove mosquitto-clients
    expect 'mq is left when mosquitto-clients goes' "$(chroot "$root" readlink -f /usr/bin/mosquitto_sub)" '^/usr/bin/mq$'
    chroot_apt install --no-install-recommends mosquitto-clients
    chroot "$root" dpkg --remove mq-mosquitto > /dev/null
    expect "mosquitto's own is left when mq-mosquitto goes" "$(chroot "$root" sh -c 'test ! -L /usr/bin/mosquitto_sub && dpkg -S /usr/bin/mosquitto_sub')" '^mosquitto-clients: '
    chroot "$root" sh -c 'dpkg -i /packages/mq-mosquitto_*.deb' > /dev/null
    expect 'mq-mosquitto can be installed beside' "$(chroot "$root" readlink -f /usr/bin/mosquitto_pub)" '^/usr/bin/mq$'
    chroot "$root" dpkg --purge mq-mosquitto > /dev/null
    chroot_apt purge mosquitto-clients
}

try_removal() {
    files=$(chroot "$root" dpkg -L mq | grep -v '/\.$')
    chroot "$root" dpkg --purge mq > /dev/null
    left=$(for file in $files; do if [ -f "$root$file" ]; then echo "$file"; fi; done)
    expect 'no file is left' "${left:-none}" '^none$'
    left=$(chroot "$root" sh -c 'dpkg-divert --list | grep mosquitto; ls -d /usr/bin/mosquitto* /etc/alternatives/mosquitto_* 2> /dev/null' || true)
    expect 'no diversion and no alternative is left' "${left:-none}" '^none$'
}

unshare --net --mount true || exit 77
make_root
try_mq
try_links
try_removal
