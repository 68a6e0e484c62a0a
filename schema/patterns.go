package schema

import (
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A pattern is compiled when it is asked for: a run needs a few of them, and every
// start of strata would pay for all.
type pattern struct {
	text     string
	compiled func() *regexp.Regexp
}

func lazily(text string) pattern {
	return pattern{text, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}
}

// String is the pattern as schema.cue has it.
func (p pattern) String() string { return p.text }

func (p pattern) MatchString(s string) bool { return p.compiled().MatchString(s) }

// The patterns of schema.cue, for the checks in Go.
var (
	unixRPC   = lazily(`^unix:///[ -~]{1,106}$`)
	tcpRPC    = lazily(`^tcp://([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]{2,45}\]):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$`)
	httpRPC   = lazily(`^https?://([A-Za-z0-9._~+-]+@)?([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]{2,45}\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?(/[A-Za-z0-9._~/-]*)?$`)
	sshRPC    = lazily(`^ssh://[A-Za-z0-9_][A-Za-z0-9._-]*@([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]{2,45}\])(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?/[ -~]{0,105}[!-.0-~]$`)
	envName   = lazily(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	userFile  = lazily(`^(/|~/)[ -~]+$`)
	labelKey  = lazily(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$`)
	diskPath  = lazily(`^/[ -~]+$`)
	upwards   = lazily(`/\.\.(/|$)`)
	pciAddr   = lazily(`^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7]$`)
	lvsName   = lazily(`^[!-.0-~]{1,63}$`)
	lvolAlias = lazily(`^[!-.0-~]{1,63}/[!-~]([ -~]{0,61}[!-~])?$`)
	uuidNQN   = lazily(`^nqn\.2014-08\.org\.nvmexpress:uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	domainNQN = lazily(`^nqn\.[0-9]{4}-(0[1-9]|1[0-2])\.[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*:[!-~]+$`)
	// Of fence agents.
	fenceProgram   = lazily(`^([A-Za-z0-9][A-Za-z0-9._+-]{0,62}|/[ -~]+)$`)
	fenceAgent     = lazily(`(^|/)fence_[^/]*$`)
	fenceValue     = lazily(`^\P{Cc}*$`)
	optionName     = lazily(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)
	notAction      = lazily(`^(?i:action|option)$`)
	secretOption   = lazily(`(?i:passwd|password|passphrase|secret|secret[_-]?key|api[_-]?key|token)$`)
	secretArgument = lazily(`(?i:passw|passphrase|secret|token)`)

	// Of archives in buckets.
	s3Endpoint = lazily(`^https?://([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?/?$`)
	s3Bucket   = lazily(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	s3Prefix   = lazily(`^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$`)
	s3Word     = lazily(`^[A-Za-z0-9_-]{1,128}$`)

	sha256Sum = lazily(`^[0-9a-f]{64}$`)

	nbdPath = lazily(`^/dev/nbd(0|[1-9][0-9]{0,3})$`)
)

// Bounds and units of schema.cue, in bytes unless the name says otherwise.
const (
	sizeUnit = 1 << 20 // bdev_lvol_create takes a size in MiB
	maxSize  = 1 << 50

	minClusterSize     = 64 << 10
	maxClusterSize     = 1 << 30
	defaultClusterSize = 1 << 20
	maxOvercommit      = 1000

	maxNQN      = 223
	uuidPrefix  = "nqn.2014-08.org.nvmexpress:uuid:"
	maxReplicas = 99
	maxUblkID   = 1<<20 - 1
	maxStandby  = 15
	maxSeconds  = 3600
	maxParallel = 99
	maxKeep     = 9999

	minBandwidth = 1 << 20 // a second

	minPause = 10 * time.Millisecond
	maxPause = 30 * time.Second

	minInterval = time.Minute
	maxInterval = 366 * 24 * time.Hour
)

// validNQN reports whether SPDK accepts s as the name of a host.
func validNQN(s string) bool {
	if strings.HasPrefix(s, uuidPrefix) {
		return uuidNQN.MatchString(s)
	}
	return len(s) <= maxNQN && domainNQN.MatchString(s)
}

// validAddress reports whether one can listen on s and be reached there.
func validAddress(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && !a.IsUnspecified() && !a.IsMulticast()
}
