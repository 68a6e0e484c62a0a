#!/bin/sh
# Takes the targets of a cluster one by one, has each stopped, upgraded and started
# again, and nothing is rebuilt (where links wait: links: loss: "wait"). Hosts of volumes
# that need the node wait meanwhile; those of all others go on.
#
#	upgrade.sh DIR RESTART NODE...
#
# DIR is the configuration, a directory. RESTART is a command that is given a node, and
# returns when its target answers again, such as a script with
#
#	ssh "root@$1" 'apt-get install -y spdk && systemctl restart spdk_tgt'
#
# It may be run again after an interruption: begin with the node that it was at.
set -eu
dir=$1 restart=$2
shift 2
package=$(sed -n 's/^package //p' "$dir"/*.cue | head -n 1)
word=$dir/maintenance.cue

for node; do
	# All of it has to be well before anything is taken away.
	strata wait --for converged --timeout 30m "$dir"

	cat >"$word" <<CUE
package $package

nodes: "$node": maintenance: suspend: for: "30m"
CUE
	# 0: what the node serves is taken down, and its target may go.
	strata apply --auto-approve "$dir"

	"$restart" "$node"

	rm "$word"
	strata apply --auto-approve "$dir"
done
