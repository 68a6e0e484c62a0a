package schema

import (
	"flag"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
)

// agreeBase is a configuration, as values by path.
var agreeBase = map[string]string{
	"cluster":                             `"lab"`,
	"nodes.n1.rpc":                        `"unix:///n1"`,
	"nodes.n1.address":                    `"10.0.0.1"`,
	"nodes.n1.pools.fast.aio":             `"/dev/sdb"`,
	"nodes.n2.rpc":                        `"tcp://n2:5260"`,
	"nodes.n2.address":                    `"10.0.0.2"`,
	"nodes.n2.pools.old.nvme":             `"0000:5e:00.0"`,
	"nodes.n2.pools.old.renamedFrom":      `"older"`,
	"retired":                             `["n5", "n1/slow"]`,
	"discovery":                           `true`,
	"nodes.n3.rpc":                        `"https://u@n3"`,
	"nodes.n3.address":                    `"10.0.0.3"`,
	"nodes.n3.http.password.env":          `"PW"`,
	"nodes.n3.http.ca":                    `"/ca"`,
	"nodes.n4.rpc":                        `"ssh://u@n4/s"`,
	"nodes.n4.address":                    `"10.0.0.4"`,
	"nodes.n4.ssh.key":                    `"~/.ssh/id_rsa"`,
	"nodes.n4.ssh.passphrase.file":        `"/pw"`,
	"nodes.n1.fence.command":              `["fence_ipmilan"]`,
	"nodes.n1.fence.options.ip":           `"10.0.9.1"`,
	"volumes.a.size":                      `1Gi`,
	"volumes.b.size":                      `2Gi`,
	"volumes.b.replicas.count":            `1`,
	"volumes.c.size":                      `2Gi`,
	"volumes.c.replicas.on":               `["n1"]`,
	"volumes.d.size":                      `2Gi`,
	"volumes.d.export.nvmf.hosts":         `["nqn.2026-01.com.example:a"]`,
	"volumes.d.export.nvmf.vip.address":   `"10.0.1.5"`,
	"volumes.d.export.nvmf.vip.command":   `["/etc/strata/move", "-v"]`,
	"volumes.e.size":                      `2Gi`,
	"volumes.e.export.ublk":               `1`,
	"volumes.e.snapshots":                 `["a"]`,
	"volumes.e.consistency":               `"none"`,
	"volumes.f.size":                      `2Gi`,
	"volumes.f.snapshots":                 `["a", "b", "2s"]`,
	"volumes.f.head":                      `"a"`,
	"volumes.g.size":                      `2Gi`,
	"volumes.g.every":                     `"1h"`,
	"volumes.g.keep.daily":                `7`,
	"volumes.h.size":                      `2Gi`,
	"volumes.h.from.volume":               `"f"`,
	"volumes.h.from.snapshot":             `"a"`,
	"auto":                                `["serve"]`,
	"volumes.j.size":                      `2Gi`,
	"volumes.j.auto":                      `["change", "serve"]`,
	"volumes.i.size":                      `2Gi`,
	"volumes.i.adopt.node":                `"n1"`,
	"volumes.i.adopt.head":                `"lvs0/old"`,
	"archives.main.dir":                   `"/backup"`,
	"archives.main.password.env":          `"PW"`,
	"archives.s3.s3.bucket":               `"backup"`,
	"archives.s3.password.command":        `["pw", "get"]`,
	"archives.key.s3.bucket":              `"backup"`,
	"archives.key.s3.accessKey":           `"AK"`,
	"archives.key.s3.secretKey.env":       `"SK"`,
	"archives.key.password.file":          `"/pw"`,
	"volumes.m.size":                      `2Gi`,
	"volumes.m.encryption.key.file":       `"/key"`,
	"volumes.p.size":                      `2Gi`,
	"volumes.p.encryption.key.file":       `"/key"`,
	"volumes.p.encryption.former.check":   `"gtd2"`,
	"volumes.p.encryption.former.key.env": `"KEY"`,
	"volumes.m.snapshots":                 `["a"]`,
	"volumes.m.backup.to":                 `"main"`,
	"volumes.n.size":                      `2Gi`,
	"volumes.n.from.archive":              `"main"`,
	"volumes.n.from.volume":               `"db"`,
	"volumes.o.size":                      `2Gi`,
	"volumes.o.from.image.file":           `"/i"`,
	"volumes.o.from.image.sha256":         `"` + strings.Repeat("0a", 32) + `"`,
	"volumes.k.layout.linear":             `[{size: 1Gi}, {size: 2Gi, replicas: 1}]`,
	"volumes.l.size":                      `2Gi`,
	"volumes.l.layout.stripe.parts":       `2`,
	"volumes.l.layout.stripe.stripSize":   `64Ki`,
	"nodes.n1.pools.mem.malloc":           `1Gi`,
	"nodes.n1.pools.mem.clusterSize":      `4Mi`,
}

// agreePaths are where each of agreeValues is put, besides those of agreeBase.
var agreePaths = []string{
	"links", "pauseLimit", "auto", "replaceAfter", "nodes", "volumes", "unknown",
	"links.transportAckTimeout", "links.ctrlrLossTimeoutSec", "links.reconnectDelaySec", "links.fastIOFailTimeoutSec", "links.loss", "links.patience", "links.auth", "links.keys", "links.transport", "links.x",
	"nodes.n1", "nodes.N1", "nodes.n1.port", "nodes.n1.tlsPort", "nodes.n1.labels", "nodes.n1.labels.zone", "nodes.n1.labels.-", "nodes.n1.pools", "nodes.n1.x",
	"nodes.n1.pools.fast", "nodes.n1.pools.F", "nodes.n1.pools.fast.uring", "nodes.n1.pools.fast.blockSize", "nodes.n2.pools.old.blockSize",
	"nodes.n1.pools.fast.clusterSize", "nodes.n1.pools.fast.format", "nodes.n1.pools.fast.lvstore", "nodes.n1.pools.fast.renamedFrom", "nodes.n1.pools.fast.overcommit", "nodes.n1.pools.fast.clear", "nodes.n1.pools.mem.replaces", "nodes.n2.pools.old.lvstore", "nodes.n1.pools.fast.x",
	"nodes.n1.http", "nodes.n1.ssh", "nodes.n2.http", "nodes.n2.http.ca", "nodes.n3.http", "nodes.n3.http.x", "nodes.n3.http.password",
	"nodes.n3.http.password.file", "nodes.n3.http.password.x", "nodes.n3.ssh", "nodes.n3.ssh.key", "nodes.n4.http", "nodes.n4.ssh", "nodes.n4.ssh.x",
	"nodes.n4.ssh.passphrase", "nodes.n4.ssh.passphrase.env", "nodes.n4.ssh.knownHosts",
	"volumes.a", "volumes.A", "volumes.a.replicas", "volumes.a.engine", "volumes.a.export", "volumes.a.protect", "volumes.a.x",
	"volumes.b.replicas.spread", "volumes.b.replicas.pool", "volumes.b.replicas.require", "volumes.b.replicas.require.zone",
	"volumes.b.replicas.on", "volumes.b.replicas.x", "volumes.c.replicas.pool", "volumes.c.replicas.count", "volumes.c.replicas.spread",
	"volumes.d.export.nvmf", "volumes.d.export.nvmf.standby", "volumes.d.export.nvmf.transport", "volumes.d.export.nvmf.x", "volumes.d.export.ublk", "volumes.e.export.nbd", "volumes.e.export.x",
	"nodes.n1.rebuild", "nodes.n1.rebuild.parallel", "nodes.n1.rebuild.bandwidth", "nodes.n1.rebuild.x",
	"nodes.n1.replaces", "nodes.n1.maintenance", "nodes.n1.maintenance.suspend", "nodes.n1.maintenance.suspend.for", "nodes.n1.maintenance.x",
	"nodes.n1.fence", "nodes.n1.fence.options", "nodes.n1.fence.options.action", "nodes.n1.fence.options.password", "nodes.n1.fence.options.-", "nodes.n1.fence.secrets",
	"nodes.n1.fence.secrets.ip", "nodes.n1.fence.secrets.password", "nodes.n1.fence.secrets.option", "nodes.n1.fence.timeout", "nodes.n1.fence.x",
	"volumes.a.snapshots", "volumes.a.head", "volumes.a.from", "volumes.a.group", "volumes.a.consistency", "volumes.a.every", "volumes.a.keep",
	"volumes.a.labels", "volumes.a.labels.tier", "volumes.a.labels.-",
	"volumes.a.resync", "volumes.e.export", "volumes.e.every", "volumes.f.export", "volumes.f.consistency", "volumes.g.export", "volumes.g.consistency",
	"volumes.g.keep", "volumes.g.keep.hourly", "volumes.g.keep.weekly", "volumes.g.keep.monthly", "volumes.g.keep.x",
	"volumes.a.encryption", "volumes.k.encryption", "volumes.m.encryption.key", "volumes.m.encryption.x", "volumes.m.encryption.former", "volumes.p.encryption.key", "volumes.p.encryption.former", "volumes.p.encryption.former.check", "volumes.p.encryption.former.key", "volumes.p.encryption.former.x", "volumes.h.from", "volumes.h.from.detach", "volumes.h.from.x", "volumes.h.adopt",
	"volumes.a.limits", "volumes.a.limits.iops", "volumes.a.limits.readBandwidth", "volumes.a.limits.writeBandwidth", "volumes.a.limits.x",
	"volumes.i.adopt", "volumes.i.adopt.x", "volumes.i.from", "volumes.a.adopt", "volumes.a.auto", "volumes.j.auto", "volumes.a.failover",
	"volumes.a.layout", "volumes.abcdefghijklmnopqrstuv.layout", "volumes.k.layout.x", "volumes.k.failover", "volumes.k.backup", "volumes.k.export", "volumes.l.layout.stripe.x",
	"archives", "archives.A", "archives.main", "archives.main.s3", "archives.main.x", "archives.main.appendOnly", "archives.s3.s3", "archives.s3.s3.endpoint", "archives.s3.s3.region", "archives.s3.s3.prefix",
	"archives.s3.password.command", "archives.s3.password.file", "archives.s3.s3.pathStyle", "archives.s3.s3.ca", "archives.s3.s3.storageClass", "archives.s3.s3.accessKey", "archives.s3.s3.secretKey", "archives.s3.s3.x",
	"volumes.a.scrub", "volumes.a.scrub.every", "volumes.a.scrub.rate", "volumes.a.scrub.x", "volumes.a.backup", "volumes.m.backup.snapshots", "volumes.m.backup.keep", "volumes.m.backup.x",
	"volumes.n.from", "volumes.n.from.cluster", "volumes.n.from.snapshot", "volumes.n.from.detach", "volumes.n.from.snapshots", "volumes.n.from.follow", "volumes.n.from.instant", "volumes.n.from.x", "volumes.n.from.image",
	"volumes.o.from", "volumes.o.from.volume", "volumes.o.from.archive", "volumes.o.from.image", "volumes.o.from.image.file", "volumes.o.from.image.sha256", "volumes.o.from.image.format", "volumes.o.from.image.x",
}

var agreeValues = strings.Split(`
null|true|false|0|-1|1|2|5|10|15|16|31|32|99|100|512|4096|1024|999|1000|3600|3601|65535|65536|1048575|1048576
64Ki|1Mi|3Mi|1Gi|2Gi|64G|1.5|1.5Gi|1Pi|1Pi+1Mi|1e9|99999999999999999999|'b'|""|"a"|"any"|"none"|"64Gi"|"n1"|"N1"|"-n"|"n-1"
"abcdefghijklmnopqrstuvwx"|"abcdefghijklmnopqrstuvwxy"|"2s"|"500ms"|"1.5s"|"10ms"|"9ms"|"30s"|"31s"|"1us"|"1h"|"-2s"|"0.0105s"|"1m"
"unix:///x"|"unix:///"|"unix://x"|"tcp://h:1"|"tcp://h:0"|"tcp://h:65536"|"tcp://[::1]:80"|"tcp://h"|"http://h:1"|"http://h"
"http://u@h:1/"|"https://u@h/a/b"|"https://u@h:1"|"https://h:1"|"http://u:p@h:1"|"https://u@h:65536"|"http://u@h?x"|"http://@h"|"ftp://u@h"|"https://[::1]/"
"ssh://u@h/s"|"ssh://u@h:22/s"|"ssh://h/s"|"ssh://u@h"|"ssh://u@h/"|"ssh://u@h/s/"|"ssh://u:p@h/s"|"ssh://u@[::1]:22/a b"|"ssh://-u@h/s"
"~/x"|"~"|"~u/x"|"A"|"_A1"|"A-B"|"1A"|{env: "A"}|{env: "A", file: "/x"}|{file: "x"}|{key: "/x"}|{ca: "/x"}|{password: env: "A"}|{password: "x"}|{knownHosts: "~/x"}
"10.0.0.1"|"::1"|"0.0.0.0"|"::"|"224.0.0.1"|"fe80::1%eth0"|"10.0.0"|[10,0,0,1]
"/dev/sdb"|"/dev//sdb"|"/dev/./sdb"|"/dev/../sdb"|"/dev/.."|"/dev/..x"|"/"|"dev"|"/dev/nbd0"|"/dev/nbd01"|"/dev/nbd"|"0000:5E:00.0"|"0000:5e:00.8"|"lvs 0"|"lvs/0"|"zone/x.y"|".x"|"ü"|"/ü"
"rdma"|"tcp"|"nqn.2026-01.com.example:a"|"nqn.2026-13.com.example:a"|"any "|"nqn.2014-08.org.nvmexpress:uuid:1"
[]|[1]|["n1"]|["n1","n2"]|["n1","n1"]|["N1"]|["any"]|["nqn.2026-01.com.example:a"]|["nqn.2026-13.com:a"]
["nqn.2014-08.org.nvmexpress:uuid:6b1fdd2c-0c5e-4a0b-8d0e-3f1f0a2f7a11"]|["nqn.2014-08.org.nvmexpress:uuid:6b1fdd2c"]
["nqn.2026-01.com.example:a","nqn.2026-01.com.example:a"]|["nqn.2026-01.com.-x:a"]|["nqn.2026-01.com:"]|["nqn.2026-01.com:ü"]
[{nqn: "nqn.2026-01.com.example:a", psk: path: "/k/a"}]|[{nqn: "nqn.2026-01.com.example:a", psk: {}}]|[{nqn: "nqn.2026-01.com.example:a", psk: "NVMeTLSkey-1"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "/k/a", psk: command: ["p"]}]|[{nqn: "nqn.2026-01.com.example:a"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "/k/a"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: {key: path: "/k/a", ctrlrKey: path: "/k/b"}}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: ctrlrKey: path: "/k"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: {}}]|[{dhchap: key: path: "/k"}]|[{nqn: "a"}]
[{nqn: "nqn.2026-01.com.example:a", dhchap: key: {path: "/k", env: "K"}}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: {}}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: env: "1K"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: {env: "K", file: "/k"}}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: command: []}]
[{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "/k:a"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "/k/../a"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "k"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: "/k"}]|[{nqn: "nqn.2026-01.com.example:a", dhchap: key: path: "/k//a"}]|[{nqn: "nqn.2026-01.com.example:a", x: 1}]
{}|{x: 1}|{a: "b"}|{zone: ""}|{size: 1Gi}|{size: 1Gi, #X: 1, _y: 2}|{aio: "/x"}|{aio: "/x", nvme: "0000:5e:00.0"}|{nvme: "0000:5e:00.0", blockSize: 512}
{count: 3}|{pool: "p"}|{on: ["n1"]}|{on: ["n1"], count: 1}|{on: ["n1"], pool: "p"}|{spread: "zone", require: {a: "b"}}
{ublk: 0}|{nbd: "/dev/nbd1"}|{ublk: 0, nbd: "/dev/nbd1"}|{nvmf: {hosts: "any", transport: "rdma"}}|{nvmf: {hosts: "any", transport: "x"}}|{transport: "rdma"}|{transport: "rdma", transportAckTimeout: 0}|{transport: "tcp", transportAckTimeout: 3}|{transport: "fc"}|{nvmf: {}}|{nvmf: hosts: "any"}|{nvmf: hosts: []}|{hosts: "any"}|{hosts: "all"}
{n1: {rpc: "unix:///x", address: "::1"}}|{v: {size: 1Mi}}|{v: size: 1}|{ctrlrLossTimeoutSec: 5}|{ctrlrLossTimeoutSec: -1, fastIOFailTimeoutSec: 3600}
{reconnectDelaySec: 11}|{reconnectDelaySec: 3, fastIOFailTimeoutSec: 3, ctrlrLossTimeoutSec: 3}|{fastIOFailTimeoutSec: 16}
{linear: []}|{linear: [{size: 1Gi}]}|{linear: [{size: 1Gi, replicas: 3}]}|{linear: [{size: 1}]}|{linear: [{}]}|{linear: [{size: 1Gi, x: 1}]}|{linear: [{size: 1Gi, replicas: on: ["n1"]}, {size: 1Mi}]}|{linear: 1}|{stripe: {parts: 2, stripSize: 64Ki}}
{stripe: {parts: 2}}|{stripe: {parts: 2, stripSize: 65}}|{stripe: {parts: 65, stripSize: 4Ki}}|{stripe: {parts: 2, stripSize: 2Ki}}|{stripe: {parts: 2, stripSize: 2Mi}}|{stripe: {parts: 2, stripSize: 64Ki}, linear: [{size: 1Gi}]}|[{size: 1Gi}]|{parts: 3, stripSize: 64Ki}|{parts: 1024, stripSize: 64Ki}|{nvmf: {hosts: "any", vip: {address: "10.0.1.9", command: ["/x"]}}}
"auto"|"manual"|"wait"|"drop"|{loss: "wait"}|{loss: "drop"}|{loss: "wait", patience: "1s"}|{loss: "wait", patience: "24h"}|{loss: "wait", patience: "999ms"}|{loss: "wait", patience: "24h1ms"}
{loss: "wait", patience: "1.0005s"}|{loss: "wait", transportAckTimeout: 13}|{loss: "wait", reconnectDelaySec: 1}|{loss: "drop", patience: "5s"}|{patience: "5s"}|{loss: "no"}|{loss: "drop", reconnectDelaySec: 1}
"b"|"barrier"|["a"]|["b","a"]|["a","a"]|["auto"]|["auto-1"]|["head"]|["header"]|["a",7]|"auto-1"|"59s"|"60s"|"60.5s"|"1m1ms"|"8784h"|"8784h1s"|"9999999h"|"1d"
9999|10000|{daily: 1}|{hourly: 0}|{monthly: 10000}|{weekly: 1, yearly: 1}|{hourly: 1, daily: 2, weekly: 3, monthly: 4}|{hourly: "1"}
{volume: "f", snapshot: "a"}|{volume: "f"}|{volume: "F", snapshot: "a"}|{volume: "f", snapshot: "a", detach: true}
{node: "n1", head: "lvs0/old"}|{node: "n1", head: "lvs0/a/b c"}|"lvs0/old"|"lvs0/"|"/old"|"lvs 0/old"|"lvs0/old "|{node: "n1"}|"lvs0/ü"
["n1/fast"]|["n1/"]|["/fast"]|["n1/fast/x"]|["n1/F"]|["n1","n1/fast","n1"]|["n 1"]|["abcdefghijklmnopqrstuvwxy"]|["n1/-f"]
{aio: "/x", renamedFrom: "f"}|{aio: "/x", renamedFrom: "F"}|{aio: "/x", renamedFrom: "f", lvstore: "g"}
["serve"]|["serve","fence"]|["fence","serve"]|["fence"]|["serve","rebuild"]|["rebuild","fence"]|["serve","fence","rebuild","change"]|["change"]|["serve","serve"]|["serv"]|["serve",1]|"serve"|"0s"|"1s"|"10m"|"-1s"
2.5|1000.5|1001|{aio: "/x", overcommit: 2}|"unmap"|"zeroes"|"none"|"write_zeroes"|{parallel: 1}|{bandwidth: 1Mi}|{bandwidth: 1Mi - 1}|{parallel: 3, bandwidth: 0}|{parallel: 0}
"suspend"|"drain"|{suspend: {}}|{suspend: "10m"}|{suspend: for: "30m"}|{suspend: for: "1s"}|{suspend: for: "24h"}|{suspend: for: "0.5s"}|{suspend: for: "25h"}|{suspend: x: 1}|{for: "30m"}|{for: 10}
["fence_x"]|["/usr/sbin/fence_x"]|["sudo","-n","fence_x"]|["fence_x","--ip=1"]|["/opt/fence_x","-v","y"]|["x","--password=y"]|["x","a\nb"]|["x y"]|["/x y"]|[""]|["x",""]|["sudo","fence_x","-v"]
{command: ["fence_x"]}|{command: ["fence_x"], options: a: "b", secrets: c: env: "A"}|{command: ["fence_x"], options: a: "b", secrets: a: env: "A"}|{command: ["x"], options: {}}|{command: ["x"], timeout: "1s"}|{options: {}}
{ip: "1", plug: "ü"}|{ip: "a\nb"}|{ip: 1}|{Action: "off"}|{snmp_priv_passwd: "x"}|{password_script: "/x"}|{secret_key: "x"}|{"a b": "c"}|{password: {env: "A"}}|{option: {env: "A"}}
["pw","token/x"]|{command: ["pw", "get"]}|{command: []}|{command: ["pw"], env: "A"}
{key: env: "A"}|{key: "x"}|{}
"600s"|"10m1ms"|"a\tb"
"https://h"|"http://h:9000/"|"https://h:9000/x"|"h:9000"|"https://[::1]:9000"|"a/b"|"a//b"|"/a"|"a/"|"STANDARD_IA"|"a b"|"all"|"backup.x"|"ab"|"abc"
{bucket: "abc"}|{bucket: "abc", accessKey: "A"}|{bucket: "abc", secretKey: env: "A"}|{bucket: "abc", accessKey: "A", secretKey: env: "A"}|{dir: "/x"}|{dir: "/x", password: env: "A"}|{dir: "/x", s3: bucket: "abc", password: env: "A"}|{s3: bucket: "abc", password: file: "/x"}
{image: {file: "/i", sha256: "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}}|{archive: "main", volume: "db"}|{archive: "main", volume: "db", snapshot: "latest"}|{archive: "main", volume: "db", detach: true}|{archive: "main"}
{image: {file: "/i", sha256: "x"}}|{image: {}}|{image: {file: "/i"}, volume: "f"}|"raw"|"qcow2"|{to: "main"}|{to: "main", snapshots: "all"}|{to: "main", snapshots: ["a"]}|{to: "main", snapshots: []}|{to: "main", keep: daily: 1}|{to: "main", keep: {}}|{snapshots: "all"}
`, "|")

// TestSchemaAgrees puts many values at every path and has the checks in Go and
// schema.cue judge each: they must accept the same configurations, and read
// the same out of them, so that their defaults are the same too.
func TestSchemaAgrees(t *testing.T) {
	values := append(agreeValuesList(), "")
	beside := map[string]string{} // what else is given, by the name of the test
	for _, path := range append(slices.Sorted(maps.Keys(agreeBase)), agreePaths...) {
		if beside[path] = ""; strings.HasPrefix(path, "links") {
			beside[path+" beside auto"] = `auto: ["serve", "fence"]`
		}
	}
	beside["auto beside links"] = `links: patience: "3s"`
	var accepted atomic.Int64
	t.Run("paths", func(t *testing.T) {
		for name, beside := range beside {
			path, _, _ := strings.Cut(name, " ")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				ctx, config, open := compileSchema(t)
				for _, value := range telling(ctx, path, values, beside) {
					if agree(t, ctx, config, open, path, value, beside) {
						accepted.Add(1)
					}
				}
			})
		}
	})
	if n := accepted.Load(); n < 300 {
		t.Errorf("only %d cases are good", n)
	}
}

var everyValue = flag.Bool("every-value", false, "have schema.cue judge also what is left out of a run of seconds")

// telling are the values that tell something at a path: of a kind of which Go takes one
// there, all that it takes and every tenth that it refuses, at each path others; and few
// of each other kind, which are all refused for one reason.
func telling(ctx *cue.Context, path string, values []string, beside string) (all []string) {
	kinds, good, taken := map[string]cue.Kind{}, map[string]bool{}, map[cue.Kind]bool{}
	for _, value := range values {
		v := ctx.CompileString(withValue(path, value) + beside + "\n")
		kinds[value] = v.LookupPath(cue.ParsePath(quoted(path))).IncompleteKind()
		if _, ps := decodeOnly(v); len(ps) == 0 {
			taken[kinds[value]], good[value] = true, true
		}
	}
	of := map[cue.Kind]int{}
	for _, value := range values {
		kind := kinds[value]
		n := of[kind]
		of[kind]++
		switch {
		case *everyValue, good[value], taken[kind] && (n+len(path))%10 == 0, !taken[kind] && (n+len(path))%32 == 0:
			all = append(all, value)
		}
	}
	return all
}

// quoted is a path each part of which is in quotes.
func quoted(path string) string {
	parts := strings.Split(path, ".")
	for i := range parts {
		parts[i] = strconv.Quote(parts[i])
	}
	return strings.Join(parts, ".")
}

func agreeValuesList() []string {
	var values []string
	for _, v := range agreeValues {
		for line := range strings.Lines(v) {
			if v := strings.TrimSpace(line); v != "" {
				values = append(values, v)
			}
		}
	}
	return values
}

// compileSchema returns what a configuration is by schema.cue, and by the schema that is
// imported.
func compileSchema(t *testing.T) (ctx *cue.Context, config, open cue.Value) {
	ctx = cuecontext.New()
	compile := func(text string) cue.Value {
		v := ctx.CompileString(text, cue.Filename("schema.cue"))
		if err := v.Err(); err != nil {
			t.Fatal(err)
		}
		return v.LookupPath(cue.ParsePath("#Config"))
	}
	return ctx, compile(Source()), compile(Importable())
}

// agree judges the base with another value, or none, at path, and with what else is
// given.
func agree(t *testing.T, ctx *cue.Context, config, open cue.Value, path, value, beside string) bool {
	text := withValue(path, value) + beside + "\n"
	v := ctx.CompileString(text)
	unified := config.Unify(v)
	byCUE := unified.Validate(cue.Concrete(true), cue.Final())
	cfg, byGo := decodeOnly(v)
	imported := open.Unify(v)
	if byCUE == nil || len(value)%4 == 0 { // of those that are refused, some
		byImport := imported.Validate(cue.Concrete(true), cue.Final())
		if links := strings.HasPrefix(path, "links") || beside != ""; (byImport == nil) != (byCUE == nil) && (!links || byCUE == nil) {
			t.Errorf("%s: %s\n\tschema: %v\n\timported: %v", path, value, byCUE, byImport)
		}
	}
	if (byCUE == nil) != (len(byGo) == 0) {
		t.Errorf("%s: %s\n\tCUE: %v\n\tGo: %v", path, value, byCUE, byGo)
		return false
	}
	if byCUE != nil {
		return false
	}
	for schema, v := range map[string]cue.Value{"the schema's defaults": unified, "the schema imported": imported} {
		if again, ps := decodeOnly(v); len(ps) > 0 || !reflect.DeepEqual(cfg, again) {
			t.Errorf("%s: %s: with %s it reads differently: %v", path, value, schema, ps)
		}
	}
	return true
}

func decodeOnly(v cue.Value) (*Config, Problems) {
	d := &document{value: v, places: &place{}}
	cfg := d.decode(false)
	if err := v.Validate(cue.Concrete(true)); err != nil {
		d.conflicts(err)
	}
	for _, n := range cfg.Nodes {
		n.Pos = Pos{}
		if n.Fence != nil {
			n.Fence.Pos = Pos{}
		}
		for _, p := range n.Pools {
			p.Pos = Pos{}
		}
		if len(n.Labels) == 0 {
			n.Labels = nil
		}
	}
	for _, a := range cfg.Archives {
		a.Pos = Pos{}
	}
	all := slices.Clone(cfg.Volumes)
	for _, w := range cfg.Wholes {
		all = append(all, &w.Volume)
	}
	for _, v := range all {
		v.Pos, v.Field, v.SnapshotPos = Pos{}, nil, nil
		if v.Export.VIP != nil {
			v.Export.VIP.Pos = Pos{}
		}
		if v.Encryption != nil {
			v.Encryption.Pos = Pos{}
			if v.Encryption.Former != nil {
				v.Encryption.Former.Pos = Pos{}
			}
		}
		if v.Backup != nil {
			v.Backup.Pos = Pos{}
		}
		if len(v.Snapshots) == 0 {
			v.Snapshots = nil
		}
		if len(v.Replicas.Require) == 0 {
			v.Replicas.Require = nil
		}
		if len(v.Labels) == 0 {
			v.Labels = nil
		}
	}
	return cfg, d.problems
}

// withValue writes the base with value, unless that is "", in place of all
// that stands at path.
func withValue(path, value string) string {
	var b strings.Builder
	line := func(path, value string) {
		for _, name := range strings.Split(path, ".") {
			b.WriteString(strconv.Quote(name) + ": ")
		}
		b.WriteString(value + "\n")
	}
	// Of nodes and volumes, only the one that is concerned.
	parts := strings.Split(path, ".")
	near := strings.Join(parts[:min(2, len(parts))], ".")
	for _, p := range slices.Sorted(maps.Keys(agreeBase)) {
		if p != "cluster" && p != near && !strings.HasPrefix(p, near+".") {
			continue
		}
		if p != path && !strings.HasPrefix(p, path+".") && !strings.HasPrefix(path, p+".") {
			line(p, agreeBase[p])
		}
	}
	if value != "" {
		line(path, value)
	}
	return b.String()
}

// TestSchemaHasPatterns holds the patterns in Go to those of the schema.
func TestSchemaHasPatterns(t *testing.T) {
	for _, re := range []pattern{unixRPC, tcpRPC, httpRPC, sshRPC, envName, userFile, labelKey, diskPath, upwards, pciAddr, lvsName, lvolAlias, uuidNQN, domainNQN, nbdPath, fenceProgram, fenceAgent, fenceValue, optionName, notAction, secretOption, secretArgument, s3Endpoint, s3Bucket, s3Prefix, s3Word, sha256Sum} {
		if !strings.Contains(Source(), `#"`+re.String()+`"#`) {
			t.Errorf("schema.cue lacks %s", re)
		}
		if _, err := regexp.Compile(re.String()); err != nil {
			t.Error(err)
		}
	}
}
