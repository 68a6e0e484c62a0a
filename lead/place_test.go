package lead

import (
	"reflect"
	"strings"
	"testing"
)

func TestParsePlace(t *testing.T) {
	for text, want := range map[string]Place{
		"etcd://e1:2379/strata":                          {Hosts: []string{"e1:2379"}, Prefix: "strata"},
		"etcd://ops@e1:2379,[fd00::2]:2379/lab/storage/": {Hosts: []string{"e1:2379", "[fd00::2]:2379"}, User: "ops", Prefix: "lab/storage"},
	} {
		if p, err := ParsePlace(text); err != nil || !reflect.DeepEqual(p, want) {
			t.Errorf("%s: %+v, %v", text, p, err)
		}
	}
	for text, want := range map[string]string{
		"e1:2379/strata":                   "want etcd://",
		"https://e1:2379/strata":           "want etcd://",
		"etcd://e1/strata":                 "want host:port of each member",
		"etcd://e1:2379,/strata":           "want host:port of each member",
		"etcd://:2379/strata":              "want host:port of each member",
		"etcd://e1:2379":                   "no prefix",
		"etcd://e1:2379//":                 "no prefix",
		"etcd://ops:geheim@e1:2379/strata": "has a password in it",
	} {
		if _, err := ParsePlace(text); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPrivate(t *testing.T) {
	for text, want := range map[string]bool{
		"etcd://127.0.0.1:1,[::1]:2,localhost:3/strata": true,
		"etcd://127.0.0.1:1,e2:2/strata":                false,
		"etcd://10.0.0.1:1/strata":                      false,
	} {
		if p, err := ParsePlace(text); err != nil || p.Private() != want {
			t.Errorf("%s: %v, %v", text, p.Private(), err)
		}
	}
}
