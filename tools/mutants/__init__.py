"""Mutation testing of the checkers: would a check notice if the solution were slightly wrong?

`make mutants` changes each solution in one place at a time and lets the TODO's check judge every
change. A change that a check lets pass is a survivor: either the check lacks a case, or the change
is right as well, and then `tests/checks/mutants.toml` says why.

Read in this order: `scope` (which names a change may use), `expressions` and `statements` (the
changes), `making` (all changes of one TODO's cell), `exercises` (what runs before that cell),
`trial` (one change before its check), `reasons` (the list of those that may survive), `report`,
`__main__` (the command).

The changes are our own, some two hundred lines. Those of cosmic-ray (parso trees) and mutmut
(libcst) were tried: they replace operators, numbers and keywords, and cosmic-ray puts random
numbers for names. They know nothing of what students forget, which are most of the changes here:
`.detach()`, `torch.no_grad()`, `keepdim=True`, an argument, a term of a sum, one name for another.
Both want to run a test suite on files, with a database or a copy of the project, where here a
cell of a notebook is to be judged in a namespace. What they would save is a table of operators.
"""
