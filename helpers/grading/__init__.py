"""Grading with nbgrader: what the course adds to its releases."""
