"""JupyterHub for one course on one server; docs/jupyterhub.md says how to set it up.

Students and instructors are users of the server and log in with its passwords. Each has a
JupyterLab of his own; the instructors share the formgrader, which runs as a service under a user
of its own, so that no instructor's home holds the gradebook.
"""

import sys
from pathlib import Path

c = get_config()  # type: ignore[name-defined]  # noqa: F821

COURSE = "pytorch-course"  # the course_id of nbgrader_config.py
INSTRUCTORS = {"instructor"}
GRADER = f"grader-{COURSE}"  # owns the course's folder and the gradebook; nobody logs in with it
PROGRAMS = Path(sys.executable).parent  # jupyterhub-singleuser and nbgrader lie beside this Python

# Who may log in: the members of the server's group `students`, and the instructors.
c.JupyterHub.authenticator_class = "pam"
c.LocalAuthenticator.allowed_groups = {"students"}
c.Authenticator.allowed_users = INSTRUCTORS

# Each JupyterLab is a process of its user.
c.JupyterHub.spawner_class = "localprocess"
c.Spawner.cmd = [str(PROGRAMS / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.notebook_dir = "~"
c.Spawner.environment = {
    "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",  # many students share the processors
}

# nbgrader reads membership from groups of these names.
c.JupyterHub.load_groups = {f"formgrade-{COURSE}": {"users": sorted(INSTRUCTORS)}}
c.JupyterHub.load_roles = [
    {
        "name": f"formgrade-{COURSE}",
        "groups": [f"formgrade-{COURSE}"],
        "scopes": [
            f"access:services!service={COURSE}",
            f"read:services!service={COURSE}",
            "list:services",
        ],
    },
    # Course List, in an instructor's JupyterLab, asks for the services with its owner's rights.
    {"name": "server", "scopes": ["inherit"]},
]

# The formgrader. nbgrader wants the service to have the course's name.
c.JupyterHub.services = [
    {
        "name": COURSE,
        "url": "http://127.0.0.1:9999",
        "command": [str(PROGRAMS / "jupyterhub-singleuser")],
        "user": GRADER,
        "cwd": f"/home/{GRADER}/{COURSE}",
        "environment": {
            "JUPYTERHUB_DEFAULT_URL": "/formgrader",
            "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
        },
    }
]
