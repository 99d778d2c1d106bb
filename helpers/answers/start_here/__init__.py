"""Answers to lesson 00, one module a check."""
