package sim

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"strata/nvmetcp"
)

func init() {
	register(
		reads("framework_get_config", (*process).getConfig).refusing(&Error{codeInvalidParams, "Invalid arguments"}),
		reads("sock_impl_get_options", (*process).getSockOptions).refusing(errInvalidParams),
	)
}

// Nothing is encrypted here. What is simulated is who is let in: all that listen at an address
// share what the first of them has made, and whoever comes has the key of the host that it
// says it is, or is heard without any.

// preshared is the key of TLS of a host of a subsystem, with what the file had when the host
// was added: it is not read again.
type preshared struct {
	key  *keyFile
	text string
}

// presharedBy finds a key by name and reads it; false where it is not there, or none.
func (p *process) presharedBy(name string) (found preshared, ok bool) {
	if name == "" {
		return found, true
	}
	if found.key = p.key(name); found.key == nil {
		return found, false
	}
	found.text, ok = found.key.preshared()
	return found, ok
}

// preshared is the key of TLS that the file has now, to the byte.
func (k *keyFile) preshared() (string, bool) {
	text, err := fs.ReadFile(k.files, k.path[1:])
	if err != nil {
		return "", false
	}
	psk, err := nvmetcp.ParsePSK(string(text))
	if err != nil {
		return "", false
	}
	return psk.Text(), true
}

// speaks reports whether a host gets to speak to the target at an address, with the key of TLS
// that it has, "" for none.
func (s *subsystem) speaks(host, at, psk string) bool {
	if !s.p.secure[at] {
		return psk == "" // what a host begins TLS with is nothing that is understood
	}
	return psk != "" && s.psks[host].text == psk
}

// speaks reports whether a controller gets to speak to its peer, with the key that its file has now.
func (ct *controller) speaks(s *subsystem) bool {
	if ct.psk == nil {
		return s.speaks(ct.hostNQN, ct.addr.key(), "")
	}
	text, ok := ct.psk.preshared()
	return ok && s.speaks(ct.hostNQN, ct.addr.key(), text)
}

// getConfig says how what there is for hosts would be made again.
func (p *process) getConfig(q *struct {
	Name string `json:"name"`
}) (any, error) {
	if q.Name != "nvmf" { // no other part is simulated
		return nil, &Error{codeInvalidParams, fmt.Sprintf("Subsystem '%s' not found", q.Name)}
	}
	type call struct {
		Method string         `json:"method"`
		Params map[string]any `json:"params"`
	}
	var subs, hosts, spaces, listeners []call
	listen := func(nqn string, all []*listener) {
		for _, l := range all {
			listeners = append(listeners, call{"nvmf_subsystem_add_listener", map[string]any{"nqn": nqn, "listen_address": l.addr, "secure_channel": l.secure}})
		}
	}
	for _, nqn := range slices.Sorted(maps.Keys(p.subsystems)) {
		s := p.subsystems[nqn]
		subs = append(subs, call{"nvmf_create_subsystem", map[string]any{
			"nqn": nqn, "allow_any_host": s.anyHost, "serial_number": s.serial, "model_number": s.model, "max_namespaces": s.maxNS,
			"min_cntlid": s.minID, "max_cntlid": s.maxID, "ana_reporting": s.ana,
		}})
		for _, h := range s.hosts {
			of := map[string]any{"nqn": nqn, "host": h}
			for name, k := range map[string]*keyFile{"dhchap_key": s.keys[h].host, "dhchap_ctrlr_key": s.keys[h].target, "psk": s.psks[h].key} {
				if k != nil {
					of[name] = k.name
				}
			}
			hosts = append(hosts, call{"nvmf_subsystem_add_host", of})
		}
		for _, id := range slices.Sorted(maps.Keys(s.spaces)) {
			n := s.spaces[id]
			spaces = append(spaces, call{"nvmf_subsystem_add_ns", map[string]any{"nqn": nqn, "namespace": map[string]any{
				"nsid": id, "bdev_name": n.bdev.name, "nguid": n.nguid, "uuid": n.uuid, "anagrpid": n.group, "no_auto_visible": false,
			}}})
		}
		listen(nqn, s.listeners)
	}
	listen(discoveryNQN, p.discovery)
	all := []call{}
	for _, t := range p.transports {
		all = append(all, call{"nvmf_create_transport", map[string]any{"trtype": t}})
	}
	return slices.Concat(all, subs, hosts, spaces, listeners), nil
}

func (p *process) getSockOptions(q *struct {
	Impl string `json:"impl_name"`
}) (any, error) {
	buffer := 2 << 20
	switch q.Impl {
	case "ssl":
		buffer = 4096
	case "posix", "uring":
	default:
		return nil, errInvalidParams
	}
	return json.RawMessage(fmt.Sprintf(`{"recv_buf_size":%d,"send_buf_size":%d,"enable_recv_pipe":true,"enable_quickack":false,"enable_placement_id":0,`+
		`"enable_zerocopy_send_server":%t,"enable_zerocopy_send_client":false,"zerocopy_threshold":0,"tls_version":0,"enable_ktls":false}`, buffer, buffer, q.Impl != "uring")), nil
}
