// Package plan has the words in which it is said what has to be done: plans,
// their steps and operations, and how they are printed. The packages below it
// compare what is configured with what is there. All of that is pure: values in, a
// value out; the same input gives the same plan, byte for byte.
//
// recipe.Build makes one pass after another, each on the Snapshot that the ones
// before it are projected to leave, until nothing is left to do. One pass:
//
//  1. Every node gets its disks, lvstores (pool.go, store.go), transport. Pools are
//     remembered by others, and those that are missed are known (member.go).
//  2. Every volume is judged (state.Judge): which of its incarnations is in use
//     (incarnation.go), and which replicas of that one are current? What cannot
//     be judged is left alone and reported. What is left of others is fenced.
//  3. Every volume that can be judged gets these recipes, in this order, at most
//     a rung of each. In brackets is the duty that one takes where nobody looks at
//     the plan (duty.go), with … if parts of it take another; without, it has no
//     steps then (table.go):
//     One that a suspended node serves, before all others are looked at:
//     suspend   a volume is taken down whose engine is on a node that is suspended, and stays down until it is back [serve]
//     A volume that nobody has:
//     follow    what an archive has of another is written to it as it is recorded; when it is to follow no more, it is served [change]
//     instant   hosts use it while what an archive has of it is still being written [serve…]
//     seen      no volume is new while a node that may have a replica was not read (create.go)
//     clone     sealed heads on a layer of another volume [change]
//     restore   a sealed head of what an archive or a file has [change]
//     adopt     an lvol of somebody else's becomes its head [change]
//     create    sealed heads, which are empty [change]
//     A volume that is there, before anything else:
//     suspended a volume that needs a suspended node is left as it is (suspend.go)
//     untrimmed what an interrupted trim has left of a volume ends (trim.go) [serve]
//     resume    a pause that somebody left open ends [serve]
//     spent     a volume whose names count too high is left as it is
//     alone     a volume whose next step is left to a person is left as it is
//     ciphered  a volume that is encrypted and not to be, or the other way round, is left as it is (cipher.go)
//     silence   the listeners of an engine go that another has taken over from, and that is back (return.go) [serve…]
//     end       engines end that were given up, and are back [serve…]
//     overtaken an engine that serves nobody is left as it is while others may be ahead of it
//     patience  legs whose peer is gone are waited for, over links that wait, or the epoch without them is minted and the peer let go [serve…]
//     peers     links whose peer was given up are made again before their volume is served [serve]
//     One that an engine serves: it stays in use, or is taken down to be started in another shape:
//     names     the heads say who is current: the next epoch is minted, and the rest fenced [serve…]
//     move      another node becomes the engine: the one that is set [never]
//     relink    links of a former name are left (former.go) [change]
//     leave     another node becomes the engine when no replica is to stay on its own (engine.go) [move…]
//     swap      an empty volume that lacks replicas gets them [rebuild]
//     widen     a volume whose engine did not hear that a leg grew is started again (expand.go) [change]
//     One that an engine goes on serving:
//     shaken    a head that is not complete is left alone while its node lets go of a peer (peers.go)
//     mirror    legs are brought to the engine over links, and several of them into a RAID [serve]
//     parted    a leg whose peer is let go in this pass is looked at in the next (peers.go)
//     reduce    replicas beyond the number asked for go [rebuild…]
//     expand    every leg grows [change]
//     hold      an export that is to go stays while its engine would not be believed without (serve.go)
//     export    hosts reach the volume as configured, and in no other way [serve…]
//     repair    a replica with a layer that is damaged is made anew from that layer on, by one that is well [rebuild…]
//     rebuild   a volume that lacks a replica gets it, while hosts go on writing [rebuild…]
//     rekey     replicas are written anew, with another key or none, one after the other while hosts go on [move]
//     tidy      what nobody uses is taken off the links, and staging goes (mirror.go) [rebuild]
//     standby   other nodes have a path for hosts, which leads to no disk until the engine is there [serve…]
//     One that no engine serves, which is started; then rebuild, where it is to have no engine, and tidy:
//     unsure    no volume is started from a disk that may be a copy
//     fill      an empty volume gets the heads that it lacks (create.go) [rebuild or change]
//     expand    every leg grows [change]
//     mirror    legs are brought to the engine over links, and several of them into a RAID [serve]
//     names     the heads say who is current: the next epoch is minted, and the rest fenced [serve…]
//     export    hosts reach the volume as configured, and in no other way [serve…]
//     reduce    replicas beyond the number asked for go [rebuild…]
//  4. The layers of every volume whose legs can all be reached get the first of
//     these recipes that has something to do, or the last two (layers.go):
//     copied    layers stay while a run that is over still copies one (running.go)
//     merge     what an interrupted cut left goes, and what strata needed for itself (layers.go) [rebuild or change]
//     detach    a clone is made to stand on no layer of another volume (clone.go) [change]
//     revert    the head is put on an older layer again
//     remove    layers go that are not configured any more, or too many (retain.go) (layers.go) [change…]
//     cut       a layer is cut that is configured, due by schedule, or a mark (mark.go), in a group at one instant (group.go) [rebuild or change…]
//     backup    a snapshot is recorded in an archive that is to be there [change]
//     trim      what nobody uses and reads as zero is freed, if that is asked for [never]
//     scrub     layers are read, if that is asked for or due, and compared [change]
//  5. Every pair of nodes that a volume needs a link between has one, and one
//     that carries nothing is let go (link.go, idle.go). Their ends prove themselves to each
//     other, if that is asked for (linkkeys.go).
//  6. What is ours but not configured is destroyed if the operator allows it,
//     else reported (destroy.go).
//  7. Records of archives go that are too many, and what only they needed [change] (forget.go).
//
// A volume that is laid out over parts is planned as these, at 3 and 4, and one thing more:
// all parts are judged before any of them is started or goes to another engine, and then
// they are laid out and exported (parts.go, whole.go).
//
// Every step is an Op, with its effect on the Snapshot in package world. After
// each step package check, which knows nothing of how plans are made, looks at the
// projected Snapshot: a volume that had a complete current copy has one still,
// no pause is left open, nothing that is not ours was touched. A section
// that fails the check is left out and the plan made and checked anew (checked.go);
// a plan that still fails is an error, never carried out.
//
// A pass looks again only at what the one before has touched, and at what rests on
// that (passes.go); before a plan is called complete everything is looked at once
// more. apply goes on so, too, while it copies layers (planner.go).
package plan
