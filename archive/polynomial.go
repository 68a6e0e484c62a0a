package archive

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
	"strconv"
)

// polynomial is one over GF(2), the bits its coefficients. Restic cuts files with an
// irreducible one of degree 53 that is random and kept in the repository's config.
// Images are cut into blocks and do not need it; restic does when it backs up files
// into the same repository.
type polynomial uint64

const chunkerDegree = 53

func newPolynomial() polynomial {
	var raw [8]byte
	for {
		rand.Read(raw[:])
		p := polynomial(binary.LittleEndian.Uint64(raw[:]))&(1<<chunkerDegree-1) | 1<<chunkerDegree | 1
		if p.irreducible() {
			return p
		}
	}
}

func (p polynomial) degree() int { return bits.Len64(uint64(p)) - 1 }

func (p polynomial) mod(q polynomial) polynomial {
	for p.degree() >= q.degree() {
		p ^= q << (p.degree() - q.degree())
	}
	return p
}

// square is p² modulo q: squaring puts a zero between any two coefficients.
func (p polynomial) square(q polynomial) (r polynomial) {
	for i := p.degree(); i >= 0; i-- {
		r = (r << 2).mod(q)
		if p>>i&1 == 1 {
			r ^= 1
		}
	}
	return r.mod(q)
}

// irreducible tells by Ben-Or's test: x^(2^i) - x has every irreducible polynomial
// whose degree divides i as a factor, so none up to half the degree may share one.
func (p polynomial) irreducible() bool {
	const x = polynomial(2)
	power := x
	for range p.degree() / 2 {
		power = power.square(p)
		a, b := p, power^x
		for b != 0 {
			a, b = b, a.mod(b)
		}
		if a != 1 {
			return false
		}
	}
	return p.degree() > 0
}

// MarshalText writes the polynomial in hexadecimal.
func (p polynomial) MarshalText() ([]byte, error) {
	return strconv.AppendUint(nil, uint64(p), 16), nil
}

// UnmarshalText reads what MarshalText writes.
func (p *polynomial) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 16, 64)
	*p = polynomial(n)
	return err
}
