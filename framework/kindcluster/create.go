package kindcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/log"
)

// kindAPI is the part of kind's Provider that is used. What takes no context there and could hang with the engine, such as
// listing nodes, is asked of docker itself.
type kindAPI interface {
	Create(name string, options ...cluster.CreateOption) error
}

// maker holds what a creation works with. kind has one logger per provider, hence a provider per cluster.
type maker struct {
	*Options
	docker docker
	kind   func(log.Logger) kindAPI
	ready  func(ctx context.Context, m Made, limit time.Duration) error
}

func newKind(logger log.Logger) kindAPI {
	return cluster.NewProvider(cluster.ProviderWithLogger(logger), cluster.ProviderWithDocker())
}

// networkVariable tells kind which docker network to use. kind reads it from the process's environment, so that two
// calls of Create at once in one process would disturb each other.
const networkVariable = "KIND_EXPERIMENTAL_DOCKER_NETWORK"

// Create makes the run's network, its registry and its clusters, all clusters at once, and returns the clusters, in
// the order of o.Names, when each one's API server, node and kube-proxy are ready. A name that is taken gives an error
// that wraps ErrNameTaken, with nothing changed. The first cluster that does not come up ends the creation of the
// others; its logs are then in o.Diagnostics. After an error, what was made is still there and in the ledger:
// Remove takes it away. Create must not run twice at once in one process.
func Create(ctx context.Context, o Options) ([]Made, error) {
	m := &maker{Options: &o, docker: commandLine{}, kind: newKind, ready: waitReady}
	return m.create(ctx)
}

func (m *maker) create(ctx context.Context) ([]Made, error) {
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("create clusters: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, m.deadline(), fmt.Errorf("the clusters were not ready within %s", m.deadline()))
	defer cancel()
	if err := refuseTaken(ctx, m.docker, m.Options); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(m.Dir, "kubeconfigs"), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the run's kubeconfigs: %w", err)
	}
	network, err := createNetwork(ctx, m.docker, m.Options)
	if err != nil {
		return nil, err
	}
	m.tell("", "docker network %s is %s", networkName(m.RunID), network.subnet)
	config, err := m.config(network)
	if err != nil {
		return nil, err
	}
	restore, err := setEnvironment(networkVariable, networkName(m.RunID))
	if err != nil {
		return nil, err
	}
	defer restore()
	return m.createAll(ctx, network, config)
}

// createAll starts the registry and the clusters at once. Nothing is pulled from the registry before the clusters are
// up, since a node image holds what a node itself needs.
func (m *maker) createAll(ctx context.Context, network addresses, config []byte) ([]Made, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	made := make([]Made, len(m.Names))
	var mu sync.Mutex
	var errs []error // the first one first: the others may only follow from it, and who tells of them in short tells the beginning
	var all sync.WaitGroup
	start := func(what string, f func() error) {
		all.Go(func() {
			if err := f(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				stop(fmt.Errorf("%s did not come up", what)) // the first cause stays
			}
		})
	}
	for i, name := range m.Names {
		start("cluster "+name, func() (err error) {
			made[i], err = m.createCluster(ctx, name, network.ranges[i].String(), config)
			return err
		})
	}
	start("the run's registry", func() error { return startRegistry(ctx, m.docker, m.Options, network) })
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return made, nil
}

func setEnvironment(name, value string) (restore func(), err error) {
	before, was := os.LookupEnv(name)
	if err := os.Setenv(name, value); err != nil {
		return nil, fmt.Errorf("set %s for kind: %w", name, err)
	}
	if was {
		return func() { _ = os.Setenv(name, before) }, nil
	}
	return func() { _ = os.Unsetenv(name) }, nil
}
