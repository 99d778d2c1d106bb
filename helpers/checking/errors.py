"""The two ways in which a check ends without a pass."""

from __future__ import annotations

from helpers.checking.report import Report


class CheckFailed(AssertionError):
    """The answer is not right yet. `str(error)` is the whole message."""

    def __init__(
        self,
        report: Report,
        check: str,
        misconception: str | None = None,
        case: str | None = None,
        *,
        perhaps: str | None = None,
        relation: str | None = None,
    ) -> None:
        super().__init__(report.text())
        self.report = report
        self.check = check
        self.misconception = misconception
        """The id of the diagnosis, two joined by a plus sign, or None."""
        self.perhaps = perhaps
        """The id of a guess, or None."""
        self.relation = relation
        """How what was returned is related to what was expected, in a sentence, or None."""
        self.case = case

    is_shown = False
    """Whether the whole message stands above the error already."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a stack of frames."""
        return [self.report.headline] if self.is_shown else self.report.text().splitlines()

    def _repr_html_(self) -> str:
        return self.report.html()


class NotAttempted(CheckFailed):
    """The TODO still holds its stub."""
