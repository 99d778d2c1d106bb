"""Answers to lesson 01, one module a check."""
