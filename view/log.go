package view

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"strata/amount"
)

// Log is a handler of slog that keeps the last lines for the View, from info on. It
// knows no groups.
func (b *Board) Log() slog.Handler { return lines{board: b} }

type lines struct {
	board *Board
	with  []slog.Attr
}

func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	e := Entry{At: r.Time, Level: r.Level.String(), Text: r.Message}
	add := func(a slog.Attr) bool {
		if value := words(a.Key, a.Value.Resolve()); value != "" {
			e.Facts = append(e.Facts, Fact{a.Key, value})
		}
		return true
	}
	for _, a := range l.with {
		add(a)
	}
	r.Attrs(add)
	l.board.enter(e)
	return nil
}

func (l lines) WithAttrs(all []slog.Attr) slog.Handler {
	return lines{l.board, append(l.with[:len(l.with):len(l.with)], all...)}
}

func (l lines) WithGroup(string) slog.Handler { return l }

// sizes are the keys whose values are bytes.
var sizes = map[string]bool{"copied": true, "bytes": true, "bytesPerSecond": true}

// words are the value of a key as people read it; "" for none.
func words(key string, v slog.Value) string {
	switch {
	case v.Kind() == slog.KindDuration:
		return v.Duration().Round(time.Millisecond).String()
	case v.Kind() == slog.KindInt64 && sizes[key]:
		return amount.About(v.Int64())
	}
	return fmt.Sprint(v.Any())
}
