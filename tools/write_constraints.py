"""Writes the installed versions to constraints.txt; `make constraints` runs this.

Only names and versions: where they are downloaded from is the business of each computer.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "# The exact versions that the course is tested with; `make constraints` writes them.\n"


def main() -> None:
    frozen = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    plain = [line for line in frozen if re.fullmatch(r"[\w.-]+==[\w.+!-]+", line)]
    plain.sort(key=str.lower)  # versions of pip differ in the order
    (ROOT / "constraints.txt").write_text(HEAD + "\n".join(plain) + "\n", encoding="utf-8")
    print(f"wrote constraints.txt with {len(plain)} versions")


if __name__ == "__main__":
    main()
