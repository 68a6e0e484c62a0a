package contract

import "strings"

// key gives a target a key of that name.
func (n *node) key(name string) {
	n.c.Helper()
	n.ok("accel_crypto_key_create", xtsKey(name, 32, "1", "2"))
}

// xtsKey is a key of two halves of so many hex digits.
func xtsKey(name string, digits int, first, second string) M {
	return M{"cipher": "AES_XTS", "key": strings.Repeat(first, digits), "key2": strings.Repeat(second, digits), "name": name}
}

// keyNames are the names of a target's keys.
func (n *node) keyNames() (names []string) {
	n.c.Helper()
	var keys []struct{ Name string }
	n.into(&keys, "accel_crypto_keys_get", nil)
	for _, k := range keys {
		names = append(names, k.Name)
	}
	return names
}

// cryptoCases are of bdevs that encrypt.
var cryptoCases = []example{
	{name: "what keys are taken", only: stock, run: func(c *run) {
		refuses := func(rc string, p M) {
			c.n1.refuses(-32602, "failed to create DEK, rc "+rc, "accel_crypto_key_create", p)
		}
		c.n1.ok("accel_crypto_key_create", xtsKey("k", 32, "1", "2"))
		c.n1.ok("accel_crypto_key_create", xtsKey("same", 32, "1", "2"))
		c.n1.ok("accel_crypto_key_create", xtsKey("long", 64, "1", "2"))
		refuses("-17", xtsKey("k", 32, "3", "4"))
		refuses("-22", xtsKey("x", 32, "1", "1"))
		refuses("-22", xtsKey("x", 30, "1", "2"))
		refuses("-22", xtsKey("x", 32, "z", "2"))
		refuses("-22", M{"cipher": "AES_XTS", "key": strings.Repeat("1", 32), "name": "x"})
		refuses("-22", M{"cipher": "AES_CBC", "key": strings.Repeat("1", 32), "name": "x"})
		c.equal("keys", c.n1.keyNames(), []string{"k", "same", "long"})
		c.n1.ok("accel_crypto_key_destroy", M{"key_name": "same"})
		c.n1.refuses(-32602, "No key object found", "accel_crypto_key_destroy", M{"key_name": "same"})
		c.equal("keys", c.n1.keyNames(), []string{"k", "long"})
	}},
	{name: "one on an lvol", only: stock, run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		c.n1.key("k")
		c.n1.refuses(-32602, "Key was not found", "bdev_crypto_create", M{"base_bdev_name": a, "name": "c", "key_name": "x"})
		c.n1.gives("c", "bdev_crypto_create", M{"base_bdev_name": a, "name": "c", "key_name": "k"})
		b := c.n1.bdev("c")
		c.equal("what it says", []any{b.Driver.Crypto.Base, b.Driver.Crypto.Key, b.mib(), b.Block}, []any{a, "k", 4, c.n1.bdev(a).Block})
		c.equal("I/O", []bool{b.IO["read"], b.IO["write"], b.IO["unmap"], b.IO["flush"], b.IO["compare"]}, []bool{true, true, true, false, false})
		c.equal("claim below", c.n1.bdev(a).Claim, "exclusive_write")
		c.n1.refuses(-17, "File exists", "bdev_crypto_create", M{"base_bdev_name": a, "name": "c", "key_name": "k"})
		c.n1.refuses(-1, "Operation not permitted", "bdev_crypto_create", M{"base_bdev_name": a, "name": "d", "key_name": "k"})
		c.n1.refuses(-19, "No such device", "bdev_crypto_delete", M{"name": a})
		c.n1.ok("bdev_lvol_rename", M{"old_name": "lvs0/a", "new_name": "z"})
		c.n1.ok("bdev_lvol_resize", M{"name": a, "size_in_mib": 8})
		c.equal("MiB", c.n1.bdev("c").mib(), 8)
		c.n1.must("bdev_lvol_snapshot", M{"lvol_name": a, "snapshot_name": "s"})
		c.equal("bdev", c.n1.has("c"), true)
		c.n1.ok("bdev_crypto_delete", M{"name": "c"})
		c.n1.refuses(-19, "No such device", "bdev_crypto_delete", M{"name": "c"})
		c.equal("claimed below", c.n1.bdev(a).Claimed, false)
	}},
	{name: "one follows from what is below", only: stock, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		mirror := M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, b}, "uuid": "11111111-2222-3333-4444-555555555555"}
		c.n1.ok("bdev_raid_create", mirror)
		c.n1.key("k")
		c.n1.gives("c", "bdev_crypto_create", M{"base_bdev_name": "r", "name": "c", "key_name": "k"})
		c.equal("UUID", c.n1.bdev("c").UUID, "d89df157-5243-57f6-8d2a-5318d3800a0c")
		c.n1.ok("bdev_lvol_resize", M{"name": a, "size_in_mib": 8})
		c.n1.ok("bdev_lvol_resize", M{"name": b, "size_in_mib": 8})
		c.until("it has grown", func() bool { return c.n1.bdev("c").mib() == 8 })
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.until("it is gone", func() bool { return !c.n1.has("c") })
		c.n1.refuses(-19, "No such device", "bdev_crypto_delete", M{"name": "c"})
		c.n1.refuses(-17, "File exists", "bdev_crypto_create", M{"base_bdev_name": "r", "name": "c", "key_name": "k"})
		c.n1.ok("bdev_raid_create", mirror)
		c.until("it is back", func() bool { return c.n1.has("c") })
		c.n1.ok("bdev_crypto_delete", M{"name": "c"})
	}},
	{name: "one before what is below", only: stock, run: func(c *run) {
		c.n1.key("k")
		c.n1.gives("c", "bdev_crypto_create", M{"base_bdev_name": "later", "name": "c", "key_name": "k"})
		c.equal("bdev", c.n1.has("c"), false)
		c.n1.gives("later", "bdev_null_create", M{"name": "later", "num_blocks": 1024, "block_size": 4096})
		c.until("it is there", func() bool { return c.n1.has("c") })
		c.n1.ok("bdev_null_delete", M{"name": "later"})
		c.until("it is gone", func() bool { return !c.n1.has("c") })
		c.n1.gives("later", "bdev_null_create", M{"name": "later", "num_blocks": 1024, "block_size": 4096})
		c.until("it is there again", func() bool { return c.n1.has("c") })
		c.n1.ok("bdev_crypto_delete", M{"name": "c"})
	}},
	{name: "a namespace of one goes with what is below", only: stock, run: func(c *run) {
		a, b, d := c.n1.pool().thin("a", 4), c.n1.thin("b", 4), c.n1.thin("d", 4)
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, b}})
		c.n1.key("k")
		c.n1.gives("c", "bdev_crypto_create", M{"base_bdev_name": "r", "name": "c", "key_name": "k"})
		c.n1.ok("nvmf_create_subsystem", M{"nqn": "nqn.2026-01.io.x:c", "allow_any_host": true})
		c.n1.gives(1, "nvmf_subsystem_add_ns", M{"nqn": "nqn.2026-01.io.x:c", "namespace": M{"bdev_name": "c"}})
		c.n1.ok("bdev_lvol_delete", M{"name": b})
		c.equal("bdev", c.n1.has("c"), true)
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
		c.until("it is gone", func() bool { return !c.n1.has("c") })
		var subs []struct {
			NQN        string
			Namespaces []struct{} `json:"namespaces"`
		}
		c.n1.into(&subs, "nvmf_get_subsystems", M{"nqn": "nqn.2026-01.io.x:c"})
		c.equal("namespaces", len(subs[0].Namespaces), 0)
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{a, d}})
		c.until("it is back", func() bool { return c.n1.has("c") })
		c.n1.ok("bdev_crypto_delete", M{"name": "c"})
	}},
	{name: "a mirror with room takes a leg with another key", only: stock, run: func(c *run) {
		a, b := c.n1.pool().thin("a", 4), c.n1.thin("b", 4)
		at := c.n1.bdev(a)
		c.n1.gives("room", "bdev_null_create", M{"name": "room", "num_blocks": at.Blocks, "block_size": at.Block})
		c.n1.key("k")
		c.n1.ok("accel_crypto_key_create", xtsKey("l", 32, "3", "4"))
		c.n1.gives("c", "bdev_crypto_create", M{"base_bdev_name": a, "name": "c", "key_name": "k"})
		c.n1.ok("bdev_raid_create", M{"name": "r", "raid_level": "raid1", "base_bdevs": []string{"c", "room"}})
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": "room"})
		c.n1.ok("bdev_null_delete", M{"name": "room"})
		c.equal("bases", c.n1.raid().bases(), []string{"c", ""})
		c.equal("claim of the base", c.n1.bdev(a).Claim, "exclusive_write")
		c.n1.gives("d", "bdev_crypto_create", M{"base_bdev_name": b, "name": "d", "key_name": "l"})
		c.n1.ok("bdev_raid_add_base_bdev", M{"raid_bdev": "r", "base_bdev": "d"})
		c.until("all is written to it", func() bool { return c.n1.raid().Process == nil })
		c.equal("bases", c.n1.raid().bases(), []string{"c", "d"})
		c.equal("clusters", c.n1.bdev(b).Driver.Lvol.Clusters, 4)
		c.n1.ok("bdev_raid_remove_base_bdev", M{"name": "c"})
		c.n1.ok("bdev_crypto_delete", M{"name": "c"})
		c.equal("bases", c.n1.raid().bases(), []string{"", "d"})
		c.n1.ok("bdev_lvol_delete", M{"name": a})
		c.n1.ok("bdev_raid_delete", M{"name": "r"})
	}},
	{name: "keys end with the target", only: stock, run: func(c *run) {
		a := c.n1.pool().thin("a", 4)
		c.n1.key("k")
		c.n1.gives("c", "bdev_crypto_create", M{"base_bdev_name": a, "name": "c", "key_name": "k"})
		c.restart(c.n1)
		c.n1.disk()
		c.equal("keys", len(c.n1.keyNames()), 0)
		c.equal("bdev", c.n1.has("c"), false)
	}},
}
