package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/meshproof/meshproof/framework/packed"
)

// diagnoseLimit bounds the reading of a broken node's logs as a whole.
const diagnoseLimit = 30 * time.Second

// diagnosis is one (packed) file of a node's diagnostics and the docker command whose output it holds. "NODE" stands for the
// node's container. The lines are bounded, and none of the commands prints an environment, a key or a token.
type diagnosis struct {
	file string
	args []string
}

func diagnoses() []diagnosis {
	journal := func(unit string) []string {
		return []string{"exec", "NODE", "journalctl", "--no-pager", "--lines=5000", "--unit=" + unit}
	}
	return []diagnosis{
		{"kubelet.log", journal("kubelet.service")},
		{"containerd.log", journal("containerd.service")},
		{"console.log", []string{"logs", "--tail=2000", "NODE"}},
		{"container-state.json", []string{"inspect", "--format", "{{json .State}}", "NODE"}},
		{"networks.json", []string{"inspect", "--format", "{{json .NetworkSettings.Networks}}", "NODE"}},
		{"units.txt", []string{"exec", "NODE", "systemctl", "--no-pager", "--failed"}},
		{"static-pods.log", []string{"exec", "NODE", "sh", "-c", "tail -n 500 /var/log/pods/kube-system_*/*/*.log"}},
		{"disk.txt", []string{"exec", "NODE", "df", "-h", "/", "/var"}},
	}
}

func (m *maker) diagnostics(name string) string {
	if m.Diagnostics != "" {
		return filepath.Join(m.Diagnostics, name)
	}
	return filepath.Join(m.Dir, "diagnostics", name)
}

// cure says what to do about the faults of a machine that keep a node from coming up, by what its logs or docker said
// then; "" when nothing in text is known.
func cure(text string) string {
	switch {
	case strings.Contains(text, "many open files"):
		return "this machine's inotify instances are used up: remove other clusters, or raise them (sysctl fs.inotify.max_user_instances=512)"
	case strings.Contains(text, "no space left on device"):
		return "the disk of the docker engine is full: make room on it (docker system df)"
	}
	return ""
}

// diagnose saves what a node that did not come up says. It is best effort: what cannot be read is noted in the file
// that should have held it, and only a folder or file that cannot be written is an error.
// todo says what to do, where the logs tell. Without a node there is nothing to save, and folder is "".
func (m *maker) diagnose(ctx context.Context, made Made) (folder, todo string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), diagnoseLimit)
	defer cancel()
	nodes, err := m.docker.run(ctx, "ps", "--all", "--quiet", "--filter", "name=^/?"+made.NodeName+"$")
	if err == nil && strings.TrimSpace(nodes) == "" {
		return "", "", nil
	}
	folder = m.diagnostics(made.Name)
	todo, err = saveNode(ctx, m.docker, made.NodeName, folder)
	return folder, todo, err
}

// SaveNode saves what the node of a run's cluster says into a folder, as is done for one that does not come up.
func SaveNode(ctx context.Context, run, name, folder string) error {
	_, err := saveNode(ctx, commandLine{}, clusterName(run, name)+nodeSuffix, folder)
	return err
}

func saveNode(ctx context.Context, d docker, node, folder string) (todo string, err error) {
	var errs []error
	for _, one := range diagnoses() {
		args := make([]string, len(one.args))
		for i, a := range one.args {
			if args[i] = a; a == "NODE" {
				args[i] = node
			}
		}
		out, err := d.run(ctx, args...)
		if c := cure(out); c != "" {
			todo = c
		}
		if err != nil {
			out += fmt.Sprintf("\n(%v)\n", err)
		}
		if err := packed.Tail(filepath.Join(folder, one.file), []byte(out)); err != nil {
			errs = append(errs, fmt.Errorf("write what node %s says: %w", node, err))
		}
	}
	return todo, errors.Join(errs...)
}
