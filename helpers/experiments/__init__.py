"""The experiments of the lessons: one function for each claim, used by notebook and test alike."""
