"""Answers to lesson 07, one module a check."""
