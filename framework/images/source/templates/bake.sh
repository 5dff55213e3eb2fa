# Imports the images on standard input into containerd's store and unpacks them. Runs as root in a container of the node
# image, with a volume at /bake.
set -euo pipefail
store=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs
fixed=/opt/meshproof/snapshots

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

# Read-only snapshots stay in the image's own layers, shared by all nodes; containerd's directory, which is copied into
# a volume for each node, only refers to them.
rm -rf "$store"
mkdir -p "$store/snapshots" "$fixed"
cp /bake/overlayfs/metadata.db "$store/"
for from in /bake/overlayfs/snapshots/*; do
	n=$(basename "$from")
	mkdir -p "$store/snapshots/$n" "$fixed/$n"
	cp -a "$from/fs" "$fixed/$n/fs"
	if [ -d "$from/work" ]; then cp -a "$from/work" "$store/snapshots/$n/"; fi
	ln -s "$fixed/$n/fs" "$store/snapshots/$n/fs"
done
rm -rf /run/containerd /tmp/*
