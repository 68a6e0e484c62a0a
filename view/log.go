package view

import (
	"context"
	"fmt"
	"log/slog"
	"time"
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
		e.Facts = append(e.Facts, Fact{a.Key, words(a.Value.Resolve())})
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

// words are a value as people read it.
func words(v slog.Value) string {
	if v.Kind() == slog.KindDuration {
		return v.Duration().Round(time.Millisecond).String()
	}
	return fmt.Sprint(v.Any())
}
