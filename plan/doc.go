// Package plan compares what is configured with what is there and says what
// has to be done. It is pure: values in, a value out; the same input gives the
// same plan, byte for byte.
//
// Build makes one pass after another, each on the Snapshot that the ones
// before it are projected to leave, until nothing is left to do. One pass:
//
//  1. Every node gets its disks, lvstores, transport (pool.go).
//  2. Every volume is judged (state.Judge): which of its replicas are current?
//     What cannot be judged is left alone and reported.
//  3. Every volume that can be judged gets the first of these recipes that
//     has something to do (volume.go):
//     resume    a pause that somebody left open ends first
//     end       engines that were given up, and are back
//     names     the heads say who is current: mint the next epoch, fence the rest
//     create    sealed heads for a volume nobody has, or an empty one that lacks some
//     adopt     an lvol of somebody else's becomes the head of a volume nobody has
//     swap      an empty volume that lacks replicas gets them
//     reduce    replicas beyond the number asked for go
//     expand    every leg grows
//     widen     a volume whose engine did not hear of that is started again
//     serve     legs on links, RAID, export
//  4. Every pair of nodes that a volume needs a link between has one, and one
//     that carries nothing is let go (link.go, idle.go).
//  5. What is ours but not configured is destroyed if the operator allows it,
//     else reported (destroy.go).
//
// Every step is an Op, with its effect on the Snapshot in project.go. After
// each step, check.go, which knows nothing of how plans are made, looks at the
// projected Snapshot: a volume that had a complete current copy has one still,
// no pause is left open, nothing that is not ours was touched. A section
// that fails the check is left out and the plan made and checked anew (sound.go);
// a plan that still fails is an error, never carried out.
package plan
