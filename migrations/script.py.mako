"""${message}

Why:   the measured need, in the words of whoever asked for it.
Lock:  strongest lock on each existing table, for how long, who waits.
Phase: expand | migrate | contract - which old code keeps working.
Back:  what downgrade() undoes, and what it cannot bring back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from migrations.ddl import as_owner
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    as_owner()
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    as_owner()
    ${downgrades if downgrades else "pass"}
