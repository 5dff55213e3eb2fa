package preflight

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/meshproof/meshproof/framework/release"
	"github.com/meshproof/meshproof/framework/shell"
)

// toolLimit bounds each call of a tool; scriptLimit is a hundred times what the gateway's script takes.
const (
	toolLimit   = 10 * time.Second
	scriptLimit = 10 * time.Second
)

func readHost(ctx context.Context, o Options, clusters []Cluster) Host {
	h := Host{Released: o.ReleaseDir != ""}
	h.Bash = seen(printed(ctx, "bash", "-c", "echo $BASH_VERSION"))
	if h.Kubectl = seen(printed(ctx, "kubectl", "version", "--client", "-o", "json")); h.Kubectl.Err == nil {
		h.Kubectl = seen(clientVersion(h.Kubectl.Value))
	}
	if h.Released {
		readRelease(ctx, &h, o, clusters)
	}
	if o.Asm != nil {
		h.Asmcli = readAsmcli(ctx, *o.Asm, o.Literal)
	}
	if len(o.Set) > 0 {
		return h
	}
	if o.AskForRun != nil {
		asked := seen(o.AskForRun(ctx))
		h.Images = &asked
	}
	h.Docker = seen(exec.LookPath("docker"))
	h.Instances = seen(number("/proc/sys/fs/inotify/max_user_instances"))
	h.Watches = seen(number("/proc/sys/fs/inotify/max_user_watches"))
	h.Memory, h.Disk = seen(memory()), seen(disk(o.Place))
	return h
}

func readRelease(ctx context.Context, h *Host, o Options, clusters []Cluster) {
	rel, err := release.Open(o.ReleaseDir)
	if err != nil {
		h.Istioctl.Err, h.Script.Err = err, err
		return
	}
	h.Istioctl.Value = rel.Version
	g := release.Gateway{Mesh: "proj-0", Cluster: "cluster", Network: "network", Revision: o.Revision}
	if len(clusters) > 0 && clusters[0].Mesh.Value.Network != "" {
		g.Network = clusters[0].Mesh.Value.Network
	}
	h.Script = Seen[bool]{true, rel.Try(ctx, g, scriptLimit)}
}

// printed gives what a program of the PATH prints, trimmed.
func printed(ctx context.Context, program string, args ...string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, toolLimit, fmt.Errorf("it did not end within %s", toolLimit))
	defer cancel()
	r, err := shell.Run(ctx, shell.Command{Args: append([]string{path}, args...), Env: shell.Bare(os.TempDir(), "KUBERC=off")})
	return strings.TrimSpace(r.Stdout), err
}

func clientVersion(text string) (string, error) {
	var v struct {
		ClientVersion struct{ GitVersion string } `json:"clientVersion"`
	}
	err := json.Unmarshal([]byte(text), &v)
	return v.ClientVersion.GitVersion, err
}

func number(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// memory is what programs can still be given, by the kernel's own estimate.
func memory() (uint64, error) {
	file, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "MemAvailable:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("/proc/meminfo has no MemAvailable")
}

// disk is what is free where the directory is, or will be.
func disk(place string) (uint64, error) {
	for {
		var s syscall.Statfs_t
		err := syscall.Statfs(place, &s)
		if err == nil {
			return s.Bavail * uint64(s.Bsize), nil
		}
		parent := filepath.Dir(place)
		if !errors.Is(err, os.ErrNotExist) || parent == place {
			return 0, fmt.Errorf("look at the disk of %s: %w", place, err)
		}
		place = parent
	}
}
