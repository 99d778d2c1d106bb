"""Lets every version go, so that the newest of everything is installed and tested.

The workflow `canary` runs this in a clone that is thrown away. It changes pyproject.toml, so that
`torch==2.15.0` becomes `torch`, environment.yml likewise, and empties constraints.txt.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PIN = re.compile(r"(?<=[A-Za-z0-9])==[0-9][\w.+!-]*")


def loosened(text: str) -> str:
    """The text without exact versions; lower limits stay.

    >>> loosened('"torch==2.15.0", "numpy>=2"')
    '"torch", "numpy>=2"'
    """
    return PIN.sub("", text)


def main() -> None:
    for name in ("pyproject.toml", "environment.yml"):
        path = ROOT / name
        path.write_text(loosened(path.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"{name}: no exact versions any more")
    (ROOT / "constraints.txt").write_text("# none: the newest of everything\n", encoding="utf-8")
    print("constraints.txt: empty")


if __name__ == "__main__":
    main()
