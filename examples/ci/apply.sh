#!/bin/sh
# Carries out a plan that plan.sh has made and somebody has approved. It fails
# when the file is not that plan, when a rule forbids what is due, or when the nodes
# have changed so that another step would be needed; it may be run again after an
# interruption.
#
#	apply.sh DIGEST [change.plan [POLICY [BEFORE]]]
set -eu
digest=$1 file=${2:-change.plan} policy=${3:-} before=${4:-}
set --
[ -z "$before" ] || set -- --was "$before"
[ -z "$policy" ] || set -- --policy "$policy" "$@"

strata apply --lock-timeout 10m --digest "$digest" --plan "$file" "$@"
