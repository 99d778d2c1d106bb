"""The checks, one module a lesson: inputs, what is looked at, and the public `check_*` faces."""
