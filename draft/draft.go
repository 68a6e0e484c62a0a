// Package draft owns what import writes: the part of a configuration that can
// be told from what the nodes serve. It is pure, and it decides nothing.
package draft

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cuelang.org/go/cue/format"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Draft is a CUE file that goes beside a configuration.
type Draft struct {
	Text    []byte   // formatted; the same input gives the same bytes
	Pools   []string // written, as node/pool
	Volumes []string // written
	Links   bool     // how links are to be is written
	Offers  []string // lvols that could be adopted, as node/lvstore/lvol; commented out
	Strange []string // lvstores that do not show whose they are, as node/lvstore; commented out
	Left    []Remark // what was found and could not be written
	Short   bool     // some of that is, or may be, the cluster's
}

// Remark is something the reader should know.
type Remark struct {
	About string // "volume db", "node n2", "lvstore n1/lvs0"
	Text  string
}

// Make writes down what cfg lacks of what is in snap: pools for lvstores, and
// volumes that carry the cluster's names. What is somebody else's, and could be
// adopted, is commented out. The file is of CUE package pkg, unless that is "".
// Now is in seconds since 1970 UTC. Nothing is offered that accepts, which judges
// the text of a file beside the configuration, would not have there.
func Make(cfg *schema.Config, snap *state.Snapshot, pkg string, now int64, accepts func(text []byte) error) (*Draft, error) {
	d := &drafter{cfg: cfg, snap: snap, now: now, accepts: accepts, out: Draft{Pools: []string{}, Volumes: []string{}, Offers: []string{}, Strange: []string{}}}
	for _, n := range cfg.Nodes {
		d.node(n)
	}
	d.pooled()
	d.volumes()
	text, err := format.Source(d.write(pkg))
	if err != nil {
		return nil, fmt.Errorf("what was written is no CUE: %w", err)
	}
	d.out.Text = text
	return &d.out, nil
}

// drafter makes a Draft.
type drafter struct {
	cfg  *schema.Config
	snap *state.Snapshot // all there is
	now  int64
	out  Draft

	accepts func(text []byte) error

	pools  []*pool
	found  []*volume
	offers []*offer
}

func (d *drafter) leave(about, format string, args ...any) {
	d.out.Left = append(d.out.Left, Remark{about, fmt.Sprintf(format, args...)})
}

// lack is leave for what is, or may be, the cluster's.
func (d *drafter) lack(about, format string, args ...any) {
	d.leave(about, format, args...)
	d.out.Short = true
}

// unread counts the nodes that were not read.
func (d *drafter) unread() int {
	n := 0
	for _, conf := range d.cfg.Nodes {
		if at := d.snap.Nodes[conf.Name]; at == nil || at.Unknown != "" {
			n++
		}
	}
	return n
}

// node looks for the lvstores of a node that are in no pool.
func (d *drafter) node(n *schema.Node) {
	at := d.snap.Nodes[n.Name]
	if at == nil || at.Unknown != "" {
		why := "it was not asked"
		if at != nil {
			why = at.Unknown
		}
		d.lack("node "+string(n.Name), "it could not be read, so what it has is missing here: %s", why)
		return
	}
	if len(at.Lvstores)+len(at.Raids)+len(at.Subsystems)+len(n.Pools) == 0 {
		d.leave("node "+string(n.Name), "it has no lvstore: if it has disks that are not attached, write their pools and import again")
	}
	for _, name := range slices.Sorted(maps.Keys(at.Lvstores)) {
		d.lvstore(n, at, at.Lvstores[name])
	}
}

// pooled gives the lvstores the names that they have in plans, those of the pools
// that are written, too.
func (d *drafter) pooled() {
	d.snap = d.snap.Named(d.names)
	for _, p := range d.pools {
		for _, lvs := range d.snap.Nodes[p.node].Lvstores {
			if lvs.Called() == p.lvs.Called() {
				p.lvs = lvs
			}
		}
	}
}

// names says what plans call the lvstores of a node's pools.
func (d *drafter) names(n lineage.Node, paths map[string]string) map[string]string {
	names := map[string]string{}
	maps.Copy(names, d.cfg.Lvstores(n, paths))
	for _, p := range d.pools {
		if p.ours && p.node == n {
			names[p.lvs.Called()] = p.lvstore(d.cfg.Cluster)
		}
	}
	return names
}

// write puts everything into CUE.
func (d *drafter) write(pkg string) []byte {
	b := d.certain(pkg)
	d.writeLinks(b)
	d.offer()
	d.judge(b.Bytes())
	d.writeOffers(b)
	return b.Bytes()
}

// certain writes what is the cluster's.
func (d *drafter) certain(pkg string) *bytes.Buffer {
	b := &bytes.Buffer{}
	comment(b, header)
	if pkg != "" {
		fmt.Fprintf(b, "\npackage %s\n", pkg)
	}
	for _, p := range d.pools {
		if p.ours {
			b.WriteString("\n")
			p.write(b)
		}
	}
	for _, v := range d.found {
		b.WriteString("\n")
		v.write(b)
	}
	return b
}

const header = `What strata import found on the nodes. They do not keep protect, labels, group, every and keep, nor how
replicas were to be chosen: put that back where you had it.`

// commentOut writes fields as comment lines.
func commentOut(b *bytes.Buffer, fields []byte) {
	if text, err := format.Source(fields); err == nil {
		fields = text
	}
	comment(b, string(fields))
}

// aside is text that stays a comment when what it is about is none any more.
func aside(text string) []byte {
	b := &bytes.Buffer{}
	comment(b, text)
	return b.Bytes()
}

// comment writes text as comment lines.
func comment(b *bytes.Buffer, text string) {
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if line == "" {
			b.WriteString("//\n")
			continue
		}
		b.WriteString("// " + shown(line) + "\n")
	}
}

// within returns what is in the pools that the configuration has, or will have.
func (d *drafter) within() *state.Snapshot { return d.snap.Within(d.cfg.Cluster, d.names, nil) }

// Found reports whether there is anything in the file.
func (d *Draft) Found() bool {
	return d.Links || len(d.Pools)+len(d.Volumes)+len(d.Offers)+len(d.Strange) > 0
}

// Counts says how much there is in it.
func (d *Draft) Counts() string {
	text := amount.Of(len(d.Pools), "pool") + " and " + amount.Of(len(d.Volumes), "volume")
	if d.Links {
		text += ", and how links are"
	}
	var offers []string
	if len(d.Offers) > 0 {
		offers = append(offers, amount.Of(len(d.Offers), "lvol")+" that could be adopted")
	}
	if len(d.Strange) > 0 {
		offers = append(offers, amount.Of(len(d.Strange), "lvstore")+" that may be somebody else's")
	}
	if len(offers) > 0 {
		text += "; commented out, " + strings.Join(offers, " and ")
	}
	return text
}
