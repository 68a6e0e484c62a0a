package schema

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

var defaultLinks = Links{
	TransportAckTimeout:  10,
	CtrlrLossTimeoutSec:  15,
	ReconnectDelaySec:    2,
	FastIOFailTimeoutSec: 10,
}

// waitingLinks never give a peer up: I/O waits for it, and is sent again once it is
// back. PatienceMs is the default.
var waitingLinks = Links{
	TransportAckTimeout: defaultLinks.TransportAckTimeout,
	CtrlrLossTimeoutSec: -1,
	ReconnectDelaySec:   1,
	PatienceMs:          5000,
}

const (
	minPatience = time.Second
	maxPatience = 24 * time.Hour
)

const defaultPauseMs = 2000

// links reads the settings that are given, and checks that they agree. What becomes of a
// peer that is lost is as l has it, if it is not given.
func (s *spot) links(l *Links) {
	if s == nil {
		return
	}
	o, ok := s.object("a struct with " + strings.Join(linksFields, ", "))
	if !ok {
		return
	}
	o.only(linksFields)
	before := len(s.doc.problems)
	o.loss(l)
	set := func(field *int, name, want string, low, high int64) {
		if n, ok := o.field(name).integer(want, low, high); ok {
			*field = int(n)
		}
	}
	const seconds, loss = "a number of seconds from 1 to 3600", "-1 or a number of seconds from 1 to 3600"
	o.linkAuth(l)
	if l.RDMA = o.field("transport").rdma(); l.RDMA {
		l.TransportAckTimeout = 0 // RDMA counts it in other units
		if given := o.field("transportAckTimeout"); given != nil {
			given.wrong("leave it out: network cards have one of their own", "is of TCP, and links are of RDMA")
		}
	}
	set(&l.TransportAckTimeout, "transportAckTimeout", "a whole number from 0 to 31 (2^n milliseconds; 0 leaves the target's default)", 0, 31)
	if l.Wait() {
		return
	}
	set(&l.CtrlrLossTimeoutSec, "ctrlrLossTimeoutSec", loss, -1, maxSeconds)
	set(&l.ReconnectDelaySec, "reconnectDelaySec", seconds, 1, maxSeconds)
	set(&l.FastIOFailTimeoutSec, "fastIOFailTimeoutSec", seconds, 1, maxSeconds)
	if l.CtrlrLossTimeoutSec == 0 {
		o.field("ctrlrLossTimeoutSec").wrong("", "must be %s, not 0", loss)
	}
	if len(s.doc.problems) > before {
		return
	}
	at := &spot{s.doc, s.up, s.name, s.value, s.place}
	if f := cmp.Or(o.field("fastIOFailTimeoutSec"), o.field("reconnectDelaySec"), o.field("ctrlrLossTimeoutSec")); f != nil {
		at.value, at.place = f.value, f.place
	}
	const defaults = "a setting that is not given has its default"
	if l.FastIOFailTimeoutSec < l.ReconnectDelaySec {
		at.wrong(defaults, "fastIOFailTimeoutSec (%d) must be at least reconnectDelaySec (%d)", l.FastIOFailTimeoutSec, l.ReconnectDelaySec)
	}
	if l.CtrlrLossTimeoutSec != -1 && l.FastIOFailTimeoutSec > l.CtrlrLossTimeoutSec {
		at.wrong(defaults, "fastIOFailTimeoutSec (%d) must be at most ctrlrLossTimeoutSec (%d)", l.FastIOFailTimeoutSec, l.CtrlrLossTimeoutSec)
	}
}

// loss reads what becomes of a link whose peer is lost, and how long it is waited for.
func (o object) loss(l *Links) {
	given, patience := o.field("loss"), o.field("patience")
	loss, _ := given.matching(`"wait" or "drop"`, func(t string) bool { return t == "wait" || t == "drop" })
	if given == nil && l.Wait() {
		loss = "wait"
	}
	if loss != "wait" {
		*l = defaultLinks
		if patience != nil {
			patience.wrong(`write loss: "wait" beside it`, `is for links that wait: with loss: "drop" the target gives a lost peer up by itself`)
		}
		return
	}
	*l = waitingLinks
	help := "patience is how long a lost peer is waited for"
	if given == nil {
		help = `write loss: "drop" beside it: where auto has "fence", links wait unless they are told not to`
	}
	for _, f := range []string{"ctrlrLossTimeoutSec", "reconnectDelaySec", "fastIOFailTimeoutSec"} {
		if given := o.field(f); given != nil {
			given.wrong(help, `is for links that do not wait: with loss: "wait" the target never gives a peer up by itself`)
		}
	}
	if d, ok := patience.lasts(`a time in whole milliseconds from "1s" to "24h", such as "5s"`, minPatience, maxPatience, time.Millisecond); ok {
		l.PatienceMs = int(d / time.Millisecond)
	}
}

// maxLinkKeys is the greatest number that keys of links have.
const maxLinkKeys = 1_000_000

// linkAuth reads whether the ends of links prove themselves, and by which keys.
func (o object) linkAuth(l *Links) {
	given := o.field("keys")
	if !o.field("auth").boolean() {
		if given != nil {
			given.wrong("write auth: true beside it", "is for links whose ends prove themselves to each other")
		}
		return
	}
	l.Keys = 1
	if n, ok := given.integer("a whole number from 1 to 1000000", 1, maxLinkKeys); ok {
		l.Keys = int(n)
	}
}

// proves checks that strata can put the keys of links on a node.
func (r *relations) proves(n *Node, o object) {
	if r.cfg.Links.Keys > 0 && n.KeyDir() == "" {
		o.field("rpc").wrong("reach it by ssh://user@host/socket, or write links: auth: false",
			"is no ssh://, and strata puts the keys of links (links: auth: true) on nodes by ssh only")
	}
}

// pause returns the longest pause in milliseconds.
func (s *spot) pause() (int, bool) {
	d, ok := s.lasts(`a time in whole milliseconds from "10ms" to "30s", such as "2s"`, minPause, maxPause, time.Millisecond)
	return int(d / time.Millisecond), ok
}

// AddressesUsed is what has links use all addresses of nodes.
const AddressesUsed = `with links: loss: "wait" they go on by the others, and hosts wait`

// IdleAddresses says, where nodes with several addresses have replicas and links drop their peers,
// that links use one only, with the first such node; "" where that is not so.
func (c *Config) IdleAddresses() (n *Node, why string) {
	if c.Links.Wait() || len(c.Nodes) < 2 {
		return nil, ""
	}
	for _, n := range c.Nodes {
		if len(n.Addresses) > 1 && len(n.Pools) > 0 {
			return n, fmt.Sprintf("links go over the first address of each node alone, %s of this one, for they give a lost peer up: when that is lost, so is its replica; hosts reach exports by all of its addresses", n.Address())
		}
	}
	return nil, ""
}
