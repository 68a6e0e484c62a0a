// Package e2e runs strata against real targets: three spdk_tgt processes on
// this machine with files for disks, the loopback for a network, and spdk_dd
// for a host. It needs neither hugepages nor root:
//
//	make e2e SPDK_TGT=/path/to/spdk_tgt SPDK_DD=/path/to/spdk_dd
//
// With BDEVPERF=/path/to/bdevperf a host keeps reading during changes that
// must not disturb it, or keeps writing. SPDK_CPUMASK says on which cores targets
// run, each of which polls without pause, such as 0x1,0x2 for one core each in
// turns, and SPDK_HOST_CPUMASK where hosts do; both are 0x1 by default.
//
// The package holds the harness ([Target], [Lab]); it never decides what
// strata should do, and ends only processes it has started.
package e2e
