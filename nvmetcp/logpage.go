package nvmetcp

import (
	"encoding/binary"
	"maps"
	"slices"
)

// Log pages.
const (
	logErrors  = 0x01
	logSmart   = 0x02
	logSlots   = 0x03
	logChanged = 0x04
	logANA     = 0x0c
)

// logPage answers a Get Log Page.
func (s *Session) logPage(c *command) Status {
	d10 := c.sqe.dword(10)
	size := (int64(c.sqe.dword(11)&0xffff)<<16 | int64(d10>>16)) + 1
	offset := int64(c.sqe.dword(12)) | int64(c.sqe.dword(13))<<32
	if size *= 4; size != int64(c.sqe.sglLen()) || offset%4 != 0 || offset < 0 {
		return InvalidField | notRetried
	}
	keep := d10>>15&1 == 1 // RAE: the event stays
	var page []byte
	switch uint8(d10) {
	case logErrors:
		page = make([]byte, 64)
	case logSmart:
		page = make([]byte, 512)
		binary.LittleEndian.PutUint16(page[1:], 300) // kelvin
		page[3], page[4] = 100, 10                   // spare, and what would be too little
	case logSlots:
		page = make([]byte, 512)
		page[0] = 1
		copy(page[8:], "1       ")
	case logChanged:
		page = s.changedPage(keep)
	case logANA:
		if !s.ctrl.ANA {
			return InvalidLogPage | notRetried
		}
		page = s.anaPage(d10>>8&1 == 1, keep)
	default:
		return InvalidLogPage | notRetried
	}
	if offset > int64(len(page)) {
		return InvalidField | notRetried
	}
	return c.answer(page[offset:])
}

func (s *Session) changedPage(keep bool) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := make([]byte, 0, 4*maxChanged)
	if s.lost {
		page = binary.LittleEndian.AppendUint32(page, 0xffffffff)
	}
	for _, id := range s.changed {
		page = binary.LittleEndian.AppendUint32(page, id)
	}
	if !keep {
		s.changed, s.lost = nil, false
		s.unmask(noticeNamespace)
	}
	return page[:cap(page)]
}

// anaPage is the state of every group that has namespaces.
func (s *Session) anaPage(groupsOnly, keep bool) []byte {
	s.mu.Lock()
	changes := s.changes
	if !keep {
		s.unmask(noticeANA) // before looking: what changes from here on is told
	}
	s.mu.Unlock()
	members, states := map[uint32][]uint32{}, map[uint32]State{}
	for _, ns := range s.ctrl.View.Namespaces() {
		g := ns.group()
		members[g] = append(members[g], ns.ID)
		states[g] = ns.state()
	}
	le := binary.LittleEndian
	page := le.AppendUint64(nil, changes)
	page = le.AppendUint16(page, uint16(len(members)))
	page = append(page, 0, 0, 0, 0, 0, 0)
	for _, g := range slices.Sorted(maps.Keys(members)) {
		ids := members[g]
		if groupsOnly {
			ids = nil
		}
		page = le.AppendUint32(page, g)
		page = le.AppendUint32(page, uint32(len(ids)))
		page = le.AppendUint64(page, changes)
		page = append(page, byte(states[g]))
		page = append(page, make([]byte, 15)...)
		for _, id := range ids {
			page = le.AppendUint32(page, id)
		}
	}
	return page
}
