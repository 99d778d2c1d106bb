"""Right and wrong answers of lesson 08, one module for each check."""
