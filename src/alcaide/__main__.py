"""``python -m alcaide`` is ``alcaide``: the supervisor starts its children this way, from the same interpreter."""

from alcaide.app.cli import main

if __name__ == "__main__":
    main()
