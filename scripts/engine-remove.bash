# shellcheck shell=bash
# scripts/engine-remove.bash: the half of scripts/engine that removes an engine; scripts/engine reads it. Takes away what STATE names, in the
# reverse order of how it came; a step that has already been done is passed over, so that a removal can be repeated.

remove_engine() {
  # An engine that is down may have left containers and networks, which only an engine takes away in good order.
  [[ $(cat "$STATE/mode") == installing ]] || (start_engine) >/dev/null 2>&1 || say "it does not start any more"
  refuse_while_used
  allow_start
  [[ $(cat "$STATE/mode") != installing ]] || mend_packages
  remove_networks
  stop_engine
  remove_packet_filter
  purge_packages
  remove_paths
  say "docker is stopped and removed, with its packages and data"
}

# A cluster or a build that still runs is somebody's; ending it unasked would lose it.
refuse_while_used() {
  local running
  running=$(timeout 20 docker ps --format '{{.Names}}' 2>/dev/null | paste -sd ' ') || true
  [[ -z $running ]] || die "the engine still runs containers: $running" \
    "end them first (bin/meshproof down, kind delete cluster, docker rm -f), then run scripts/engine --remove again"
}

# dockerd takes a network's bridge and packet filter rules away when it removes the network, and not when it ends.
remove_networks() {
  local networks
  networks=$(timeout 20 docker network ls -q --filter type=custom 2>/dev/null) || return 0
  [[ -z $networks ]] || docker ps -aq | xargs -r docker rm -f >/dev/null
  xargs -r docker network rm <<<"$networks" >/dev/null
}

stop_engine() {
  local pid until=$((SECONDS + 60))
  if [[ $(cat "$STATE/mode") == systemd ]]; then
    systemctl stop docker.socket docker.service 2>/dev/null || true
    was_before "active containerd" || systemctl stop containerd.service 2>/dev/null || true
    return
  fi
  pid=$(daemon_pid) || return 0
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do
    ((SECONDS < until)) || die "dockerd (process $pid) did not end within 60 s of SIGTERM" \
      "see $STATE/dockerd.log; end it, then run scripts/engine --remove again"
    sleep 0.2
  done
}

# The rules that a stopped dockerd leaves, its bridge, and the forwarding that it switched on.
remove_packet_filter() {
  local tool table
  was_before "bridge docker0" && return
  for tool in iptables ip6tables; do
    command -v "$tool-save" >/dev/null || continue
    for table in nat filter; do
      "$tool-save" -t "$table" 2>/dev/null | grep -q DOCKER || continue
      "$tool-save" -t "$table" | grep -v -E 'DOCKER|docker0' | "$tool-restore" -T "$table"
    done
  done
  if ! was_before "forwarding off"; then
    echo 0 >"$ROOT/proc/sys/net/ipv4/ip_forward"
    ! command -v iptables >/dev/null || iptables -P FORWARD ACCEPT # dockerd sets DROP when it switches forwarding on
  fi
  remove_bridge
}

# ip(8) is not a package that docker.io brings; perl is on every Debian. SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCBRDELBR.
remove_bridge() {
  [[ -e $ROOT/sys/class/net/docker0 ]] || return 0
  perl -MSocket -e '
    socket(my $s, AF_INET, SOCK_DGRAM, 0) or die "socket: $!";
    my $request = pack("a16 s x22", "docker0", 0);
    ioctl($s, 0x8913, $request) or die "SIOCGIFFLAGS: $!";
    my (undef, $flags) = unpack("a16 s", $request);
    ioctl($s, 0x8914, my $down = pack("a16 s x22", "docker0", $flags & ~1)) or die "SIOCSIFFLAGS: $!";
    ioctl($s, 0x89a1, my $name = pack("a16", "docker0")) or die "SIOCBRDELBR: $!";' ||
    say "the bridge docker0 could not be removed; a restart of the machine does"
}

# Purges the packages that the installation brought, except those which something installed later has come to need.
purge_packages() {
  local ours=() kept=() package others
  while read -r package; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || echo not-installed) != not-installed ]] || continue
    others=$(needed_by_others "$package")
    if [[ -n $others ]]; then kept+=("$package (needed by ${others//$'\n'/ })"); else ours+=("$package"); fi
  done < <(sort -u "$STATE/packages" 2>/dev/null)
  ((${#ours[@]} == 0)) || apt purge -y "${ours[@]}"
  ((${#kept[@]} == 0)) || say "kept, because of packages that were installed later: ${kept[*]}"
}

# Prints the packages, not of our installing, that would have to go with $1.
needed_by_others() {
  apt -s purge "$1"
  sed -n 's/^\(Purg\|Remv\) \([^ ]*\).*/\2/p' <<<"$APT_SAID" | grep -vxFf "$STATE/packages" || true
}

# umount(8) is not on every Debian: umount2 with MNT_DETACH, by its number.
detach() {
  local number=166
  [[ $(uname -m) != aarch64 ]] || number=39
  perl -e 'syscall($ARGV[0] + 0, $ARGV[1], 2) == 0 or die "umount $ARGV[1]: $!\n"' "$number" "$1"
}

remove_paths() {
  local kind what
  while read -r kind what; do
    case $kind in
      path) rm -rf -- "$what" ;;
      group) ! getent group "$what" >/dev/null || groupdel "$what" ;;
    esac
  done <"$STATE/before"
  while mountpoint -q "$STATE/data"; do detach "$STATE/data"; done # an engine that was killed leaves its own mount
  rm -rf -- "$RUN" "$STATE/data"
  rm -rf -- "$STATE" # the notes go last, so that an interrupted removal is taken up again
}
