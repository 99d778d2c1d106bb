"""Builds the web site; `make site` runs this.

    repository ──sources()──▶ build/site-work/source ──Sphinx──▶ build/site

The source tree has the repository's own layout, so that links between pages are the same on the
site as in the repository. Lessons are executed one on each core; what they gave is kept in a
cache that is keyed by the notebooks' code and by the helpers that the code uses.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import re
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from api_page import api_page
from jupyter_cache.cache.main import JupyterCacheBase
from jupyter_cache.executors import load_executor
from lesson_page import lesson_page
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

from helpers.course import LESSONS, Lesson

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "site-work"
PAGES = ("README.md", "CONTRIBUTING.md", "CHECKERS.md", "LICENSE-TEXT.md", "docs/*.md")
logger = logging.getLogger(__name__)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def sources() -> dict[Path, bytes]:
    """Every file of the site's source tree by its path: all that Sphinx gets to see."""
    files = {Path("api.md"): api_page().encode()}
    for file in (ROOT / "site").rglob("*"):
        if file.is_file() and file.suffix in {".md", ".css", ".js", ".woff2", ".txt"}:
            files[file.relative_to(ROOT / "site")] = file.read_bytes()
    for page in sorted(page for pattern in PAGES for page in ROOT.glob(pattern)):
        text = page.read_text(encoding="utf-8")
        for link in LINK.findall(text):
            target = (page.parent / link).resolve()
            if target.is_file() and target.suffix != ".ipynb":
                files.setdefault(target.relative_to(ROOT), target.read_bytes())
        files[page.relative_to(ROOT)] = text.replace("../README.md", "../index.md").encode()
    conventions = Path("notebooks/conventions.ipynb")
    files[conventions] = (ROOT / conventions).read_bytes()
    for lesson in LESSONS:
        files |= lesson_files(lesson)
    return files


def lesson_files(lesson: Lesson) -> dict[Path, bytes]:
    """A lesson's page and the students' notebook for download."""
    path = Path(lesson.folder) / f"{lesson.slug}.ipynb"
    solution = nbformat.read(ROOT / "solutions" / path, as_version=4)
    released = nbformat.read(ROOT / "notebooks" / path, as_version=4)
    download = Path("blank") / path.name
    page = lesson_page(solution, released, f"/{download.as_posix()}")
    return {
        Path("notebooks") / path: nbformat.writes(page).encode(),
        download: (ROOT / "notebooks" / path).read_bytes(),
    }


def write_tree(files: dict[Path, bytes], tree: Path) -> None:
    """Make the tree hold these files and no others; files that are the same keep their time."""
    for old in [file for file in tree.rglob("*") if file.is_file()]:
        if old.relative_to(tree) not in files:
            old.unlink()
    for path, content in files.items():
        file = tree / path
        if not file.is_file() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def fingerprint(folder: str) -> str:
    """Of `helpers`: all that a notebook's results depend on beside its own code; of `site`: all that
    a page depends on beside its text."""
    summary = hashlib.sha256(version("torch").encode())
    for file in sorted((ROOT / folder).rglob("*.py")):
        summary.update(file.relative_to(ROOT).as_posix().encode() + file.read_bytes())
    return summary.hexdigest()[:16]


class Cache(JupyterCacheBase):
    """Takes results from several threads, one after the other. By itself jupyter-cache takes a
    record that is made while it looks for records beyond its limit for one of them, and removes it.
    """

    _one_at_a_time = threading.Lock()

    def cache_notebook_bundle(self, *arguments: Any, **settings: Any) -> Any:
        with self._one_at_a_time:
            return super().cache_notebook_bundle(*arguments, **settings)


def execute(notebooks: list[Path], cache: Path) -> None:
    """Run those notebooks that the cache does not hold, as many at a time as there are cores."""
    store = Cache(cache)
    for notebook in notebooks:
        store.add_nb_to_project(str(notebook))
    waiting = [record.uri for record in store.list_unexecuted([str(x) for x in notebooks])]
    if waiting:
        print(f"Executing {len(waiting)} notebooks; all of them take some minutes, once.")

    def run(name: str) -> bool:
        print(f"  {Path(name).stem} ...", flush=True)
        executor = load_executor("local-serial", Cache(cache), logger)
        return not executor.run_and_cache(filter_uris=[name], timeout=900).succeeded

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        failed = [name for name, bad in zip(waiting, threads.map(run, waiting), strict=True) if bad]
    for name in failed:
        print(store.get_project_record(name).traceback, file=sys.stderr)
    if failed:
        raise SystemExit(f"These notebooks failed: {', '.join(failed)}")


def build(output: Path, lessons: list[str] | None = None) -> None:
    """Build the site into `output`, with the results of these lessons, or of all of them.

    Raises:
        SystemExit: a notebook failed, or Sphinx warned about a page.
    """
    tree, kept = WORK / "source", WORK / fingerprint("helpers")
    for old in set(WORK.glob("*")) - {tree, kept}:
        shutil.rmtree(old)  # results of earlier helpers
    write_tree(sources(), tree)
    pages = {x.folder[:2]: tree / "notebooks" / x.folder / f"{x.slug}.ipynb" for x in LESSONS}
    chosen = list(pages) if lessons is None else lessons
    conventions = tree / "notebooks/conventions.ipynb"
    execute([conventions, *(pages[number] for number in chosen)], kept / "cache")
    settings = {
        "nb_execution_cache_path": str(kept / "cache"),
        "nb_execution_excludepatterns": [str(pages[x]) for x in pages if x not in chosen],
    }
    shutil.rmtree(kept / "html", ignore_errors=True)  # no page of an earlier build stays
    with docutils_namespace():
        application = Sphinx(
            srcdir=tree,
            confdir=ROOT / "site",
            outdir=kept / "html",
            doctreedir=kept / f"doctrees-{fingerprint('site')}",
            buildername="html",
            confoverrides=settings,
            status=None,
            warningiserror=True,
        )
        application.build()
    if application.statuscode:
        raise SystemExit("Sphinx warned about the pages above. Repair them, then build again.")
    shutil.rmtree(output, ignore_errors=True)
    shutil.copytree(kept / "html", output, ignore=shutil.ignore_patterns(".buildinfo*", "_sources"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--lessons", nargs="*", help="execute only these, as 00 01; default all")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("COURSE_DEVICE", "cpu")
    os.environ["COURSE_PROGRESS"] = "off"
    build(arguments.output, arguments.lessons)
    print(f"The site is ready: open {arguments.output / 'index.html'}")


if __name__ == "__main__":
    main()
