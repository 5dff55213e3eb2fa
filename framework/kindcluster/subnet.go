package kindcluster

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// addresses is how the run's network, a /24, is divided. docker gives containers addresses from the first quarter
// only, so that no container ever meets a load balancer's address.
type addresses struct {
	subnet     netip.Prefix
	containers netip.Prefix
	gateway    netip.Addr
	registry   netip.Addr
	ranges     []addressRange // one per cluster, in order
}

type addressRange struct{ first, last netip.Addr }

// String gives the range in MetalLB's form.
func (r addressRange) String() string { return r.first.String() + "-" + r.last.String() }

// Offsets in the /24: containers have 2 to 63, load balancers share 64 to 239, the registry is at 250.
const (
	firstBalancer = 64
	endBalancers  = 240
	registryAt    = 250
)

func divide(subnet netip.Prefix, clusters int) addresses {
	a := addresses{
		subnet:     subnet,
		containers: netip.PrefixFrom(subnet.Addr(), 26),
		gateway:    at(subnet, 1),
		registry:   at(subnet, registryAt),
	}
	each := (endBalancers - firstBalancer) / clusters
	for i := range clusters {
		first := firstBalancer + i*each
		a.ranges = append(a.ranges, addressRange{at(subnet, first), at(subnet, first+each-1)})
	}
	return a
}

func at(subnet netip.Prefix, offset int) netip.Addr {
	b := subnet.Addr().As4()
	binary.BigEndian.PutUint32(b[:], binary.BigEndian.Uint32(b[:])+uint32(offset))
	return netip.AddrFrom4(b)
}

// candidates gives the /24 networks of 172.29.0.0 to 172.31.255.255 that overlap none of taken, each once. Where it
// begins depends on the run id, so that two runs that start at the same moment seldom ask docker for the same one.
// docker itself takes from 172.17.0.0/16 upwards, and kind's pod and service networks are in 10.0.0.0/8.
func candidates(runID string, taken []netip.Prefix) []netip.Prefix {
	const second, count = 29, 3 * 256
	h := fnv.New32a()
	_, _ = io.WriteString(h, runID) // never fails
	start := int(h.Sum32() % count)
	var free []netip.Prefix
	for i := range count {
		n := (start + i) % count
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, byte(second + n/256), byte(n % 256), 0}), 24)
		if !overlapsAny(p, taken) {
			free = append(free, p)
		}
	}
	return free
}

func overlapsAny(p netip.Prefix, others []netip.Prefix) bool {
	for _, o := range others {
		if p.Overlaps(o) {
			return true
		}
	}
	return false
}

// interfaceNetworks gives the IPv4 networks that this machine's interfaces are on.
func interfaceNetworks() ([]netip.Prefix, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	var taken []netip.Prefix
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			taken = append(taken, p.Masked())
		}
	}
	return taken, nil
}

// routes reads the kernel's IPv4 routes as /proc/net/route has them: hexadecimal in the machine's byte order, which is
// little-endian wherever docker runs. The default route is left out: it overlaps everything.
func routes(table io.Reader) []netip.Prefix {
	var taken []netip.Prefix
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 8 {
			continue
		}
		to, errTo := strconv.ParseUint(f[1], 16, 32)
		mask, errMask := strconv.ParseUint(f[7], 16, 32)
		if errTo != nil || errMask != nil || mask == 0 {
			continue // the heading, or the default route
		}
		var b, m [4]byte
		binary.LittleEndian.PutUint32(b[:], uint32(to))
		binary.LittleEndian.PutUint32(m[:], uint32(mask))
		ones, _ := net.IPMask(m[:]).Size()
		taken = append(taken, netip.PrefixFrom(netip.AddrFrom4(b), ones).Masked())
	}
	return taken
}
