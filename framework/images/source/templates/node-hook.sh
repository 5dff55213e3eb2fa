#!/bin/sh
# Finishes the root file system of a kind node. $1 is its root; KIND_FILES is the folder of files of kind's base image.
set -eu
cp -r "$KIND_FILES"/. "$1/"
chmod -R u+w "$1/etc" "$1/usr/local/bin" "$1/kind"
find "$1/kind" "$1/etc/containerd" "$1/etc/systemd/system" "$1/etc/sysctl.d" "$1/etc/default" -type d -exec chmod 755 {} +
find "$1/etc/containerd" "$1/etc/systemd/system" "$1/etc/sysctl.d" "$1/etc/default" "$1/etc/crictl.yaml" -type f -exec chmod 644 {} +
chmod 755 "$1"/usr/local/bin/* "$1"/kind/bin/*

# The plug-ins that the static network configuration names, where kubelet's runtime looks for them.
mkdir -p "$1/opt/cni/bin" "$1/etc/cni/net.d" "$1/etc/kubernetes/manifests" "$1/etc/containerd/certs.d"
for plugin in host-local loopback ptp portmap; do mv "$1/usr/lib/cni/$plugin" "$1/opt/cni/bin/"; done
rm -rf "$1/usr/lib/cni"

# A node is not a machine: no units but its own, no device manager, no kernel log.
rm -f "$1"/lib/systemd/system/multi-user.target.wants/* "$1"/etc/systemd/system/*.wants/* \
	"$1"/lib/systemd/system/local-fs.target.wants/* "$1"/lib/systemd/system/sockets.target.wants/*udev* \
	"$1"/lib/systemd/system/sockets.target.wants/*initctl* "$1"/lib/systemd/system/basic.target.wants/* \
	"$1"/lib/systemd/system/sysinit.target.wants/systemd-tmpfiles-setup.service
echo "ReadKMsg=no" >> "$1/etc/systemd/journald.conf"
ln -sf /usr/lib/systemd/systemd "$1/sbin/init"
chroot "$1" systemctl --quiet enable kubelet.service containerd.service undo-mount-hacks.service
chroot "$1" systemctl --quiet mask systemd-binfmt.service

rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/info "$1"/usr/share/locale/* "$1"/var/lib/apt/lists/* \
	"$1"/var/cache/* "$1"/var/log/* "$1"/tmp/* "$1"/var/lib/dpkg/info/*.md5sums
