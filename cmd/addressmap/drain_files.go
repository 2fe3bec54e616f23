package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/addressmap/addressmap/plugin/drain"
	"github.com/addressmap/addressmap/plugin/fleet"
	"github.com/addressmap/addressmap/plugin/source"
)

// etcdPatience is how long etcd may take for a file of drains. One that cannot be connected to
// is given up at once.
const etcdPatience = time.Minute

// drainFiles is where drains are: one file, a directory of files, or the keys of a map in
// etcd.
type drainFiles struct {
	path string
	etcd *etcdFlags
}

// drainFile is one of the files.
type drainFile struct {
	name string // as errors call it
	text []byte
	errs error // why it is refused
	has  []drain.Drain
}

// read returns all files, in the order of their names.
func (d drainFiles) read() (out []drainFile, err error) {
	if fleet.IsMap(d.path) {
		err = d.inEtcd(func(ctx context.Context, store *fleet.DrainStore) error {
			files, err := store.Read(ctx)
			for _, name := range slices.Sorted(maps.Keys(files)) {
				out = append(out, parsedDrains(d.nameOf(name), files[name].Value))
			}
			return err
		})
		return out, err
	}
	if info, err := os.Stat(d.path); err != nil || !info.IsDir() {
		text, err := readFile(d.path, drain.MaxFile)
		if err != nil {
			return nil, err
		}
		return []drainFile{parsedDrains(d.path, text)}, nil
	}
	paths, err := source.List(d.path)
	for _, path := range paths {
		text, err := readFile(path, drain.MaxFile)
		switch {
		case errors.Is(err, fs.ErrNotExist): // It has gone since.
		case err != nil:
			out = append(out, drainFile{name: path, errs: fmt.Errorf("%w\n  remedy: let this user read it, or take it out of the directory", err)})
		default:
			out = append(out, parsedDrains(path, text))
		}
	}
	return out, err
}

// nameOf is what errors call a file in etcd.
func (d drainFiles) nameOf(key string) string { return d.path + "/drains/" + key }

func parsedDrains(name string, text []byte) drainFile {
	has, errs := drain.Parse(name, text)
	return drainFile{name, text, errs.Err(), has}
}

// edit changes one file: change returns its new text, of a text that is empty if there is
// no file. Of two edits at once, none is lost.
func (d drainFiles) edit(name string, change func(text []byte) ([]byte, error)) error {
	if !fleet.IsMap(d.path) {
		return editFile(name, change)
	}
	key := strings.TrimPrefix(name, d.nameOf(""))
	return d.inEtcd(func(ctx context.Context, store *fleet.DrainStore) error {
		for {
			files, err := store.Read(ctx)
			if err != nil {
				return err
			}
			text, err := change(files[key].Value)
			if err != nil {
				return err
			}
			if done, err := store.Write(ctx, key, text, files[key].Revision); err != nil || done {
				return err
			}
		}
	})
}

// editFile is edit of a file.
func editFile(path string, change func(text []byte) ([]byte, error)) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory: name a file in it, one for each writer", path)
	}
	unlock, err := lockMap(path)
	if err != nil {
		return err
	}
	defer unlock()
	text, err := readFile(path, drain.MaxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text, err = change(text); err != nil {
		return err
	}
	return writeFile(path, text, 0o644)
}

// inEtcd calls do with the files of a map in etcd.
func (d drainFiles) inEtcd(do func(context.Context, *fleet.DrainStore) error) error {
	m, err := fleet.ParseMap(d.path)
	if err != nil {
		return argumentError{error: err}
	}
	connection, err := d.etcd.parse()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), etcdPatience)
	defer cancel()
	store, err := fleet.OpenDrains(ctx, connection, m)
	if err != nil {
		return err
	}
	defer store.Close()
	return do(ctx, store)
}
