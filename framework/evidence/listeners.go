package evidence

import (
	"fmt"
	"slices"

	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

// listeners gives the active listeners on a port; those that are draining are left out.
func (p Proxy) listeners(port uint32) ([]*listener.Listener, error) {
	w, err := p.section("ListenersConfigDump")
	if err != nil {
		return nil, err
	}
	dump, err := w.GetListenerConfigDump()
	if err != nil {
		return nil, fmt.Errorf("read listeners of proxy %s/%s: %w", p.Namespace, p.Pod, err)
	}
	var all []*anypb.Any
	for _, d := range dump.GetDynamicListeners() {
		if d.GetActiveState() != nil {
			all = append(all, d.GetActiveState().GetListener())
		}
	}
	for _, s := range dump.GetStaticListeners() {
		all = append(all, s.GetListener())
	}
	var found []*listener.Listener
	for _, a := range all {
		var l listener.Listener
		if err := a.UnmarshalTo(&l); err != nil {
			return nil, fmt.Errorf("read listeners of proxy %s/%s: %w", p.Namespace, p.Pod, err)
		}
		if l.GetAddress().GetSocketAddress().GetPortValue() == port {
			found = append(found, &l)
		}
	}
	return found, nil
}

// Listens tells whether the Envoy has an active listener on the port.
func (p Proxy) Listens(port uint32) (bool, error) {
	found, err := p.listeners(port)
	return len(found) > 0, err
}

// SNIs gives the server names for which listeners on the port have a filter chain, sorted, each once.
func (p Proxy) SNIs(port uint32) ([]string, error) {
	found, err := p.listeners(port)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range found {
		for _, chain := range l.GetFilterChains() {
			names = append(names, chain.GetFilterChainMatch().GetServerNames()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
