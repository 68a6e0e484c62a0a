package apply

import (
	"errors"
	"io"
	"os"
	"os/exec"
)

// guardProcess is a running guard by its standard input and output.
type guardProcess struct {
	io.WriteCloser
	io.Reader
	cmd *exec.Cmd
}

// GuardProcess re-executes this program with the given arguments as the guard,
// in a process group of its own: what is typed at the terminal is not for it.
func GuardProcess(args ...string) (GuardConn, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "strata"
	cmd.Stderr = os.Stderr
	detach(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &guardProcess{in, out, cmd}, nil
}

// PID is its number.
func (g *guardProcess) PID() int { return g.cmd.Process.Pid }

// Close ends the guard's input and waits until it has ended.
func (g *guardProcess) Close() error {
	return errors.Join(g.WriteCloser.Close(), g.cmd.Wait())
}
