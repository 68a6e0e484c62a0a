package nvmetcp

import (
	"context"
	"fmt"
)

func (q *hostQueue) property(ctx context.Context, at uint32, wide bool) (uint64, error) {
	c := newCommand(opFabrics)
	c[4] = fcPropertyGet
	if wide {
		c[40] = 1
	}
	c.put(11, at)
	v, err := q.do(ctx, c, nil, nil)
	if err != nil {
		return 0, fmt.Errorf("reading property %#x: %w", at, err)
	}
	return v, nil
}

func (q *hostQueue) setProperty(ctx context.Context, at, v uint32) error {
	c := newCommand(opFabrics)
	c[4] = fcPropertySet
	c.put(11, at)
	c.put64(12, uint64(v))
	_, err := q.do(ctx, c, nil, nil)
	return err
}

func (q *hostQueue) identify(ctx context.Context, cns uint32, nsid uint32) ([]byte, error) {
	c := newCommand(opIdentify)
	c.put(1, nsid)
	c.put(10, cns)
	b := make([]byte, identifyLen)
	if _, err := q.do(ctx, c, nil, b); err != nil {
		return nil, fmt.Errorf("identify, structure %d: %w", cns, err)
	}
	return b, nil
}

func (q *hostQueue) feature(ctx context.Context, id, v uint32) (uint64, error) {
	c := newCommand(opSetFeatures)
	c.put(10, id)
	c.put(11, v)
	return q.do(ctx, c, nil, nil)
}
