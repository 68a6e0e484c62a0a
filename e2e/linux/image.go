package linux

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Missing is the error of what this machine lacks. It says how to get it.
type Missing struct{ What, How string }

func (m Missing) Error() string { return m.What + "; " + m.How }

// Image is what a host is booted from: a kernel and an initial file system.
type Image struct{ kernel, initrd string }

//go:embed init
var initScript []byte

// programs are those of the host, in the packages that have them.
var programs = []string{"/bin/busybox", "/usr/sbin/nvme", "/usr/bin/fio", "/sbin/mke2fs", "/sbin/e2fsck", "/sbin/resize2fs"}

var packages = []string{"busybox-static", "nvme-cli", "fio", "e2fsprogs", "libgcc-s1"}

// opened are libraries that the C library opens by itself when a thread ends.
var opened = []string{"libgcc_s.so.1"}

// modules are those the host loads, with what they depend on.
var modules = []string{"virtio_pci", "virtio_net", "crc32c_generic", "crc32c_intel", "nvme_tcp", "ext4"}

const qemu = "qemu-system-x86_64"

// CacheDir is where images are kept: STRATA_E2E_CACHE, or strata-e2e in the
// user's cache directory. An image has some 150 MB.
func CacheDir() (string, error) {
	if dir := os.Getenv("STRATA_E2E_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", Missing{"no directory to keep Linux in: " + err.Error(), "set STRATA_E2E_CACHE to one"}
	}
	return filepath.Join(dir, "strata-e2e"), nil
}

// Prepare returns the image in a cache directory. Where it has none, it makes
// one, which takes a minute or two: some 140 MB of packages are fetched from the
// sources of packages that this machine has, and nothing is installed. The error
// is a [Missing] where this machine cannot do it.
func Prepare(cache string) (*Image, error) {
	if _, err := exec.LookPath(qemu); err != nil {
		return nil, Missing{qemu + " is not there", "install it (Debian: apt-get install --no-install-recommends qemu-system-x86)"}
	}
	dir := filepath.Join(cache, "linux-"+recipe())
	i := &Image{kernel: filepath.Join(dir, "vmlinuz"), initrd: filepath.Join(dir, "initrd")}
	if _, err := os.Stat(dir); err == nil {
		return i, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, Missing{"Linux cannot be kept: " + err.Error(), "set STRATA_E2E_CACHE to a directory that can be written to"}
	}
	making, err := os.MkdirTemp(cache, "making-")
	if err != nil {
		return nil, Missing{"Linux cannot be kept: " + err.Error(), "set STRATA_E2E_CACHE to a directory that can be written to"}
	}
	defer os.RemoveAll(making)
	if err := fetch(making); err != nil {
		return nil, err
	}
	ready := filepath.Join(making, "ready")
	if err := assemble(filepath.Join(making, "root"), ready); err != nil {
		return nil, err
	}
	// Somebody else may have been faster; theirs is as good.
	if err := os.Rename(ready, dir); err != nil {
		if _, there := os.Stat(dir); there != nil {
			return nil, err
		}
	}
	return i, nil
}

// recipe changes when what an image is made of does.
func recipe() string {
	h := sha256.New()
	fmt.Fprintln(h, programs, packages, opened, modules)
	h.Write(initScript)
	return fmt.Sprintf("%x", h.Sum(nil)[:6])
}

// assemble makes kernel and initial file system in dir of unpacked packages.
func assemble(root, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	kernels, _ := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if len(kernels) != 1 {
		return fmt.Errorf("%d kernels are in the packages, not one", len(kernels))
	}
	if err := os.Rename(kernels[0], filepath.Join(dir, "vmlinuz")); err != nil {
		return err
	}
	files, err := closure(root, programs, opened)
	if err != nil {
		return err
	}
	drivers, err := driversOf(root, modules)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "initrd"))
	if err != nil {
		return err
	}
	return cmp.Or(initrd(f, root, files, drivers), f.Close())
}

// initrd writes the initial file system.
func initrd(f *os.File, root string, files, drivers []string) error {
	a := newArchive(f)
	for _, dir := range []string{"proc", "sys", "dev", "tmp", "mnt", "etc/nvme"} {
		a.dir(dir)
	}
	a.file("init", 0o755, initScript)
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		a.file(strings.TrimPrefix(name, "/"), 0o755, data)
	}
	var order strings.Builder
	for _, name := range drivers {
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		a.file("drivers/"+filepath.Base(name), 0o644, data)
		fmt.Fprintln(&order, "/drivers/"+filepath.Base(name))
	}
	a.file("drivers/order", 0o644, []byte(order.String()))
	for name, to := range map[string]string{"sbin/mkfs.ext4": "mke2fs", "sbin/fsck.ext4": "e2fsck"} {
		a.link(name, to)
	}
	return a.close()
}
