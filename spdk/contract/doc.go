// Package contract states what an SPDK target does, method by method: results,
// exact codes and messages of errors, what it refuses and what it does without
// a word.
//
// [Run] checks one kind of target, which a [Lab] provides. The same cases run
// on the simulator in virtual time (go test ./spdk/contract) and on real
// targets (go test ./e2e -run Contract). Where they disagree, the simulator is
// wrong.
//
// A [Recorder] writes down what a real target answered; the simulator is
// checked against these transcripts, too.
//
// The package decides nothing and starts nothing: processes, disks and
// addresses are the Lab's.
package contract
