"""The door of the program: answers `--version` at once and leaves the rest to `cli`."""

import sys

from mcpward import __version__


def main() -> int:
    if sys.argv[1:] == ["--version"]:
        print(f"mcpward {__version__}")
        return 0

    from mcpward.cli import app

    return app.main()


if __name__ == "__main__":
    sys.exit(main())
