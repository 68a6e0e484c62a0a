package spdk

import "github.com/go-json-experiment/json"

// The long listings are decoded by hand: they are nearly all of what a target
// says, and the fields wanted are a tenth of them. Each function here decodes
// what package json would decode by the struct's tags, and returns false if
// anything is out of the ordinary. TestPlainIsJSON and FuzzPlain compare.

// Look, as a [Req.Result], is called with the result as the target wrote it, which it must
// not keep.
type Look func(result []byte)

// plainResult decodes b into out if it is one of the long listings and plain.
func plainResult(b []byte, out any) bool {
	switch out := out.(type) {
	case Look:
		out(b)
		return true
	case *[]Bdev:
		return plainList(b, out, 1000, (*lexer).bdev)
	case *[]Lvol:
		return plainList(b, out, 250, (*lexer).lvol)
	case *[]Listener:
		return plainList(b, out, 1500, (*lexer).listener)
	case *[]Raid:
		return plainList(b, out, 800, (*lexer).raid)
	case *[]Subsystem:
		return plainList(b, out, 600, (*lexer).subsystem)
	}
	return false
}

// plainList decodes an array whose elements take about size bytes each. The
// decoder gets the element before as well, whose strings it may share.
func plainList[T any](b []byte, out *[]T, size int, element func(l *lexer, e, before *T)) bool {
	l := &lexer{b: b}
	list := make([]T, 0, len(b)/size+1)
	before := new(T)
	l.each(func() {
		list = append(list, *new(T))
		e := &list[len(list)-1]
		element(l, e, before)
		before = e
	})
	if !l.done() {
		return false
	}
	*out = list
	return true
}

func (l *lexer) bdev(b, before *Bdev) {
	l.members(func(key []byte) {
		switch string(key) {
		case "name":
			b.Name = l.text()
		case "aliases":
			b.Aliases = l.texts()
		case "product_name":
			b.ProductName = l.text(before.ProductName)
		case "block_size":
			b.BlockSize = l.number32()
		case "num_blocks":
			b.NumBlocks = l.number()
		case "uuid":
			b.UUID = l.text(b.Name)
		case "claimed":
			b.Claimed = l.truth()
		case "claim_type":
			b.ClaimType = l.text(before.ClaimType, "exclusive_write", "read_many_write_one")
		case "assigned_rate_limits":
			l.limits(&b.Limits)
		case "supported_io_types":
			l.ioTypes(&b.IO)
		case "driver_specific":
			l.driver(&b.Driver, &before.Driver)
		default:
			l.skip()
		}
	})
}

func (l *lexer) limits(r *Limits) {
	l.members(func(key []byte) {
		switch string(key) {
		case "rw_ios_per_sec":
			r.IOPS = l.number()
		case "rw_mbytes_per_sec":
			r.MBps = l.number()
		case "r_mbytes_per_sec":
			r.RMBps = l.number()
		case "w_mbytes_per_sec":
			r.WMBps = l.number()
		default:
			l.skip()
		}
	})
}

func (l *lexer) ioTypes(t *IOTypes) {
	l.members(func(key []byte) {
		switch string(key) {
		case "unmap":
			t.Unmap = l.truth()
		default:
			l.skip()
		}
	})
}

func (l *lexer) driver(d, before *Driver) {
	l.members(func(key []byte) {
		switch string(key) {
		case "lvol":
			if d.Lvol == nil {
				d.Lvol = new(LvolInfo)
			}
			if before.Lvol == nil {
				before = &Driver{Lvol: new(LvolInfo)}
			}
			l.lvolInfo(d.Lvol, before.Lvol)
		case "nvme":
			d.NVMe = []NVMeInfo{}
			l.each(func() {
				d.NVMe = append(d.NVMe, NVMeInfo{})
				l.nvme(&d.NVMe[len(d.NVMe)-1])
			})
		case "aio":
			l.file(&d.AIO)
		case "uring":
			l.file(&d.Uring)
		case "raid":
			d.Raid = new(Raid)
			l.raid(d.Raid, d.Raid)
		case "crypto":
			d.Crypto = new(CryptoInfo)
			l.crypto(d.Crypto)
		default:
			l.skip()
		}
	})
}

func (l *lexer) crypto(c *CryptoInfo) {
	l.members(func(key []byte) {
		switch string(key) {
		case "base_bdev_name":
			c.Base = l.text()
		case "key_name":
			c.KeyName = l.text()
		default:
			l.skip()
		}
	})
}

func (l *lexer) file(f **FileInfo) {
	if *f == nil {
		*f = new(FileInfo)
	}
	l.members(func(key []byte) {
		switch string(key) {
		case "filename":
			(*f).Filename = l.text()
		case "fallocate":
			(*f).Fallocate = l.truth()
		default:
			l.skip()
		}
	})
}

// rest leaves a value to package json.
func (l *lexer) rest(out any) {
	if b := l.skip(); !l.bad && json.Unmarshal(b, out, decoding) != nil {
		l.bad = true
	}
}

func (l *lexer) lvolInfo(i, before *LvolInfo) {
	l.members(func(key []byte) {
		switch string(key) {
		case "lvol_store_uuid":
			i.LvstoreUUID = l.text(before.LvstoreUUID)
		case "base_bdev":
			i.BaseBdev = l.text(before.BaseBdev)
		case "thin_provision":
			i.ThinProvision = l.truth()
		case "num_allocated_clusters":
			i.NumAllocatedClusters = l.number()
		case "snapshot":
			i.Snapshot = l.truth()
		case "clone":
			i.Clone = l.truth()
		case "base_snapshot":
			i.BaseSnapshot = l.text()
		case "clones":
			i.Clones = l.texts()
		case "esnap_clone":
			i.EsnapClone = l.truth()
		case "external_snapshot_name":
			i.ExternalSnapshotName = l.text()
		default:
			l.skip()
		}
	})
}

func (l *lexer) nvme(n *NVMeInfo) {
	l.members(func(key []byte) {
		switch string(key) {
		case "pci_address":
			n.PCIAddress = l.text()
		case "trid":
			l.trid(&n.Trid)
		case "ns_data":
			l.members(func(key []byte) {
				if string(key) == "id" {
					n.NS.ID = l.number32()
				} else {
					l.skip()
				}
			})
		default:
			l.skip()
		}
	})
}

func (l *lexer) trid(t *Trid) {
	l.members(func(key []byte) {
		switch string(key) {
		case "trtype":
			t.TrType = l.text("TCP", "PCIe")
		case "adrfam":
			t.AdrFam = l.text("IPv4", "IPv6")
		case "traddr":
			t.TrAddr = l.text()
		case "trsvcid":
			t.TrSvcID = l.text()
		case "subnqn":
			t.SubNQN = l.text()
		default:
			l.skip()
		}
	})
}

func (t Trid) address() Address {
	return Address{TrType: t.TrType, AdrFam: t.AdrFam, TrAddr: t.TrAddr, TrSvcID: t.TrSvcID}
}

func (l *lexer) lvol(v, before *Lvol) {
	l.members(func(key []byte) {
		switch string(key) {
		case "alias":
			v.Alias = l.text()
		case "uuid":
			v.UUID = l.text()
		case "name":
			v.Name = l.text()
		case "is_thin_provisioned":
			v.Thin = l.truth()
		case "is_snapshot":
			v.Snapshot = l.truth()
		case "is_clone":
			v.Clone = l.truth()
		case "is_esnap_clone":
			v.EsnapClone = l.truth()
		case "is_degraded":
			v.Degraded = l.truth()
		case "num_allocated_clusters":
			n := l.number()
			v.NumAllocatedClusters = &n
		case "lvs":
			l.members(func(key []byte) {
				switch string(key) {
				case "name":
					v.Lvs.Name = l.text(before.Lvs.Name)
				case "uuid":
					v.Lvs.UUID = l.text(before.Lvs.UUID)
				default:
					l.skip()
				}
			})
		default:
			l.skip()
		}
	})
}

func (l *lexer) listener(n, _ *Listener) {
	l.members(func(key []byte) {
		switch string(key) {
		case "address":
			a := &n.Address
			t := Trid{TrType: a.TrType, AdrFam: a.AdrFam, TrAddr: a.TrAddr, TrSvcID: a.TrSvcID}
			l.trid(&t)
			*a = t.address()
		case "ana_states":
			n.ANA = make([]ANAGroup, 0, 32) // a subsystem's groups, unless it was made with more namespaces
			l.each(func() {
				n.ANA = append(n.ANA, ANAGroup{})
				l.anaGroup(&n.ANA[len(n.ANA)-1])
			})
		default:
			l.skip()
		}
	})
}

func (l *lexer) anaGroup(g *ANAGroup) {
	l.members(func(key []byte) {
		switch string(key) {
		case "ana_group":
			g.Group = l.number32()
		case "ana_state":
			g.State = ANAState(l.text(string(Optimized), string(Inaccessible), string(NonOptimized)))
		default:
			l.skip()
		}
	})
}
