package schema

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const benchNodes = 100

// BenchmarkLoad loads configurations of 100 nodes: volumes written one by one
// under a template, or made by a comprehension.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("written/%d", n), func(b *testing.B) { benchmarkLoad(b, n, writtenVolumes(n)) })
		b.Run(fmt.Sprintf("comprehension/%d", n), func(b *testing.B) { benchmarkLoad(b, n, computedVolumes(n)) })
	}
}

func benchmarkLoad(b *testing.B, n int, volumes string) {
	dir := b.TempDir()
	for name, text := range map[string]string{"nodes.cue": nodesFile(), "volumes.cue": volumes} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		cfg, err := Load([]string{dir}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if len(cfg.Volumes) != n || len(cfg.Nodes) != benchNodes {
			b.Fatalf("%d volumes, %d nodes", len(cfg.Volumes), len(cfg.Nodes))
		}
	}
}

func nodesFile() string {
	return fmt.Sprintf(`package lab

import "list"

cluster: "lab"
nodes: {
	for i in list.Range(0, %d, 1) {
		"n\(i)": {
			rpc:     "tcp://10.0.0.\(i):5260"
			address: "10.0.0.\(i)"
			labels: zone: "z\(rem(i, 3))"
			pools: fast: nvme: "0000:5e:00.0"
		}
	}
}
`, benchNodes)
}

func writtenVolumes(n int) string {
	var b bytes.Buffer
	b.WriteString("package lab\n\nvolumes: [string]: protect: _ | *true\n")
	for i := range n {
		fmt.Fprintf(&b, "volumes: \"v%05d\": {size: 1Gi, replicas: 3, export: nvmf: hosts: [\"nqn.2026-01.com.example:h%d\"]}\n", i, i)
	}
	return b.String()
}

func computedVolumes(n int) string {
	return fmt.Sprintf(`package lab

import "list"

volumes: {
	for i in list.Range(0, %d, 1) {
		"v\(i)": {size: 1Gi, replicas: {count: 3, spread: "zone"}, export: nvmf: hosts: ["nqn.2026-01.com.example:h\(i)"]}
	}
}
`, n)
}
