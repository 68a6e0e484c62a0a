package recipe

// peers lets go of the peers that have been given up and have the only legs the
// volume has: the volume goes down with them, whatever else is to be done, so it is
// judged anew in the next pass.
func (s *subject) peers() result {
	came := idle
	for _, l := range s.Legs {
		if s.Engine == "" || l.Node == s.Engine || l.Node == "" {
			continue
		}
		link := s.b.cfg.Link(l.Node, s.Engine)
		ctrl := s.b.w.Nodes[s.Engine].Controllers[s.b.w.Controller(link)]
		if ctrl == nil || ctrl.NQN != s.b.cfg.Cluster.LinkNQN(link) || !ctrl.GivenUp() {
			continue
		}
		came = max(came, acted)
		if why := s.b.link(link); why != "" {
			came = blocked
			s.b.links.need(link)
			s.b.block("volume "+s.v.Name, s.v.Pos, "", "the replica on %s cannot be brought to the engine: %s", l.Node, why)
		}
	}
	return came
}

// shaking waits where a peer is let go that a head may read through.
func (s *subject) shaking() result {
	if s.shaken() {
		return acted
	}
	return idle
}

// parted waits where a peer was let go that a leg is on.
func (s *subject) parted() result {
	if s.legDropped() {
		return acted
	}
	return idle
}
