"""What exceptions mean, where they mean the same in every exercise."""

from __future__ import annotations

import re
from dataclasses import dataclass

from helpers.checking.observing import Trouble
from helpers.checking.recipe import Slip


@dataclass(frozen=True)
class Sign:
    """How an exception shows a mistake."""

    types: str
    """The names of the exception's types, with bars between them; empty for any."""
    words: str
    """A regular expression that is found in its message."""
    slip: Slip
    in_your_line: bool | None = None
    """Whether the student's own line must have raised it, or must not have."""

    def fits(self, trouble: Trouble) -> bool:
        if self.types and trouble.type not in self.types.split("|"):
            return False
        if self.in_your_line is not None and self.in_your_line != bool(trouble.line):
            return False
        return re.search(self.words, trouble.message) is not None


def says(id: str, diagnosis: str, hint: str) -> Slip:
    return Slip(id, diagnosis, hint, ({},))


SIGNS = (
    Sign(
        "AttributeError",
        r"before Module.__init__\(\) call|has no attribute '_(?:modules|parameters|buffers|\w*hooks)'",
        says(
            "module-not-initialised",
            "Your class does not initialise `nn.Module`.",
            "Write `super().__init__()` as the first line of `__init__`, then run this cell again.",
        ),
    ),
    Sign(
        "NotImplementedError",
        r'"forward"',
        says(
            "no-forward",
            "Your class has no method `forward` that PyTorch finds.",
            "Write `def forward(self, x)`, indented like the other methods.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"modified by an inplace operation",
        says(
            "changes-what-autograd-needs",
            "Your code changes in place what autograd still needs.",
            "Look for `+=`, `/=`, an indexed assignment or a method that ends in an underscore, and "
            "write `v = v / n` instead of `v /= n`, then run this cell again.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"a (?:view of a )?leaf Variable that requires grad is being used in an in-?place operation",
        says(
            "changes-a-leaf",
            "Your code changes in place a tensor that asks for gradients.",
            "Work on a copy or write a new tensor: `x = x * 2` and not `x *= 2`. Where changing it is "
            "the purpose, as in an optimiser's step, do it inside `with torch.no_grad():`.",
        ),
    ),
    Sign(
        "",
        r"only one element tensors can be converted|only integer tensors of a single element"
        r"|a Tensor with \d+ elements cannot be converted to Scalar"
        r"|only (?:length-1|0-dimensional) arrays can be converted",
        says(
            "tensor-for-a-number",
            "A tensor of several entries stands where one Python number is needed, as in the functions "
            "of Python's `math`, in `float(...)` or in `.item()`.",
            "Use PyTorch's functions, such as torch.exp and torch.sqrt, which take whole tensors.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"Boolean value of Tensor with more than one value is ambiguous",
        says(
            "if-on-a-tensor",
            "An `if`, `and`, `while` or Python's `max` asks a whole tensor for one truth value.",
            "torch.where(condition, a, b) decides for each entry by itself.",
        ),
    ),
    Sign(
        "TypeError",
        r"takes \d+ positional arguments? but \d+ (?:was|were) given"
        r"|takes from \d+ to \d+ positional arguments but",
        says(
            "too-few-parameters",
            "A function, class or method gets more arguments than it takes. In a method of yours the first "
            "one is `self`; a layer is made before it is called: nn.ReLU()(x), not nn.ReLU(x).",
            "Compare the call with the signature; in your own code keep those of the skeleton.",
        ),
    ),
    Sign(
        "TypeError",
        r"got an unexpected keyword argument",
        says(
            "argument-not-taken",
            "An argument is given by a name that the function or class does not take.",
            "Keep the signature of the skeleton, with its names and defaults.",
        ),
    ),
    Sign(
        "TypeError",
        r"missing \d+ required (?:positional|keyword-only) arguments?",
        says(
            "argument-missing",
            "A call leaves out an argument that the function needs. A method that is called on its class, "
            "and not on an object, lacks `self`.",
            "Compare the call with the signature; has the skeleton a `@staticmethod` that is gone?",
        ),
    ),
    Sign(
        "UnboundLocalError",
        r"",
        says(
            "used-before-it-is-set",
            "A variable is used before it has a value on this way through your code.",
            "Give it a value before the loop or the `if`.",
        ),
    ),
    Sign(
        "NameError",
        r"is not defined",
        says(
            "name-not-defined",
            "Your code uses a name that nothing defines: a slip in typing, a `self.` that is missing, or "
            "an import or cell that has not run.",
            "Compare the name with the one that you meant, letter by letter.",
        ),
    ),
    Sign(
        "TypeError|AttributeError",
        r"'builtin_function_or_method'|'method' and|and 'method'|'(?:function|method)' object "
        r"(?:has no attribute|is not (?:iterable|subscriptable))|and 'function'|'function' and",
        says(
            "not-called",
            "A function itself stands where its result is meant: its parentheses are missing.",
            "Write p.numel() and model.parameters(), and not p.numel or model.parameters.",
        ),
    ),
    Sign(
        "TypeError|AttributeError",
        r"'NoneType'|NoneType",
        says(
            "none-is-used",
            "Something is None that should be a value: what a function without `return` gives, or a "
            "gradient that was not computed.",
            "Print it one line before; look where it should get its value.",
        ),
    ),
    Sign(
        "AttributeError",
        r"object has no attribute",
        says(
            "no-such-attribute",
            "Your code asks an object for an attribute or method that it does not have.",
            "Look at the name behind the point. What the constructor does not set with `self.` is not there.",
        ),
        in_your_line=True,
    ),
    Sign(
        "AttributeError",
        r"has no attribute",
        says(
            "lacks-an-attribute",
            "The check asks your object for an attribute or method that it does not have.",
            "Compare with the skeleton: its methods and attributes must keep their names.",
        ),
        in_your_line=False,
    ),
    Sign(
        "RuntimeError",
        r"The size of tensor a \(\d+\) must match the size of tensor b"
        r"|shape mismatch: value tensor|The expanded size of the tensor",
        says(
            "shapes-do-not-fit",
            "Two tensors meet entry by entry, and their shapes do not fit.",
            "Write both shapes beside the line; keepdim=True or view(-1, 1) makes a column of a "
            "row. To look for a tensor in a list, compare id(p): `in` compares the entries.",
        ),
    ),
    Sign(
        "ValueError",
        r"could not be broadcast together|matmul: Input operand|shapes .* not aligned",
        says(
            "arrays-do-not-fit",
            "Two arrays meet whose shapes do not fit.",
            "Write both shapes beside the line.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"shapes cannot be multiplied|size mismatch, got|Expected size for first two dimensions"
        r"|inconsistent tensor size|vector and vector|expected input\[",
        says(
            "product-does-not-fit",
            "Two matrices are multiplied whose shapes do not fit: the columns of the first must be as "
            "many as the rows of the second.",
            "Look whether one of them must be transposed, or their order exchanged.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"does not require grad and does not have a grad_fn",
        says(
            "cut-off-from-the-input",
            "What you return is cut off from its inputs, so no gradient can flow back.",
            "Leave out detach(), .data, .item(), NumPy and torch.no_grad() on the way.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"Can't call numpy\(\) on Tensor that requires grad",
        says(
            "numpy-of-a-graph",
            "NumPy cannot take a tensor that asks for gradients.",
            "Compute with PyTorch's operations, or take .detach() where no gradient is needed.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"backward through the graph a second time",
        says(
            "graph-used-twice",
            "A graph is used for a second backward pass, and the first one has freed it.",
            "Compute the values anew, or detach what is kept from one call to the next.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"returned an incorrect number of gradients",
        says(
            "number-of-gradients",
            "backward returns another number of gradients than forward takes arguments (without ctx).",
            "Return one gradient for each argument of forward, and None where none is needed.",
        ),
    ),
    Sign(
        "RuntimeError|TypeError|ValueError",
        r"same dtype|expected scalar type|dtypes match|result type \w+ can't be cast|"
        r"Found dtype \w+ but expected",
        says(
            "dtypes-do-not-fit",
            "Tensors of different dtypes meet in an operation that needs one dtype.",
            "Make constants with the dtype of x: torch.zeros_like(x), torch.tensor(c, dtype=x.dtype).",
        ),
    ),
    Sign(
        "RuntimeError|NotImplementedError",
        r"mean\(\): could not infer output dtype|Input dtype must be either a floating point",
        says(
            "mean-of-truth-values",
            "PyTorch takes no mean, std or var of truth values or whole numbers.",
            "Convert first: mask.float().mean().",
        ),
    ),
    Sign(
        "RuntimeError",
        r"stack expects each tensor to be equal size|Sizes of tensors must match except",
        says(
            "joined-shapes",
            "torch.stack and torch.cat join tensors whose shapes fit, and these do not.",
            "Look at the shapes, or combine the tensors one after the other in a loop.",
        ),
    ),
    Sign(
        "RuntimeError",
        r"view size is not compatible",
        says(
            "view-of-strides",
            "view needs entries that lie side by side in memory, and those of a transposed tensor do not.",
            "Use reshape, or contiguous() first.",
        ),
    ),
    Sign(
        "IndexError",
        r"Dimension out of range|Dimension specified as",
        says(
            "no-such-axis",
            "An axis is asked for that the tensor does not have.",
            "Axes go from 0 to ndim − 1; −1 is the last one.",
        ),
    ),
    Sign(
        "IndexError|ValueError|AxisError",
        r"out of (?:bounds|range)|too many indices",
        says(
            "index-out-of-range",
            "An index asks for more than there is.",
            "Indices go from 0 to n − 1.",
        ),
    ),
    Sign(
        "IndexError",
        r"tensors used as indices must be",
        says(
            "numbers-as-indices",
            "A tensor of fractions is used as an index.",
            "Indices are whole numbers or truth values: loop over range(n), not over the entries.",
        ),
    ),
    Sign(
        "ValueError|TypeError",
        r"values to unpack|cannot unpack non-iterable",
        says(
            "unpacking",
            "A line takes apart something that has another number of parts, or none.",
            "Print what stands at the right of that line's = or `in`.",
        ),
    ),
    Sign(
        "RecursionError",
        r"",
        says(
            "calls-itself",
            "Your code calls itself without an end.",
            "Look whether a method calls the object itself where another function is meant.",
        ),
    ),
    Sign(
        "ZeroDivisionError",
        r"",
        says(
            "divides-by-zero",
            "Your code divides by 0 here.",
            "Look what the divisor is in this call; is there a case that needs its own answer?",
        ),
    ),
    Sign(
        "TypeError",
        r"object is not callable",
        says(
            "called-what-is-no-function",
            "Something is called that is no function: parentheses behind a value.",
            "A missing operator, as in 2(x + 1), reads like a call; so does a name that is used twice.",
        ),
    ),
    Sign(
        "TypeError",
        r"received an invalid combination of arguments|must be Tensor|\(position \d+\) must be"
        r"|must be real number, not|takes no keyword arguments",
        says(
            "argument-of-a-wrong-kind",
            "A function gets an argument of a kind that it does not take.",
            "Look up what it takes: torch.maximum, torch.mean and torch.bernoulli want a tensor, "
            "torch.rand wants sizes; torch.clamp and operators also take numbers.",
        ),
    ),
    Sign(
        "TypeError",
        r"unsupported operand type|not supported between instances|can only concatenate"
        r"|can't multiply sequence",
        says(
            "operands-do-not-fit",
            "An operator stands between two things that it cannot combine.",
            "Print the types of both; a list is no tensor.",
        ),
    ),
    Sign(
        "KeyError",
        r"",
        says(
            "no-such-key",
            "A key is looked up that the dict does not have.",
            "Print the keys; .get(key, default) answers for those that are missing.",
        ),
    ),
    Sign(
        "AssertionError",
        r"",
        says(
            "own-assert",
            "An `assert` in your own code does not hold for this input.",
            "Is it true for every input that the docstring allows? Where an error is asked for, raise it.",
        ),
        in_your_line=True,
    ),
)
"""The first sign that fits is told."""
