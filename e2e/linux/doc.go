// Package linux is a Linux host for stories with real targets: Debian's kernel
// with its own NVMe/TCP initiator, native multipath and ext4, and nvme, fio and
// e2fsprogs, in a machine that qemu emulates. It needs neither KVM nor root.
//
// [Prepare] makes kernel and initial file system of Debian's packages, once;
// [Image.Boot] starts a [Host] in the network of whoever calls it, from which
// qemu passes on the connections that the host makes: every address that can be
// reached there can be reached from the host, and the loopback as [Loopback].
//
// The package knows nothing of strata and of targets.
package linux
