package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A simulator writes its process id into a file of its directory once it serves, and has that
// file locked for as long as it runs: so whoever finds it locked knows that the id is still its.
func simFile(dir string) string { return filepath.Join(dir, "sim.pid") }

// serving has the file of a simulator that serves; nil if another in that directory has it.
func serving(dir string) (*os.File, error) {
	f, err := os.OpenFile(simFile(dir), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return nil, f.Close()
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteString(strconv.Itoa(os.Getpid()) + "\n")
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// runningSim is the process id of the simulator of a directory; 0 for none.
func runningSim(dir string) (int, error) {
	f, err := os.Open(simFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return 0, nil // it is gone
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return 0, err
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text))) // it is being written
	return pid, nil
}

// simPatience is how long a simulator may take to serve, and to end.
const simPatience = 30 * time.Second

// simInBackground starts this program again as a simulator of its own session, and returns
// when it serves.
func simInBackground(out io.Writer, dir string, args []string) error {
	switch pid, err := runningSim(dir); {
	case err != nil:
		return err
	case pid != 0:
		return fmt.Errorf("process %d serves targets in %s already; strata sim --dir %s --stop ends it", pid, dir, dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	said := filepath.Join(dir, "sim.log")
	log, err := os.Create(said)
	if err != nil {
		return err
	}
	defer log.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--background" || arg == "--background=true" })...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for late := time.After(simPatience); ; {
		if pid, err := runningSim(dir); err == nil && pid == cmd.Process.Pid {
			text, err := os.ReadFile(said)
			fmt.Fprintf(out, "%sin the background, as process %d; strata sim --dir %s --stop ends it\n", text, pid, dir)
			return err
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(said) // what is not there is not said
			return errors.New(strings.TrimPrefix(strings.TrimSpace(string(text)), "strata: "))
		case <-late:
			return errors.Join(fmt.Errorf("the simulator did not serve within %s; %s has what it said", simPatience, said), cmd.Process.Kill())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stopSim ends the simulator of a directory, and returns when it is gone.
func stopSim(out io.Writer, dir string) error {
	pid, err := runningSim(dir)
	if err != nil {
		return err
	}
	if pid == 0 {
		return fmt.Errorf("no simulator serves targets in %s", dir)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("process %d, which serves targets in %s: %w", pid, dir, err)
	}
	for late := time.After(simPatience); ; {
		if now, err := runningSim(dir); err == nil && now != pid {
			fmt.Fprintf(out, "process %d has ended; what is on its disks is kept in %s\n", pid, dir)
			return nil
		}
		select {
		case <-late:
			return fmt.Errorf("process %d, which serves targets in %s, has not ended within %s", pid, dir, simPatience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
