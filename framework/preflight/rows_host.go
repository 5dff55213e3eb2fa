package preflight

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

const (
	gib = 1 << 30
	// Two nodes that are control planes: kubeadm asks for 1700 MB for one (kubeadm's preflight check Mem).
	fewestBytes = 2 * 1700e6
	// The image cache takes 1.7 GB, the engine's own copies as much, and building from source more.
	fewestDisk = 5 * gib
	// Kind's page of known issues ("too many open files") advises 512 and 524288; two clusters of one node come up with fewer
	// watches, and these are the least with which runs were measured.
	enoughInstances = 512
	enoughWatches   = 192536
)

func hostRows(f Facts) []Row {
	rows := []Row{bash(f.Host.Bash)}
	if f.Host.Released {
		rows = append(rows, script(f.Host.Script))
	}
	if f.Host.Asmcli != nil {
		rows = append(rows, asmcliProgram(f.Host.Asmcli.Version), asmcliNeeds(*f.Host.Asmcli))
	}
	if f.PullSecret != nil {
		rows = append(rows, credentials(f.ProbeImage, f.PullSecret))
	}
	if f.Host.Images != nil {
		rows = append(rows, runImages(*f.Host.Images))
	}
	if !f.Kind {
		return rows
	}
	return append(rows, docker(f.Host.Docker),
		limit("inotify instances", f.Host.Instances, enoughInstances, "fs.inotify.max_user_instances"),
		limit("inotify watches", f.Host.Watches, enoughWatches, "fs.inotify.max_user_watches"),
		free("memory", f.Host.Memory, fewestBytes, "end other programs, or use a larger machine"),
		free("disk", f.Host.Disk, fewestDisk, "make room, or give another place with --cache-dir"))
}

func bash(b Seen[string]) Row {
	const name = "bash"
	switch {
	case errors.Is(b.Err, exec.ErrNotFound):
		return failed(name, b.Err.Error(), "install bash: the guide's commands are run by it")
	case b.Err != nil:
		return unseen(name, b.Err)
	case strings.HasPrefix(b.Value, "3."): // macOS ships 3.2
		return failed(name, "bash "+b.Value, "install bash 4 or later: asmcli needs it")
	}
	return ok(name, "bash "+b.Value)
}

func script(s Seen[bool]) Row {
	const name = "gen-eastwest-gateway.sh"
	if s.Err != nil {
		return failed(name, s.Err.Error(), "give the --output_dir of `asmcli install`, unchanged")
	}
	return ok(name, "it prints an IstioOperator")
}

func docker(d Seen[string]) Row {
	if d.Err != nil {
		return failed("docker", d.Err.Error(), "install and start an engine: scripts/engine does it on Debian and Ubuntu")
	}
	return ok("docker", d.Value)
}

// limit judges a limit of the kernel's with which two clusters are known to come up.
func limit(name string, have Seen[uint64], want uint64, setting string) Row {
	switch {
	case have.Err != nil:
		return unseen(name, have.Err)
	case have.Value < want:
		return unknown(name, fmt.Sprintf("%d, and it is not known whether less than %d will do", have.Value, want), fmt.Sprintf("if nodes do not come up, sysctl %s=%d", setting, want))
	}
	return ok(name, fmt.Sprint(have.Value))
}

func free(name string, have Seen[uint64], want uint64, do string) Row {
	seen := fmt.Sprintf("%.1f GiB free, at least %.1f needed", float64(have.Value)/gib, float64(want)/gib)
	switch {
	case have.Err != nil:
		return unseen(name, have.Err)
	case have.Value < want:
		return failed(name, seen, do)
	}
	return ok(name, seen)
}
