# Imports the images on standard input into containerd's store and unpacks them. Runs as root in a container of the node
# image, with a volume at /bake.
set -euo pipefail
store=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs
fixed=/opt/meshproof

cat > /bake/config.toml <<EOF
version = 2
[plugins."io.containerd.snapshotter.v1.overlayfs"]
  root_path = "/bake/overlayfs"
EOF
containerd --config /bake/config.toml > /bake/log 2>&1 &
trap 'tail -n 20 /bake/log >&2' ERR
for _ in $(seq 100); do
	if ctr version > /dev/null 2>&1; then break; fi
	sleep 0.1
done
ctr --namespace k8s.io images import --all-platforms --label io.cri-containerd.pinned=pinned - >&2
kill %1
wait %1 || true

# Layers and read-only snapshots stay in the image's own file system, shared by all nodes; containerd's directories,
# which are copied into a volume for each node, only refer to them.
blobs=/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256
mkdir -p "$fixed/blobs"
find "$blobs" -type f -size +64k | while read -r blob; do
	mv "$blob" "$fixed/blobs/"
	ln -s "$fixed/blobs/$(basename "$blob")" "$blob"
done
rm -rf "$store"
mkdir -p "$store/snapshots" "$fixed/snapshots"
cp /bake/overlayfs/metadata.db "$store/"
for from in /bake/overlayfs/snapshots/*; do
	n=$(basename "$from")
	mkdir -p "$store/snapshots/$n" "$fixed/snapshots/$n"
	cp -a "$from/fs" "$fixed/snapshots/$n/"
	if [ -d "$from/work" ]; then cp -a "$from/work" "$store/snapshots/$n/"; fi
	ln -s "$fixed/snapshots/$n/fs" "$store/snapshots/$n/fs"
done
rm -rf /run/containerd /tmp/*
