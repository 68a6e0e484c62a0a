package sim

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"
)

// ioType is a set of I/O types, in the order SPDK lists them.
type ioType uint32

const (
	ioRead ioType = 1 << iota
	ioWrite
	ioUnmap
	ioFlush
	ioReset
	ioNVMeAdmin
	ioNVMe
	ioNVMeMD
	ioWriteZeroes
	ioZcopy
	ioZoneInfo
	ioZoneManagement
	ioZoneAppend
	ioCompare
	ioCompareAndWrite
	ioAbort
	ioSeekHole
	ioSeekData
	ioCopy
	ioNVMeIovMD
	ioNVMeNSSR
	ioWriteUncorrectable
)

var ioNames = []string{"read", "write", "unmap", "flush", "reset", "nvme_admin", "nvme_io", "nvme_io_md",
	"write_zeroes", "zcopy", "get_zone_info", "zone_management", "zone_append", "compare", "compare_and_write",
	"abort", "seek_hole", "seek_data", "copy", "nvme_iov_md", "nvme_nssr", "write_uncorrectable"}

// recentIO is how many of the names came after v24.09.
const recentIO = 2

type ioKey struct {
	types  ioType
	recent bool
}

var ioTexts sync.Map // of ioKey to text, shared by all clusters

// ioText is the object supported_io_types; there are few different ones.
func ioText(t ioType, recent bool) []byte {
	if b, ok := ioTexts.Load(ioKey{t, recent}); ok {
		return b.([]byte)
	}
	names := ioNames
	if !recent {
		names = names[:len(names)-recentIO]
	}
	b := []byte{'{'}
	for i, n := range names {
		b = boolean(b, n, t&(1<<i) != 0)
	}
	b = append(b, '}')
	ioTexts.Store(ioKey{t, recent}, b)
	return b
}

// The functions below append one member of an object, with a comma before it
// unless it is the first.

func key(b []byte, k string) []byte {
	if n := len(b); n > 0 && b[n-1] != '{' && b[n-1] != '[' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, k...)
	return append(b, '"', ':')
}

func text(b []byte, k, v string) []byte { return quote(key(b, k), v) }

func number(b []byte, k string, v uint64) []byte { return strconv.AppendUint(key(b, k), v, 10) }

func boolean(b []byte, k string, v bool) []byte { return strconv.AppendBool(key(b, k), v) }

func item(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] != '[' && b[n-1] != '{' {
		b = append(b, ',')
	}
	return b
}

func quote(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			q, _ := json.Marshal(s)
			return append(b, q...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

var limitNames = [4]string{"rw_ios_per_sec", "rw_mbytes_per_sec", "r_mbytes_per_sec", "w_mbytes_per_sec"}

// preference is the I/O sizes a device prefers, in blocks.
type preference struct{ writeAlign, writeGrain, writeSize, unmapAlign, unmapGrain uint64 }

// oldDomains are memory domains as builds list them that are not recent.
var oldDomains = map[string]struct {
	id   string
	kind uint64
}{"DMA": {"system", 1}, "ACCEL": {"SPDK_ACCEL_DMA_DEVICE", 2}}

// preferring is a device with a preference; domains one that can use memory
// other than its own.
type (
	preferring interface{ prefers() preference }
	domains    interface{ memoryDomains() []string }
	numa       interface{ numaID() (int, bool) }
)

func (b *bdev) memoryDomains() []string {
	if d, ok := b.dev.(domains); ok {
		return d.memoryDomains()
	}
	return nil
}

func (b *bdev) numaID() (int, bool) {
	if d, ok := b.dev.(numa); ok {
		return d.numaID()
	}
	return 0, false
}

// preferences appends what I/O the bdev prefers.
func (b *bdev) preferences(out []byte) []byte {
	var pref preference
	if d, ok := b.dev.(preferring); ok {
		pref = d.prefers()
	}
	out = number(out, "preferred_write_alignment", pref.writeAlign)
	out = number(out, "preferred_write_granularity", pref.writeGrain)
	out = number(out, "optimal_write_size", pref.writeSize)
	out = number(out, "preferred_unmap_alignment", pref.unmapAlign)
	out = number(out, "preferred_unmap_granularity", pref.unmapGrain)
	return out
}

// created is when the lvol behind a bdev was made, empty for other bdevs.
func (b *bdev) created() string {
	if v, ok := b.dev.(*lvol); ok {
		return v.blob.created()
	}
	return ""
}

func (b *blob) created() string { return time.Unix(b.Created, 0).UTC().Format(time.RFC3339) }

// dump appends b as bdev_get_bdevs lists it.
func (b *bdev) dump(out []byte) []byte {
	out = append(item(out), '{')
	out = text(out, "name", b.name)
	out = append(key(out, "aliases"), '[')
	if b.alias != "" {
		out = quote(out, b.alias)
	}
	out = append(out, ']')
	out = text(out, "product_name", b.product)
	out = number(out, "block_size", uint64(b.blockSize))
	out = number(out, "num_blocks", b.numBlocks)
	recent := b.p.build().recent
	if recent {
		out = b.preferences(out)
	}
	out = text(out, "uuid", b.uuid)
	if b.p.build().creationTime {
		out = text(out, "creation_time", b.created())
	}
	if id, ok := b.numaID(); ok {
		out = strconv.AppendInt(key(out, "numa_id"), int64(id), 10)
	}
	out = append(key(out, "assigned_rate_limits"), '{')
	for i, n := range limitNames {
		out = number(out, n, b.limits[i])
	}
	out = append(out, '}')
	out = boolean(out, "claimed", b.claim != claimNone)
	if b.claim != claimNone {
		out = text(out, "claim_type", string(b.claim))
	}
	out = boolean(out, "zoned", false)
	out = append(key(out, "supported_io_types"), ioText(b.types, recent)...)
	// A malloc bdev tells its users, but not the listing.
	if ds := b.memoryDomains(); len(ds) > 0 && b.product != mallocProduct {
		out = append(key(out, "memory_domains"), '[')
		for _, d := range ds {
			out = append(item(out), '{')
			if recent {
				out = text(out, "dma_device_type", d)
			} else {
				old := oldDomains[d]
				out = number(text(out, "dma_device_id", old.id), "dma_device_type", old.kind)
			}
			out = append(out, '}')
		}
		out = append(out, ']')
	}
	out = append(key(out, "driver_specific"), '{')
	out = b.dev.describe(out)
	return append(out, '}', '}')
}
