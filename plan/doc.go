// Package plan compares what is configured with what is there and says what
// has to be done. It is pure: values in, a value out; the same input gives the
// same plan, byte for byte.
//
// Build makes one pass after another, each on the Snapshot that the ones
// before it are projected to leave, until nothing is left to do. One pass:
//
//  1. Every node gets its disks, lvstores (pool.go, store.go), transport. Pools are
//     remembered by others, and those that are missed are known (member.go).
//  2. Every volume is judged (state.Judge): which of its incarnations is in use
//     (incarnation.go), and which replicas of that one are current? What cannot
//     be judged is left alone and reported. What is left of others is fenced.
//  3. Every volume that can be judged gets these recipes, in this order, at most
//     a rung of each (volume.go):
//     create    sealed heads for a volume nobody has, or an empty one that lacks some
//     clone     the same on a layer of another volume
//     adopt     an lvol of somebody else's becomes the head of a volume nobody has
//     resume    a pause that somebody left open ends
//     end       engines that were given up, and are back
//     names     the heads say who is current: mint the next epoch, fence the rest
//     move      another node becomes the engine: the one that is set, or one with
//     a replica when none is to stay on the engine's (engine.go)
//     swap      an empty volume that lacks replicas gets them
//     widen     a volume whose engine did not hear that a leg grew is started again
//     serve     legs on links, RAID, export
//     reduce    replicas beyond the number asked for go
//     expand    every leg grows
//     rebuild   a volume that lacks a replica gets it, while hosts go on writing
//  4. The layers of every volume whose legs can all be reached get the first of
//     these recipes that has something to do, or the last two (layers.go):
//     merge     what an interrupted cut left goes, and what strata needed for itself
//     detach    a clone is made to stand on no layer of another volume
//     revert    the head is put on an older layer again
//     remove    layers go that are not configured any more, or too many (retain.go, retention)
//     cut       one is cut that is configured, due by schedule, or a mark (mark.go),
//     the volumes of a group at one instant (group.go)
//  5. Every pair of nodes that a volume needs a link between has one, and one
//     that carries nothing is let go (link.go, idle.go).
//  6. What is ours but not configured is destroyed if the operator allows it,
//     else reported (destroy.go).
//
// Every step is an Op, with its effect on the Snapshot in project.go. After
// each step, check.go, which knows nothing of how plans are made, looks at the
// projected Snapshot: a volume that had a complete current copy has one still,
// no pause is left open, nothing that is not ours was touched. A section
// that fails the check is left out and the plan made and checked anew (sound.go);
// a plan that still fails is an error, never carried out.
package plan
