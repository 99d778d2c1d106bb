"""The answers to the checks of lesson 02."""
