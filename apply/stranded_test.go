package apply

import "testing"

// TestStranded: a target connects again to a peer that ends in between, and is never done with
// that, whatever links do of a lost peer. It is let go, the host goes on, and both replicas are
// current in the end.
func TestStranded(t *testing.T) {
	for name, links := range map[string]string{"wait": `{loss: "wait", patience: "7s"}`, "drop": `{loss: "drop"}`} {
		t.Run(name, func(t *testing.T) {
			servedOver(t, links, func(t *testing.T, w *served) {
				n2 := w.Target("n2")
				n2.Stop()
				w.Target("n1").Strand()
				if err := n2.Restart(); err != nil {
					t.Fatal(err)
				}
				took := w.write()
				w.run(Options{})
				t.Logf("the host has waited for %v", took())
				if r := w.run(Options{}); !r.Converged || r.Steps > 0 {
					t.Errorf("it has not converged, or there was something to do still: %v", r.Failures)
				}
			})
		})
	}
}
