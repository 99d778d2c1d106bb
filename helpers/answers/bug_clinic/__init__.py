"""Answers to the bug clinic, one module a program."""
