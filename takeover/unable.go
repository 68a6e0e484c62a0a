package takeover

import (
	"fmt"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Unable says why a node cannot show a volume to hosts, although it may have all of it, and
// what to do; "" when nothing is known to be in the way.
func Unable(cfg *schema.Config, v *schema.Volume, snap *state.Snapshot, n lineage.Node) (why, hint string) {
	conf := cfg.Node(n)
	if v.Export.Kind != schema.ExportNone && needsKey(cfg, v, snap) {
		if why, hint := Keyless(conf, snap.Nodes[n]); why != "" {
			return why, hint
		}
	}
	if conf != nil && conf.KeyDir() == "" && len(v.SentKeys()) > 0 {
		return fmt.Sprintf("strata is to put keys of its hosts there, and does not come to %s by ssh", n), fmt.Sprintf("reach %s by ssh://, or let another node serve the volume (engine)", n)
	}
	return "", ""
}

// needsKey reports whether it takes a key to show a volume to hosts: it is to be encrypted, or a
// replica that is not known to be stale is so still.
func needsKey(cfg *schema.Config, v *schema.Volume, snap *state.Snapshot) bool {
	if v.Encryption == nil || v.Encrypted() {
		return v.Encrypted()
	}
	names := []string{v.Name}
	if w := cfg.Whole(v.Name); w != nil {
		names = nil
		for _, part := range cfg.Parts(w) {
			names = append(names, part.Name)
		}
	}
	for _, name := range names {
		for _, id := range snap.Incarnations(name) {
			for _, h := range snap.Incarnation(cfg.Cluster, id).Heads {
				if h.Name.Check != "" && h.Name.Mark != lineage.Fenced {
					return true
				}
			}
		}
	}
	return false
}

// Keyless says why a node cannot be given the key of a volume, or do anything with it, and what
// to do; "" when it can.
func Keyless(conf *schema.Node, at *state.Node) (why, hint string) {
	switch {
	case conf != nil && !conf.Private():
		return fmt.Sprintf("its key would be sent to %s, and that can be overheard", conf.Name), fmt.Sprintf("reach %s by unix://, ssh:// or https://, or let another node serve the volume (engine)", conf.Name)
	case at != nil && at.Unknown == "" && !at.Can("bdev_crypto_create"):
		return fmt.Sprintf("the target on %s cannot encrypt", at.Name), "build SPDK with --with-crypto, or let another node serve the volume (engine)"
	}
	return "", ""
}
