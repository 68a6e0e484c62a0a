package nvmetcp

import (
	"crypto/rand"
	"errors"
	"math/big"
	"sync"
)

// Diffie-Hellman groups of RFC 7919, by the numbers that NVMe has for them. 0 is
// none: the key alone is relied on.
const (
	groupNull = 0
	group2048 = 1
	group3072 = 2
	group4096 = 3
	group6144 = 4
	group8192 = 5
)

// groupSizes has the length of each in bits, and the number X of the RFC.
var groupSizes = map[uint8]struct {
	bits uint
	x    int64
}{
	group2048: {2048, 560316},
	group3072: {3072, 2625351},
	group4096: {4096, 5736041},
	group6144: {6144, 15705020},
	group8192: {8192, 10965728},
}

// groups are taken in this order: what is longer takes seconds where SPDK is the
// other end, and adds nothing to keys of 32 bytes.
var groups = []uint8{group3072, group4096, group6144, group8192, group2048, groupNull}

var primes sync.Map

// prime is the one of a group: 2^b - 2^(b-64) + (floor(2^(b-130) e) + X) 2^64 - 1.
func prime(group uint8) *big.Int {
	if p, ok := primes.Load(group); ok {
		return p.(*big.Int)
	}
	g := groupSizes[group]
	one := big.NewInt(1)
	power := func(n uint) *big.Int { return new(big.Int).Lsh(one, n) }
	// e is the sum of 1/n!, computed with 64 bits to spare.
	e, term := new(big.Int), power(g.bits-130+64)
	for n := int64(1); term.Sign() > 0; n++ {
		e.Add(e, term)
		term.Quo(term, big.NewInt(n))
	}
	e.Rsh(e, 64)
	p := power(g.bits)
	p.Sub(p, power(g.bits-64))
	p.Add(p, e.Lsh(e.Add(e, big.NewInt(g.x)), 64))
	p.Sub(p, one)
	primes.Store(group, p)
	return p
}

// pair is a key pair of a group, for one use.
type pair struct {
	group   uint8
	private *big.Int
}

func newPair(group uint8) *pair {
	b := make([]byte, 64) // RFC 7919 asks for 50 at most
	rand.Read(b)
	return &pair{group, new(big.Int).SetBytes(b)}
}

// length is that of public keys and secrets, in bytes.
func (p *pair) length() int { return int(groupSizes[p.group].bits / 8) }

// public is what the other end is sent.
func (p *pair) public() []byte {
	return new(big.Int).Exp(big.NewInt(2), p.private, prime(p.group)).FillBytes(make([]byte, p.length()))
}

var errPublic = errors.New("nvmetcp: not a public key of the group")

// agree is the secret with the owner of a public key.
func (p *pair) agree(public []byte) ([]byte, error) {
	y, m := new(big.Int).SetBytes(public), prime(p.group)
	if len(public) > p.length() || y.Cmp(big.NewInt(1)) <= 0 || y.Cmp(new(big.Int).Sub(m, big.NewInt(1))) >= 0 {
		return nil, errPublic
	}
	return y.Exp(y, p.private, m).FillBytes(make([]byte, p.length())), nil
}
