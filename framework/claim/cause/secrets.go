package cause

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
)

// blind are the ways on which what istiod knows of the other cluster can have broken the claim. For a claim on endpoints or
// calls those are the ways of which sleep's Envoy holds nothing: istiod keeps what it has read of a cluster from which it is
// cut off later, and then the secret is not why a call failed.
func (s sight) blind() []way {
	onCalls := slices.Contains(with(ofTheCalls(), "endpoints-across-gateway"), s.claim)
	return slices.DeleteFunc(s.ways(), func(w way) bool {
		return onCalls && slices.ContainsFunc(s.held(w.from), func(h holding) bool { return slices.ContainsFunc(h.endpoints, w.leads) })
	})
}

// unsynced gives a replica of istiod that has not read a way's other cluster, with the state in which it has it ("" when
// it does not know it), and whether there is one.
func (s sight) unsynced(w way) (replica evidence.Istiod, state string, there bool) {
	for _, i := range s.istiods(w.from.Name) {
		watched, err := i.RemoteClusters()
		if err != nil {
			continue // the claim itself says so
		}
		at := slices.IndexFunc(watched, func(c evidence.RemoteCluster) bool { return c.ID == w.to.RemoteName })
		if at < 0 {
			return i, "", true
		}
		if watched[at].SyncStatus != "synced" {
			return i, watched[at].SyncStatus, true
		}
	}
	return evidence.Istiod{}, "", false
}

func secretMissing(s sight) (string, []string) {
	for _, w := range s.blind() {
		k := s.objects(w.from.Name)
		if k == nil || s.unlisted(w.from.Name, "read remote secrets in ") {
			continue
		}
		if !slices.ContainsFunc(k.RemoteSecrets, func(o evidence.Object) bool { return seen.SecretOf(o, w.to.RemoteName) }) {
			return fmt.Sprintf("cluster %s has no remote secret for %s (%s)", w.from.Name, w.to.Name, w.to.RemoteName),
				[]string{evidence.FileOfKubernetes(s.epoch, w.from.Name)}
		}
	}
	return "", nil
}

// foreignSecret is shown by a remote secret for no cluster of the mesh.
func foreignSecret(s sight) (string, []string) {
	for _, c := range s.callers() {
		k := s.objects(c.Name)
		if k == nil {
			continue
		}
		for _, o := range k.RemoteSecrets {
			ours := func(w way) bool { return seen.SecretOf(o, w.to.RemoteName) }
			if !slices.ContainsFunc(s.ways(), ours) {
				return fmt.Sprintf("cluster %s holds the remote secret %s/%s, which is for no cluster of this mesh", c.Name, o.Namespace, o.Name),
					[]string{evidence.FileOfKubernetes(s.epoch, c.Name)}
			}
		}
	}
	return "", nil
}

// wedged is shown by a replica that no longer lists a cluster and has not let go of it: it still counts it, or still holds
// its pods. Its secret controller is blocked in the deletion then, and takes no secret in any more.
func wedged(s sight) (string, []string) {
	for _, w := range s.blind() {
		i, state, there := s.unsynced(w)
		if !there || state != "" {
			continue
		}
		watched, err := i.RemoteClusters()
		if err != nil {
			continue
		}
		var signs []string
		remote := slices.DeleteFunc(watched, func(c evidence.RemoteCluster) bool { return c.SecretName == "" })
		if counted, known := i.Sum(evidence.MetricManaged, "cluster_type", "remote"); known && counted > float64(len(remote)) {
			signs = append(signs, fmt.Sprintf("it still counts %g remote clusters", counted))
		}
		if shards, err := i.Shards(evidence.HelloworldHost(s.sample())); err == nil &&
			slices.ContainsFunc(shards, func(x evidence.Shard) bool { return x.Cluster == w.to.RemoteName }) {
			signs = append(signs, "it still holds pods of "+w.to.RemoteName)
		}
		if len(signs) > 0 {
			return fmt.Sprintf("istiod %s on cluster %s no longer lists %s, yet %s: its controller of remote secrets is stuck",
				i.Pod, w.from.Name, w.to.RemoteName, strings.Join(signs, " and ")), []string{i.File(s.epoch, w.from.Name)}
		}
	}
	return "", nil
}

// trouble is what is known of a way whose other cluster istiod has not read.
type trouble struct {
	way
	// server is where the secret points; the zero value when that was not taken.
	server evidence.RemoteServer
	// says is the newest complaint of istiod; empty when there is none.
	says  evidence.Trouble
	files []string
}

// troubles gives one for each way that is not synced. The claim on the secrets themselves is broken by what they hold,
// whatever istiod has made of them so far.
func (s sight) troubles() []trouble {
	var all []trouble
	for _, w := range s.blind() {
		k := s.objects(w.from.Name)
		replica, _, there := s.unsynced(w)
		if k == nil || !there && s.claim != "remote-secrets" {
			continue
		}
		t := trouble{way: w, files: []string{evidence.FileOfKubernetes(s.epoch, w.from.Name)}}
		if there {
			t.files = append(t.files, replica.File(s.epoch, w.from.Name))
		}
		for _, o := range k.RemoteSecrets {
			for _, r := range k.RemoteServers {
				if seen.SecretOf(o, w.to.RemoteName) && r.Secret == o.Namespace+"/"+o.Name && t.server.Cluster != w.to.RemoteName {
					t.server = r
				}
			}
		}
		t.says = newest(replica, w).Trouble
		all = append(all, t)
	}
	return all
}

// newest is the last that a replica's log says of its reading of a way's other cluster; the zero value when it says nothing.
func newest(i evidence.Istiod, w way) evidence.Complaint {
	var last evidence.Complaint
	for _, c := range i.Complaints {
		if c.Cluster == w.to.RemoteName && c.Trouble != evidence.Undeleted && !c.Last.Before(last.Last) {
			last = c
		}
	}
	return last
}

func unreadable(s sight) (string, []string) {
	for _, t := range s.troubles() {
		switch {
		case t.server.Problem != "":
			return fmt.Sprintf("istiod on cluster %s cannot use the remote secret %s for %s: %s", t.from.Name, t.server.Secret, t.to.Name, t.server.Problem), t.files
		case t.server.Secret != "" && t.server.Cluster != t.to.RemoteName:
			return fmt.Sprintf("the remote secret %s on cluster %s has its kubeconfig under %q, so istiod does not know %s as %q",
				t.server.Secret, t.from.Name, t.server.Cluster, t.to.Name, t.to.RemoteName), t.files
		case t.says == evidence.Unusable:
			return fmt.Sprintf("istiod on cluster %s cannot make a client from the remote secret for %s", t.from.Name, t.to.Name), t.files
		}
	}
	return "", nil
}

func loopback(s sight) (string, []string) {
	for _, t := range s.troubles() {
		if seen.Loopback(t.server.Server) {
			return fmt.Sprintf("the remote secret for %s on cluster %s points at %s, which in istiod's pod is the pod itself", t.to.Name, t.from.Name, t.server.Server), t.files
		}
	}
	return "", nil
}

func forbidden(s sight) (string, []string) {
	for _, t := range s.troubles() {
		switch t.says {
		case evidence.Forbidden:
			return fmt.Sprintf("the account in the remote secret for %s on cluster %s may not read there: its API server says forbidden", t.to.Name, t.from.Name), t.files
		case evidence.Unauthorized:
			return fmt.Sprintf("the API server of cluster %s does not take the token in the remote secret on cluster %s", t.to.Name, t.from.Name), t.files
		}
	}
	return s.shutOut()
}

// stillRefused bounds the age of a refusal that is in force: an informer that is refused asks again after a minute at most
// (800 ms, doubled up to 30 s, and as much again by chance: client-go's reflector).
const stillRefused = 2 * time.Minute

// shutOut is shown by a replica that has read a cluster and may no longer: clusterz goes on to say "synced", the watches that
// live go on, and what changes after their end is not seen. A refusal of something that no claim needs is no cause: so what
// the replica holds must be out of date besides.
func (s sight) shutOut() (string, []string) {
	for _, w := range s.blind() {
		for _, i := range s.istiods(w.from.Name) {
			last := newest(i, w)
			refused := last.Trouble == evidence.Forbidden || last.Trouble == evidence.Unauthorized
			if refused && i.At.Sub(last.Last) <= stillRefused && s.outdated(i, w) {
				return fmt.Sprintf("istiod %s on cluster %s has read cluster %s and may no longer: the API server there answers %s to the account in the remote secret", i.Pod, w.from.Name, w.to.Name, last.Trouble),
					[]string{i.File(s.epoch, w.from.Name), evidence.FileOfKubernetes(s.epoch, w.to.Name)}
			}
		}
	}
	return "", nil
}

// outdated tells whether a replica holds other pods of helloworld for a way's other cluster than are ready there.
func (s sight) outdated(i evidence.Istiod, w way) bool {
	shards, err := i.Shards(evidence.HelloworldHost(s.sample()))
	k := s.objects(w.to.Name)
	if err != nil || k == nil || s.unlisted(w.to.Name, readPods) {
		return false
	}
	ready := seen.IPs(slices.DeleteFunc(seen.AppPods(k, s.sample(), "helloworld"), func(p evidence.Pod) bool {
		n, of := seen.Ready(p)
		return n < of
	}))
	slices.Sort(ready)
	return !slices.Equal(seen.Held(seen.ShardsOf(w.to, false, shards), ready), ready)
}

// elsewhere compares where the secret points with where the peer's API server is, as seen from outside and from within it.
// An API server may have more addresses than these: so this explains only what istiod could not read.
func elsewhere(s sight) (string, []string) {
	for _, t := range s.troubles() {
		own := s.addresses(t.to.Name)
		points := evidence.HostPort(t.server.Server)
		if points != "" && len(own) > 0 && !slices.Contains(own, points) {
			return fmt.Sprintf("the remote secret for %s on cluster %s points at %s, but the API server there is at %s, and answers", t.to.Name, t.from.Name, points, strings.Join(own, ", ")),
				with(t.files, evidence.FileOfKubernetes(s.epoch, t.to.Name))
		}
	}
	return "", nil
}

// addresses are those at which a cluster's API server was found, when it answered.
func (s sight) addresses(name string) []string {
	k := s.objects(name)
	if k == nil || k.Version == "" && len(k.Namespaces) == 0 {
		return nil
	}
	all := slices.Clone(k.APIServers)
	if own := evidence.HostPort(k.Server); own != "" {
		all = append(all, own)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func untrusted(s sight) (string, []string) {
	for _, t := range s.troubles() {
		if t.says == evidence.Untrusted {
			return fmt.Sprintf("istiod on cluster %s does not trust the certificate that answers at %s for cluster %s", t.from.Name, somewhere(t), t.to.Name), t.files
		}
	}
	return "", nil
}

func unreached(s sight) (string, []string) {
	for _, t := range s.troubles() {
		if t.says == evidence.Unreached && len(s.addresses(t.to.Name)) > 0 {
			return fmt.Sprintf("istiod on cluster %s cannot reach the API server of cluster %s at %s, which answers from outside", t.from.Name, t.to.Name, somewhere(t)),
				with(t.files, evidence.FileOfKubernetes(s.epoch, t.to.Name))
		}
	}
	return "", nil
}

func somewhere(t trouble) string {
	if t.server.Server == "" {
		return "the address in the remote secret"
	}
	return t.server.Server
}

func clusterTimeout(s sight) (string, []string) {
	for _, w := range s.blind() {
		if i, state, there := s.unsynced(w); there && state == "timeout" {
			return fmt.Sprintf("istiod %s on cluster %s could not read cluster %s in time", i.Pod, w.from.Name, w.to.RemoteName), []string{i.File(s.epoch, w.from.Name)}
		}
	}
	return "", nil
}
