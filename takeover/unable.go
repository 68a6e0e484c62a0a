package takeover

import (
	"fmt"

	"strata/lineage"
	"strata/schema"
	"strata/state"
)

// Unable says why a node cannot show a volume to hosts, although it may have all of it, and
// what to do; "" when nothing is known to be in the way. What was read of the node is nil where
// it was not. Replicas of a volume that is to be encrypted no more may be so still.
func Unable(cfg *schema.Config, v *schema.Volume, n lineage.Node, at *state.Node) (why, hint string) {
	conf := cfg.Node(n)
	if v.Encryption != nil && v.Export.Kind != schema.ExportNone {
		if why, hint := Keyless(conf, at); why != "" {
			return why, hint
		}
	}
	if conf != nil && conf.KeyDir() == "" && len(v.SentKeys()) > 0 {
		return fmt.Sprintf("strata is to put keys of its hosts there, and does not come to %s by ssh", n), fmt.Sprintf("reach %s by ssh://, or let another node serve the volume (engine)", n)
	}
	return "", ""
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
