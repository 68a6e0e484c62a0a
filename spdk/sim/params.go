package sim

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// published is the part that sim implements of SPDK's own description of its
// RPCs (BSD-3-Clause, from the SPDK project).
//
//go:embed schema/v26.05.json
var published []byte

type field struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Class    string `json:"class"`
	Required bool   `json:"required"`
}

type rpcSchema struct {
	Methods map[string][]field  `json:"methods"`
	Objects map[string][]field  `json:"objects"`
	Enums   map[string][]string `json:"enums"`
	Arrays  map[string]struct {
		Type  string `json:"type"`
		Class string `json:"class"`
		Max   int    `json:"max"`
	} `json:"arrays"`
}

var schema = sync.OnceValue(func() *rpcSchema {
	s := &rpcSchema{}
	if err := json.Unmarshal(published, s); err != nil {
		panic(err)
	}
	return s
})

// validParams says whether SPDK would decode the parameters of a call.
func validParams(build *Profile, m *method, raw json.RawMessage) bool {
	s, fields := schema(), build.parameters(m.name)
	if len(raw) == 0 {
		return !slices.ContainsFunc(fields, func(f field) bool { return f.Required })
	}
	if len(fields) == 0 && m.name != "ublk_destroy_target" {
		return false
	}
	return s.object(fields, raw, m.relaxed)
}

// object checks names, presence and types, and that no name comes twice.
func (s *rpcSchema) object(fields []field, raw json.RawMessage, relaxed bool) bool {
	d := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return false
	}
	var seen uint64
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return false
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return false
		}
		i := slices.IndexFunc(fields, func(f field) bool { return f.Name == key })
		if i < 0 {
			if relaxed {
				continue
			}
			return false
		}
		if seen&(1<<i) != 0 || !s.value(fields[i].Type, fields[i].Class, v) {
			return false
		}
		seen |= 1 << i
	}
	for i, f := range fields {
		if f.Required && seen&(1<<i) == 0 {
			return false
		}
	}
	return true
}

func (s *rpcSchema) value(typ, class string, raw json.RawMessage) bool {
	switch typ {
	case "string", "enum", "uuid":
		var v string
		if raw[0] != '"' || json.Unmarshal(raw, &v) != nil {
			return false
		}
		switch typ {
		case "enum":
			return slices.Contains(s.Enums[class], v)
		case "uuid":
			return len(v) == 36 && uuid.Validate(v) == nil
		}
		return !strings.ContainsRune(v, 0)
	case "boolean":
		return raw[0] == 't' || raw[0] == 'f'
	case "uint8", "uint16", "uint32", "uint64", "int32":
		return integer(typ, raw)
	case "object":
		return s.object(s.Objects[class], raw, false)
	case "strings":
		var v map[string]string
		return json.Unmarshal(raw, &v) == nil
	case "array":
		a := s.Arrays[class]
		var vs []json.RawMessage
		if raw[0] != '[' || json.Unmarshal(raw, &vs) != nil || len(vs) > a.Max {
			return false
		}
		return !slices.ContainsFunc(vs, func(v json.RawMessage) bool { return !s.value(a.Type, a.Class, v) })
	}
	return false
}

func integer(typ string, raw json.RawMessage) bool {
	r, ok := new(big.Rat).SetString(string(raw))
	if !ok || raw[0] == '"' || !r.IsInt() {
		return false
	}
	n := r.Num()
	switch typ {
	case "int32":
		return n.IsInt64() && n.Int64() == int64(int32(n.Int64()))
	case "uint64":
		return n.IsUint64()
	}
	bits := map[string]int{"uint8": 8, "uint16": 16, "uint32": 32}[typ]
	return n.Sign() >= 0 && n.BitLen() <= bits
}

// wholeNumbers writes numbers such as 4.0 and 1e3 without fraction and
// exponent. SPDK takes them for integers.
func wholeNumbers(raw json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	b, err := json.Marshal(whole(v))
	if err != nil {
		return raw
	}
	return b
}

func whole(v any) any {
	switch v := v.(type) {
	case json.Number:
		if r, ok := new(big.Rat).SetString(v.String()); ok && r.IsInt() {
			return json.Number(r.Num().String())
		}
	case map[string]any:
		for k, x := range v {
			v[k] = whole(x)
		}
	case []any:
		for i, x := range v {
			v[i] = whole(x)
		}
	}
	return v
}
