#!/bin/sh
# Plans the configuration in a directory and leaves three files: change.plan, to
# be carried out by apply.sh; plan.md, to be read; and changes, which is there
# only if there is something to do.
#
# A proposal may name any secret and any host: plan those with STRATA_SECRETS=none,
# or with the hosts that you know (strata plan --help).
#
#	plan.sh DIR
set -eu
dir=${1:-.}

strata validate "$dir"
rm -f changes
code=0
strata plan --detailed-exitcode --out change.plan "$dir" || code=$?
case $code in
0) ;;               # nothing to do
2) : >changes ;;
*) exit "$code" ;;  # an error, or nothing can be done: strata has printed why
esac
strata show --markdown change.plan >plan.md
