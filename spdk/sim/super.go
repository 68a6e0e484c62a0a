package sim

import (
	"bytes"
	"encoding/json"
)

// superMagic begins a RAID superblock, which is the first thing on each base.
// What follows is not SPDK's format, only its content.
const superMagic = "SPDKRAID"

type superblock struct {
	UUID  string      `json:"uuid"`
	Name  string      `json:"name"`
	Seq   uint64      `json:"seq"`
	Level raidLevel   `json:"level"`
	Strip uint32      `json:"strip"` // KiB
	Block uint32      `json:"block"`
	Bases []superBase `json:"bases"`
}

type superBase struct {
	UUID       string `json:"uuid"`
	Configured bool   `json:"configured"`
	Offset     uint64 `json:"offset"`
	Size       uint64 `json:"size"`
}

// readSuper finds a superblock on b.
func readSuper(b *bdev) *superblock {
	if !b.p.t.c.superRun || b.bytes() < pageSize {
		return nil
	}
	p := make([]byte, pageSize)
	if b.dev.read(&op{}, p, 0) != nil || !bytes.HasPrefix(p, []byte(superMagic)) {
		return nil
	}
	sb := &superblock{}
	if json.NewDecoder(bytes.NewReader(p[len(superMagic):])).Decode(sb) != nil {
		return nil
	}
	return sb
}

// writeSuper records the members on each of them.
func (r *raid) writeSuper() {
	if !r.super {
		return
	}
	r.p.t.c.superRun = true
	sb := superblock{UUID: r.uuid, Name: r.name, Seq: r.seq, Level: r.level, Strip: r.strip, Block: r.blockSize}
	for _, s := range r.slots {
		whole := s.configured && (r.rebuild == nil || r.rebuild.target != s)
		sb.Bases = append(sb.Bases, superBase{s.uuid, whole, s.offset, s.size})
	}
	j, _ := json.Marshal(sb)
	for _, s := range r.slots {
		if s.base != nil {
			p := make([]byte, pageSize)
			copy(p, superMagic)
			copy(p[len(superMagic):], j)
			s.base.dev.write(&op{}, p, 0)
		}
	}
}

func (r *raid) clearSuper() {
	for _, s := range r.slots {
		if r.super && s.base != nil {
			s.base.dev.write(&op{}, make([]byte, pageSize), 0)
		}
	}
}

// assemble puts b into the RAID its superblock tells of, making that RAID if
// need be.
func (p *process) assemble(sb *superblock, b *bdev) {
	var r *raid
	for _, x := range p.raids {
		if x.uuid == sb.UUID {
			r = x
		}
	}
	if r != nil && (!r.super || r.state != raidConfiguring && sb.Seq > r.seq) {
		return
	}
	if r != nil && sb.Seq > r.seq {
		r.delete(nil)
		r = nil
	}
	if r == nil {
		if p.raidNamed(sb.Name) != nil {
			return
		}
		r = &raid{p: p, name: sb.Name, uuid: sb.UUID, super: true, level: sb.Level, strip: sb.Strip, state: raidConfiguring, blockSize: sb.Block, seq: sb.Seq}
		for _, x := range sb.Bases {
			s := &slot{r: r, offset: x.Offset, size: x.Size}
			if x.Configured {
				s.uuid = x.UUID
				r.operational++
			}
			r.slots = append(r.slots, s)
		}
		p.raids = append(p.raids, r)
		defer func() {
			for _, o := range p.bdevs.order {
				if o != b && !o.removing && o.claim == claimNone {
					if other := readSuper(o); other != nil && other.UUID == sb.UUID {
						p.assemble(other, o)
					}
				}
			}
		}()
	}
	for _, s := range r.slots {
		if s.uuid == b.uuid && s.base == nil {
			r.configure(s, true)
			return
		}
	}
}
