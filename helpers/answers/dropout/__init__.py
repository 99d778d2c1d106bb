"""Right and wrong answers to the checks of lesson 05, one module a check."""
