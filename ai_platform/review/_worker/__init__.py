"""Runs in the interpreter of the project under review and answers in JSON.

Nothing of ours is imported here, only the standard library and the project's own
Alembic (1.8 or newer) and SQLAlchemy (1.4 or newer), inside functions because they may
be missing; and the language is that of Python 3.8. `start` is the program.
"""
