package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"strata/lineage"
	"strata/spdk/sim"
)

// call makes one call to a node's target, past strata. An lvstore of a pool is
// called in its parameters as plans do.
func (l *lab) call(node, method, params string) (json.RawMessage, error) {
	if !strings.Contains(params, `"lab.`) {
		return l.send(node, method, params)
	}
	list, err := l.send(node, "bdev_lvol_get_lvstores", "")
	if err != nil {
		return nil, err
	}
	var stores []struct{ Name string }
	if err := json.Unmarshal(list, &stores); err != nil {
		return nil, err
	}
	for _, lvs := range stores {
		if s, ok := lineage.ParseStore(lvs.Name); ok && s.ID != "" {
			plain := s.Cluster.Lvstore(s.Pool)
			params = strings.NewReplacer(`"`+plain+`"`, `"`+lvs.Name+`"`, `"`+plain+`/`, `"`+lvs.Name+`/`).Replace(params)
		}
	}
	return l.send(node, method, params)
}

func (l *lab) send(node, method, params string) (json.RawMessage, error) {
	c, err := net.Dial("unix", l.socket(node))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	req := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method}
	if params != "" {
		req["params"] = json.RawMessage(params)
	}
	if err := json.NewEncoder(c).Encode(req); err != nil {
		return nil, err
	}
	var answer struct {
		Result json.RawMessage
		Error  *sim.Error
	}
	if err := json.NewDecoder(c).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return nil, fmt.Errorf("%s: %w", method, answer.Error)
	}
	return answer.Result, nil
}

func (l *lab) cmdRPC(s *script, args []string) error {
	if times, repeated := strings.CutPrefix(args[0], "-times="); repeated {
		n, err := strconv.Atoi(times)
		for i := range n {
			if err == nil {
				_, err = l.call(args[1], args[2], strings.ReplaceAll(strings.Join(args[3:], " "), "%d", strconv.Itoa(i)))
			}
		}
		return err
	}
	call := l.call
	if args[0] == "-raw" {
		call, args = l.send, args[1:]
	}
	result, err := call(args[0], args[1], strings.Join(args[2:], " "))
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Stdout(), string(result))
	return nil
}

// awaitLimit is how long a story waits for something that comes by itself.
const awaitLimit = 3 * time.Minute

func (l *lab) cmdAwait(s *script, args []string) error {
	as, named := strings.CutPrefix(args[0], "-as=")
	if named {
		args = args[1:]
	}
	want, err := regexp.Compile(args[len(args)-1])
	if err != nil {
		return err
	}
	params := strings.Join(args[2:len(args)-1], " ")
	for until := time.Now().Add(awaitLimit); ; time.Sleep(20 * time.Millisecond) {
		result, err := l.call(args[0], args[1], params)
		if found := want.FindSubmatch(result); err == nil && found != nil {
			if named {
				s.Setenv(as, string(found[1]))
			}
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s on %s does not come to match %s: %s %v", args[1], args[0], want, result, err)
		}
	}
}

// listings are the methods that together say all there is on a target.
var listings = []struct{ method, params, key string }{
	{"bdev_get_bdevs", "", "name"},
	{"bdev_lvol_get_lvstores", "", "name"},
	{"bdev_lvol_get_lvols", "", "alias"},
	{"bdev_raid_get_bdevs", `{"category":"all"}`, "name"},
	{"bdev_nvme_get_controllers", "", "name"},
	{"nvmf_get_subsystems", "", "nqn"},
	{"nvmf_get_transports", "", "trtype"},
	{"ublk_get_disks", "", "ublk_device"},
	{"nbd_get_disks", "", "nbd_device"},
}

// everything lists the objects of the given nodes, sorted, one a line.
func (l *lab) everything(nodes []string, want func(key, name string) bool) ([]byte, error) {
	if len(nodes) == 0 {
		nodes = l.nodes
	}
	var out bytes.Buffer
	for _, n := range nodes {
		for _, list := range listings {
			result, err := l.call(n, list.method, list.params)
			if err != nil {
				return nil, err
			}
			var objects []map[string]any
			if err := json.Unmarshal(result, &objects); err != nil {
				return nil, err
			}
			var lines []string
			for _, o := range objects {
				name := fmt.Sprint(o[list.key])
				if aliases, ok := o["aliases"].([]any); ok && o["product_name"] == "Logical Volume" {
					name = fmt.Sprint(aliases[0])
				}
				if want(list.key, name) {
					text, _ := json.Marshal(o)
					lines = append(lines, fmt.Sprintf("%s %s %s", n, list.method, text))
				}
			}
			slices.Sort(lines)
			fmt.Fprintln(&out, strings.Join(lines, "\n"))
		}
	}
	return out.Bytes(), nil
}

func (l *lab) cmdState(s *script, args []string) error {
	want := func(string, string) bool { return true }
	if len(args) > 0 && args[0] == "-foreign" {
		args, want = args[1:], foreign
	}
	out, err := l.everything(args, want)
	if err == nil {
		_, err = s.Stdout().Write(out)
	}
	return err
}

// foreign reports whether an object is none that strata would call its own,
// nor one whose listing changes with the work of others.
func foreign(key, name string) bool {
	switch _, lvol, _ := strings.Cut(name, "/"); {
	case key == "trtype" || key == "name" && name == "lab.fast":
		return false // the transport and the lvstore with its free space are shared
	case strings.HasPrefix(name, "lab.") && lvol == "":
		return false
	case strings.HasPrefix(name, "nqn.2026-01.io.strata:lab:"):
		return false
	default:
		_, ours := lineage.Parse(lineage.LvolName(lvol))
		return !ours
	}
}

func (l *lab) cmdCalls(s *script, args []string) error {
	switch args[0] {
	case "in":
		return l.recorded(s.MkAbs(args[1]))
	case "await":
		return l.awaitCall(args[1], args[2], args[3])
	}
	return l.each(args[1:], func(t *sim.Target) error {
		if args[0] == "reset" {
			t.ResetCalls()
			return nil
		}
		for _, c := range t.Calls().Recent {
			if c.Writes {
				return fmt.Errorf("%s was called: %s %s", t.Name(), c.Method, c.Params)
			}
		}
		return nil
	})
}

// awaitCall waits until a node is called so, since the last reset.
func (l *lab) awaitCall(node, method, params string) error {
	want, err := regexp.Compile(params)
	if err != nil {
		return err
	}
	t, err := l.target(node)
	if err != nil {
		return err
	}
	for until := time.Now().Add(awaitLimit); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		for _, c := range t.Calls().Recent {
			if c.Method == method && want.Match(c.Params) {
				return nil
			}
		}
	}
	return fmt.Errorf("%s on %s is not called with %s", method, node, params)
}

// recorded compares what a file written by --debug-rpc has with what the
// targets were asked for.
func (l *lab) recorded(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	inFile := map[string]map[string]int{}
	for d := json.NewDecoder(f); ; {
		var x struct {
			Time          time.Time
			Node, Method  string
			Result, Error json.RawMessage
			Seconds       float64
		}
		if err := d.Decode(&x); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if x.Time.IsZero() || x.Seconds <= 0 || (x.Result == nil) == (x.Error == nil) {
			return fmt.Errorf("an exchange is not whole: %+v", x)
		}
		if inFile[x.Node] == nil {
			inFile[x.Node] = map[string]int{}
		}
		inFile[x.Node][x.Method]++
	}
	return l.each(nil, func(t *sim.Target) error {
		if asked := t.Calls().ByMethod; !maps.Equal(asked, inFile[t.Name()]) {
			return fmt.Errorf("%s was asked for %v, recorded are %v", t.Name(), asked, inFile[t.Name()])
		}
		return nil
	})
}
