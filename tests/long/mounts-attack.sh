#!/bin/bash
# tests/live/mounts-attack.sh with as many starts as a real race takes.
export STARTS=5000
exec bash "$(dirname "$0")/../live/mounts-attack.sh"
