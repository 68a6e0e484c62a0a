package spdk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestDialFailureIsUnreachable(t *testing.T) {
	c := client(t, "unix://"+t.TempDir()+"/absent", Options{})
	err := call1(c, 1)
	mustBe(t, err, Unreachable)
	if !strings.Contains(err.Error(), "no such file or directory") {
		t.Error(err)
	}
}

func TestDialTakesNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New("tcp://10.0.0.1:1", Options{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() { mustBe(t, call1(c, i), Unreachable) })
		}
		wg.Wait()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		mustBe(t, callCtx(ctx, c, 1), Unreachable)
		if took := time.Since(start); took != 6*time.Second {
			t.Errorf("took %v", took)
		}
		c.Close()
	})
}

func TestSilentTargetIsUnknownAndReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int32
		c, dials := piped(Options{}, func(nc net.Conn) {
			if n.Add(1) == 1 {
				io.Copy(io.Discard, nc) // accepts, reads, never answers
				return
			}
			echo(nc)
		})
		defer c.Close()
		start := time.Now()
		err := call1(c, 1)
		mustBe(t, err, Unknown)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if err := call1(c, 2); err != nil || dials.Load() != 2 {
			t.Errorf("%v, %d connections", err, dials.Load())
		}
	})
}

func TestShorterDeadlineWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := piped(Options{Timeout: time.Minute}, func(nc net.Conn) { io.Copy(io.Discard, nc) })
		defer c.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		mustBe(t, callCtx(ctx, c, 1), Unknown)
		mustBe(t, c.Round(context.Background(), &Req{Method: "x", Timeout: time.Hour}), Unknown)
		if took := time.Since(start); took != time.Hour+time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, dials := piped(Options{}, func(nc net.Conn) {
			dec := json.NewDecoder(nc)
			var first, r request
			dec.Decode(&first)
			dec.Decode(&r)
			nc.Write(reply(string(first.ID), first.Params)) // late
			nc.Write(reply(string(r.ID), r.Params))
			echo(nc)
		})
		defer c.Close()
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		err := callCtx(ctx, c, 1)
		mustBe(t, err, Unknown)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if err := call1(c, 2); err != nil || dials.Load() != 1 {
			t.Errorf("%v, %d connections", err, dials.Load())
		}
	})
}

func TestLateReplyIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, dials := piped(Options{}, func(nc net.Conn) {
			var mu sync.Mutex
			answerAll(nc, func(id, method string) []byte {
				if method == "slow" {
					time.AfterFunc(15*time.Second, func() {
						mu.Lock()
						defer mu.Unlock()
						nc.Write(reply(id, []byte("[-1]")))
						nc.Write(reply(id, []byte("[-1]"))) // even twice
					})
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				nc.Write(reply(id, []byte("[1]")))
				return nil
			})
		})
		defer c.Close()
		var wg sync.WaitGroup
		wg.Go(func() {
			var got []int
			mustBe(t, c.Call(context.Background(), "slow", nil, &got), Unknown)
			if time.Sleep(time.Minute); got != nil {
				t.Errorf("got %v after giving up", got)
			}
		})
		for range 30 {
			time.Sleep(time.Second)
			if err := call1(c, 1); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		if dials.Load() != 1 {
			t.Errorf("%d connections", dials.Load())
		}
	})
}

func TestRetiredConnectionFinishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := new(atomic.Int32)
		c, dials := piped(Options{}, func(nc net.Conn) {
			answerAll(nc, func(id, method string) []byte {
				switch method {
				case "patient":
					time.AfterFunc(20*time.Second, func() { nc.Write(reply(id, []byte("true"))) })
				case "never":
				default:
					return reply(id, []byte("[1]"))
				}
				return nil
			})
			closed.Add(1)
		})
		defer c.Close()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := c.Round(context.Background(), &Req{Method: "patient", Timeout: time.Minute}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(time.Second)
		mustBe(t, c.Call(context.Background(), "never", nil, nil), Unknown)
		if err := call1(c, 1); err != nil || dials.Load() != 2 || closed.Load() != 0 {
			t.Errorf("%v, %d connections, %d closed", err, dials.Load(), closed.Load())
		}
		wg.Wait()
		synctest.Wait()
		if closed.Load() != 1 || len(c.conns) != 1 {
			t.Errorf("%d closed, %d kept", closed.Load(), len(c.conns))
		}
	})
}

func TestTargetThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wake, seen := make(chan bool), new(atomic.Int32)
		c, _ := piped(Options{Timeout: time.Minute}, func(nc net.Conn) {
			<-wake
			answerAll(nc, func(string, string) []byte { seen.Add(1); return nil })
		})
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		var reqs []*Req
		pad := strings.Repeat("x", 1000)
		for range 5000 {
			reqs = append(reqs, &Req{Method: "x", Params: []string{pad}})
		}
		start := time.Now()
		err := c.Round(ctx, reqs...)
		if time.Since(start) != time.Second || err == nil {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		count := map[Class]int{}
		for _, r := range reqs {
			count[ClassOf(r.Err)]++
		}
		if count[Unknown]+count[Unreachable] != len(reqs) || count[Unknown] > 100 {
			t.Error(count)
		}
		close(wake)
		synctest.Wait()
		if int(seen.Load()) > count[Unknown] {
			t.Errorf("%d were carried out, %d unknown", seen.Load(), count[Unknown])
		}
		c.Close()
	})
}

func TestTargetThatStopsReadingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := make(chan bool)
		defer close(end)
		c, _ := piped(Options{Timeout: time.Second}, func(nc net.Conn) { <-end })
		defer c.Close()
		start := time.Now()
		err := c.Round(context.Background(), &Req{Method: "x", Timeout: time.Hour})
		mustBe(t, err, Unreachable)
		if time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestSocketThatIsNotRead(t *testing.T) {
	done := make(chan bool)
	t.Cleanup(func() { close(done) })
	c := client(t, serve(t, func(net.Conn) { <-done }), Options{Timeout: 5 * time.Second}) // by when the first is sent, also on a machine with other work
	var reqs []*Req
	pad := strings.Repeat("x", 1000)
	for range 5000 {
		reqs = append(reqs, &Req{Method: "x", Params: []string{pad}})
	}
	start := time.Now()
	if err := c.Round(context.Background(), reqs...); err == nil || time.Since(start) > time.Minute {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	mustBe(t, reqs[0].Err, Unknown)
	mustBe(t, reqs[len(reqs)-1].Err, Unreachable)
}

func TestCutConnections(t *testing.T) {
	for name, last := range map[string]func(net.Conn, string){
		"before the reply":    func(net.Conn, string) {},
		"within the reply":    func(nc net.Conn, id string) { nc.Write(reply(id, []byte("[1]"))[:20]) },
		"malformed frame":     func(nc net.Conn, id string) { nc.Write([]byte("oops")) },
		"malformed envelope":  func(nc net.Conn, id string) { nc.Write([]byte("{id}")) },
		"malformed result":    func(nc net.Conn, id string) { nc.Write(reply(id, []byte("[1 2]"))) },
		"malformed error":     func(nc net.Conn, id string) { nc.Write([]byte(`{"id":` + id + `,"error":{code}}`)) },
		"neither one":         func(nc net.Conn, id string) { nc.Write([]byte(`{"id":` + id + `}`)) },
		"reply in an array":   func(nc net.Conn, id string) { nc.Write([]byte(`[` + string(reply(id, []byte("[1]"))) + `]`)) },
		"null id, then close": func(nc net.Conn, id string) { nc.Write([]byte(`{"id":null,"error":{"code":-32700}}`)) },
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			c := client(t, serve(t, func(nc net.Conn) {
				if n.Add(1) > 1 {
					echo(nc)
					return
				}
				var r request
				json.NewDecoder(nc).Decode(&r)
				last(nc, string(r.ID))
			}), Options{})
			mustBe(t, call1(c, 1), Unknown)
			if err := call1(c, 2); err != nil {
				t.Errorf("after it: %v", err)
			}
		})
	}
}

func TestReconnects(t *testing.T) {
	c := client(t, serve(t, func(nc net.Conn) {
		var r request
		json.NewDecoder(nc).Decode(&r)
		nc.Write(reply(string(r.ID), r.Params))
	}), Options{})
	for i := range 20 {
		if err := call1(c, i); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		w := c.current.wire
		c.mu.Unlock()
		<-w.written // the end has been noticed
	}
}
