#!/usr/bin/env bash
# The main job's steps typed by hand, one after the other, as a careful person would: the yardstick of `make bench`.
# Same node image, same Istio, same sample; no registry, so images are taken from the node (imagePullPolicy IfNotPresent).
# Prints seconds per phase. Usage: scripts/bench/by-hand.sh WORKDIR
set -euo pipefail
work=${1:?WORKDIR}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
mkdir -p "$work/ca"
eval "$("$here/bin/meshproof" images env)" # NODE_IMAGE KUBECTL ISTIOCTL METALLB ISTIO_MODULE HUB TAG
kind=$work/kind
[ -x "$kind" ] || (cd "$here" && go build -trimpath -o "$kind" sigs.k8s.io/kind)
clusters=("hand-$$-east" "hand-$$-west")
began=$(date +%s.%N)
last=$began
mark() {
  local now
  now=$(date +%s.%N)
  printf '%-34s %7.1f\n' "$1" "$(echo "$now - $last" | bc)"
  last=$now
}
had_network=$(docker network ls -q --filter name='^kind$')
cleanup() {
  for c in "${clusters[@]}"; do "$kind" delete cluster -q --name "$c" --kubeconfig "$work/$c.yaml" || true; done
  [ -n "$had_network" ] || docker network rm kind >/dev/null 2>&1 || true
}
trap cleanup EXIT
k() { "$KUBECTL" --kubeconfig "$work/$1.yaml" "${@:2}"; }

cat >"$work/kind.yaml" <<'Y'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
networking: {disableDefaultCNI: true}
nodes: [{role: control-plane}]
containerdConfigPatches:
- |-
  [plugins."io.containerd.cri.v1.runtime"]
    restrict_oom_score_adj = true
kubeadmConfigPatches:
- |
  kind: KubeletConfiguration
  apiVersion: kubelet.config.k8s.io/v1beta1
  failCgroupV1: false
  oomScoreAdj: 0
Y
for c in "${clusters[@]}"; do
  "$kind" create cluster -q --name "$c" --image "$NODE_IMAGE" --config "$work/kind.yaml" --kubeconfig "$work/$c.yaml" --wait 180s
  mark "create cluster ${c#hand-$$-}"
done
subnet=$(docker network inspect kind -f '{{range .IPAM.Config}}{{.Subnet}} {{end}}' | tr ' ' '\n' | grep -v : | head -1 | cut -d. -f1-2)
i=0
for c in "${clusters[@]}"; do
  i=$((i + 1))
  k "$c" apply -f "$METALLB" >/dev/null
  k "$c" -n metallb-system wait --for=condition=Available deploy/controller --timeout=90s >/dev/null
  k "$c" -n metallb-system rollout status ds/speaker --timeout=90s >/dev/null
  k "$c" apply -f - >/dev/null <<Y
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: pool, namespace: metallb-system}
spec: {addresses: ["$subnet.25$i.1-$subnet.25$i.50"]}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: l2, namespace: metallb-system}
Y
  mark "load balancer ${c#hand-$$-}"
done

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca/root-key.pem" -out "$work/ca/root-cert.pem" -days 10 -subj /O=hand/CN=root \
  -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
i=0
for c in "${clusters[@]}"; do
  i=$((i + 1))
  d=$work/ca/$c
  mkdir -p "$d"
  openssl req -newkey rsa:2048 -nodes -keyout "$d/ca-key.pem" -out "$d/ca.csr" -subj "/O=hand/CN=$c" 2>/dev/null
  printf 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$d/ext"
  openssl x509 -req -in "$d/ca.csr" -CA "$work/ca/root-cert.pem" -CAkey "$work/ca/root-key.pem" -CAcreateserial -days 10 -extfile "$d/ext" -out "$d/ca-cert.pem" 2>/dev/null
  cat "$d/ca-cert.pem" "$work/ca/root-cert.pem" >"$d/cert-chain.pem"
  k "$c" create ns istio-system >/dev/null
  k "$c" label ns istio-system "topology.istio.io/network=network$i" >/dev/null
  k "$c" -n istio-system create secret generic cacerts --from-file="$d/ca-cert.pem" --from-file="$d/ca-key.pem" \
    --from-file="$work/ca/root-cert.pem" --from-file="$d/cert-chain.pem" >/dev/null
  cat >"$work/iop-$c.yaml" <<Y
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: control-plane}
spec:
  profile: minimal
  revision: asm-1232-2
  hub: $HUB
  tag: $TAG
  meshConfig: {localityLbSetting: {enabled: false}}
  values:
    global: {meshID: proj-123, network: network$i, multiCluster: {clusterName: cn-hand-global-$c}, imagePullPolicy: IfNotPresent}
    telemetry: {v2: {prometheus: {enabled: false}}}
    pilot:
      autoscaleEnabled: false
      env: {PILOT_ENABLE_ALPN_FILTER: "false", PILOT_ENABLE_METADATA_EXCHANGE: "false"}
      resources: {requests: {cpu: 10m, memory: 100Mi}}
Y
  "$ISTIOCTL" --kubeconfig "$work/$c.yaml" install -y -f "$work/iop-$c.yaml" >/dev/null 2>&1
  mark "control plane ${c#hand-$$-}"
done
i=0
for c in "${clusters[@]}"; do
  i=$((i + 1))
  bash "$ISTIO_MODULE/samples/multicluster/gen-eastwest-gateway.sh" --mesh proj-123 --cluster "cn-hand-global-$c" --network "network$i" --revision asm-1232-2 |
    "$ISTIOCTL" --kubeconfig "$work/$c.yaml" install -y --set values.global.imagePullPolicy=IfNotPresent -f - >/dev/null 2>&1
  k "$c" apply -n istio-system -f "$ISTIO_MODULE/samples/multicluster/expose-services.yaml" >/dev/null
  mark "gateway ${c#hand-$$-}"
done
join() {
  local server
  server=https://$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1-control-plane"):6443
  "$ISTIOCTL" create-remote-secret --kubeconfig "$work/$1.yaml" --name "$1" --server "$server" | k "$2" apply -f - >/dev/null
}
join "${clusters[0]}" "${clusters[1]}"
join "${clusters[1]}" "${clusters[0]}"
mark "join"
i=0
for c in "${clusters[@]}"; do
  i=$((i + 1))
  k "$c" create ns sample >/dev/null
  k "$c" label ns sample istio-injection- istio.io/rev=asm-1232-2 --overwrite >/dev/null 2>&1
  for l in service=helloworld version=v$i; do k "$c" create -n sample -f "$ISTIO_MODULE/samples/helloworld/helloworld.yaml" -l "$l" >/dev/null; done
  k "$c" apply -n sample -f "$ISTIO_MODULE/samples/sleep/sleep.yaml" >/dev/null
  k "$c" -n sample wait --for=condition=Available deploy --all --timeout=120s >/dev/null
  mark "sample ${c#hand-$$-}"
done
for c in "${clusters[@]}"; do
  k "$c" -n sample exec deploy/sleep -c sleep -- sh -c 'for i in $(seq 1 20); do curl -sS helloworld.sample:5000/hello; done' | cut -c1-20 | sort | uniq -c
  mark "20 calls from ${c#hand-$$-}"
done
for c in "${clusters[@]}"; do
  k "$c" delete ns sample >/dev/null
  mark "delete sample ${c#hand-$$-}"
done
trap - EXIT
cleanup
mark "delete clusters"
printf '%-34s %7.1f\n' total "$(echo "$(date +%s.%N) - $began" | bc)"
