"""Answers to lesson 04, one module a check."""
