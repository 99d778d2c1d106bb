"""The process from which all others of the sandbox are forked: it has imported everything, and
knows no secret.

It runs none of a student's code, nor do its twins, which it forks on order, one for each judge.
A twin forks a child for each notebook.

    python -m helpers.grading.sandbox.zygote CONTROL_FD CONFINED(0 or 1)
"""

from __future__ import annotations

import os
import socket
import sys

from helpers.grading.quick_imports import quick_imports

with quick_imports():
    from helpers.grading.sandbox import confine
    from helpers.grading.sandbox.orders import next_order
    from helpers.grading.sandbox.twin import Twin, World


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    with quick_imports(for_good=True):
        world = _world(confined=sys.argv[2] == "1")
    while order := next_order(control):
        _start_twin(world, order.file, processor=order.numbers[0])


def _world(confined: bool) -> World:
    filter_for_children = None
    if confined:  # before the imports take their seconds, in case it is missing
        from helpers.grading.sandbox.system_calls import filter_for_students

        filter_for_children = filter_for_students()
        confine.prctl(confine.PR_SET_DUMPABLE, 0)
    from helpers.grading.sandbox.imports import import_everything
    from helpers.grading.sandbox.shell import make_shell

    return World(confined, filter_for_children, import_everything(), make_shell())


def _start_twin(world: World, judge: int, processor: int) -> None:
    """Through a process that leaves at once: the twin then has no parent here to wait for it, and
    is the first process of its own process namespace, in which it may make others.
    """
    between = os.fork()
    if between == 0:
        try:
            os.setsid()
            if world.confined:
                confine.prctl(confine.PR_SET_DUMPABLE, 1)  # else /proc/self belongs to root
                confine.own_processes()
            if os.fork() == 0:
                Twin(world, socket.socket(fileno=judge), processor).serve()
        except ConnectionError:
            pass  # the judge is gone
        except OSError as error:
            print(f"New namespaces are not allowed: {error}", file=sys.stderr, flush=True)
        except Exception as error:  # `os._exit` would swallow it
            why = f"{type(error).__name__}: {error}"
            print(f"The sandbox has a fault of its own: {why}", file=sys.stderr, flush=True)
        finally:
            os._exit(0)
    os.close(judge)
    os.waitpid(between, 0)


if __name__ == "__main__":
    try:
        main()
    except (ImportError, OSError) as error:
        sys.exit(f"The sandbox cannot be set up: {error}")
