package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"strata/lineage"
	"strata/plan"
	"strata/report"
	"strata/view"
)

// known collects what a board knows, at the moment at which somebody asks: what is not
// there any more has no series.
type known struct{ board *view.Board }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// The metrics of what is known.
var (
	configValid  = desc("strata_config_valid", "Whether what the files say is in force; 0: the last good configuration is.")
	configLoaded = desc("strata_config_loaded_timestamp_seconds", "When the configuration was read that is in force.")
	leads        = desc("strata_leads", "Whether this watch is the one that works.")
	converged    = desc("strata_converged", "Whether the last run found everything as configured.")
	looked       = desc("strata_last_look_timestamp_seconds", "When all nodes were last read.")
	blocked      = desc("strata_blocked", "Volumes, nodes and pools that do not get what the configuration asks for.")
	sections     = desc("strata_sections_failed", "Sections that failed and are tried again later (backed_off), or that are left alone until somebody asks for them (halted).", "state")
	waiting      = desc("strata_waiting_steps", "Steps of the plan that waits for a person, by risk.", "risk")

	nodeState = desc("strata_node_state", "1 for the state that the node is in, else 0.", "node", "state")
	poolFound = desc("strata_pool_found", "Whether the pool's lvstore was found.", "node", "pool")
	poolSize  = desc("strata_pool_size_bytes", "Size of a pool.", "node", "pool")
	poolFree  = desc("strata_pool_free_bytes", "Space of a pool that no lvol has.", "node", "pool")
	promised  = desc("strata_pool_promised_bytes", "Space that a pool's lvols have, and may yet have.", "node", "pool")

	volumes         = desc("strata_volumes", "Volumes as hosts see them, by health: parts of others are not among them.", "health")
	volumeHealth    = desc("strata_volume_health", "1 for the health that the volume has, else 0.", "volume", "id", "health")
	volumeSize      = desc("strata_volume_size_bytes", "Size of a volume.", "volume", "id")
	replicasCurrent = desc("strata_volume_replicas_current", "Replicas that are known to be current.", "volume", "id")
	replicasWanted  = desc("strata_volume_replicas_wanted", "Replicas that the configuration asks for.", "volume", "id")
	volumePart      = desc("strata_volume_part", "1 for a volume that is a part of another, which is laid out over its parts.", "volume", "id", "whole")
	volumeHosts     = desc("strata_volume_hosts", "Hosts that are connected over NVMe/TCP; no series where the node did not tell.", "volume", "id")
	volumeHeld      = desc("strata_volume_held", "Whether hosts' I/O is held on an export of the volume.", "volume", "id")
	volumeSnapshot  = desc("strata_volume_snapshot_timestamp_seconds", "When the newest snapshot on schedule was taken.", "volume", "id")
	backupTime      = desc("strata_backup_timestamp_seconds", "When the record of the youngest snapshot of a volume that is in its archive was made; 0 for never.", "volume", "id", "archive")
	backupSize      = desc("strata_backup_size_bytes", "Size of the image of that record.", "volume", "id", "archive")
	backupCopied    = desc("strata_backup_copied_bytes", "Bytes that a node sent for that record.", "volume", "id", "archive")
	backupVerified  = desc("strata_backup_verified_timestamp_seconds", "When that record was last read back and found whole; 0 for never.", "volume", "id", "archive")
	backupLacks     = desc("strata_backup_lacking", "Snapshots that are to be in the archive and are not.", "volume", "id", "archive")
	followTime      = desc("strata_follow_timestamp_seconds", "When the record was made of the snapshot to which a volume that follows another has come; 0 for none.", "volume", "id", "archive")
	followLacks     = desc("strata_follow_lacking", "Younger snapshots that are recorded, and that such a volume does not have yet.", "volume", "id", "archive")
	followSince     = desc("strata_follow_lacking_since_timestamp_seconds", "When the first of these was recorded; 0 when there is none.", "volume", "id", "archive")
	restoreServed   = desc("strata_restore_served", "Whether what is not written yet of a volume that hosts use while it is restored is served to them; while it is not, they wait.", "volume", "id", "archive")
	restoreWritten  = desc("strata_restore_written_bytes", "Bytes that are written of it.", "volume", "id", "archive")
	restoreTotal    = desc("strata_restore_total_bytes", "Bytes that are to be written of it at most; 0 where its archive could not be read.", "volume", "id", "archive")
	backupRead      = desc("strata_backup_archive_read", "Whether the archive of a volume could be read.", "volume", "id", "archive")
	scrubTime       = desc("strata_scrub_timestamp_seconds", "When the last round began in which all layers of a volume were compared, of the replica for which that is longest ago; 0 for never.", "volume", "id")
	scrubDamaged    = desc("strata_scrub_damaged", "Replicas with a layer that is known to be damaged.", "volume", "id")
	scrubDiffering  = desc("strata_scrub_differing", "Replicas with a layer that was not like the others in the last round, and need not be damaged.", "volume", "id")
	volumeRead      = desc("strata_volume_read_bytes_total", "Bytes that hosts have read.", "volume", "id")
	volumeWritten   = desc("strata_volume_written_bytes_total", "Bytes that hosts have written.", "volume", "id")
	volumeReads     = desc("strata_volume_read_seconds", "Reads of hosts, and how long they took together.", "volume", "id")
	volumeWrites    = desc("strata_volume_write_seconds", "Writes of hosts, and how long they took together.", "volume", "id")

	copiesNow   = desc("strata_copies", "Layers that are being copied.")
	copiesLeft  = desc("strata_copies_left_bytes", "Bytes that are left of the layers that are being copied.")
	lacking     = desc("strata_replicas_lacking", "Replicas that configured volumes lack.")
	rebuildWait = desc("strata_rebuild_queue", "Replicas that configured volumes lack and that are not being copied now.")
)

// Describe is part of prometheus.Collector.
func (k known) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		configValid, configLoaded, leads, converged, looked, blocked, sections, waiting, nodeState, poolFound, poolSize, poolFree, promised,
		volumes, volumeHealth, volumeSize, volumePart, replicasCurrent, replicasWanted, volumeHosts, volumeHeld, volumeSnapshot,
		backupTime, backupSize, backupCopied, backupVerified, backupLacks, backupRead, followTime, followLacks, followSince, restoreServed, restoreWritten, restoreTotal, scrubTime, scrubDamaged, scrubDiffering,
		volumeRead, volumeWritten, volumeReads, volumeWrites, copiesNow, copiesLeft, lacking, rebuildWait,
	} {
		ch <- d
	}
}

// Collect is part of prometheus.Collector.
func (k known) Collect(ch chan<- prometheus.Metric) {
	v := k.board.Now()
	c := collected{ch}
	c.gauge(configValid, one(v.Config != nil && len(v.Broken) == 0))
	c.since(configLoaded, v.Loaded)
	c.gauge(leads, one(v.Leads))
	c.since(looked, v.Looked)
	for name, n := range v.Nodes {
		for _, s := range view.NodeStates {
			c.gauge(nodeState, one(s == n.State()), string(name), s)
		}
	}
	if !v.Leads {
		return // another watch knows the rest
	}
	c.gauge(converged, one(v.Converged))
	c.gauge(blocked, float64(len(v.Blocked)))
	halted := 0
	for _, t := range v.Troubles {
		if t.Until.IsZero() {
			halted++
		}
	}
	c.gauge(sections, float64(len(v.Troubles)-halted), "backed_off")
	c.gauge(sections, float64(halted), "halted")
	if v.Waiting != nil {
		risks := v.Waiting.Totals().Risks
		for _, r := range plan.Risks {
			c.gauge(waiting, float64(risks[r]), string(r))
		}
	}
	if v.Report == nil {
		return
	}
	for _, n := range v.Report.Nodes {
		for _, p := range n.Pools {
			c.gauge(poolFound, one(p.Disk != ""), string(n.Name), p.Name)
			if p.Disk != "" {
				c.gauge(poolSize, float64(p.Size), string(n.Name), p.Name)
				c.gauge(poolFree, float64(p.Free), string(n.Name), p.Name)
				c.gauge(promised, float64(p.Promised), string(n.Name), p.Name)
			}
		}
	}
	c.volumes(v)
	var left int64
	for _, k := range v.Copies {
		left += max(0, k.Total-k.Copied)
	}
	c.gauge(copiesNow, float64(len(v.Copies)))
	c.gauge(copiesLeft, float64(left))
	all, queued := v.Lacking()
	c.gauge(lacking, float64(all))
	c.gauge(rebuildWait, float64(queued))
}

type collected struct{ ch chan<- prometheus.Metric }

func (c collected) gauge(d *prometheus.Desc, value float64, labels ...string) {
	c.ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (c collected) counter(d *prometheus.Desc, value uint64, labels ...string) {
	c.ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

// since gives a time, if there is one.
func (c collected) since(d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		c.gauge(d, float64(at.UnixMilli())/1000, labels...)
	}
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (c collected) volumes(v *view.View) {
	over := v.Report.Over()
	for i := range v.Report.Volumes {
		vol := &v.Report.Volumes[i]
		labels := []string{vol.Name, string(vol.ID)}
		c.volume(vol.Name, vol.ID, vol.Health, vol.Size)
		if whole := over[vol.Name]; whole != nil {
			c.gauge(volumePart, 1, vol.Name, string(vol.ID), whole.Name)
		} else {
			c.hosts(vol.Exports, labels)
		}
		c.gauge(replicasCurrent, float64(vol.Current), labels...)
		c.gauge(replicasWanted, float64(vol.Wanted), labels...)
		c.backup(vol)
		c.follow(vol)
		c.restoring(vol)
		if s := vol.Scrub; s != nil {
			c.gauge(scrubTime, at(s.Time), labels...)
			c.gauge(scrubDamaged, float64(s.Damaged()), labels...)
			c.gauge(scrubDiffering, float64(s.Differing()), labels...)
		}
		key := vol.Key()
		c.since(volumeSnapshot, v.Snapshots[key], labels...)
		if t, known := v.Traffic[key]; known {
			c.counter(volumeRead, t.BytesRead, labels...)
			c.counter(volumeWritten, t.BytesWritten, labels...)
			c.ch <- prometheus.MustNewConstSummary(volumeReads, t.Reads, t.ReadTime.Seconds(), nil, labels...)
			c.ch <- prometheus.MustNewConstSummary(volumeWrites, t.Writes, t.WriteTime.Seconds(), nil, labels...)
		}
	}
	for _, w := range v.Report.Wholes {
		c.volume(w.Name, w.ID, w.Health, w.Size)
		c.hosts(w.Exports, []string{w.Name, string(w.ID)})
	}
	seen := v.Report.Seen()
	for _, h := range report.Healths {
		c.gauge(volumes, float64(seen[h]), string(h))
	}
}

// volume gives what there is of wholes, too.
func (c collected) volume(name string, id lineage.ID, is report.Health, size int64) {
	for _, h := range report.Healths {
		c.gauge(volumeHealth, one(h == is), name, string(id), string(h))
	}
	c.gauge(volumeSize, float64(size), name, string(id))
}

// backup gives what the archive has of a volume.
func (c collected) backup(vol *report.Volume) {
	b := vol.Backup
	if b == nil {
		return
	}
	labels := []string{vol.Name, string(vol.ID), b.Archive}
	if c.gauge(backupRead, one(b.Unread == ""), labels...); b.Unread != "" {
		return
	}
	c.gauge(backupTime, at(b.Time), labels...)
	c.gauge(backupSize, float64(b.Size), labels...)
	c.gauge(backupCopied, float64(b.Copied), labels...)
	c.gauge(backupVerified, at(b.Verified), labels...)
	c.gauge(backupLacks, float64(len(b.Lacks)), labels...)
}

// follow gives how far a volume has come that follows another.
func (c collected) follow(vol *report.Volume) {
	f := vol.Follow
	if f == nil {
		return
	}
	labels := []string{vol.Name, string(vol.ID), f.Archive}
	if c.gauge(backupRead, one(f.Unread == ""), labels...); f.Unread != "" {
		return
	}
	c.gauge(followTime, at(f.Time), labels...)
	c.gauge(followLacks, float64(f.Lacks), labels...)
	c.gauge(followSince, at(f.Since), labels...)
}

// restoring gives how far a volume is written that hosts use already.
func (c collected) restoring(vol *report.Volume) {
	r := vol.Restoring
	if r == nil {
		return
	}
	labels := []string{vol.Name, string(vol.ID), r.Archive}
	c.gauge(restoreServed, one(r.Served), labels...)
	c.gauge(restoreWritten, float64(r.Written), labels...)
	c.gauge(restoreTotal, float64(r.Total), labels...)
}

// at is a time in RFC 3339 as seconds since 1970; 0 for none.
func at(text string) float64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return float64(t.Unix())
}

// hosts gives those that are connected, each once, and whether they wait.
func (c collected) hosts(exports []report.Export, labels []string) {
	all, known, held := map[report.Host]bool{}, false, false
	for _, e := range exports {
		if e.Path == report.Standby || e.Path == report.Former {
			continue // who has that path alone uses nothing
		}
		held = held || e.Paused
		known = known || e.Hosts != nil
		for _, h := range e.Hosts {
			all[h] = true
		}
	}
	c.gauge(volumeHeld, one(held), labels...)
	if known {
		c.gauge(volumeHosts, float64(len(all)), labels...)
	}
}
