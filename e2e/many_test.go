package e2e

import "testing"

// TestMany makes 300 volumes of two replicas on targets of 1 GiB of memory
// each, and serves them again after all targets were killed.
func TestMany(t *testing.T) {
	l := NewLab(t, 2*gib)
	l.Configure(`{for i in list.Range(0, 300, 1) {"v\(i)": {size: 64Mi, replicas: 2, export: nvmf: hosts: "any"}}}`)
	r := l.Apply(0)
	t.Logf("300 volumes of 2 replicas made in %v: %s", r.Took, lastLine(r.Out))
	l.memory("made")
	l.Settled()
	data := Pattern(1, 4*mib)
	l.Write("v7", 0, data)
	l.Write("v299", 60, data)

	l.Kill()
	l.Start()
	r = l.Apply(0)
	t.Logf("served again after all targets were killed in %v: %s", r.Took, lastLine(r.Out))
	l.memory("served again")
	l.Read("v7", 0, data)
	l.Read("v299", 60, data)
}

func (l *Lab) memory(when string) {
	for _, n := range l.names {
		l.t.Logf("%s: %s has %d MiB resident", when, n, l.Targets[n].Memory()/mib)
	}
}
