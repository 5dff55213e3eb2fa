#!/bin/sh
# Finishes the root file system of the suite's own image, whose packages were unpacked but not configured. $1 is its root.
set -eu
# What ca-certificates' configuration would have made: one bundle of all authorities.
mkdir -p "$1/etc/ssl/certs"
cat "$1"/usr/share/ca-certificates/mozilla/*.crt > "$1/etc/ssl/certs/ca-certificates.crt"
[ -e "$1/bin/sh" ] || ln -s dash "$1/bin/sh"
[ -e "$1/usr/bin/awk" ] || ln -s gawk "$1/usr/bin/awk"
cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/info "$1"/usr/share/perl5 "$1"/usr/lib/*/gconv \
	"$1"/var/lib/apt "$1"/var/lib/dpkg "$1"/var/cache "$1"/var/log "$1"/etc/resolv.conf "$1"/etc/hostname
mkdir -p "$1/tmp" && chmod 1777 "$1/tmp"
