package sim

import (
	"encoding/json"
	"fmt"
	"slices"
	"syscall"
)

func init() {
	register(
		writes("bdev_raid_create", (*process).createRaid).refusing(errParseDecode),
		writes("bdev_raid_delete", (*process).deleteRaid).refusing(errParseDecode),
		reads("bdev_raid_get_bdevs", (*process).getRaids).refusing(errParseDecode),
		writes("bdev_raid_add_base_bdev", (*process).addBase),
		writes("bdev_raid_grow_base_bdev", (*process).growBase).refusing(errParseDecode),
		writes("bdev_raid_remove_base_bdev", (*process).removeBase).refusing(errParseDecode),
		writes("bdev_raid_set_options", func(*process, *struct{}) (any, error) { return true, nil }).refusing(errParseDecode),
	)
}

func (p *process) createRaid(q *struct {
	Name  string   `json:"name"`
	Strip uint32   `json:"strip_size_kb"`
	Level string   `json:"raid_level"`
	Bases []string `json:"base_bdevs"`
	UUID  string   `json:"uuid"`
	Super bool     `json:"superblock"`
}) (any, error) {
	fail := func(err error) (any, error) {
		n := numberOf(err)
		return nil, &Error{-int(n), fmt.Sprintf("Failed to create RAID bdev %s: %s", q.Name, strerror(n))}
	}
	for _, b := range q.Bases {
		if b == "" {
			return nil, &Error{-int(einval), "The base bdev name cannot be empty: Invalid argument"}
		}
	}
	level := levels[q.Level]
	least := 2
	if p.build().oneBase {
		least = 1
	}
	switch {
	case len(q.Name) > 63:
		return fail(einval)
	case p.raidNamed(q.Name) != nil:
		return fail(eexist)
	case level == "": // others are not simulated
		return fail(einval)
	case level == raid1 && (q.Strip != 0 || len(q.Bases) < least), level != raid1 && (q.Strip == 0 || q.Strip&(q.Strip-1) != 0 || len(q.Bases) < 1):
		return fail(einval)
	}
	if q.UUID == nilUUID {
		q.UUID = ""
	}
	if q.Super && q.UUID == "" {
		q.UUID = newUUID()
	}
	r := &raid{p: p, name: q.Name, uuid: q.UUID, super: q.Super, level: level, strip: q.Strip, state: raidConfiguring, operational: len(q.Bases)}
	for _, b := range q.Bases {
		r.slots = append(r.slots, &slot{r: r, name: &b})
	}
	p.raids = append(p.raids, r)
	for _, s := range r.slots {
		if err := r.configure(s, false); err != nil && err != enodev {
			r.delete(nil)
			return fail(err)
		}
	}
	return true, nil
}

func (p *process) deleteRaid(q *struct {
	Name  string `json:"name"`
	Clear bool   `json:"clear_sb"`
}) (any, error) {
	r := p.raidNamed(q.Name)
	if r == nil {
		return nil, &Error{-int(enodev), fmt.Sprintf("raid bdev %s not found", q.Name)}
	}
	if q.Clear {
		r.clearSuper()
	}
	gone := false
	r.delete(func() { gone = true })
	if gone {
		return true, nil
	}
	return nil, &later{ready: func() bool { return gone }, done: func(bool) (any, error) { return true, nil }}
}

func (p *process) getRaids(q *struct {
	Category string `json:"category"`
}) (any, error) {
	out := make([]byte, 1, 64+900*len(p.raids))
	out[0] = '['
	for _, r := range p.raids {
		if q.Category != "all" && q.Category != string(r.state) {
			continue
		}
		out = append(item(out), '{')
		out = text(out, "name", r.name)
		out = append(r.info(out), '}')
	}
	return json.RawMessage(append(out, ']')), nil
}

func (p *process) addBase(q *struct {
	Raid string `json:"raid_bdev"`
	Base string `json:"base_bdev"`
}) (any, error) {
	r := p.raidNamed(q.Raid)
	if r == nil {
		return nil, &Error{-int(enodev), fmt.Sprintf("raid bdev %s is not found in config", q.Raid)}
	}
	fail := func(err error) (any, error) {
		n := numberOf(err)
		return nil, &Error{-int(n), fmt.Sprintf("Failed to add base bdev %s to RAID bdev %s: %s", q.Base, q.Raid, strerror(n))}
	}
	if r.rebuild != nil {
		return fail(eperm)
	}
	s := r.vacancy(q.Base)
	if s == nil {
		return fail(einval)
	}
	s.name = &q.Base
	if err := r.configure(s, false); err != nil {
		if err != enodev || r.state != raidConfiguring {
			s.name = nil
		}
		return fail(err)
	}
	return true, nil
}

// vacancy is the slot that a base may take.
func (r *raid) vacancy(base string) *slot {
	if b := r.p.bdevs.find(base); b != nil && r.state == raidConfiguring {
		for _, s := range r.slots {
			if s.name == nil && s.uuid == b.uuid {
				return s
			}
		}
	}
	for _, s := range r.slots {
		if s.name == nil && s.uuid == "" {
			return s
		}
	}
	return nil
}

// growBase is the fork's way to add a member: nothing is copied. It takes the
// first vacancy or one slot more, which stays if the base cannot be had.
func (p *process) growBase(q *struct {
	Raid string `json:"raid_name"`
	Base string `json:"base_name"`
}) (any, error) {
	r, b := p.raidNamed(q.Raid), p.bdevs.find(q.Base)
	fail := func(n syscall.Errno) (any, error) {
		return nil, &Error{-int(n), fmt.Sprintf("Failed to grow raid %s adding base bdev %s: %s", q.Raid, q.Base, strerror(n))}
	}
	switch {
	case r == nil:
		return nil, &Error{-int(enodev), fmt.Sprintf("raid bdev %s not found", q.Raid)}
	case b == nil:
		return nil, &Error{-int(enodev), fmt.Sprintf("base bdev %s not found", q.Base)}
	case slices.ContainsFunc(r.slots, func(s *slot) bool { return s.base == b }):
		return true, nil
	case r.state != raidOnline:
		return fail(einval)
	case r.rebuild != nil:
		return fail(ebusy)
	}
	grow := func(bool) (any, error) {
		i := slices.IndexFunc(r.slots, func(s *slot) bool { return s.base == nil })
		if i < 0 {
			i = len(r.slots)
			r.slots = append(r.slots, &slot{r: r})
		}
		s := r.slots[i]
		s.size = r.bdev.numBlocks
		if err := r.take(s, b); err != nil {
			s.name = nil
			return nil, coded(codeInternal, numberOf(err))
		}
		s.name, s.configured = &q.Base, true
		r.operational++
		return true, nil
	}
	if r.outstanding == 0 {
		return grow(false)
	}
	// Growing quiesces the RAID: it waits for what is under way.
	return nil, &later{ready: func() bool { return r.outstanding == 0 || r.state != raidOnline }, done: grow}
}

func (p *process) removeBase(q *named) (any, error) {
	fail := func(n syscall.Errno) (any, error) {
		return nil, &Error{-int(n), "Failed to remove base bdev from raid bdev"}
	}
	b := p.bdevs.find(q.Name)
	if b == nil {
		return fail(enodev)
	}
	for _, r := range p.raids {
		for _, s := range r.slots {
			if s.base != b || !s.configured {
				continue
			}
			if r.outstanding == 0 {
				r.remove(s)
				return true, nil
			}
			// Removal quiesces the RAID: it waits for what is under way.
			return nil, &later{
				ready: func() bool { return r.outstanding == 0 || s.base != b },
				done: func(bool) (any, error) {
					if s.base == b {
						r.remove(s)
					}
					return true, nil
				},
			}
		}
	}
	return fail(enodev)
}
