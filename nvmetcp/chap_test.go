package nvmetcp

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// TestKeys: keys are read as they are written, damaged ones are not, and no error or
// print shows one. The first is of nvme-cli's documentation.
func TestKeys(t *testing.T) {
	for range 10 {
		k := NewKey()
		again, err := ParseKey(k.Text() + "\n")
		if err != nil || !bytes.Equal(again.secret, k.secret) || again.hash != k.hash {
			t.Fatalf("%v, %v", again, err)
		}
		for _, damaged := range []string{strings.ToLower(k.Text()), k.Text()[:20], "DHHC-1:07:" + k.Text()[10:], k.Text() + "x",
			strings.Replace(k.Text(), k.Text()[12:13], string('A'+(k.Text()[12]-'A'+1)%26), 1)} {
			if damaged == k.Text() {
				continue
			}
			if _, err := ParseKey(damaged); err != ErrKey {
				t.Errorf("%s: %v", damaged, err)
			}
		}
		if shown := fmt.Sprint(k, HostOptions{Key: k}.Key); strings.Contains(shown, k.Text()[10:20]) {
			t.Errorf("a key is printed as %s", shown)
		}
	}
}

// TestGroups: both ends agree, the primes are those of RFC 7919 as far as it is told by
// their ends and by being safe primes, and what is no public key is refused.
func TestGroups(t *testing.T) {
	for g := range groupSizes {
		p := prime(g)
		text := fmt.Sprintf("%X", p)
		if p.BitLen() != int(groupSizes[g].bits) || !strings.HasPrefix(text, "FFFFFFFFFFFFFFFFADF85458A2BB4A9AAFDC5620273D3CF1") || !strings.HasSuffix(text, "FFFFFFFFFFFFFFFF") {
			t.Errorf("group %d: %s", g, text)
		}
		if half := new(big.Int).Rsh(p, 1); g <= group3072 && (!p.ProbablyPrime(0) || !half.ProbablyPrime(0)) {
			t.Errorf("group %d: not a safe prime", g)
		}
		if g > group4096 && testing.Short() {
			continue
		}
		a, b := newPair(g), newPair(g)
		x, err1 := a.agree(b.public())
		y, err2 := b.agree(a.public())
		if err := errors.Join(err1, err2); err != nil || !bytes.Equal(x, y) || len(x) != a.length() {
			t.Errorf("group %d: %v", g, err)
		}
		for _, bad := range []*big.Int{new(big.Int), big.NewInt(1), new(big.Int).Sub(p, big.NewInt(1)), p} {
			if _, err := a.agree(bad.FillBytes(make([]byte, a.length()))); err == nil {
				t.Errorf("group %d: %v is taken for a public key", g, bad)
			}
		}
	}
}

// TestAuthentication: with the right keys there is I/O, with others there is none.
func TestAuthentication(t *testing.T) {
	a, b, plain := NewKey(), NewKey(), &Key{secret: random(48)}
	for _, c := range []struct {
		name               string
		hostKey, targetKey *Key // of the target
		key, other         *Key // of the host
		fails              bool
	}{
		{"one way", a, nil, a, nil, false},
		{"both ways", a, b, a, b, false},
		{"a key without a hash", plain, a, plain, a, false},
		{"the host does not ask", a, b, a, nil, false},
		{"the host has another key", a, nil, b, nil, true},
		{"the host has none", a, nil, nil, nil, true},
		{"the target has another key", a, a, a, b, true},
		{"the target has none of its own", a, nil, a, b, true},
		{"the target asks for nothing", nil, nil, a, b, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dsk, _ := disk(1 << 20)
			dsk.HostKey, dsk.TargetKey = c.hostKey, c.targetKey
			addr := serve(t, &Target{Connect: dsk.Connect})
			h, err := Connect(t.Context(), addr, HostOptions{HostNQN: testHost, Subsystem: testNQN, Queues: 2, Key: c.key, TargetKey: c.other})
			if c.fails {
				if !errors.Is(err, ErrAuth) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			if d := open(t, h); d.WriteAt(t.Context(), random(4096), 0) != nil || d.ReadAt(t.Context(), make([]byte, 8192), 0) != nil {
				t.Error("no I/O")
			}
		})
	}
}

// TestUnproven: before it has proved itself a host can do nothing, and not stay.
func TestUnproven(t *testing.T) {
	dsk, m := disk(1 << 20)
	dsk.HostKey = NewKey()
	const patience = 200 * time.Millisecond
	addr := serve(t, &Target{Connect: dsk.Connect, Patience: patience})
	r := dial(t, addr).hello()
	c, data := connectCommand(0, anyController)
	r.send(capsuleCmd, 0, c, data)
	if e := r.completion(); e.status != 0 || e.result&authRequired == 0 {
		t.Fatalf("Connect: %v, result %#x", e.status, e.result)
	}
	enable := newCommand(opFabrics)
	enable.put(11, propCC)
	enable.put(12, 1)
	replay := newMessage(msgReply, 0, msgLen+64)
	replay[6] = 32
	for i, c := range []struct {
		c    sqe
		data message
		want Status
	}{
		{enable, nil, AuthRequired},
		{newCommand(opIdentify), nil, AuthRequired},
		{newCommand(opKeepAlive), nil, AuthRequired},
		{authCommand(fcAuthSend, len(replay)), replay, 0}, // a reply to no challenge
		{authCommand(fcAuthSend, msgLen), newMessage(msgSuccess2, 0, msgLen), 0},
		{authCommand(fcAuthSend, 3), make(message, 3), 0},
		{newCommand(opIdentify), nil, AuthRequired},
	} {
		if len(c.data) > 0 {
			c.c.sgl(sglInCapsule, len(c.data))
		}
		r.send(capsuleCmd, 0, c.c, c.data)
		if e := r.completion(); e.status&statusMask != c.want {
			t.Errorf("command %d: %v, want %v", i, e.status, c.want)
		}
	}
	r.nc.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := r.nc.Read(make([]byte, 1)); n > 0 || isTimeout(err) {
		t.Errorf("it stays: %v", err)
	}
	if !bytes.Equal(m.content(), make([]byte, 1<<20)) {
		t.Error("something was written")
	}
}

// FuzzGuard: whatever messages come, in whatever order, nobody passes without the key.
func FuzzGuard(f *testing.F) {
	key := NewKey()
	negotiate := newMessage(msgNegotiate, 7, 72)
	negotiate[7], negotiate[8], negotiate[10], negotiate[11], negotiate[12] = 1, 1, 1, 1, hashSHA256
	reply := newMessage(msgReply, 7, msgLen+64)
	reply[6] = 32
	f.Add([]byte(negotiate), []byte(reply), []byte(newMessage(msgSuccess2, 7, msgLen)))
	f.Add([]byte(reply), []byte(negotiate), []byte(negotiate))
	f.Fuzz(func(t *testing.T, a, b, c []byte) {
		g := &guard{host: "h", target: "t", hostKey: key, ourKey: key, next: msgNegotiate}
		for _, m := range [][]byte{a, b, c, b, c} {
			g.receive(m)
			g.send()
			if !g.bars() {
				t.Fatal("it lets somebody pass")
			}
		}
	})
}
