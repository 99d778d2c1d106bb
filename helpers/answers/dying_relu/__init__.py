"""Answers to lesson 03, one module a check."""
