package sweep

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"strata/lineage"
	"strata/nvmetcp"
	"strata/schema"
	"strata/secret"
	"strata/spdk"
	"strata/spdk/sim"
	"strata/state"
)

// files are those with keys on the machines of all nodes, by path without the first slash.
type files struct {
	w   *world
	mu  sync.Mutex
	has map[string][]byte
}

// Open has the targets read them.
func (f *files) Open(name string) (fs.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, there := f.has[name]
	if !there {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return fstest.MapFS{name: {Data: content, Mode: 0o600}}.Open(name)
}

// filesOf are those on a node, as a process comes there. What it does once it is dead has no
// effect.
type filesOf struct {
	*files
	node string
	keep func(io.Closer) error
}

func (f *filesOf) dir() string { return f.node + ".keys/" }

func (f *filesOf) List(context.Context) (names []string, err error) {
	if err := f.keep(io.NopCloser(nil)); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range slices.Sorted(maps.Keys(f.has)) {
		if name, here := strings.CutPrefix(p, f.dir()); here {
			names = append(names, name)
		}
	}
	return names, nil
}

func (f *filesOf) Write(_ context.Context, name string, content []byte) error {
	if err := f.keep(io.NopCloser(nil)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.has[f.dir()+name] = content
	return nil
}

func (f *filesOf) Remove(_ context.Context, name string) error {
	if err := f.keep(io.NopCloser(nil)); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.has, f.dir()+name)
	return nil
}

// keyFiles are those on a node; nil where strata does not come there by ssh.
func (w *world) keyFiles(n *schema.Node, keep func(io.Closer) error) spdk.KeyFiles {
	if n.KeyDir() == "" {
		return nil
	}
	return &filesOf{w.files, path.Base(string(n.Name)), keep}
}

// hostKeyOf is the key that is found by a name.
func hostKeyOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("DHHC-1:01:%s:", base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint32(sum[:], crc32.ChecksumIEEE(sum[:]))))
}

// pskOf is the key of TLS that is found by a name.
func pskOf(name string) string {
	return strings.Replace(hostKeyOf(name), "DHHC-1:", "NVMeTLSkey-1:", 1)
}

func (w *world) hostKey(_ context.Context, of schema.SentKey) (secret.HostKey, error) {
	if of.Role == lineage.RolePSK {
		return secret.ParseHostKey(of.Role, pskOf(of.From.Env))
	}
	return secret.ParseHostKey(of.Role, hostKeyOf(of.From.Env))
}

// login connects a host with the keys that it has by any of the scenario's configurations. One
// that has to authenticate in all of them is not let in without.
func (w *world) login(address, nqn string) (*sim.Conn, error) {
	id, _ := lineage.Cluster("lab").ParseExport(lineage.NQN(nqn))
	var last error
	always, tried := true, 0
	for _, cfg := range w.sc.configs() {
		v := cfg.Shown(id.Name)
		if v == nil {
			continue
		}
		tried++
		k := v.Export.Keys[hostNQN]
		if k.PSK.Sent() {
			conn, err := w.byTLS(address, nqn, pskOf(k.PSK.From.Env))
			if err == nil {
				return conn, nil
			}
			last = err
			continue
		}
		if !k.Key.Sent() {
			always = false
			continue
		}
		host, err := nvmetcp.ParseKey(hostKeyOf(k.Key.From.Env))
		if err != nil {
			return nil, err
		}
		conn, err := w.c.Host(hostNQN).With(host, nil).Connect(address, "4420", nqn)
		if err == nil {
			return conn, nil
		}
		last = err
	}
	conn, err := w.c.Host(hostNQN).Connect(address, "4420", nqn)
	if err != nil {
		return nil, err
	}
	if always && tried > 0 && last != nil {
		conn.Close()
		w.wrong(fmt.Errorf("%s lets a host in without its key at %s", nqn, address))
		return nil, last
	}
	return conn, nil
}

// byTLS connects a host to the port for those that come by TLS.
func (w *world) byTLS(address, nqn, key string) (*sim.Conn, error) {
	psk, err := nvmetcp.ParsePSK(key)
	if err != nil {
		return nil, err
	}
	return w.c.Host(hostNQN).WithPSK(psk).Connect(address, tlsPort, nqn)
}

// tlsPort is where nodes of configurations with TLS let hosts in.
const tlsPort = "4421"

// keysLeft says what is wrong in the end with files of keys: each is there because a target
// has it by name, and those of a link are the same on both nodes.
func (w *world) keysLeft(s *state.Snapshot) error {
	w.files.mu.Lock()
	defer w.files.mu.Unlock()
	has := map[string]bool{}
	for name, n := range s.Nodes {
		for key := range n.Keyring {
			k, role, link := lineage.Cluster("lab").ParseLinkKey(key)
			if link && role == lineage.LinkUsed {
				key = lineage.Cluster("lab").LinkKey(k, lineage.LinkHost)
			}
			if peer := w.files.has[string(k.Link.From)+".keys/"+key]; link && !bytes.Equal(peer, w.files.has[string(k.Link.To)+".keys/"+key]) {
				return fmt.Errorf("key %s is another on %s than on %s", key, k.Link.From, k.Link.To)
			}
			has[string(name)+".keys/"+key] = true
			if w.files.has[string(name)+".keys/"+key] == nil {
				return fmt.Errorf("%s has key %s, and its file is not there", name, key)
			}
		}
	}
	for p := range w.files.has {
		if !has[p] {
			return fmt.Errorf("key file %s is there for nothing", p)
		}
	}
	return nil
}
