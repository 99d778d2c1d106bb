"""Answers to lesson 09, one module a check."""
