package recipe

import (
	"reflect"
	"testing"
)

// What every recipe can reach stays little.
func TestBuilderIsSmall(t *testing.T) {
	const most = 20
	if n := reflect.TypeFor[builder]().NumField(); n > most {
		t.Errorf("builder has %d fields, and at most %d are as many as a reader keeps in mind: make a type of some that belong together", n, most)
	}
}
