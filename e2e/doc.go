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
// Stories named TestLinux… have a Linux host, too: Debian's kernel with its own
// NVMe/TCP initiator, ext4 and fio, emulated by qemu ([LinuxHost], package linux).
// They need qemu-system-x86_64 (Debian: qemu-system-x86) and, the first time, APT
// with Debian's packages within reach, of which some 140 MB are fetched and
// nothing is installed; what comes of it is kept in ~/.cache/strata-e2e, or where
// STRATA_E2E_CACHE says, and made again when that is removed, or when what is to be
// in it changes. Where it cannot be had these stories are skipped, with a word that says
// what is missing. A host takes 800 MiB of memory, and most of a core.
//
// What hosts wait for is measured in TestPause, TestMoveByStandby, TestLinuxSnapshot and
// TestLinuxPaths: each prints its figures, holds them against what else was measured in
// the same run; medians count, for the machine may do other things.
//
// TestCutOff cuts a network apart, which takes root, ten times; -cuts 100 has it do so a
// hundred times, in some 25 minutes, and -seed N as another run did.
//
// The package holds the harness ([Target], [Lab]); it never decides what
// strata should do, and ends only processes it has started.
package e2e
