package schema

import (
	"bytes"
	"fmt"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Within loads a configuration and gives up after the limit, which flag sets; 0
// is none. A few lines of CUE can multiply without end, in time or in memory,
// and the evaluator cannot be stopped: when Within has given up it goes on until
// the process ends, which should be soon. So memory has a limit, too: half of
// what is free when it begins.
func Within(limit time.Duration, flag string, load func() (*Config, error)) (*Config, error) {
	if limit <= 0 {
		return load()
	}
	type result struct {
		cfg *Config
		err error
	}
	done := make(chan result, 1)
	go func() {
		cfg, err := load()
		done <- result{cfg, err}
	}()
	late := time.After(limit)
	look := time.NewTicker(lookAtMemory)
	defer look.Stop()
	most := memoryUsed() + freeMemory()/2
	for {
		select {
		case r := <-done:
			return r.cfg, r.err
		case <-late:
			return nil, Problems{{
				Text: fmt.Sprintf("the configuration is not evaluated after %s, the limit of %s", limit, flag),
				Hint: fmt.Sprintf("look for a template or a loop that multiplies; if it is merely large, raise the limit: %s %s", flag, 10*limit),
			}}
		case <-look.C:
			if used := memoryUsed(); used > most {
				return nil, Problems{{
					Text: fmt.Sprintf("evaluating the configuration takes more than %dMi of memory, half of what was free", used>>20),
					Hint: "look for a template or a loop that multiplies; if it is merely large, evaluate it where there is more memory",
				}}
			}
		}
	}
}

// lookAtMemory is how often it is: what doubles takes a while to be written.
const lookAtMemory = 20 * time.Millisecond

// memoryUsed is what this process has of the system, in bytes.
func memoryUsed() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}

// freeMemory is how much this process may still have, in bytes: what the machine
// has free, or its control group lets it have; at least 2 GiB is assumed, for what is
// garbage is kept up to 512 MiB.
func freeMemory() int64 {
	free := int64(1) << 40
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if _, rest, ok := bytes.Cut(b, []byte("MemAvailable:")); ok {
			if f := strings.Fields(string(rest)); len(f) > 0 {
				if kib, err := strconv.ParseInt(f[0], 10, 64); err == nil {
					free = kib << 10
				}
			}
		}
	}
	most, errMost := numberIn("/sys/fs/cgroup/memory.max")
	now, errNow := numberIn("/sys/fs/cgroup/memory.current")
	if errMost == nil && errNow == nil {
		free = min(free, most-now)
	}
	return max(free, 2<<30)
}

func numberIn(file string) (int64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
}
