# shellcheck shell=bash
# scripts/engine-install.bash: the half of scripts/engine that installs and starts an engine; scripts/engine reads it.

readonly POLICY=$ROOT/usr/sbin/policy-rc.d # Debian asks this file whether a package may start its daemon
# Made by the engine or its packages outside of STATE; those which are not there beforehand are removed with it.
readonly MADE_BY_ENGINE=("$ROOT"/{var/lib/docker,var/lib/containerd,etc/docker,etc/containerd,opt/containerd,run/docker}
  "$ROOT"/run/{containerd,docker.sock,docker.pid})
# linux/capability.h, in the order of the bits.
readonly CAPABILITIES=(CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
  NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
  SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
  SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE)
export DEBIAN_FRONTEND=noninteractive

# Prints the capabilities that the kernel knows and the bounding set of this process lacks, one name per line.
missing_capabilities() {
  local bounding bit last
  bounding=$(sed -n 's/^CapBnd:[[:space:]]*//p' "$ROOT/proc/self/status")
  last=$(cat "$ROOT/proc/sys/kernel/cap_last_cap")
  for ((bit = 0; bit <= last && bit < ${#CAPABILITIES[@]}; bit++)); do
    (((16#$bounding >> bit) & 1)) || echo "CAP_${CAPABILITIES[bit]}"
  done
}

# Runs apt-get, and leaves what it printed in APT_SAID.
try_apt() {
  local until=$((SECONDS + 300))
  while ! APT_SAID=$(apt-get -qq -o DPkg::Lock::Timeout=300 -o APT::Keep-Downloaded-Packages=false "$@" 2>&1); do
    # DPkg::Lock::Timeout does not cover the lock of the package lists.
    [[ $APT_SAID == *"Could not get lock"* ]] && ((SECONDS < until)) || return
    sleep 0.2
  done
}

apt() {
  try_apt "$@" || die "apt-get $* went wrong:" "$(tail -n 5 <<<"$APT_SAID")" \
    "mend it, then run scripts/engine again: it goes on from here"
}

# Keeps a package's maintainer scripts from starting its daemon, which would lack our flags.
forbid_start() {
  [[ -e $POLICY ]] && cp -p "$POLICY" "$STATE/policy-rc.d"
  touch "$STATE/policy-set"
  printf '#!/bin/sh\nexit 101\n' >"$POLICY.meshproof"
  chmod 755 "$POLICY.meshproof"
  mv "$POLICY.meshproof" "$POLICY"
}

allow_start() {
  [[ -e $STATE/policy-set ]] || return 0
  if [[ -e $STATE/policy-rc.d ]]; then mv "$STATE/policy-rc.d" "$POLICY"; else rm -f "$POLICY"; fi
  rm -f "$STATE/policy-set"
}

# Notes what is about to change, once: an interrupted run's notes hold what was there before it.
note_before() {
  local path
  mkdir -p "$STATE"
  [[ ! -e $STATE/before ]] || return 0
  {
    for path in "${MADE_BY_ENGINE[@]}"; do [[ -e $path ]] || echo "path $path"; done
    getent group docker >/dev/null || echo "group docker"
    [[ $(cat "$ROOT/proc/sys/net/ipv4/ip_forward") == 1 ]] || echo "forwarding off"
    [[ -e $ROOT/sys/class/net/docker0 ]] || echo "bridge docker0"
    systemctl -q is-active containerd.service 2>/dev/null || echo "active containerd"
  } >"$STATE/before.new"
  mv "$STATE/before.new" "$STATE/before"
}

# Says whether a thing was there beforehand; without notes, as if it was.
was_before() { ! grep -qx -- "$1" "$STATE/before" 2>/dev/null; }

# Brings the packages back in order after an installation of ours that was cut off: dpkg refuses any work before that.
mend_packages() {
  dpkg --configure -a >"$STATE/mend.log" 2>&1 || true # what it cannot mend, apt-get's own error will name
  try_apt -f install -y || true
}

install_packages() {
  local wanted=(docker.io iptables)
  # jq edits the container's configuration in the runtime wrapper, which a full bounding set has no need of.
  [[ -z $(missing_capabilities) ]] || command -v jq >/dev/null || wanted+=(jq)
  say "installing ${wanted[*]} (no engine was found)"
  # A foreign package source that does not answer is no reason to give up: the lists may hold docker.io all the same.
  try_apt update || say "apt-get update went wrong, trying with the lists that are there: $(tail -n 1 <<<"$APT_SAID")"
  apt -s install --no-install-recommends --no-upgrade "${wanted[@]}"
  refuse_removals "${wanted[*]}"
  # A line of a package that is only upgraded has the version that is there, in brackets; that package is not ours to purge.
  sed -n 's/^Inst \([^ ]*\) (.*/\1/p' <<<"$APT_SAID" >>"$STATE/packages"
  apt install -y --no-install-recommends --no-remove --no-upgrade "${wanted[@]}"
}

# Ends when apt-get would remove packages for $1, as Docker's own for docker.io. Nothing is ours then, so the notes go too.
refuse_removals() {
  local removed
  removed=$(sed -n 's/^Remv \([^ ]*\).*/\1/p' <<<"$APT_SAID" | paste -sd ' ')
  [[ -n $removed ]] || return 0
  allow_start
  [[ -s $STATE/packages ]] || rm -rf -- "$STATE"
  die "installing $1 would remove $removed, which this machine has; nothing was installed" \
    "do one of: have docker from where those packages come from (docker-ce goes with containerd.io);" \
    "  remove them by hand if nothing needs them, then run scripts/engine again"
}

install_engine() {
  local cut_off=false
  ! ours || cut_off=true
  note_before
  echo installing >"$STATE/mode"
  allow_start # an interrupted run's
  forbid_start
  trap allow_start EXIT
  ! $cut_off || mend_packages
  install_packages
  allow_start
  trap - EXIT
  if [[ -d $ROOT/run/systemd/system && -z $(missing_capabilities) ]]; then
    echo systemd >"$STATE/mode"
    return
  fi
  if [[ -d $ROOT/run/systemd/system ]]; then
    systemctl -q disable docker.service docker.socket # started at boot, it would lack the wrapper
    was_before "active containerd" || systemctl -q disable containerd.service
  fi
  echo daemon >"$STATE/mode"
}

# A runtime that takes the capabilities which nobody here can have out of what docker asks for, and is runc otherwise.
write_runtime() {
  local capabilities
  capabilities=$(missing_capabilities | jq -Rnc '[inputs]')
  cat >"$STATE/runtime.new" <<RUNTIME
#!/bin/bash
# Written by scripts/engine. --privileged asks for every capability, and runc fails on one which the bounding set lacks.
lacking='$capabilities'
RUNTIME
  cat >>"$STATE/runtime.new" <<'RUNTIME'
strip() {
  local new
  [[ -f $1 ]] || return 0
  new=$(jq -c --argjson lacking "$lacking" '
    def bounded: if .capabilities then .capabilities |= map_values(if . then . - $lacking else . end) else . end;
    bounded | if .process then .process |= bounded else . end' "$1") && printf '%s' "$new" >"$1"
}
for ((i = 1; i < $#; i++)); do
  next=$((i + 1))
  case ${!i} in
    --bundle | -b) strip "${!next}/config.json" ;;
    --process | -p) strip "${!next}" ;;
  esac
done
exec runc "$@"
RUNTIME
  chmod 755 "$STATE/runtime.new"
  mv "$STATE/runtime.new" "$STATE/runtime"
}

# Prints the process id of the dockerd that this script started, or fails. An id can have gone to another process since.
daemon_pid() {
  local pid
  pid=$(cat "$RUN/dockerd.pid" 2>/dev/null) && [[ -n $pid ]] &&
    { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q -- "dockerd .*--pidfile $RUN/dockerd.pid " && echo "$pid"
}

start_daemon() {
  local flags=(--pidfile "$RUN/dockerd.pid" --exec-root "$RUN" --data-root "$STATE/data")
  mkdir -p "$RUN"
  rm -f "$RUN/dockerd.pid"
  if [[ -n $(missing_capabilities) ]]; then
    write_runtime
    flags+=(--add-runtime "bounded=$STATE/runtime" --default-runtime bounded)
    say "--privileged will do without $(missing_capabilities | tr '\n' ' ')(missing in this machine's bounding set)"
  fi
  # The clean PATH keeps dockerd from picking up another containerd's shim, which it then cannot talk to. 9 is our lock.
  PATH=$CLEAN_PATH setsid dockerd "${flags[@]}" </dev/null >"$STATE/dockerd.log" 2>&1 9>&- &
  wait_for_engine $!
}

# Waits until docker info answers. $1: dockerd's process id, or nothing with systemd.
wait_for_engine() {
  local until=$((SECONDS + 90))
  hash -r # the docker command may have been installed since the last look
  until [[ -n $(server_version) ]]; do
    if [[ -n ${1:-} ]] && ! kill -0 "$1" 2>/dev/null; then
      die "dockerd ended while it started; the end of $STATE/dockerd.log:" "$(tail -n 5 "$STATE/dockerd.log")"
    fi
    ((SECONDS < until)) || die "the engine did not answer within 90 s: $(engine_fault)" "$(remedy timeout)"
    sleep 0.2
  done
}

start_engine() {
  if [[ $(cat "$STATE/mode") == systemd ]]; then
    systemctl start docker || die "systemctl start docker went wrong; see journalctl -u docker"
    wait_for_engine
  elif daemon_pid >/dev/null; then
    wait_for_engine
  else
    start_daemon
  fi
  say "docker $(server_version) runs: installed by this script ($(sort -u "$STATE/packages" | wc -l) packages, listed in" \
    "$STATE/packages; scripts/engine --remove takes it away)"
}
