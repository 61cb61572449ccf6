"""`python -m perception_client` is the command `perception`."""

from .command import main

if __name__ == "__main__":
    raise SystemExit(main())
