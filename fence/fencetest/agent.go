// Package fencetest has a fence agent for tests: fence_dummy of ClusterLabs, and what
// can be wrong with one.
package fencetest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Main is the agent's: it reads options and action from its standard input, and ends the
// process. Like those of ClusterLabs it does not read them when it has arguments, and
// reboots. It knows these options:
//
//	status_file  has "on" or "off", which is the power of the machine; without it none
//	log_file     gets a line for each action, if it is given
//	password     is printed, by what is noisy
//	type         what it is like:
//	             ""       as it should be
//	             slow     the machine is off at the second status after off
//	             lies     off exits with 0, and the machine stays on
//	             fails    off exits with 1, and the machine stays on
//	             denies   off exits with 1, and the machine is off
//	             mute     status and monitor exit with 1
//	             hangs    off and what it starts never end, whatever signal they get
//	             stuck    status hangs in that way
//	             noisy    much output, with escape sequences, and a failure
func Main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, in io.Reader, out, errs io.Writer) int {
	opt := map[string]string{"action": "reboot"}
	if len(args) == 0 {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), "=")
			opt[name] = value
		}
	}
	if log := opt["log_file"]; log != "" {
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return 1
		}
		fmt.Fprintln(f, opt["action"])
		f.Close()
	}
	switch opt["action"] {
	case "metadata":
		fmt.Fprintf(out, "<?xml version=\"1.0\" ?>\n<resource-agent name=\"fence_dummy\">\n<actions>\n")
		for _, a := range []string{"on", "off", "reboot", "status", "monitor", "metadata"} {
			fmt.Fprintf(out, "\t<action name=%q/>\n", a)
		}
		fmt.Fprintln(out, "</actions>\n</resource-agent>")
		return 0
	case "status", "monitor":
		return status(opt, out, errs)
	case "off":
		return off(opt, out, errs)
	case "on", "reboot":
		return set(opt, "on", errs)
	}
	return 1
}

func status(opt map[string]string, out, errs io.Writer) int {
	if opt["type"] == "stuck" {
		hang(opt)
	}
	if opt["type"] == "mute" {
		fmt.Fprintln(errs, "Failed: Unable to connect/login to fencing device")
		return 1
	}
	power, err := os.ReadFile(opt["status_file"])
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	switch strings.TrimSpace(string(power)) {
	case "going off":
		set(opt, "off", errs)
	case "off":
		fmt.Fprintln(out, "Status: OFF")
		return 2
	}
	fmt.Fprintln(out, "Status: ON")
	return 0
}

func off(opt map[string]string, out, errs io.Writer) int {
	switch opt["type"] {
	case "slow":
		return set(opt, "going off", errs)
	case "lies":
	case "fails":
		fmt.Fprintln(errs, "Failed: Timed out waiting to power OFF")
		return 1
	case "denies":
		set(opt, "off", errs)
		return 1
	case "hangs":
		fmt.Fprintln(errs, "Connecting")
		hang(opt)
	case "noisy":
		for range 1000 {
			fmt.Fprint(errs, strings.Repeat("\x1b[31mpassword is "+opt["password"]+"\x1b[0m\x07\r\n", 100))
		}
		fmt.Fprintf(errs, "\x1b]0;title\x07%s\x1b[1m%s is wrong: \xff\u202eend\n", opt["password"][:2], opt["password"][2:])
		return 1
	default:
		if set(opt, "off", errs) != 0 {
			return 1
		}
	}
	fmt.Fprintln(out, "Success: Powered OFF")
	return 0
}

func set(opt map[string]string, power string, errs io.Writer) int {
	if err := os.WriteFile(opt["status_file"], []byte(power+"\n"), 0o600); err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	return 0
}

// hang starts a process that has the output open, too, and neither ends.
func hang(opt map[string]string) {
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	if opt["alone"] == "" {
		startStuck()
	}
	for {
		time.Sleep(time.Hour)
	}
}

func startStuck() {
	self, err := os.Executable()
	if err != nil {
		return
	}
	r, w, err := os.Pipe()
	if err != nil {
		return
	}
	fmt.Fprint(w, "action=status\ntype=stuck\nalone=yes\n")
	w.Close()
	_, _ = os.StartProcess(self, []string{os.Args[0]}, &os.ProcAttr{Files: []*os.File{r, os.Stdout, os.Stderr}})
}
