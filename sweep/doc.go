// Package sweep breaks strata at every point and looks whether the storage
// minds. It has tests only.
//
// A scenario (testdata/sweep/*.txtar in the repository) is a cluster, hosts
// that use its volumes, and one change. TestSweep carries the change out again
// and again, and each time one thing goes wrong at one of its calls: the call
// is lost, its answer is, the target dies or hangs, strata dies, the power
// goes. Then strata runs until nothing is left to do. In scenarios of the kind watched
// a watch keeps the cluster, and is started again when it dies, as by systemd; there
// things also go wrong at the calls of pulses. Meanwhile hosts write and
// read back, in some scenarios also by one node each, so that two engines at once are
// seen; and after every call that changed something the disks are looked
// at as if the power went there and then.
//
// Scenarios with an archive have it in memory: there things go wrong at what is done to
// its files, too, it is away or full for a while, and in the end every record has what
// its layer has.
//
// The targets are simulated and time is virtual (testing/synctest), so a case
// is reproduced by scenario, kind of trouble and call, which a
// failure prints as the command that does it. With -debug-rpc that also writes
// down what every call was answered.
package sweep
