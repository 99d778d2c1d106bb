#!/usr/bin/env bash
# Prepares a server for the course; run it as root, in the course's folder. It can be run again.
set -euo pipefail

course=pytorch-course
grader=grader-$course
place=/opt/$course

getent group students >/dev/null || groupadd students
id "$grader" >/dev/null 2>&1 || useradd --create-home --shell /usr/sbin/nologin "$grader"

# The programs, for everybody to read and for nobody but root to change.
python3 -m venv "$place"
"$place/bin/python" -m pip install --quiet --constraint constraints.txt .
"$place/bin/python" -m pip install --quiet --constraint constraints.txt "jupyterhub>=5,<6"

# The exchange: everybody may use it; nbgrader gives its folders their rights.
install --directory --mode=0755 /srv/nbgrader
install --directory --mode=0777 /srv/nbgrader/exchange

# The course, in the grader's home, and the settings that everybody has.
install --directory --owner="$grader" --group="$grader" --mode=0700 "/home/$grader/$course"
for part in solutions nbgrader_config.py; do
    cp --recursive "$part" "/home/$grader/$course/"
done
chown --recursive "$grader:$grader" "/home/$grader/$course"
install -D --mode=0644 deploy/jupyterhub/nbgrader_config.py /etc/jupyter/nbgrader_config.py
install -D --mode=0644 deploy/jupyterhub/jupyterhub_config.py /etc/jupyterhub/jupyterhub_config.py

echo "Ready. Start the hub with: $place/bin/jupyterhub --config /etc/jupyterhub/jupyterhub_config.py"
