"""What the process imports from which workers are forked."""

import atexit
import os

from helpers.grading.quick_imports import quick_imports

with quick_imports(for_good=True):
    import torch._dynamo  # noqa: F401  # the first tensor on "meta" asks for it

    import helpers.grading.examiner  # noqa: F401

# Nothing is left to do when it ends, and the libraries of PyTorch's compiler would write a list of
# what they have not given back.
atexit.register(os._exit, 0)
