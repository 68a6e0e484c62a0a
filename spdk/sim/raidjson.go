package sim

func (r *raid) describe(b []byte) []byte {
	return append(r.info(append(key(b, "raid"), '{')), '}')
}

func (r *raid) info(b []byte) []byte {
	id := r.uuid
	if id == "" {
		id = nilUUID
	}
	b = text(b, "uuid", id)
	b = number(b, "strip_size_kb", uint64(r.strip))
	b = text(b, "state", string(r.state))
	b = text(b, "raid_level", string(r.level))
	b = boolean(b, "superblock", r.super)
	b = number(b, "num_base_bdevs", uint64(len(r.slots)))
	b = number(b, "num_base_bdevs_discovered", uint64(r.discovered()))
	b = number(b, "num_base_bdevs_operational", uint64(r.operational))
	deltas := r.p.build().deltaBitmaps
	if deltas {
		b = boolean(b, "delta_bitmap_enabled", false)
	}
	if rb := r.rebuild; rb != nil {
		b = append(key(b, "process"), '{')
		b = text(b, "type", "rebuild")
		b = text(b, "target", *rb.target.name)
		b = append(key(b, "progress"), '{')
		b = number(b, "blocks", rb.at)
		b = append(number(b, "percent", rb.at*100/max(1, r.bdev.numBlocks)), '}', '}')
	}
	b = append(key(b, "base_bdevs_list"), '[')
	for _, s := range r.slots {
		b = append(item(b), '{')
		if s.name == nil {
			b = append(key(b, "name"), "null"...)
		} else {
			b = text(b, "name", *s.name)
		}
		id := s.uuid
		if id == "" {
			id = nilUUID
		}
		b = text(b, "uuid", id)
		b = boolean(b, "is_configured", s.configured)
		if deltas {
			b = text(b, "delta_bitmap_state", "none")
		}
		b = number(b, "data_offset", s.offset)
		b = append(number(b, "data_size", s.size), '}')
	}
	return append(b, ']')
}
