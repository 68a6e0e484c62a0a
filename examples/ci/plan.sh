#!/bin/sh
# Plans the configuration in a directory and leaves four files: change.plan, to
# be carried out by apply.sh; plan.md, to be read; digest, by which apply.sh knows
# that plan again; and changes, which is there only if there is something to do.
#
# A proposal may name any secret and any host: plan those with STRATA_SECRETS=none,
# or with the hosts that you know (strata plan --help).
#
#	plan.sh DIR [POLICY [BEFORE]]
#
# POLICY is a directory with rules for plans, and BEFORE the configuration before
# the change, whose labels count for the rules, too. Both have to come from where
# whoever proposes the change cannot change them.
# After a power cut, before a plan that is to be approved (and not for a proposal), run
#
#	strata apply --attach DIR
#
# so that disks are looked at: then the plan has the whole recovery.
set -eu
dir=${1:-.} policy=${2:-} before=${3:-}
set -- "$dir"
[ -z "$before" ] || set -- --was "$before" "$@"
[ -z "$policy" ] || set -- --policy "$policy" "$@"

strata validate "$dir"
rm -f change.plan changes digest
code=0
strata plan --detailed-exitcode --out change.plan "$@" || code=$?
case $code in
0) ;;               # nothing to do
2) : >changes ;;
*) exit "$code" ;;  # an error, a rule is broken, or nothing can be done: strata has printed why
esac
strata show --markdown change.plan >plan.md
strata show change.plan | sed -n 's/^Digest: //p' >digest
