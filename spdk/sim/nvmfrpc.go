package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

func init() {
	register(
		writes("nvmf_create_transport", (*process).createTransport).refusing(errInvalidParams).passing(),
		reads("nvmf_get_transports", (*process).getTransports).refusing(errInvalidParams),
		writes("nvmf_set_max_subsystems", func(*process, *struct{}) (any, error) {
			return nil, &Error{-1, "Method may only be called before framework is initialized. Use --wait-for-rpc command line parameter and then issue this RPC before the framework_start_init RPC."}
		}).refusing(errInvalidParams),
		writes("nvmf_create_subsystem", (*process).createSubsystem).refusing(errInvalidParams),
		writes("nvmf_delete_subsystem", (*process).deleteSubsystem).refusing(errInvalidParams),
		reads("nvmf_get_subsystems", (*process).getSubsystems).refusing(errInvalidParams),
		writes("nvmf_subsystem_add_host", (*process).addHost).refusing(errInvalidParams).passing(),
		writes("nvmf_subsystem_remove_host", (*process).removeHost).refusing(errInvalidParams),
		writes("nvmf_subsystem_allow_any_host", (*process).allowAnyHost).refusing(errInvalidParams),
	)
}

// lastController is the highest number that a controller can have.
const lastController = 65519

// maxSubsystems is what a target holds by default, the discovery one included.
const maxSubsystems = 1024

// transport is a TCP transport as it is listed.
func (p *Profile) transport() string {
	if p.recent {
		return tcpTransport
	}
	return tcpTransportOld
}

const tcpTransportOld = `{"trtype":"TCP","max_queue_depth":128,"max_io_qpairs_per_ctrlr":127,"in_capsule_data_size":4096,` +
	`"max_io_size":131072,"io_unit_size":131072,"max_aq_depth":128,"num_shared_buffers":511,"buf_cache_size":4294967295,` +
	`"dif_insert_or_strip":false,"zcopy":false,"c2h_success":true,"sock_priority":0,"abort_timeout_sec":1,"ack_timeout":0,` +
	`"data_wr_pool_size":0}`

const tcpTransport = `{"trtype":"TCP","max_queue_depth":128,"max_io_qpairs_per_ctrlr":127,"in_capsule_data_size":4096,` +
	`"max_io_size":131072,"max_aq_depth":128,"iobuf_small_cache_size":4294967295,"iobuf_large_cache_size":4294967295,` +
	`"dif_insert_or_strip":false,"zcopy":false,"c2h_success":true,"sock_priority":0,"abort_timeout_sec":1,"ack_timeout":0,` +
	`"data_wr_pool_size":0,"disable_command_passthru":false,"kas":100,"min_kato":10000}`

type target struct {
	Target string `json:"tgt_name"`
}

func (q target) missing() bool { return q.Target != "" && q.Target != "nvmf_tgt" }

var errNoTarget = &Error{codeInternal, "Unable to find a target."}

func (p *process) createTransport(q *struct {
	target
	Type string `json:"trtype"`
}) (any, error) {
	if q.missing() {
		return nil, errNoTarget
	}
	if !fabrics[strings.ToUpper(q.Type)] {
		return nil, &Error{codeInvalidParams, fmt.Sprintf("Invalid transport type '%s'", q.Type)}
	}
	if p.listensOver(q.Type) {
		return nil, &Error{codeInternal, fmt.Sprintf("Transport type '%s' already exists", q.Type)}
	}
	p.transports = append(p.transports, strings.ToUpper(q.Type))
	return true, nil
}

func (p *process) getTransports(q *struct {
	target
	Type *string `json:"trtype"`
}) (any, error) {
	if q.missing() {
		return nil, errNoTarget
	}
	all := []string{}
	for _, t := range p.transports {
		if q.Type == nil || strings.EqualFold(*q.Type, t) {
			all = append(all, strings.Replace(p.build().transport(), `"TCP"`, `"`+t+`"`, 1))
		}
	}
	if q.Type != nil && len(all) == 0 {
		return nil, errno(enodev)
	}
	return json.RawMessage("[" + strings.Join(all, ",") + "]"), nil
}

// fabrics are what is simulated: RDMA as if all machines had it, and with the options that TCP
// has, for nobody has recorded one.
var fabrics = map[string]bool{"TCP": true, "RDMA": true}

// listensOver reports whether there is a transport of that type.
func (p *process) listensOver(trtype string) bool {
	return slices.ContainsFunc(p.transports, func(t string) bool { return strings.EqualFold(t, trtype) })
}

func (p *process) createSubsystem(q *struct {
	target
	NQN     string  `json:"nqn"`
	Serial  *string `json:"serial_number"`
	Model   *string `json:"model_number"`
	MaxNS   uint32  `json:"max_namespaces"`
	AnyHost bool    `json:"allow_any_host"`
	ANA     bool    `json:"ana_reporting"`
	MinID   *uint16 `json:"min_cntlid"`
	MaxID   *uint16 `json:"max_cntlid"`
}) (any, error) {
	if q.missing() {
		return nil, &Error{codeInternal, "Unable to find target " + q.Target}
	}
	serial, model := "00000000000000000000", "SPDK bdev Controller"
	if q.Serial != nil {
		serial = *q.Serial
	}
	if q.Model != nil {
		model = *q.Model
	}
	if p.subsystems[q.NQN] != nil || q.NQN == discoveryNQN || !validNQN(q.NQN) ||
		len(serial) > 20 || len(model) > 40 || len(p.subsystems) >= maxSubsystems-1 {
		return nil, &Error{codeInternal, "Unable to create subsystem " + q.NQN}
	}
	if q.MaxNS == 0 {
		q.MaxNS = 32
	}
	first, last := uint16(1), uint16(lastController)
	if q.MinID != nil {
		first = *q.MinID
	}
	if q.MaxID != nil {
		last = *q.MaxID
	}
	if first < 1 || last < 1 || first > last || last > lastController {
		return nil, &Error{codeInvalidParams, fmt.Sprintf("Invalid cntlid range [%d-%d]", first, last)}
	}
	p.subsystems[q.NQN] = &subsystem{p: p, keys: map[string]hostKeys{}, psks: map[string]preshared{}, nqn: q.NQN, serial: serial, model: model, maxNS: q.MaxNS,
		anyHost: q.AnyHost, ana: q.ANA, spaces: map[uint32]*namespace{}, minID: first, maxID: last, nextID: first - 1}
	return true, nil
}

type subsystemQuery struct {
	target
	NQN string `json:"nqn"`
}

// subsystem finds the one a call names.
func (p *process) subsystem(q subsystemQuery) (*subsystem, error) {
	if q.missing() {
		return nil, errNoTarget
	}
	if s := p.subsystems[q.NQN]; s != nil {
		return s, nil
	}
	return nil, errInvalidParams
}

func (p *process) deleteSubsystem(q *subsystemQuery) (any, error) {
	s, err := p.subsystem(*q)
	if err != nil {
		return nil, err
	}
	return s.paused(nil, func() (any, error) {
		s.close()
		return true, nil
	})
}

func (p *process) getSubsystems(q *struct {
	target
	NQN *string `json:"nqn"`
}) (any, error) {
	if q.missing() {
		return nil, errNoTarget
	}
	discovery := p.discoveryText()
	out := []byte{'['}
	if q.NQN != nil {
		s := p.subsystems[*q.NQN]
		switch {
		case s != nil:
			out = s.dump(out)
		case *q.NQN == discoveryNQN:
			out = append(out, discovery...)
		default:
			return nil, errno(enodev)
		}
		return json.RawMessage(append(out, ']')), nil
	}
	names := append(slices.Collect(maps.Keys(p.subsystems)), discoveryNQN)
	slices.Sort(names)
	for _, n := range names {
		if n == discoveryNQN {
			out = append(item(out), discovery...)
		} else {
			out = p.subsystems[n].dump(out)
		}
	}
	return json.RawMessage(append(out, ']')), nil
}

func (a address) dump(b []byte) []byte {
	b = text(append(b, '{'), "trtype", strings.ToUpper(a.Type))
	b = text(b, "adrfam", a.Family)
	b = text(b, "traddr", a.Address)
	return append(text(b, "trsvcid", a.Service), '}')
}

func (s *subsystem) dump(b []byte) []byte {
	b = text(append(item(b), '{'), "nqn", s.nqn)
	b = text(b, "subtype", "NVMe")
	b = append(key(b, "listen_addresses"), '[')
	for _, l := range s.listeners {
		b = l.addr.dump(item(b))
	}
	b = boolean(append(b, ']'), "allow_any_host", s.anyHost)
	b = append(key(b, "hosts"), '[')
	for _, h := range s.hosts {
		b = text(append(item(b), '{'), "nqn", h)
		if k := s.keys[h]; k.host != nil {
			b = text(b, "dhchap_key", k.host.name)
			if k.target != nil {
				b = text(b, "dhchap_ctrlr_key", k.target.name)
			}
		}
		b = append(b, '}')
	}
	b = text(append(b, ']'), "serial_number", s.serial)
	b = text(b, "model_number", s.model)
	b = number(b, "max_namespaces", uint64(s.maxNS))
	recent := s.p.build().recent
	if recent {
		b = boolean(b, "passthrough", false)
	}
	b = number(b, "min_cntlid", uint64(s.minID))
	b = number(b, "max_cntlid", uint64(s.maxID))
	if recent {
		b = number(b, "dmrsl", 2097152)
		b = number(b, "wzsl", 12)
	}
	b = append(key(b, "namespaces"), '[')
	for _, id := range slices.Sorted(maps.Keys(s.spaces)) {
		n := s.spaces[id]
		b = append(key(append(item(b), '{'), "nsid"), strconv.Itoa(int(id))...)
		b = text(b, "bdev_name", n.bdev.name)
		b = text(b, "name", n.bdev.name)
		b = text(b, "nguid", n.nguid)
		b = text(b, "uuid", n.uuid)
		if s.ana {
			b = number(b, "anagrpid", uint64(n.group))
		}
		b = append(b, '}')
	}
	return append(b, ']', '}')
}

type hostQuery struct {
	subsystemQuery
	Host string `json:"host"`
}

func (p *process) addHost(q *struct {
	hostQuery
	keys
	PSK string `json:"psk"`
}) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	host := q.hostQuery.Host
	found, ok := p.keysOf(q.keys)
	switch {
	case !ok:
		return nil, errInvalidParams
	case !validNQN(host), slices.Contains(s.hosts, host), found.host == nil && found.target != nil:
		return nil, errInternal
	}
	psk, ok := p.presharedBy(q.PSK)
	if !ok {
		return nil, errInternal
	}
	s.hosts = slices.Insert(s.hosts, 0, host)
	s.keys[host] = found
	if psk.key != nil {
		s.psks[host] = psk
	}
	return true, nil
}

func (p *process) removeHost(q *hostQuery) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	i := slices.Index(s.hosts, q.Host)
	if i < 0 {
		return nil, errInternal
	}
	s.hosts = slices.Delete(s.hosts, i, i+1)
	delete(s.keys, q.Host)
	delete(s.psks, q.Host)
	p.forgetKeys()
	s.drop(func(i initiator) bool { return i.host() == q.Host })
	return true, nil
}

func (p *process) allowAnyHost(q *struct {
	subsystemQuery
	Allow bool `json:"allow_any_host"`
}) (any, error) {
	s, err := p.subsystem(q.subsystemQuery)
	if err != nil {
		return nil, err
	}
	s.anyHost = q.Allow
	return true, nil
}
