"""``python -m unransom`` is the same program as ``unransom``."""

from unransom.cli import main

if __name__ == "__main__":
    main()
