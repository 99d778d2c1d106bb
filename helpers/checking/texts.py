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
DIAGNOSIS = "[{id}] {diagnosis}"

RAISED = "Your code raised {type}."
RAISED_MISSING_FORWARD = "Your class has no method `forward`."
TIMED_OUT = "Your code did not end within {seconds:.0f} seconds."
BUILTIN = "Your code calls PyTorch's own `{name}`, which this exercise asks you to write."

NEXT_TODO = "Complete TODO {number} in the cell above, run that cell, then run this one again."
NEXT_REREAD = 'Reread "{section}", compare the two results above, then run this cell again.'
NEXT_HINT = "{hint}"
NEXT_RAISED = "Repair that line, or the call that leads to it, then run this cell again."
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

WAITS_TODO = "⏸ This cell needs your `{name}`: finish TODO {number} first, then run it again."
WAITS = "⏸ This cell needs your `{name}`: finish its TODO first, then run it again."
NOT_RECORDED = "(Your progress could not be recorded: {reason}. The check itself is not affected.)"
GRADED_ELSEWHERE = "({topic}: the grader runs this check by itself.)"
