package draft

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

func (v *volume) write(b *bytes.Buffer) {
	for _, n := range v.notes {
		comment(b, n)
	}
	fmt.Fprintf(b, "volumes: %s: {\n", label(v.id.Name))
	fmt.Fprintf(b, "\tsize: %s\n", schema.SizeText(v.size))
	if v.pool != "" {
		fmt.Fprintf(b, "\treplicas: {on: %s, pool: %s}\n", list(v.on), quote(v.pool))
	} else {
		fmt.Fprintf(b, "\treplicas: on: %s\n", list(v.on))
	}
	if v.engine != "" {
		fmt.Fprintf(b, "\tengine: %s\n", quote(v.engine))
	}
	if v.from != nil {
		fmt.Fprintf(b, "\tfrom: {volume: %s, snapshot: %s}\n", quote(v.from.Volume), quote(v.from.Snapshot))
	}
	if len(v.snapshots) > 0 {
		fmt.Fprintf(b, "\tsnapshots: %s\n", list(v.snapshots))
	}
	if v.consistency != "" {
		fmt.Fprintf(b, "\tconsistency: %s\n", quote(v.consistency))
	}
	if v.resync != "" {
		fmt.Fprintf(b, "\tresync: %s\n", quote(v.resync))
	}
	if text := exportText(v.export); text != "" {
		fmt.Fprintf(b, "\texport: %s\n", text)
	}
	b.WriteString(limitsText(v.limits))
	b.WriteString("}\n")
}

// limitsText is the line that says what hosts get at most; "" for no limits. Reads and
// writes together are not limited by strata.
func limitsText(l state.Limits) string {
	var fields []string
	if l.IOPS > 0 {
		fields = append(fields, fmt.Sprintf("iops: %d", l.IOPS))
	}
	if l.Read > 0 {
		fields = append(fields, "readBandwidth: "+schema.SizeText(l.Read))
	}
	if l.Write > 0 {
		fields = append(fields, "writeBandwidth: "+schema.SizeText(l.Write))
	}
	if len(fields) == 0 {
		return ""
	}
	return fmt.Sprintf("\tlimits: {%s}\n", strings.Join(fields, ", "))
}

// hostsText writes the hosts that are let in, with the files of their keys.
func hostsText(e schema.Export) string {
	var parts []string
	for _, h := range e.Hosts {
		k := e.Keys[h]
		if k.IsZero() {
			parts = append(parts, quote(h))
			continue
		}
		text := "{nqn: " + quote(h)
		switch {
		case k.Key.IsZero():
		case k.CtrlKey.IsZero():
			text += ", dhchap: key: " + keyText(k.Key)
		default:
			text += fmt.Sprintf(", dhchap: {key: %s, ctrlrKey: %s}", keyText(k.Key), keyText(k.CtrlKey))
		}
		if !k.PSK.IsZero() {
			text += ", psk: " + keyText(k.PSK)
		}
		parts = append(parts, text+"}")
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// keyText says where a key is. Where strata found one that it has put on nodes, no node says.
func keyText(k schema.HostKey) string {
	if k.Sent() {
		return "env: " + quote(k.From.Env)
	}
	return "path: " + quote(k.Path)
}

// sentKeyEnv is where an imported configuration looks for keys that strata has put on nodes.
const sentKeyEnv = "STRATA_HOST_KEY"

// sentKeys reports whether strata has put keys of hosts on nodes.
func (v *volume) sentKeys() bool {
	for _, k := range v.export.Keys {
		if k.Key.Sent() || k.CtrlKey.Sent() || k.PSK.Sent() {
			return true
		}
	}
	return false
}

// overRDMA reports whether hosts, or the peer of a link, come over RDMA alone.
func overRDMA(sub *state.Subsystem) bool {
	return len(sub.Listeners) > 0 && !slices.ContainsFunc(sub.Listeners, func(l state.Listener) bool { return !l.RDMA })
}

// hostKeys are the files of the keys that hosts of a subsystem of a node use.
func hostKeys(at *state.Node, sub *state.Subsystem) (all map[lineage.NQN]schema.HostKeys) {
	for h, k := range sub.Keys {
		if all == nil {
			all = map[lineage.NQN]schema.HostKeys{}
		}
		all[h] = schema.HostKeys{Key: hostKey(k.Key, at.Keyring[k.Key]), CtrlKey: hostKey(k.CtrlKey, at.Keyring[k.CtrlKey]), PSK: hostKey(k.PSK, at.Keyring[k.PSK])}
	}
	return all
}

// hostKey is a key by its name and file on a node: where strata has put one, the file is called
// as it is.
func hostKey(name, path string) schema.HostKey {
	if name != "" && strings.HasSuffix(path, "/"+name) {
		return schema.HostKey{From: schema.Secret{Env: sentKeyEnv}}
	}
	return schema.HostKey{Path: path}
}

// exportText writes a way to reach a volume; "" for none.
func exportText(e schema.Export) string {
	switch e.Kind {
	case schema.ExportNVMf:
		hosts := `"any"`
		if !e.AnyHost {
			hosts = hostsText(e)
		}
		more := ""
		if e.RDMA {
			more += `, transport: "rdma"`
		}
		if e.Standby > 0 {
			more += fmt.Sprintf(", standby: %d", e.Standby)
		}
		if more != "" {
			return "nvmf: {hosts: " + hosts + more + "}"
		}
		return "nvmf: hosts: " + hosts
	case schema.ExportUblk:
		return fmt.Sprintf("ublk: %d", e.UblkID)
	case schema.ExportNBD:
		return "nbd: " + quote(e.NBD)
	}
	return ""
}
