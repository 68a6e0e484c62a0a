package schema

import (
	"cuelang.org/go/cue"

	"strata/lineage"
)

// The fields of each struct of schema.cue.
var (
	configFields      = []string{"cluster", "links", "pauseLimit", "auto", "replaceAfter", "nodes", "discovery", "retired", "archives", "volumes"}
	linksFields       = []string{"transport", "loss", "patience", "auth", "keys", "transportAckTimeout", "ctrlrLossTimeoutSec", "reconnectDelaySec", "fastIOFailTimeoutSec"}
	nodeFields        = []string{"rpc", "http", "ssh", "address", "port", "tlsPort", "labels", "pools", "rebuild", "maintenance", "fence", "replaces"}
	httpFields        = []string{"password", "ca"}
	sshFields         = []string{"key", "passphrase", "knownHosts"}
	secretFields      = []string{"env", "file", "command"}
	poolFields        = []string{"aio", "uring", "nvme", "malloc", "blockSize", "clusterSize", "format", "lvstore", "renamedFrom", "overcommit", "clear", "replaces"}
	rebuildFields     = []string{"parallel", "bandwidth"}
	maintenanceFields = []string{"suspend"}
	suspendFields     = []string{"for"}
	fenceFields       = []string{"command", "options", "secrets", "timeout"}
	archiveFields     = []string{"dir", "s3", "password", "appendOnly", "prune"}
	s3Fields          = []string{"endpoint", "region", "bucket", "prefix", "pathStyle", "ca", "storageClass", "accessKey", "secretKey"}
	restoreFields     = []string{"archive", "cluster", "volume", "snapshot", "snapshots", "follow", "instant"}
	imageFields       = []string{"file", "sha256", "format"}
	backupFields      = []string{"to", "snapshots", "every", "keep"}
	volumeFields      = []string{
		"size", "replicas", "engine", "export", "protect", "labels",
		"snapshots", "head", "from", "adopt", "group", "consistency", "every", "keep", "resync", "limits", "auto", "failover", "backup", "scrub", "layout", "encryption",
	}
	encryptionFields = []string{"key", "former"}
	formerFields     = []string{"check", "key"}
	scrubFields      = []string{"every", "rate"}
	layoutFields     = []string{"linear", "stripe"}
	partFields       = []string{"size", "replicas"}
	stripeFields     = []string{"parts", "stripSize"}
	limitsFields     = []string{"iops", "readBandwidth", "writeBandwidth"}
	fromFields       = []string{"volume", "snapshot", "detach"}
	adoptFields      = []string{"node", "head"}
	keepFields       = []string{"hourly", "daily", "weekly", "monthly"}
	placementFields  = []string{"count", "spread", "pool", "require", "on"}
	exportFields     = []string{"nvmf", "ublk", "nbd"}
	nvmfFields       = []string{"hosts", "transport", "standby", "vip"}
	vipFields        = []string{"address", "command", "timeout"}
	hostFields       = []string{"nqn", "dhchap", "psk"}
	chapFields       = []string{"key", "ctrlrKey"}
	keyFields        = []string{"path", "env", "file", "command"}
)

// config turns the document into a configuration, which is valid unless that
// adds problems.
//
// The checks say the same as schema.cue; a test holds them to that. Unifying
// every volume with a closed schema full of alternatives would cost many times
// what evaluating the user's files does, and the errors would speak of the
// schema instead of the configuration.
func (d *document) config() *Config {
	cfg := d.decode(true)
	if err := d.value.Validate(cue.Concrete(true)); err != nil {
		d.conflicts(err)
	}
	return cfg
}

// decode reads the document. With related it also checks what schema.cue
// cannot express: how volumes, nodes and pools fit together.
func (d *document) decode(related bool) *Config {
	cfg := &Config{Links: defaultLinks, PauseLimitMs: defaultPauseMs, ReplaceAfterSec: defaultReplaceAfterSec}
	d.incomplete = map[string]bool{}
	root, ok := (&spot{doc: d, value: d.value, place: d.places}).object("a struct with a cluster, nodes and volumes")
	if !ok {
		return cfg
	}
	root.only(configFields)
	if c, ok := root.required("cluster", `"lab"`).ownName("cluster"); ok {
		cfg.Cluster = lineage.Cluster(c)
	}
	if ms, ok := root.field("pauseLimit").pause(); ok {
		cfg.PauseLimitMs = ms
	}
	root.field("auto").auto(&cfg.Auto)
	if cfg.Auto.Has(DutyFence) {
		cfg.Links = waitingLinks
	}
	root.field("links").links(&cfg.Links)
	if sec, ok := root.field("replaceAfter").replaceAfter(); ok {
		cfg.ReplaceAfterSec = sec
	}
	var rel *relations
	if related {
		rel = newRelations(cfg)
	}
	root.field("nodes").nodes(cfg, rel)
	cfg.Discovery = root.field("discovery").boolean()
	root.field("retired").retired(cfg, rel)
	root.field("archives").archives(cfg)
	root.field("volumes").volumes(cfg, rel)
	return cfg
}
