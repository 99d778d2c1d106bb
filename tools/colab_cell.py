# @title In Google Colab, run this cell first. Elsewhere it does nothing.
import sys

COURSE = ""  # @param {type: "string"}

if "google.colab" in sys.modules:
    import importlib.util
    import subprocess

    if COURSE and importlib.util.find_spec("helpers") is None:
        print("Installing the course. This takes some minutes, once in each session.")
        command = [sys.executable, "-m", "pip", "install", "--quiet", f"git+{COURSE}"]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        print(pip.stderr if pip.returncode else "The course is installed.")
        importlib.invalidate_caches()
    if importlib.util.find_spec("helpers") is None:
        print(
            "The course is not installed: write the address of its repository, such as "
            "https://github.com/ada/course, into COURSE in this cell and run the cell again; "
            "your instructor knows the address."
        )
