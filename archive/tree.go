package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

// node is an entry of a tree.
type node struct {
	Name       string      `json:"name"`
	Type       string      `json:"type"`
	Mode       fs.FileMode `json:"mode,omitempty"`
	ModTime    time.Time   `json:"mtime"`
	AccessTime time.Time   `json:"atime"`
	ChangeTime time.Time   `json:"ctime"`
	UID        uint32      `json:"uid"`
	GID        uint32      `json:"gid"`
	Size       uint64      `json:"size,omitempty"`
	Links      uint64      `json:"links,omitempty"`
	Content    []ID        `json:"content"`
	Subtree    *ID         `json:"subtree,omitempty"`
}

// nodeTime is that of all nodes, so that the same content makes the same trees.
var nodeTime = time.Unix(0, 0).UTC()

func fileNode(name string, size int64, content []ID) node {
	return node{Name: name, Type: "file", Mode: 0o600, ModTime: nodeTime, AccessTime: nodeTime, ChangeTime: nodeTime, Size: uint64(size), Links: 1, Content: content}
}

func dirNode(name string, subtree ID) node {
	return node{Name: name, Type: "dir", Mode: fs.ModeDir | 0o700, ModTime: nodeTime, AccessTime: nodeTime, ChangeTime: nodeTime, Subtree: &subtree}
}

// encodeTree is a tree as it is stored: nodes in the order of their names, and a line
// feed at the end, as restic's trees have.
func encodeTree(nodes ...node) ([]byte, error) {
	text, err := json.Marshal(struct {
		Nodes []node `json:"nodes"`
	}{nodes})
	return append(text, '\n'), err
}

func decodeTree(text []byte) ([]node, error) {
	var t struct {
		Nodes []node `json:"nodes"`
	}
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, err
	}
	for i := range t.Nodes {
		n := &t.Nodes[i]
		// Names are stored as Go quotes them.
		name, err := strconv.Unquote(`"` + n.Name + `"`)
		if err != nil {
			return nil, fmt.Errorf("%q is no name of a node", n.Name)
		}
		if n.Name = name; n.Type == "dir" && n.Subtree == nil {
			return nil, fmt.Errorf("the directory %q has no tree", name)
		}
	}
	return t.Nodes, nil
}

func (r *Repository) saveTree(ctx context.Context, s *saver, nodes ...node) (ID, error) {
	text, err := encodeTree(nodes...)
	if err != nil {
		return ID{}, err
	}
	return s.save(ctx, treeBlob, text)
}

func (r *Repository) loadTree(ctx context.Context, id ID) ([]node, error) {
	// Trees are kept by who needs them, decoded.
	text, err := r.loadBlob(ctx, treeBlob, id)
	if err != nil {
		return nil, err
	}
	nodes, err := decodeTree(text)
	if err != nil {
		return nil, r.damaged(treeBlob, id, err)
	}
	return nodes, nil
}

// lookup finds what path names below a tree.
func (r *Repository) lookup(ctx context.Context, tree ID, path string) (node, error) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, name := range parts {
		nodes, err := r.loadTree(ctx, tree)
		if err != nil {
			return node{}, err
		}
		at := slices.IndexFunc(nodes, func(n node) bool { return n.Name == name })
		switch {
		case at < 0:
			return node{}, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
		case i == len(parts)-1:
			return nodes[at], nil
		case nodes[at].Subtree == nil:
			return node{}, fmt.Errorf("%s: %w", path, errors.New("a part of it is no directory"))
		}
		tree = *nodes[at].Subtree
	}
	return node{}, fs.ErrNotExist
}
