"""The interactive demos, one module a lesson: a pure drawing function and a thin widget."""
