"""Grant each role the least it needs

Why:   rights come last: until here nobody but the owner reaches a table. On parents
       only, a partition never gets a grant.
Lock:  none that blocks readers or writers.
Phase: expand - nothing existed before that could stop working.
Back:  revokes the rights.
"""

from __future__ import annotations

from migrations.ddl import apply_sql, as_owner

revision = "7cad5fb5b696"
down_revision = "2d8c27c08283"
branch_labels = None
depends_on = None


def upgrade() -> None:
    as_owner()
    apply_sql("7cad5fb5b696_algo_platform_rights")
    apply_sql("7cad5fb5b696_auth_rights")
    apply_sql("7cad5fb5b696_data_platform_rights")
    apply_sql("7cad5fb5b696_logs_rights")
    apply_sql("7cad5fb5b696_model_platform_rights")
    apply_sql("7cad5fb5b696_monitoring_rights")
    apply_sql("7cad5fb5b696_public_rights")
    apply_sql("7cad5fb5b696_service_platform_rights")


def downgrade() -> None:
    as_owner()
    apply_sql("7cad5fb5b696_service_platform_rights_back")
    apply_sql("7cad5fb5b696_public_rights_back")
    apply_sql("7cad5fb5b696_monitoring_rights_back")
    apply_sql("7cad5fb5b696_model_platform_rights_back")
    apply_sql("7cad5fb5b696_logs_rights_back")
    apply_sql("7cad5fb5b696_data_platform_rights_back")
    apply_sql("7cad5fb5b696_auth_rights_back")
    apply_sql("7cad5fb5b696_algo_platform_rights_back")
