"""`python -m bootstrap.guard MARK` waits until its standard input closes, then ends what bears the mark.

A stack starts one and holds the other end of that pipe, which the kernel closes however the stack ends, by SIGKILL too.
The tether has told each program to stop by then; a worker in the middle of a long pass would live on.
"""

from __future__ import annotations

import sys

from bootstrap import families

PATIENCE = 5.0  # seconds


def main() -> None:
    sys.stdin.buffer.read()
    families.wait_gone(list(families.marked(sys.argv[1])), PATIENCE)
    families.end(families.marked(sys.argv[1]), 1)


if __name__ == "__main__":
    main()
