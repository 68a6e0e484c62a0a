package sim

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestRulesThatAreWrong(t *testing.T) {
	for line, want := range map[string]string{
		"":                               "a verb is missing",
		"drop n1":                        `"drop" is no verb`,
		"fail n1":                        "a method is missing",
		"fail n1 bdev_get_bdevs 0 after": "calls are counted from 1",
		"fail n1 bdev_get_bdevs 2 never": `"never" is no way to fail`,
		"fail n1 bdev_get_bdevs error x": "after error there is a code",
		"cut n1":                         "another node is missing",
		"kill n1 at noon":                "after at there is the number of a call",
		"hang n1 5s twice":               `"twice" is one word too many`,
		"examine n1":                     "there is a time",
		"hang n1 -5s":                    "-5s is no time to wait",
		"hang n1 5s, then":               "after then there is kill",
		"hang n1, then kill":             "how long it hangs until it dies is missing",
		"hang n1 5s, 6s":                 "after the comma there is: then kill",
		"start n1 5s":                    `"5s" is one word too many`,
	} {
		if _, err := ParseRule(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}

// play plays lines on a new cluster of two.
func play(t *testing.T, lines ...string) (*Cluster, []*Target, []*client) {
	t.Helper()
	c, ts, ks := cluster(t, Options{Tick: 4 * time.Millisecond}, 2)
	for _, line := range lines {
		r, err := ParseRule(line)
		if err == nil {
			err = c.Play(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c, ts, ks
}

// answered reports whether a call is answered within a second.
func answered(t *testing.T, x *Target) bool {
	k := dial(t, x)
	done := make(chan bool, 1)
	go func() {
		k.c.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"spdk_get_version"}`))
		var r response
		done <- k.dec.Decode(&r) == nil
	}()
	select {
	case ok := <-done:
		return ok
	case <-time.After(time.Second):
		k.c.Close()
		return false
	}
}

func TestRulesCountCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ts, ks := play(t, "fail n1 spdk_get_version 2 before", "fail n2 spdk_get_version every error -5 Input/output error")
		for i, want := range []bool{true, false, true} {
			if answered(t, ts[0]) != want {
				t.Errorf("call %d answered: %v", i+1, !want)
			}
		}
		for range 2 {
			ks[1].refuse(-5, "Input/output error", "spdk_get_version", nil)
		}
	})
}

func TestRulesOfAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ts, ks := play(t, "fail n1 bdev_null_create after", "fail n2 bdev_null_create late 20s")
		null := M{"name": "x", "num_blocks": 1, "block_size": 512}
		ks[0].c.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"bdev_null_create","params":{"name":"x","num_blocks":1,"block_size":512}}`))
		time.Sleep(time.Second)
		dial(t, ts[0]).must("bdev_get_bdevs", M{"name": "x"})
		from := time.Now()
		ks[1].must("bdev_null_create", null)
		near(t, "the answer", time.Since(from), 20*time.Second)
	})
}

func TestRulesEnd(t *testing.T) {
	for _, line := range []string{"hang n1 10s", "kill n1 10s", "rpc-cut n1 10s", "hang n1 10s at 1", "kill n1 10s on spdk_get_version"} {
		synctest.Test(t, func(t *testing.T) {
			_, ts, _ := play(t, line)
			if answered(t, ts[0]) {
				t.Errorf("%s: it answers", line)
			}
			if !answered(t, ts[1]) {
				t.Errorf("%s: n2 does not answer", line)
			}
			time.Sleep(10 * time.Second)
			if !answered(t, ts[0]) {
				t.Errorf("%s: it does not answer afterwards", line)
			}
		})
	}
}

func TestRulesThatBreakConnections(t *testing.T) {
	for _, how := range []string{"cut", "caller"} {
		synctest.Test(t, func(t *testing.T) {
			_, ts, ks := play(t, "fail n1 bdev_null_create "+how)
			if _, _, err := ks[0].try("bdev_null_create", M{"name": "x", "num_blocks": 1, "block_size": 512}); err == nil {
				t.Errorf("%s: answered", how)
			}
			dial(t, ts[0]).must("bdev_get_bdevs", M{"name": "x"})
		})
	}
}

func TestRulesForGood(t *testing.T) {
	for _, line := range []string{"hang n1", "kill n1", "rpc-cut n1"} {
		synctest.Test(t, func(t *testing.T) {
			_, ts, _ := play(t, line)
			time.Sleep(time.Hour)
			if answered(t, ts[0]) {
				t.Errorf("%s: it answers", line)
			}
		})
	}
}

func TestRuleCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ts, ks := play(t)
		mkLink(ks[0], ks[1], "n1", "4421")
		r, err := ParseRule("cut n1 n2 3m")
		if err == nil {
			err = c.Play(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		attach := M{"name": "x", "trtype": "TCP", "adrfam": "IPv4", "traddr": "127.0.0.1", "trsvcid": "4421", "subnqn": nqnBase + "other"}
		from := time.Now()
		ks[1].refuse(-5, "Input/output error", "bdev_nvme_attach_controller", attach)
		near(t, "attaching", time.Since(from), 133*time.Second)
		if !answered(t, ts[0]) || !answered(t, ts[1]) {
			t.Error("strata does not reach them")
		}
		time.Sleep(time.Minute)
		ks[0].must("nvmf_create_subsystem", M{"nqn": nqnBase + "other", "allow_any_host": true})
		ks[0].must("nvmf_subsystem_add_listener", M{"nqn": nqnBase + "other", "listen_address": addr("4421")})
		ks[1].must("bdev_nvme_attach_controller", attach)
	})
}

func TestRuleFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ts, ks := play(t, "full n1 1m on bdev_lvol_create 2")
		uuid := mkLvol(ks[0], "db", 4)
		write := func() error { return ts[0].WriteBdev(t.Context(), uuid, []byte{1}, 0) }
		mkLvol(ks[0], "other", 4)
		if err := write(); err != enospc {
			t.Errorf("writing to a full disk: %v", err)
		}
		ks[0].refuse(-32602, "No space left on device", "bdev_lvol_create", M{"lvs_name": "lvs0", "lvol_name": "thick", "size_in_mib": 4})
		time.Sleep(time.Minute)
		if err := write(); err != nil {
			t.Error(err)
		}
	})
}

func TestRuleHangThenKill(t *testing.T) {
	for _, line := range []string{"hang n1 60s, then kill 5s", "hang n1 60s then kill 5s at 1"} {
		synctest.Test(t, func(t *testing.T) {
			_, ts, _ := play(t, line)
			if answered(t, ts[0]) {
				t.Errorf("%s: it answers", line)
			}
			time.Sleep(58 * time.Second)
			if !ts[0].Running() {
				t.Errorf("%s: it died too soon", line)
			}
			time.Sleep(2 * time.Second)
			if ts[0].Running() {
				t.Errorf("%s: it lives", line)
			}
			time.Sleep(5 * time.Second)
			if !answered(t, ts[0]) {
				t.Errorf("%s: it is not back", line)
			}
		})
	}
}

// TestRuleStartHung: a target that hangs is started as who works on it would do that.
func TestRuleStartHung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ts, _ := play(t, "hang n1")
		if answered(t, ts[0]) {
			t.Fatal("it answers")
		}
		r, err := ParseRule("start n1")
		if err == nil {
			err = c.Play(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		if time.Sleep(time.Second); !answered(t, ts[0]) {
			t.Error("it does not answer")
		}
	})
}

func TestRuleStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, ts, _ := play(t, "kill n1")
		time.Sleep(time.Second)
		for range 2 { // the second time it runs, and is left alone
			r, err := ParseRule("start n1")
			if err == nil {
				err = c.Play(r)
			}
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			dial(t, ts[0]).must("bdev_null_create", M{"name": time.Now().String(), "num_blocks": 1, "block_size": 512})
		}
		var all []json.RawMessage
		if dial(t, ts[0]).into(&all, "bdev_get_bdevs", nil); len(all) != 2 {
			t.Errorf("%d bdevs", len(all))
		}
	})
}

// TestEventOfAPeerThatVanishes: an initiator waits for a peer that it has an
// event of, and ends if it is not heard in time.
func TestEventOfAPeerThatVanishes(t *testing.T) {
	for lasts, ends := range map[string]bool{"20s": false, "": true} {
		synctest.Test(t, func(t *testing.T) {
			m := newMirror(t, real)
			r, err := ParseRule("cut n1 n2 " + lasts + " on event")
			if err == nil {
				err = m.c.Play(r)
			}
			if err != nil {
				t.Fatal(err)
			}
			more := mkLvol(m.ks[1], "more", 4)
			m.ks[1].must("nvmf_subsystem_add_ns", M{"nqn": nqnBase + "n2", "namespace": M{"bdev_name": more, "nsid": 2}})
			time.Sleep(time.Second)
			if answered(t, m.ts[0]) {
				t.Error("n1 answers")
			}
			time.Sleep(25 * time.Second)
			if lives := answered(t, m.ts[0]); lives == ends {
				t.Errorf("after %q n1 answers: %v", lasts, lives)
			}
			time.Sleep(40 * time.Second)
			if m.ts[0].Running() == ends {
				t.Errorf("after %q n1 has ended: %v", lasts, !ends)
			}
			if !ends {
				dial(t, m.ts[0]).must("bdev_get_bdevs", M{"name": more})
			}
			if !answered(t, m.ts[1]) {
				t.Error("n2 does not answer")
			}
		})
	}
}

// TestEventOfAPeerThatDies: nothing waits for a connection that is reset.
func TestEventOfAPeerThatDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMirror(t, real)
		r, err := ParseRule("hang n2 5s, then kill on nvmf_subsystem_add_ns")
		if err == nil {
			err = m.c.Play(r)
		}
		if err != nil {
			t.Fatal(err)
		}
		go m.ks[1].try("nvmf_subsystem_add_ns", M{"nqn": nqnBase + "n2", "namespace": M{"bdev_name": mkLvol(m.ks[1], "more", 4), "nsid": 2}})
		time.Sleep(2 * time.Minute)
		if !answered(t, m.ts[0]) {
			t.Error("n1 does not answer")
		}
	})
}
