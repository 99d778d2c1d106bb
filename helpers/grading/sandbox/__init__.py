"""Where students' code runs while it is graded: without network, files, secrets or neighbours."""
