package plan

import (
	"fmt"
	"maps"
	"slices"

	"strata/amount"
	"strata/lineage"
	"strata/schema"
)

// Wish is where a person wants a volume to be, of the places that its configuration leaves
// open. It holds for one plan, and for carrying that out: what is there then stays there by
// itself.
type Wish struct {
	// Replicas has the nodes that are to have a replica, as many as are configured, and the
	// lvstore there; nil: as before.
	Replicas map[lineage.Node]string `json:"replicas,omitempty"`
	// Engine is the node that is to serve it; "": as before.
	Engine lineage.Node `json:"engine,omitempty"`
	// Why has the reason why a replica goes to a node, and ServeWhy why the engine does.
	Why      map[lineage.Node]string `json:"why,omitempty"`
	ServeWhy string                  `json:"serveWhy,omitempty"`
}

// Wishes are those of volumes, by name.
type Wishes map[string]Wish

// Over is the configuration as if it asked for what is wished.
func (w Wishes) Over(cfg *schema.Config) *schema.Config {
	if len(w) == 0 {
		return cfg
	}
	wished := *cfg
	wished.Volumes = slices.Clone(cfg.Volumes)
	for i, v := range wished.Volumes {
		wish, is := w[v.Name]
		if !is {
			continue
		}
		v := *v
		if wish.Replicas != nil {
			v.Replicas.On = slices.Sorted(maps.Keys(wish.Replicas))
		}
		if wish.Engine != "" {
			v.Engine = wish.Engine
		}
		wished.Volumes[i] = &v
	}
	return &wished
}

// Has reports whether a volume may be in an lvstore of a node that is to have it.
func (w Wishes) Has(volume string, n lineage.Node, lvstore string) bool {
	in := w[volume].Replicas[n]
	return in == "" || in == lvstore
}

// Findings say what is wished, and why.
func (w Wishes) Findings() (all []Finding) {
	for _, name := range slices.Sorted(maps.Keys(w)) {
		for _, n := range slices.Sorted(maps.Keys(w[name].Why)) {
			all = append(all, Finding{About: "volume " + name, Text: fmt.Sprintf("a replica goes to %s: %s", n, w[name].Why[n])})
		}
		if to := w[name].Engine; to != "" {
			all = append(all, Finding{About: "volume " + name, Text: fmt.Sprintf("the engine goes to %s: %s", to, w[name].ServeWhy)})
		}
	}
	return all
}

// Verify says what of the wishes no configuration leaves open.
func (w Wishes) Verify(cfg *schema.Config) error {
	for name, wish := range w {
		v := cfg.Volume(name)
		if v == nil {
			return fmt.Errorf("there is no volume %s", name)
		}
		if wish.Replicas != nil && (len(wish.Replicas) != v.Replicas.Count || len(v.Replicas.On) > 0) {
			return fmt.Errorf("%s is to have %s where its configuration says", name, amount.Of(v.Replicas.Count, "replica"))
		}
		for n, lvstore := range wish.Replicas {
			node := cfg.Node(n)
			if node == nil || !slices.ContainsFunc(node.Pools, func(p *schema.Pool) bool { return p.Lvstore == lvstore }) || v.KeptOff(node) != "" {
				return fmt.Errorf("%s cannot be in %s/%s", name, n, lvstore)
			}
		}
		if wish.Engine != "" && (cfg.Node(wish.Engine) == nil || v.Engine != "") {
			return fmt.Errorf("%s cannot be served on %s", name, wish.Engine)
		}
	}
	return nil
}
