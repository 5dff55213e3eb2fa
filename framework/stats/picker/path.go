package picker

// Sidecar is the Envoy beside a caller: every worker has a picker of its own, and the worker that takes the caller's
// connection picks for all its calls.
type Sidecar struct {
	workers []Picker
	draw    Draw
}

// NewSidecar makes an Envoy of so many workers (1 or more) for endpoints of these weights.
func NewSidecar(weights []int, workers int, draw Draw) (*Sidecar, error) {
	s := &Sidecar{draw: draw}
	for range max(workers, 1) {
		p, err := New(weights, draw)
		if err != nil {
			return nil, err
		}
		s.workers = append(s.workers, p)
	}
	return s, nil
}

// Call makes one call on a connection of its own, which any worker takes with the same probability. A caller that keeps one
// connection, as curl does within one command, is a Sidecar of one worker.
func (s *Sidecar) Call() (worker, endpoint int) {
	if len(s.workers) > 1 {
		worker = s.draw(len(s.workers))
	}
	return worker, s.workers[worker].Pick()
}

// Pick is Call for who does not ask which worker it was.
func (s *Sidecar) Pick() int {
	_, endpoint := s.Call()
	return endpoint
}

// Gateway is one address of an east-west gateway with its backends. It passes TLS through, so it chooses a backend for a
// connection, never for a call: by the two choices of LeastRequest, over the connections that each backend holds.
type Gateway struct {
	choose *LeastRequest
	held   map[int]int
}

// NewGateway makes a gateway with so many backends and no connection.
func NewGateway(backends int, draw Draw) *Gateway {
	return &Gateway{choose: NewLeastRequest(backends, draw), held: map[int]int{}}
}

// Backend gives the backend that answers a call of that worker of the caller's Envoy. The worker opens its connection on
// its first call and keeps it: with one call in flight its pool never needs a second.
func (g *Gateway) Backend(worker int) int {
	backend, open := g.held[worker]
	if !open {
		backend = g.choose.Pick()
		g.choose.Active[backend]++
		g.held[worker] = backend
	}
	return backend
}
