package draft

import (
	"bytes"
	"errors"
	"slices"

	"strata/schema"
)

// judge takes back what a configuration would not have beside what is certain:
// others name their things as they like. What is offered is tried together, and
// one by one only if that fails.
func (d *drafter) judge(certain []byte) {
	tried := func(pools []*pool, offers []*offer) error {
		b := bytes.NewBuffer(bytes.Clone(certain))
		for _, p := range pools {
			p.write(b)
		}
		for _, o := range offers {
			o.fields(b)
		}
		return d.accepts(b.Bytes())
	}
	strange := slices.DeleteFunc(slices.Clone(d.pools), func(p *pool) bool { return p.ours })
	if len(strange)+len(d.offers) > 0 && tried(strange, d.offers) != nil && tried(nil, nil) == nil {
		d.pools = slices.DeleteFunc(d.pools, func(p *pool) bool {
			err := error(nil)
			if !p.ours {
				err = tried([]*pool{p}, nil)
			}
			if err != nil {
				d.leave("lvstore "+string(p.node)+"/"+p.lvs.Name, "it can be no pool: %s", reason(err))
			}
			return err != nil
		})
		d.offers = slices.DeleteFunc(d.offers, func(o *offer) bool {
			about := "lvol " + string(o.node) + "/" + o.lvol.Alias()
			i := slices.IndexFunc(d.pools, func(p *pool) bool { return p.node == o.node && p.lvs.Name == o.lvol.Lvstore })
			if conf := d.cfg.Node(o.node); i < 0 && !slices.ContainsFunc(conf.Pools, func(p *schema.Pool) bool { return p.Lvstore == o.lvol.Lvstore }) {
				d.leave(about, "it cannot be adopted: its lvstore can be no pool")
				return true
			}
			var with []*pool
			if i >= 0 && !d.pools[i].ours {
				with = d.pools[i : i+1]
			}
			err := tried(with, []*offer{o})
			if err != nil {
				d.leave(about, "it cannot be adopted: %s", reason(err))
			}
			return err != nil
		})
	}
	d.out.Strange = slices.DeleteFunc(d.out.Strange, func(name string) bool {
		return !slices.ContainsFunc(d.pools, func(p *pool) bool { return string(p.node)+"/"+p.lvs.Name == name })
	})
	for _, o := range d.offers {
		d.out.Offers = append(d.out.Offers, string(o.node)+"/"+o.lvol.Alias())
	}
}

// reason is the first thing that is wrong with a file.
func reason(err error) string {
	var problem *schema.Problem
	if errors.As(err, &problem) {
		return problem.Text
	}
	return err.Error()
}
