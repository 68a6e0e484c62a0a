package linux

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// fetch gets the packages of the host and unpacks them into dir/root. They are
// chosen as if nothing were installed, and nothing but dir is written to.
func fetch(dir string) error {
	const how = "Linux hosts are made of Debian's packages: run this on Debian 12 (amd64), or copy strata-e2e in the user's cache directory from there"
	for _, program := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return Missing{program + " is not there", how}
		}
	}
	if runtime.GOARCH != "amd64" {
		return Missing{"this machine is " + runtime.GOARCH, how}
	}
	for _, name := range []string{"lists/partial", "cache/archives/partial", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "status"), nil, 0o644); err != nil {
		return err
	}
	a := apt{dir}
	if _, err := a.run("apt-get", "-qq", "update"); err != nil {
		return err
	}
	depends, err := a.run("apt-cache", "depends", "linux-image-amd64")
	if err != nil {
		return err
	}
	kernel := regexp.MustCompile(`linux-image-[0-9]\S*`).FindString(depends)
	if kernel == "" {
		return Missing{"linux-image-amd64 depends on no kernel", how}
	}
	install := []string{"-qq", "-y", "--download-only", "--no-install-recommends", "install"}
	if _, err := a.run("apt-get", append(install, packages...)...); err != nil {
		return err
	}
	// What it depends on makes initial file systems, and this one is made here.
	if _, err := a.run("apt-get", "-qq", "download", kernel); err != nil {
		return err
	}
	debs, _ := filepath.Glob(filepath.Join(a.archives(), "*.deb"))
	for _, deb := range debs {
		if out, err := exec.Command("dpkg-deb", "-x", deb, filepath.Join(dir, "root")).CombinedOutput(); err != nil {
			return fmt.Errorf("unpacking %s: %w: %s", filepath.Base(deb), err, bytes.TrimSpace(out))
		}
	}
	return nil
}

// apt runs APT's programs on lists, packages and a status of their own.
type apt struct{ dir string }

func (a apt) archives() string { return filepath.Join(a.dir, "cache", "archives") }

func (a apt) run(program string, args ...string) (string, error) {
	flags := []string{
		"-o", "Dir::State::lists=" + filepath.Join(a.dir, "lists"), "-o", "Dir::State::status=" + filepath.Join(a.dir, "status"),
		"-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"), "-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User=root",
		"-o", "Acquire::Retries=2",
	}
	cmd := exec.Command(program, append(flags, args...)...)
	cmd.Dir = a.archives() // where packages are downloaded to
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", Missing{
			fmt.Sprintf("%s %s: %v: %s", program, strings.Join(args, " "), err, strings.TrimSpace(said.String())),
			"packages for a Linux host come from where this machine's do (/etc/apt), which has to be Debian's and within reach",
		}
	}
	return string(out), nil
}
