"""What to do where the sandbox does not start: the packages, settings and options that it needs."""

from __future__ import annotations

BUBBLEWRAP = (
    "Install it. Debian and Ubuntu: `sudo apt install bubblewrap`. "
    "Fedora: `sudo dnf install bubblewrap`."
)
SETPRIV = (
    "Install it. Debian and Ubuntu: `sudo apt install util-linux`. "
    "Fedora: `sudo dnf install util-linux`."
)
LIBSECCOMP = (
    "Install it. Debian and Ubuntu: `sudo apt install libseccomp2`. "
    "Fedora: `sudo dnf install libseccomp`. The Python package comes with the course: "
    "`python -m pip install pyseccomp`."
)
DOCKER_AS_ROOT = (
    "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN "
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
)
DOCKER_AS_USER = (
    "docker run --user 1000 --security-opt seccomp=unconfined "
    "--security-opt apparmor=unconfined --security-opt systempaths=unconfined"
)
IN_A_CONTAINER = (
    f"A container needs more than the usual rights. As root in it: `{DOCKER_AS_ROOT} ...`. "
    f"As another user: `{DOCKER_AS_USER} ...`."
)
NAMESPACES = (
    "Let ordinary users make user namespaces. Ubuntu from 23.10 on: "
    "`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`. "
    "Older Debian: `sudo sysctl -w kernel.unprivileged_userns_clone=1`. "
    "Where user.max_user_namespaces is 0: `sudo sysctl -w user.max_user_namespaces=15000`. "
    f"To keep a setting, write it to a file in /etc/sysctl.d. {IN_A_CONTAINER}"
)
CONTAINERS = (
    "Grade on Linux. On Windows: in WSL2 (`wsl --install`), with `sudo apt install bubblewrap`. "
    f"On macOS: in a virtual machine or a container with Linux. {IN_A_CONTAINER}"
)
OTHER = (
    "Do not grade other people's code with `course grade` here. Please report this with the "
    "output of `course sandbox` and of `uname -a`."
)

_SIGNS = (
    (("setpriv",), SETPRIV),
    (("seccomp",), LIBSECCOMP),
    (("not installed", "No such file or directory: 'bwrap'"), BUBBLEWRAP),
    (
        ("namespace", "uid map", "mount", "loopback", "pivot", "not permitted", "denied"),
        NAMESPACES,
    ),
)


def remedy_for(trouble: str) -> str:
    """What to do about a message of the sandbox.

    >>> remedy_for("The program bwrap is not installed.")[:10]
    'Install it'
    """
    for signs, remedy in _SIGNS:
        if any(sign in trouble for sign in signs):
            return remedy
    return OTHER
