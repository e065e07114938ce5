#!/bin/bash
# A few rounds of tests/long/kill.sh.
: "${ROUNDS:=10}"
. "$(dirname "$0")/../long/kill.sh"
