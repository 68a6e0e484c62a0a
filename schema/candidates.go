package schema

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"strata/amount"
)

// candidates are the nodes that may hold a replica of volumes with the same
// demands, and why the others may not.
type candidates struct {
	nodes []*Node
	pools []*Pool // in which replicas may be, of all these nodes: the first of each ClusterSize
	// blocks has, by block size, the nodes that have a pool with it. A disk
	// whose block size is its own affair counts for both.
	blocks map[int64][]string
	why    []reason
}

// reason is why some nodes do not qualify.
type reason struct {
	text  string
	nodes []string
}

// candidatesFor returns the nodes that qualify for r.
func (r *relations) candidatesFor(rep Replicas) *candidates {
	key := fmt.Sprintf("%q %q %q", rep.Pool, rep.On, rep.Require)
	if c := r.candidates[key]; c != nil {
		return c
	}
	c := &candidates{blocks: map[int64][]string{}}
	for _, n := range r.cfg.Nodes {
		if len(rep.On) > 0 && !slices.Contains(rep.On, n.Name) {
			continue
		}
		if why := unfit(n, rep); why != "" {
			c.refuse(n, why)
		} else {
			c.accept(n, &rep)
		}
	}
	r.candidates[key] = c
	return c
}

// unfit says why no replica may be on n, or nothing.
func unfit(n *Node, rep Replicas) string {
	switch {
	case rep.Pool != "" && n.Pool(rep.Pool) == nil:
		return fmt.Sprintf("no pool %q", rep.Pool)
	case len(n.Pools) == 0:
		return "no pool"
	}
	for _, k := range slices.Sorted(maps.Keys(rep.Require)) {
		switch v, ok := n.Labels[k]; {
		case !ok:
			return fmt.Sprintf("no label %q", k)
		case v != rep.Require[k]:
			return fmt.Sprintf("label %s not %q", k, rep.Require[k])
		}
	}
	return ""
}

func (c *candidates) refuse(n *Node, why string) {
	for i := range c.why {
		if c.why[i].text == why {
			c.why[i].nodes = append(c.why[i].nodes, string(n.Name))
			return
		}
	}
	c.why = append(c.why, reason{why, []string{string(n.Name)}})
}

func (c *candidates) accept(n *Node, rep *Replicas) {
	c.nodes = append(c.nodes, n)
	sizes := map[int64]bool{}
	for _, p := range n.Pools {
		if rep.KeptOut(n, p) != "" {
			continue
		}
		if !slices.ContainsFunc(c.pools, func(o *Pool) bool { return o.ClusterSize == p.ClusterSize }) {
			c.pools = append(c.pools, p)
		}
		if p.BlockSize == 0 {
			sizes[512], sizes[4096] = true, true
		} else {
			sizes[p.BlockSize] = true
		}
	}
	for size := range sizes {
		c.blocks[size] = append(c.blocks[size], string(n.Name))
	}
}

// fit reports when there are too few nodes for v's replicas, or v has a size
// that their pools cannot have.
func (r *relations) fit(v *Volume, o object) {
	c, count := r.candidatesFor(v.Replicas), v.Replicas.Count
	if max(len(c.blocks[512]), len(c.blocks[4096])) < count {
		at := o.countSpot()
		switch {
		case len(c.nodes) >= count:
			at.wrong("", "%s, but they must be on pools with the same block size: 512 bytes have %s, 4096 bytes have %s",
				isCount(count, at == o.spot), amount.List(c.blocks[512]), amount.List(c.blocks[4096]))
		case len(v.Replicas.On) > 0:
			at.wrong("", "cannot be on all of these nodes: %s", c.reasons())
		default:
			at.wrong("", "%s, but %s", isCount(count, at == o.spot), c.tooFew())
		}
	}
	for _, p := range c.pools {
		if v.Size%p.ClusterSize != 0 {
			up := (v.Size/p.ClusterSize + 1) * p.ClusterSize
			o.field("size").wrong("the next such size is "+SizeText(up), "must be a multiple of %s, the clusterSize of pool %q",
				SizeText(p.ClusterSize), p.Name)
			return
		}
	}
}

// countSpot is where a volume says how many replicas there are to be: the
// volume itself if that is the default.
func (o object) countSpot() *spot {
	f := o.field("replicas")
	if f == nil {
		return o.spot
	}
	return cmp.Or(f.placement().field("count"), f)
}

// isCount says how many replicas there are to be, after the field's name if
// there is a field.
func isCount(count int, byDefault bool) string {
	if byDefault {
		return fmt.Sprintf("replicas is %d by default", count)
	}
	return fmt.Sprintf("is %d", count)
}

// tooFew says how many nodes qualify and why not more.
func (c *candidates) tooFew() string {
	var text string
	var names []string
	for _, n := range c.nodes {
		names = append(names, string(n.Name))
	}
	switch len(names) {
	case 0:
		text = "no node qualifies"
	case 1:
		text = "only " + names[0] + " qualifies"
	default:
		text = "only " + amount.List(names) + " qualify"
	}
	if why := c.reasons(); why != "" {
		text += " (" + why + ")"
	}
	return text
}

func (c *candidates) reasons() string {
	var texts []string
	for _, w := range c.why {
		texts = append(texts, amount.List(w.nodes)+": "+w.text)
	}
	return strings.Join(texts, "; ")
}
