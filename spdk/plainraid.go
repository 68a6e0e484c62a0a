package spdk

func (l *lexer) raid(r, before *Raid) {
	l.members(func(key []byte) {
		switch string(key) {
		case "name":
			r.Name = l.text()
		case "uuid":
			r.UUID = l.text()
		case "state":
			r.State = l.text(before.State)
		case "raid_level":
			r.Level = l.text(before.Level)
		case "strip_size_kb":
			r.StripKiB = int(l.number32())
		case "superblock":
			r.Superblock = l.truth()
		case "num_base_bdevs":
			r.NumBases = int(l.number32())
		case "num_base_bdevs_discovered":
			r.NumDiscovered = int(l.number32())
		case "num_base_bdevs_operational":
			r.NumOperational = int(l.number32())
		case "process": // rare
			l.rest(&r.Process)
		case "base_bdevs_list":
			r.Bases = make([]RaidBase, 0, 3)
			l.each(func() {
				r.Bases = append(r.Bases, RaidBase{})
				l.raidBase(&r.Bases[len(r.Bases)-1])
			})
		default:
			l.skip()
		}
	})
}

func (l *lexer) raidBase(b *RaidBase) {
	l.members(func(key []byte) {
		switch string(key) {
		case "name": // null in an empty slot
			if b.Name = ""; l.peek() == 'n' {
				l.rest(&b.Name)
			} else {
				b.Name = l.text()
			}
		case "uuid":
			b.UUID = l.text(b.Name)
		case "is_configured":
			b.Configured = l.truth()
		default:
			l.skip()
		}
	})
}
