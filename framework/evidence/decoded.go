package evidence

import (
	"encoding/json"
	"hash/maphash"
	"sync"
)

// decoded keeps what was decoded of one Envoy's pages: the claims and causes of a run ask each proxy dozens of times, and
// decoding was most of a judgement's work. What it gives is shared, and for reading only.
type decoded struct {
	mu    sync.Mutex
	pages map[pageKey]any
}

// pageKey is a decoded page by its kind and its content, so that a copy of the proxy with other content never gets the old.
type pageKey struct {
	kind    string
	content uint64
}

var seed = maphash.MakeSeed()

// once decodes a page, or gives what was decoded of the same content before. Errors are not kept.
func once[T any](d *decoded, kind string, content json.RawMessage, decode func(kind string, content json.RawMessage) (T, error)) (T, error) {
	if d == nil {
		return decode(kind, content)
	}
	key := pageKey{kind, maphash.Bytes(seed, content)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if known, there := d.pages[key].(T); there {
		return known, nil
	}
	value, err := decode(kind, content)
	if err == nil {
		if d.pages == nil {
			d.pages = map[pageKey]any{}
		}
		d.pages[key] = value
	}
	return value, err
}
