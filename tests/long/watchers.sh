#!/bin/bash
# tests/live/watchers.sh with 300 pods.
export PODS_COUNT=300
exec bash "$(dirname "$0")/../live/watchers.sh"
