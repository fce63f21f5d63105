#!/bin/sh
# Cargo calls this instead of rustc, for the crates of the workspace alone: what they depend on is built once for everybody.
exec "$@" -C instrument-coverage
