#!/bin/sh
# Carries out a plan that plan.sh has made and somebody has approved. It fails
# when the nodes have changed so that another step would be needed; it may be run
# again after an interruption.
#
#	apply.sh [change.plan]
set -eu

strata apply --lock-timeout 10m "${1:-change.plan}"
