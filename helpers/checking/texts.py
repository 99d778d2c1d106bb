"""Every sentence that the engine says, in one place, as whole sentences with named gaps."""

PASSED = "✓ {topic} — {praise}"
FAILED = "✗ {topic} — {what}"
NOT_ATTEMPTED = "○ {topic} — not attempted yet: TODO {number} ({writes})."

CALLED = "Called with"
RETURNED = "You returned"
EXPECTED = "Expected"
DIFFERS = "First differs"
MESSAGE = "It says"
LINE = "Your line"
PRINTED = "It printed"
GAVE = "You gave"
CAUSE = "Likely cause"
BOTH = "Two causes"
PERHAPS = "Perhaps"
NOTICE = "Notice"
NEXT = "Next step"

KIND = {
    "type": "The result is of the wrong type.",
    "shape": "The result has the wrong shape.",
    "dtype": "The result has the wrong dtype.",
    "device": "The result is on the wrong device.",
    "not finite": "The result contains NaN or infinity.",
}
NO_RESULT = "A result is missing."

AT_INDEX = "at index {index}: yours {yours}, expected {expected}"
AT_INDEX_OF = "at index {index}, where {input} is {entry}: yours {yours}, expected {expected}"
AT_INDEX_SECRET = "at index {index}: yours {yours}"
LATER_DIGIT = "in a later digit: yours {yours}, expected {expected}"
HIDDEN = "(not shown, since it is the answer)"
SETTING = "{call}    ({case})"
TWO = "1. {first}\n2. {second}"

# Notes: what a right answer could do better, at no cost.
NOTE = "◦ One thing more: {what} The case: {case}. No points are lost."
NOTE_NUMBER = (
    "◦ One thing more: a plain number is meant where you return {yours}. No points are lost."
)
NOTE_RAISED = "Your code raises {type}."
NOTE_TIMED_OUT = "Your code does not end."

# Relations: observations about two results.
TABLE_FOR_A_ROW = (
    "Your result has shape ({n}, {n}) where ({n},) is meant: a row was combined with a column."
)
TRANSPOSED = "Your result is the expected one, transposed."
SAME_NUMBERS = "The numbers are right, in the shape {yours} instead of {expected}."
SAME_BUT_DTYPE = "The numbers are right; only the dtype differs."
SEVEN_DIGITS = (
    "Yours and expected agree to about seven digits: "
    "some step of your code computes in float32, and this case is in float64."
)
IS_INPUT = "Your result equals the argument {name}."
IS_ANOTHER = "Your result equals what is expected for: {name}."
ZERO_EVERYWHERE = "Your result is zero in every entry."
REVERSED = "Your result is the expected one in reverse order along axis {axis}."
OTHER_ORDER = "Your result holds the expected rows in another order."
FACTOR = "Every entry of yours is {factor} times the expected one."
FACTOR_OF_ONE = "Yours is {factor} times the expected number."
ROWS = "{n} (the number of rows)"
ONE_OVER_ROWS = "1/{n} ({n} is the number of rows)"
ROWS_BY_LESS = "{n}/{less} ({n} is the number of rows)"
LESS_BY_ROWS = "{less}/{n} ({n} is the number of rows)"
OFFSET = "Every entry of yours is the expected one plus {offset}."
COMPLEMENT = "Yours and expected add up to 1 in every entry."
SQUARE = "Yours is the square of the expected one."
ROOT = "Yours is the square root of the expected one."
RECIPROCAL = "Yours is 1 divided by the expected one."
DIFFERS_WHERE = "The results differ just where {name} {sign}, and are equal elsewhere."
DIFFERS_FAR = "The results differ just where |{name}| is {far} or more, and are equal elsewhere."
DIFFERS_FIRST = "The results differ in the first row only."
DIFFERS_LAST = "The results differ in the last row only."
DIFFERS_ROW = "The results differ in the row {row} only."

RAISED = "Your code raised {type}."
RAISED_NOT_INITIALISED = "Your class does not initialise `nn.Module`."
RAISED_IN_PLACE = "Your code changes in place what autograd still needs."
RAISED_MISSING_FORWARD = "Your class has no method `forward`."
TIMED_OUT = "Your code did not end within {seconds:.0f} seconds."
BUILTIN = "Your code calls PyTorch's own `{name}`, which this exercise asks you to write."

NEXT_TODO = "Complete TODO {number} in the cell above, run that cell, then run this one again."
NEXT_REREAD = 'Reread "{section}", compare the two results above, then run this cell again.'
NEXT_HINT = "{hint}"
NEXT_RAISED = "Repair that line, or the call that leads to it, then run this cell again."
NEXT_NOT_INITIALISED = (
    "Write `super().__init__()` as the first line of `__init__`, then run this cell again."
)
NEXT_IN_PLACE = (
    "Look for `+=`, `/=`, an indexed assignment or a method that ends in an underscore, and write "
    "`v = v / n` instead of `v /= n`, then run this cell again."
)
NEXT_RAISED_ELSEWHERE = (
    "No line of yours raised this, but the check's use of what you made or returned. "
    "Compare it with the docstring of the skeleton, then run this cell again."
)
NEXT_NONE = "Look whether every way through your code ends with `return`, then run this cell again."
NEXT_TIMED_OUT = (
    "Look for a loop that never ends, then run this cell again. "
    "If the notebook has become slow, restart the kernel first."
)
NEXT_BUILTIN = (
    "Write the formula with elementary operations. "
    "The docstring of the skeleton names what is not allowed."
)

WRONG_KIND_CLASS = "The check takes the class `{name}` itself."
WRONG_KIND_FUNCTION = "The check takes the function `{name}` itself."
MISSING_METHOD = "Your class `{name}` has no method `{method}`."
NEXT_CLASS = "Write `{call}`, without parentheses after the name of the class."
NEXT_FUNCTION = "Write `{call}`, without calling the function."
NEXT_METHOD = "Add `def {method}(self, ...)` to the class, indented like its other methods."

WAITS_TODO = "○ This cell needs your {name}: finish TODO {number} first, then run it again."
WAITS = "○ This cell needs your {name}: finish its TODO first, then run it again."
NOT_RECORDED = "(Your progress could not be recorded: {reason}. The check itself is not affected.)"
GRADED_ELSEWHERE = "({topic}: the grader runs this check by itself.)"
