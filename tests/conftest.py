"""Settings of every test: no progress is recorded, and two tests never share a core's threads."""

import os

os.environ["COURSE_PROGRESS"] = "off"
os.environ.setdefault("COURSE_DEVICE", "cpu")
os.environ.setdefault("OMP_NUM_THREADS", "1")
