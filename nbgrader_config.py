"""nbgrader's settings for this course; nbgrader reads them in this folder."""

from nbgrader.converters import GenerateAssignment

from helpers.course import LESSONS
from helpers.grading.release import TagChecks

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "pytorch-course"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"

# nbgrader copies every file that stands beside a source notebook into the release. The lessons'
# sources hold the solutions, so they are left out by name; students may hand in other .py files.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "*.pyc",
    "__pycache__",
    "feedback",
    *[f"{lesson.slug}.py" for lesson in LESSONS],
]

# The students' versions are committed; without this the first `nbgrader generate_assignment` finds
# them, does nothing, and leaves the gradebook empty.
c.GenerateAssignment.force = True

c.GenerateAssignment.preprocessors = [
    *GenerateAssignment.preprocessors.default_args[0],
    TagChecks,
]
