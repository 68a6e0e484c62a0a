package saved_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"strata/plan"
	"strata/plan/plantest"
	"strata/plan/recipe"
	"strata/plan/saved"
	"strata/schema"
	"strata/state"
	"strata/state/worldtest"
)

// made is the file of the plan of a golden case.
func made(t testing.TB, c plantest.Case) *saved.Saved {
	cfg, snap, opt := c.Load(t)
	return saved.Save(cfg, c.Document(t), snap, build(t, cfg, snap, opt), opt, "test")
}

// TestSavedGolden: every golden plan can be saved and read again, and what is
// read makes the same file.
func TestSavedGolden(t *testing.T) {
	for _, c := range plantest.Cases(t, "../recipe/testdata") {
		if c.Watched() {
			continue
		}
		s := made(t, c)
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := saved.Decode(b)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if twice, err := again.Encode(); err != nil || !bytes.Equal(b, twice) {
			t.Errorf("%s: read and written again it is another file, %v", c.Name, err)
		}
	}
}

// TestSavedTampered: a file whose words are not those of its operations is
// refused, as is one that is cut off or lacks something.
func TestSavedTampered(t *testing.T) {
	var file []byte
	for _, c := range plantest.Cases(t, "../recipe/testdata") {
		if c.Name == "reduce-3-to-2" {
			file, _ = made(t, c).Encode()
		}
	}
	var v map[string]any
	if err := json.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	var step map[string]any
	var find func(any) bool
	find = func(v any) bool {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				if find(x) {
					return true
				}
			}
		case map[string]any:
			if v["op"] == "LvolDelete" {
				step = v
				return true
			}
			for _, x := range v {
				if find(x) {
					return true
				}
			}
		}
		return false
	}
	if !find(v["plan"].(map[string]any)["passes"]) {
		t.Fatal("there is no deletion in the plan")
	}
	at := func(path string) (map[string]any, string) {
		m := v
		keys := strings.Split(path, ".")
		for _, k := range keys[:len(keys)-1] {
			m = m[k].(map[string]any)
		}
		return m, keys[len(keys)-1]
	}
	inStep := func(field string, value any) func() func() {
		return func() func() {
			old := step[field]
			step[field] = value
			return func() { step[field] = old }
		}
	}
	in := func(path string, value any) func() func() {
		return func() func() {
			m, k := at(path)
			old := m[k]
			m[k] = value
			return func() { m[k] = old }
		}
	}
	encode := func() []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if _, err := saved.Decode(encode()); err != nil {
		t.Fatal("as it was:", err)
	}
	number := step["number"].(float64)
	for _, c := range []struct {
		name, want string
		change     func() func()
	}{
		{"words", "says that it is to create nothing, and its operation is to delete", inStep("text", "create nothing")},
		{"no operation", "its operation has no parameters", inStep("params", nil)},
		{"operation", `no operation is called "Nothing"`, inStep("op", "Nothing")},
		{"another operation", "cannot be read", inStep("op", "RaidDelete")},
		{"parameters", "and its operation is to delete", inStep("params", map[string]any{"Node": "n1", "Lvstore": "lab.fast", "Name": "other.aaaa#2.1"})},
		{"id", "what is not so", inStep("id", "0123456789abcdef")},
		{"volume", "what is not so", inStep("volume", "logs")},
		{"bytes", "what is not so", inStep("bytes", 5)},
		{"held", "what is not so", inStep("held", true)},
		{"number", "what is not so", inStep("number", number+1)},
		{"risk", `its risk is said to be "harmless"`, inStep("risk", "harmless")},
		{"summary", "totals or summary", in("plan.summary", "Nothing to do.")},
		{"totals", "totals or summary", in("plan.totals.steps", 1)},
		{"labels", "labels are not", in("plan.labels.volumes", map[string]any{"db": map[string]any{"tier": "test"}})},
		{"another version", `another version of strata (test) wrote this saved plan: its format is "strata-plan/1", and here it is "strata-plan/2"; make it anew with plan --out`, in("format", "strata-plan/1")},
		{"another file", `this is no saved plan: its format is "lab/1"`, in("format", "lab/1")},
		{"digest", "what a saved plan does not have", in("plan.digest", "sha256:00")},
		{"config", "not the same configuration", in("config.PauseLimitMs", 1)},
		{"a node that is null", "not the same configuration", in("config.Nodes", []any{nil})},
		{"no volumes", "not the same configuration", in("config.Volumes", nil)},
		{"document", "its configuration is not valid", in("document.volumes.db.size", "big")},
		{"no document", "lacks config, document or plan", in("document", nil)},
		{"grant", "allowDestroy cannot be", in("options.allowDestroy", []any{"../x"})},
		{"authority", "authority cannot be", in("options.authority", map[string]any{"db": "n77"})},
		{"placed", "placed is not", in("placed.db", map[string]any{"replicas": []any{"n1"}, "engine": "n1"})},
		{"null pass", "pass 1 has no sections", in("plan.passes", []any{nil})},
		{"null section", "has no kind or no steps", in("plan.passes", []any{map[string]any{"sections": []any{nil}}})},
		{"null stages", "has no kind or no steps", in("plan.passes", []any{map[string]any{"sections": []any{map[string]any{"key": "volume db", "kind": "volume", "name": "db", "stages": nil}}}})},
		{"null stage", "a stage without steps", in("plan.passes", []any{map[string]any{"sections": []any{map[string]any{"key": "volume db", "kind": "volume", "name": "db", "stages": []any{nil}}}}})},
		{"after no section", `"db" is not a section`, in("plan.passes", []any{map[string]any{"sections": []any{map[string]any{"key": "volume db", "kind": "volume", "name": "db", "after": []any{"db"}, "stages": []any{[]any{nil}}}}}})},
		{"null step", "has no parameters", in("plan.passes", []any{map[string]any{"sections": []any{map[string]any{"key": "volume db", "kind": "volume", "name": "db", "stages": []any{[]any{nil}}}}}})},
		{"null plan", "lacks config, document or plan", in("plan", nil)},
	} {
		restore := c.change()
		_, err := saved.Decode(encode())
		restore()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, n := range []int{40, 1000, len(file) - 3} {
		if _, err := saved.Decode(file[:n]); err == nil || !strings.Contains(err.Error(), "this saved plan is not whole") {
			t.Errorf("cut off after %d bytes: %v", n, err)
		}
	}
}

// TestAdmitted: what was saved is admitted when it is planned again under ids that
// were drawn meanwhile, beside a volume whose name is the end of a new one's. What
// another plan does to that volume is not.
func TestAdmitted(t *testing.T) {
	const volumes = `volumes: [string]: {replicas: 1, export: "none"}
volumes: b: {size: 128Mi, engine: "n1"}
volumes: db: {size: 64Mi, engine: "n2"}
`
	cfg, snap := plantest.TwoNodes(t, volumes, `n1 disk /dev/n1 lab.fast.disk claimed
n1 lvstore lab.fast.aaaa lab.fast.disk 1Mi 1024
n1 lvol lab.fast.aaaa/b.k3f7#2.1p u1 64Mi 9
n2 disk /dev/n2 lab.fast.disk claimed
n2 lvstore lab.fast.bbbb lab.fast.disk 1Mi 1024
`)
	worldtest.Remind(cfg, snap)
	file := saved.Save(cfg, nil, snap, build(t, cfg, snap, plan.Options{}), plan.Options{}, "test")

	p := build(t, file.PlanConfig(), snap, plan.Options{Nonce: []byte("drawn")})
	admitted, deviations, others := file.Admit(cfg, snap, p)
	if len(deviations)+len(others) > 0 || len(admitted.Steps()) != len(p.Steps()) || len(file.Plan.Passes) == 0 {
		t.Errorf("deviations %v, others %v, admitted\n%s\nof\n%s", deviations, others, plantest.Text(admitted), plantest.Text(p))
	}

	larger, _ := plantest.TwoNodes(t, strings.Replace(volumes, "128Mi", "256Mi", 1), "")
	p = build(t, larger, snap, plan.Options{Nonce: []byte("drawn")})
	_, deviations, others = file.Admit(cfg, snap, p)
	if len(deviations) != 1 || deviations[0].Section != plan.VolumeKey("b") || len(others) > 0 {
		t.Errorf("of a larger b: deviations %v, others %v", deviations, others)
	}
}

func build(t testing.TB, cfg *schema.Config, snap *state.Snapshot, opt plan.Options) *plan.Plan {
	t.Helper()
	p, err := recipe.Build(cfg, snap, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// FuzzDecode: whatever is in a file, it is refused or can be shown, compared and
// carried out without a panic.
func FuzzDecode(f *testing.F) {
	wd, err := os.Getwd()
	if err != nil {
		f.Fatal(err)
	}
	for i, c := range plantest.Cases(f, "../recipe/testdata") {
		if i%20 != 0 {
			continue
		}
		b, err := made(f, c).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		f.Add(bytes.Replace(b, []byte(`"stages": [`), []byte(`"stages": [null,`), 1))
		f.Add(bytes.Replace(b, []byte(`"Nodes": [`), []byte(`"Nodes": [null,`), 1))
		f.Add(b[:len(b)/2])
	}
	if err := os.Chdir(wd); err != nil { // workers start where this process is
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := saved.Decode(b)
		if err != nil {
			return
		}
		o, err := s.Shown()
		if err != nil {
			t.Fatal(err)
		}
		for _, print := range []func(*plan.Outline) error{
			func(o *plan.Outline) error { return o.Print(new(bytes.Buffer)) },
			func(o *plan.Outline) error { return o.Compact(new(bytes.Buffer)) },
			func(o *plan.Outline) error { return o.Markdown(new(bytes.Buffer)) },
		} {
			if err := print(o); err != nil {
				t.Fatal(err)
			}
		}
		saved.IDs(s)
		s.PlanConfig()
		s.PlanOptions()
	})
}
