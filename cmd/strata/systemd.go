package main

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"strata/amount"
	"strata/watch"
)

// systemd is told how a service is, as sd_notify(3) does it; without NOTIFY_SOCKET
// there is nobody to tell.
type systemd struct {
	socket string
	every  time.Duration // that it lives; 0: nobody asks
	told   time.Time

	mu      sync.Mutex
	ready   bool
	volumes int
	broken  bool
}

func newSystemd(env func(string) string) *systemd {
	s := &systemd{socket: env("NOTIFY_SOCKET")}
	if usec, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 {
		s.every = time.Duration(usec) * time.Microsecond / 3
	}
	return s
}

// say tells one thing. Who does not hear it has nothing to answer for here.
func (s *systemd) say(what string) {
	if s.socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"}) // "@" is an abstract one
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte(what))
}

// observe tells that it is ready once the nodes have been looked at, and how it is.
func (s *systemd) observe(e watch.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := e.(type) {
	case watch.Loaded:
		s.volumes = len(e.Config.Volumes)
	case watch.Broken:
		s.broken = true
		s.status("the configuration is broken, and the last good one stays in force")
	case watch.Mended:
		s.broken = false
	case watch.Looked:
		s.isReady()
	case watch.Planned:
		s.status(fmt.Sprintf("at work on %s", amount.Of(len(e.Plan.Passes[0].Sections), "section")))
	case watch.StandsBy: // for months, maybe
		s.isReady()
		s.status(e.Why)
	case watch.Ended:
		switch {
		case e.Err != nil:
			s.status("nothing is done now: " + inLine(e.Err.Error()))
		case s.broken:
			s.status("the configuration is broken, and the last good one stays in force")
		case e.Result.Stopped: // it has no plan, maybe, and the next run says how things are
		case e.Result.Converged:
			s.status(amount.Of(s.volumes, "volume") + " as configured")
		default:
			s.status(amount.Of(len(e.Result.Plan.Blocked)+len(e.Result.Failures), "thing") + " not as configured; the log says more")
		}
	}
}

// isReady tells systemd, once, that what there is to start has started.
func (s *systemd) isReady() {
	if !s.ready {
		s.ready = true
		s.say("READY=1")
	}
}

func (s *systemd) status(text string) { s.say("STATUS=" + text) }

// alive tells systemd that this process lives, as often as it wants to hear it.
func (s *systemd) alive() {
	if s.every == 0 || time.Since(s.told) < s.every {
		return
	}
	s.told = time.Now()
	s.say("WATCHDOG=1")
}
