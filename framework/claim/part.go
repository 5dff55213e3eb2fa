package claim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshproof/meshproof/framework/claim/internal/seen"
	"github.com/meshproof/meshproof/framework/evidence"
	"github.com/meshproof/meshproof/framework/intent"
)

// part is one kind of evidence of some clusters, which a rule reads.
type part struct {
	of func(view) []intent.Cluster
	// gap says what of it is missing for one cluster, as a sentence; "" when all is there.
	gap func(v view, c intent.Cluster) string
	// files names it for one cluster.
	files func(v view, c intent.Cluster) []string
	// acts tells that it comes of what the run does: a run that only reads has none.
	acts bool
	// calls is the purpose of the calls that it is; "" = it is something else.
	calls string
}

func ofSelf(v view) []intent.Cluster  { return []intent.Cluster{v.self} }
func ofPeers(v view) []intent.Cluster { return v.peers }
func ofAll(v view) []intent.Cluster   { return v.everyone() }

// gaps names everything that the rule reads and that is not there.
func (r rule) gaps(v view) []string {
	var all []string
	for _, p := range r.reads {
		for _, c := range p.of(v) {
			if gap := p.gap(v, c); gap != "" && !slices.Contains(all, gap) {
				all = append(all, gap)
			}
		}
	}
	return all
}

func (r rule) files(v view) []string {
	var all []string
	for _, p := range r.reads {
		for _, c := range p.of(v) {
			all = append(all, p.files(v, c)...)
		}
	}
	return sorted(all)
}

// steps are those of the run.
func steps() part {
	return part{
		acts: true,
		of:   func(v view) []intent.Cluster { return v.run.Intent.Clusters[:min(1, len(v.run.Intent.Clusters))] },
		gap: func(v view, _ intent.Cluster) string {
			if len(v.run.Steps) > 0 {
				return ""
			}
			return "no steps were recorded in " + evidence.StepsFile + because(v.run, evidence.StepsFile)
		},
		files: func(view, intent.Cluster) []string { return []string{evidence.StepsFile} },
	}
}

// seal is the list of checksums.
func seal() part {
	return part{
		of:    func(v view) []intent.Cluster { return v.run.Intent.Clusters[:min(1, len(v.run.Intent.Clusters))] },
		gap:   func(view, intent.Cluster) string { return "" },
		files: func(view, intent.Cluster) []string { return []string{evidence.SumsFile} },
	}
}

// objects are a cluster's API objects.
func objects(of func(view) []intent.Cluster) part {
	return part{of: of, gap: objectsGap, files: func(v view, c intent.Cluster) []string {
		return []string{evidence.FileOfKubernetes(v.epoch, c.Name)}
	}}
}

func objectsGap(v view, c intent.Cluster) string {
	file := evidence.FileOfKubernetes(v.epoch, c.Name)
	seenCluster := v.cluster(c.Name)
	switch {
	case seenCluster == nil:
		return fmt.Sprintf("nothing was seen of cluster %s in epoch %s%s", c.Name, v.epoch, stopped(v.run))
	case seenCluster.Kubernetes == nil:
		return missing(v, c, file, seen.Objects, "")
	case because(v.run, evidence.FileOfProblems(v.epoch, c.Name)) != "":
		problems := evidence.FileOfProblems(v.epoch, c.Name)
		return problems + because(v.run, problems) + "; so it cannot be told what is missing in " + file
	}
	for _, p := range seenCluster.Problems {
		if p.What == seen.Objects && !beside(p.Error) {
			return fmt.Sprintf("%s is not complete: %s", file, p.Error)
		}
	}
	return ""
}

// beside tells whether a list that could not be read is one that no claim reads.
func beside(problem string) bool {
	return slices.ContainsFunc([]string{
		"read events in ", "read endpoint slices in ", "read the version ", "read the addresses of the API server",
		readServers, readReader, readWebhooks, "read destination rules in ", "read virtual services in ", "read authorization policies in ",
	}, func(p string) bool { return strings.HasPrefix(problem, p) })
}

// How collection begins what it says of lists that it could not read, and that only some claims read; and what one of them is.
const (
	theServers   = "the servers of the remote secrets"
	readServers  = "read remote servers in "
	readReader   = "read what istio-reader-service-account may "
	readWebhooks = "read webhooks "
)

// taken is a list of the cluster's own objects that collection may lack beside others: runs of earlier versions did not
// take it, and an API server may refuse it. Problem is how collection begins what it says then.
func taken(what, problem string, there func(*evidence.Kubernetes) bool) part {
	p := objects(ofSelf)
	p.gap = func(v view, c intent.Cluster) string {
		if gap := objectsGap(v, c); gap != "" || there(v.objects(c.Name)) {
			return gap
		}
		if gap := untaken(v, c, what, problem); gap != "" {
			return gap
		}
		return fmt.Sprintf("%s does not hold %s: the run did not take it", evidence.FileOfKubernetes(v.epoch, c.Name), what)
	}
	return p
}

// untaken says why collection could not read such a list; "" when it had no trouble with it.
func untaken(v view, c intent.Cluster, what, problem string) string {
	for _, one := range v.cluster(c.Name).Problems {
		if one.What == seen.Objects && strings.HasPrefix(one.Error, problem) {
			return fmt.Sprintf("%s does not hold %s: %s", evidence.FileOfKubernetes(v.epoch, c.Name), what, one.Error)
		}
	}
	return ""
}

// stoppedAt is in the reason of what is open because the run went no further.
const stoppedAt = ": the run stopped at step "

// stopped names the step after which the run went no further, when there is one: the one of set-up that failed, else the
// last that did.
func stopped(run evidence.Run) string {
	s, failed := seen.FirstFailed(run.Steps)
	for _, last := range run.Steps {
		if !failed && last.Error != "" && last.Finding == "" {
			s = last
		}
	}
	if s.Error == "" {
		return ""
	}
	return fmt.Sprintf("%s%s (%s), whose error is with the claim procedure", stoppedAt, s.ID, s.Title)
}

// missing says that there is nothing of a file, and why.
func missing(v view, c intent.Cluster, file, kind, name string) string {
	if b := because(v.run, file); b != "" {
		return lacks(file, b)
	}
	return file + " is not there" + said(v, c, kind, name)
}

// said is what collection said about the thing of that name, else about its kind; "" when it said nothing.
func said(v view, c intent.Cluster, kind, name string) string {
	found := ""
	for _, p := range v.cluster(c.Name).Problems {
		if p.What != kind {
			continue
		}
		if name != "" && strings.Contains(p.Error, name) {
			return ": " + p.Error
		}
		if found == "" {
			found = ": " + p.Error
		}
	}
	return found
}

// lacks tells a file that is gone from one that is there and cannot be used, by the reason that the loading gave.
func lacks(file, reason string) string {
	if strings.HasPrefix(reason, ": missing") {
		return file + " is not there" + reason
	}
	return file + " cannot be used" + reason
}

// istiods are the pages of every live control-plane replica of a cluster.
func istiods(of func(view) []intent.Cluster) part {
	return part{of: of,
		gap: func(v view, c intent.Cluster) string {
			if gap := objectsGap(v, c); gap != "" {
				return gap
			}
			for _, p := range seen.IstiodPods(v.objects(c.Name)) {
				file := evidence.FileOfIstiod(v.epoch, c.Name, p.Name)
				if _, there := seen.IstiodOf(v.cluster(c.Name), p); !there && p.Phase == running {
					return missing(v, c, file, "istiod", p.Name)
				}
			}
			return ""
		},
		files: func(v view, c intent.Cluster) []string {
			var all []string
			if k := v.cluster(c.Name); k != nil {
				for _, i := range k.Istiods {
					all = append(all, i.File(v.epoch, c.Name))
				}
			}
			return all
		},
	}
}

const running = "Running"

// proxies are the Envoys of one role of a cluster. A running pod without a sidecar has none; its rule must say so.
func proxies(role string, of func(view) []intent.Cluster) part {
	return part{of: of,
		gap: func(v view, c intent.Cluster) string {
			if gap := objectsGap(v, c); gap != "" {
				return gap
			}
			for _, p := range seen.PodsOf(v.objects(c.Name), v.sample(), role) {
				file := evidence.FileOfProxy(v.epoch, c.Name, p.Namespace, p.Name)
				_, injected := seen.Sidecar(p)
				if _, there := seen.ProxyOf(v.cluster(c.Name), p); !there && injected && p.Phase == running {
					return missing(v, c, file, "proxies", p.Name)
				}
			}
			return ""
		},
		files: func(v view, c intent.Cluster) []string {
			var all []string
			for _, p := range v.cluster(c.Name).Proxy(role) {
				all = append(all, p.File(v.epoch, c.Name))
			}
			return all
		},
	}
}
