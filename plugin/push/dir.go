package push

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

// ReadDir reads the documents of a directory. A file that etcd cannot have as a key is an
// error.
func ReadDir(dir string) (fleet.Documents, error) {
	paths, err := source.List(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the directory of documents: %w", err)
	}
	out := make(fleet.Documents)
	until := time.Now().Add(time.Second)
	for _, path := range paths {
		name := filepath.Base(path)
		if err := fleet.CheckName(name); err != nil {
			return nil, fmt.Errorf("%s: rename it: %w", path, err)
		}
		text, err := source.Await(path, fleet.MaxDocument, until)
		switch {
		case errors.Is(err, source.ErrTooLarge):
			return nil, fmt.Errorf("%s has more than 1 MiB, the most that a document in etcd may have: split it, for example into one document for each account", path)
		case err != nil:
			return nil, err
		}
		out[name] = fleet.Document{Value: text}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the directory %s has no documents, *.yaml, *.yml or *.json: a push never empties the store", dir)
	}
	return out, nil
}
