"""nbgrader's settings for every user of the server: copy this to /etc/jupyter/nbgrader_config.py.

The settings of the course itself are those of nbgrader_config.py in the course's own folder.
"""

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "pytorch-course"
c.Exchange.root = "/srv/nbgrader/exchange"
c.Exchange.path_includes_course = True  # ~/pytorch-course/00_start_here
