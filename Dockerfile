# The course in a container; docs/anywhere.md says how to build and start it.
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 student \
    && install --directory --owner=student /home/student/course
USER 1000
WORKDIR /home/student/course
ENV PATH="/home/student/.local/bin:${PATH}"

# What the course needs is installed before the course is copied, so that an edited lesson does not
# install PyTorch again: an editable installation needs no more than the package's folder.
COPY --chown=1000 pyproject.toml constraints.txt LICENSE ./
RUN mkdir helpers && touch helpers/__init__.py \
    && python -m pip install --user --no-cache-dir --constraint constraints.txt --editable .
COPY --chown=1000 . .

EXPOSE 8888
CMD ["course", "lab", "--no-browser", "--host", "0.0.0.0"]
