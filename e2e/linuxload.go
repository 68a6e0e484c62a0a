package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"strata/e2e/linux"
)

// FileLoad is fio on a Linux host, pass after pass: each removes one of four
// files, writes it anew in random order, and verifies it.
type FileLoad struct {
	h      *LinuxHost
	script *linux.Script
}

// fioRun is what stories look at of fio's report.
type fioRun struct {
	Jobs []struct {
		Error int
		Write struct {
			IOs  int64 `json:"total_ios"`
			Late struct {
				Max int64 // ns
			} `json:"lat_ns"`
		}
	}
}

// writes adds up those of a run, and the longest of them.
func (r fioRun) writes() (n int64, longest time.Duration) {
	for _, j := range r.Jobs {
		n += j.Write.IOs
		longest = max(longest, time.Duration(j.Write.Late.Max))
	}
	return n, longest
}

// StartLoad starts a load on files of a directory, which goes on until Stop.
func (h *LinuxHost) StartLoad(dir string) *FileLoad {
	h.l.t.Helper()
	const pass = `fio --name=load --filename=%[1]s/load$((i %% 4)) --size=4m --bs=4k --rw=randwrite --ioengine=libaio --direct=1 --iodepth=8 ` +
		`--verify=crc32c --verify_fatal=1 --randseed=$((i + 1)) --output-format=json --output=/tmp/load.out`
	h.Must("rm -f /tmp/load.*; echo 0 >/tmp/load.passes")
	s, err := h.Start(fmt.Sprintf(`i=0
while [ ! -e /tmp/load.stop ]; do
	rm -f %[1]s/load$((i %% 4))
	`+pass+` >/tmp/load.said 2>&1 || { echo "pass $i has failed"; cat /tmp/load.said; } >/tmp/load.failed
	[ ! -e /tmp/load.failed ] || { cat /tmp/load.failed; exit 1; }
	mv /tmp/load.out /tmp/load.$i; i=$((i + 1)); echo $i >/tmp/load.new; mv /tmp/load.new /tmp/load.passes
done`, dir))
	if err != nil {
		h.l.t.Fatal(err)
	}
	f := &FileLoad{h, s}
	f.passed(1)
	return f
}

// passes is how many are done.
func (f *FileLoad) passes() int {
	f.h.l.t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(f.h.Must("cat /tmp/load.passes")))
	if err != nil {
		f.h.l.t.Fatal(err)
	}
	return n
}

// passed waits until so many are done; the test fails when the load has ended.
func (f *FileLoad) passed(n int) {
	f.h.l.t.Helper()
	_, code, err := f.h.Run(fmt.Sprintf("until read done </tmp/load.passes && [ $done -ge %d ]; do [ ! -e /tmp/load.failed ] || exit 1; sleep 0.3; done", n), 5*time.Minute)
	if err != nil || code != 0 {
		out, _, _ := f.h.Run("cat /tmp/load.failed; tail -n 20 /tmp/load.out", time.Minute)
		f.h.l.t.Fatalf("the load does not go on (%v)\n%s", err, out)
	}
}

// During makes a change under the load, and prints how long it took and the
// longest write of the passes that it fell into.
func (f *FileLoad) During(what string, change func()) {
	f.h.l.t.Helper()
	from, start := f.passes(), time.Now()
	change()
	took := time.Since(start)
	to := f.passes() + 1 // the pass that saw its end
	f.passed(to)
	reports := json.NewDecoder(strings.NewReader(f.h.Must(fmt.Sprintf("cd /tmp; for i in $(seq %d %d); do cat load.$i; done", from, to-1))))
	var writes int64
	var longest time.Duration
	for range to - from {
		var r fioRun
		if err := reports.Decode(&r); err != nil {
			f.h.l.t.Fatal(err)
		}
		n, long := r.writes()
		writes, longest = writes+n, max(longest, long)
	}
	f.h.l.t.Logf("%s: %v; a Linux host's longest write took %v; %d writes in %d passes verified", what, took.Round(time.Millisecond), longest.Round(time.Millisecond), writes, to-from)
}

// Stop ends the load after the pass under way; all have to have been verified.
func (f *FileLoad) Stop() {
	f.h.l.t.Helper()
	f.h.Must("touch /tmp/load.stop")
	out, code, err := f.script.Wait(3 * time.Minute)
	if err != nil || code != 0 {
		f.h.l.t.Fatalf("the load: exit code %d (%v)\n%s", code, err, out)
	}
}

// LongestWrite writes to a disk, or to a file whose blocks were all written before, for
// as long as a change takes and a moment before and after, and returns how long the
// longest write took: four are under way at a time, of 4 KiB.
func (h *LinuxHost) LongestWrite(file string, change func()) time.Duration {
	h.l.t.Helper()
	h.Must("rm -f /tmp/raw.*")
	s, err := h.Start("fio --thread --name=raw --filename=" + file + " --size=16m --bs=4k --rw=randwrite --ioengine=libaio --direct=1 --iodepth=4 " +
		"--time_based --runtime=600 --output-format=json --output=/tmp/raw.out & echo $! >/tmp/raw.pid; wait $!; cat /tmp/raw.out")
	if err != nil {
		h.l.t.Fatal(err)
	}
	const written = `until read pid 2>/dev/null </tmp/raw.pid && n=$(sed -n 's/^write_bytes: //p' /proc/$pid/io) && [ $n -gt 65536 ]; do sleep 0.1; done; sleep 1; `
	h.Must(written)
	change()
	h.Must("sleep 1; read pid </tmp/raw.pid; kill -INT $pid; while kill -0 $pid 2>/dev/null; do sleep 0.5; done")
	out, code, err := s.Wait(time.Minute)
	if err != nil || code != 0 {
		h.l.t.Fatalf("fio: exit code %d (%v)\n%s", code, err, out)
	}
	var r fioRun
	report := out[max(0, strings.Index(out, "{")):] // what fio has to say of its end comes before
	if err := json.Unmarshal([]byte(report), &r); err != nil {
		h.l.t.Fatalf("%v in what fio says:\n%s", err, out)
	}
	n, longest := r.writes()
	if n == 0 || len(r.Jobs) != 1 || r.Jobs[0].Error != 0 {
		h.l.t.Fatalf("fio has not written:\n%s", out)
	}
	return longest
}
